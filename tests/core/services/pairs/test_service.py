from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, NotFound
from core.domain.judgement import JudgementDraft, ReviewerKind, Verdict
from core.domain.pair_table import PairOrder
from core.domain.rubric import ChangeLevel
from core.domain.text_flags import flag_keys
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.importing.files.escaping import TRIGGERS
from core.services.pairs.service import PairFilter
from tests.fakes.fresh import fresh
from tests.fakes.workspaces import opened, person, prefer

ODD = ["100% sure", "under_score", "back\\slash", 'say "hi"', "Ünïcode", "=SUM(A1)", "'quoted", "-1", "@x", "\tindent"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """Give a workspace of one's own."""
    yield from filled(tmp_path)


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Give the same workspace to all tests that only read it."""
    yield from filled(tmp_path_factory.mktemp("reading"))


def filled(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        rows: list[dict[str, Any]] = [
            {"prompt": f"q{i} {ODD[i]}", "response1": f"one {i}", "response2": f"two {i}"} for i in range(10)
        ]
        for i, label in enumerate([(1, 1), (1, 2), (0, 0), ("both bad", None), (2, None)]):
            rows[i].update(annotator1=label[0], annotator2=label[1])
        bring(application, tmp_path, rows, "mine")
        other = [
            {"prompt": "q0 100% sure", "response1": "one 0", "response2": "two 0"},
            {"prompt": "z", "response1": "a", "response2": "b"},
        ]
        bring(application, tmp_path, other, "other")
        yield application


def bring(app: Application, folder: Path, rows: list[dict[str, Any]], name: str) -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    app.imports.run(path, fmt="table:one_based", consent="granted")


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (PairFilter(), list(range(1, 12))),
        (PairFilter(label="none"), [6, 7, 8, 9, 10, 11]),
        (PairFilter(label="labelled"), [1, 2, 3, 4, 5]),
        (PairFilter(label="tie"), [3]),
        (PairFilter(label="neither"), [4]),
        (PairFilter(label="disagree"), [2]),
        (PairFilter(label="cannot"), []),
        (PairFilter(label="flagged"), []),
        (PairFilter(source_id=1), list(range(1, 11))),
        (PairFilter(source_id=2), [1, 11]),
        (PairFilter(reviewer_id=2), [1, 2, 3]),
        (PairFilter(reviewer_id=2, label="tie"), [3]),
        (PairFilter(reviewer_id=2, label="none"), list(range(4, 12))),
        (PairFilter(rubric_version_id=1), [1, 2, 3, 4, 5]),
        (PairFilter(rubric_version_id=9), []),
        (PairFilter(pair_ids=(11, 3, 99)), [3, 11]),
        (PairFilter(pair_ids=()), []),
        (PairFilter(text_flag="mojibake"), []),
        (PairFilter(text="TWO"), list(range(1, 11))),
        (PairFilter(text="q1 one"), [2]),
        (PairFilter(text='"one 1"'), [2]),
        (PairFilter(text="one 1", label="none"), [6, 8]),
        (PairFilter(text='"one 1"', label="none"), []),
        (PairFilter(text="%"), [1]),
        (PairFilter(text="_"), [2]),
        (PairFilter(text="\\"), [3]),
        (PairFilter(text='"'), [4]),
        (PairFilter(text="Ünïcode"), [5]),
        (PairFilter(text="'; DROP TABLE pair; --"), []),
        (PairFilter(text="\ud800 \x00 ) OR 1=1"), []),
    ],
)
def test_that_filters_pass_exactly_what_they_say(reading: Application, wanted: PairFilter, ids: list[int]) -> None:
    assert reading.pairs.ids(wanted) == ids
    assert reading.pairs.count(wanted) == len(ids)
    assert [row.id for row in reading.pairs.page(wanted)] == ids


def test_that_pages_by_key_meet_every_row_once(reading: Application) -> None:
    seen: list[int] = []
    while page := reading.pairs.page(after_id=seen[-1] if seen else 0, limit=4):
        seen += [row.id for row in page]
    assert seen == reading.pairs.ids()


def test_that_rows_come_in_the_order_asked_for(reading: Application) -> None:
    rows = reading.pairs.rows([5, 99, 2])
    assert [row.id for row in rows] == [5, 2]
    assert rows[1].prompt == "q1 under_score"
    assert (rows[1].state, rows[1].disagree, rows[1].source) == ("A 1 · B 1", True, "mine")
    assert reading.pairs.rows([8])[0].state == "not labelled"


def test_that_a_row_holds_only_the_beginning_of_long_texts(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [{"prompt": "p" * 5000, "response1": "a" * 5000, "response2": "b"}], "long")
    row = app.pairs.page(after_id=11)[0]
    assert len(row.prompt) == 240
    assert {len(row.a), len(row.b)} == {240, 1}


def test_that_the_detail_leads_to_sources_judgements_datasets(app: Application) -> None:
    version = app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0))).value
    detail = app.pairs.detail(1)
    assert [place.source.name for place in detail.sources] == ["mine", "other"]
    assert len(detail.judgements) == 2
    (held,) = detail.datasets
    assert (held.dataset_id, held.title, held.split) == (version.id, "d v1", "train")
    assert set(held.judgement_ids) == {j.id for j in detail.judgements}
    assert app.pairs.ids(PairFilter(dataset_id=version.id)) == [1, 5]
    assert detail.runs == ()
    with pytest.raises(NotFound):
        app.pairs.detail(999)


def test_that_the_table_as_csv_runs_no_formula_and_reads_back(app: Application, tmp_path: Path) -> None:
    report = app.pairs.export_table(tmp_path / "table.csv")
    assert report.rows == 11
    with Path(report.path).open(encoding="utf-8", newline="") as handle:
        cells = [cell for line in csv.reader(handle) for cell in line]
    assert not any(cell.startswith(TRIGGERS) for cell in cells)
    with fresh(tmp_path / "other") as other:
        result = other.imports.run(report.path, name="back").value
        assert (result.fmt, result.imported, result.rejected, result.judgements) == ("pairwright_table", 11, 0, 8)
        for key in app.pairs.ids():
            here, there = app.pairs.detail(key), other.pairs.detail(key)
            assert (here.sha256, here.pair) == (there.sha256, there.pair)
            assert [(j.reviewer.name, j.draft) for j in here.judgements] == [
                (j.reviewer.name, j.draft) for j in there.judgements
            ]


@pytest.mark.parametrize("guarded", [True, False])
def test_that_a_table_without_the_file_beside_it_reads_back_to_the_same_pairs(
    app: Application, tmp_path: Path, guarded: bool
) -> None:
    report = app.pairs.export_table(tmp_path / "table.csv")
    Path(report.manifest_path).unlink()
    if not guarded:  # a program took the guard off
        with open(report.path, encoding="utf-8", newline="") as handle:
            rows = [[cell.removeprefix("'") for cell in line] for line in csv.reader(handle)]
        with open(report.path, "w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows(rows)
    again = app.imports.run(Path(report.path)).value
    assert (again.imported, again.duplicates, again.rejected) == (0, 11, 0)


def test_that_the_file_beside_a_table_says_nothing_about_another_table(app: Application, tmp_path: Path) -> None:
    report = app.pairs.export_table(tmp_path / "table.csv")
    Path(report.path).write_text("prompt,chosen,rejected\n'quoted,a,b\n", encoding="utf-8")
    with fresh(tmp_path / "other") as other:
        other.imports.run(Path(report.path))
        assert other.pairs.detail(1).pair.prompt.as_text() == "'quoted"


def test_that_reading_a_table_back_into_its_own_workspace_doubles_no_label(app: Application, tmp_path: Path) -> None:
    report = app.pairs.export_table(tmp_path / "table.csv", PairFilter(label="labelled"))
    result = app.imports.run(report.path).value
    assert (result.imported, result.duplicates, result.judgements, result.known_labels) == (0, 5, 0, 8)
    with pytest.raises(BadInput, match=r"ends in \.csv"):
        app.pairs.export_table(tmp_path / "table.xlsx")


def test_that_pairs_that_someone_could_not_judge_are_found(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as app:
        first, second = app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)), 2)
        app.annotation.commit(first.presentation_uid, JudgementDraft(Verdict.CANNOT_JUDGE, reason="language"))
        app.annotation.commit(second.presentation_uid, prefer(1))
        for wanted in (PairFilter(label="cannot"), PairFilter(label="cannot", reviewer_id=1)):
            assert app.pairs.ids(wanted) == [first.pair_id]
            assert app.pairs.count(wanted) == 1
        assert app.pairs.ids(PairFilter(label="cannot", reviewer_id=9)) == []


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Give six pairs: three labelled before a new major version (one edited, one flagged), the fourth after it."""
    with opened(tmp_path_factory.mktemp("judged") / "ws") as app:
        drafts = (prefer(1), prefer(2, edit="Better."), prefer(-1, flags=("truncated",)), prefer(3))
        for place, draft in enumerate(drafts, 1):
            if place == 4:
                second = app.rubrics.new_draft(1).value
                app.rubrics.save_draft(second.id, replace(second.body, purpose="Which answer is safer?"))
                app.rubrics.publish(second.id, ChangeLevel.MAJOR, "Another meaning.")
            version = 1 if place < 4 else 2
            queue = app.annotation.open_queue(QueueSettings(1, version, filter=PairFilter(pair_ids=(place,))))
            (shown,) = app.annotation.next(queue, 1)
            app.annotation.commit(shown.presentation_uid, draft)
        app.annotation.bookmark(1, 5)
        yield app


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (PairFilter(stale=True), [1, 2, 3]),
        (PairFilter(edited=True), [2]),
        (PairFilter(flag="truncated"), [3]),
        (PairFilter(flag="pii"), []),
        (PairFilter(bookmarked=True), [5]),
        (PairFilter(stale=True, edited=True), [2]),
        (PairFilter(stale=True, rubric_version_id=2), []),
        (PairFilter(stale=True, reviewer_id=9), []),
        (PairFilter(rubric_version_id=2), [4]),
        (PairFilter(label="none", bookmarked=True), [5]),
        (PairFilter(text="question", stale=True), [1, 2, 3]),
    ],
)
def test_that_pairs_are_found_by_what_their_labels_are_and_hold(
    judged: Application, wanted: PairFilter, ids: list[int]
) -> None:
    assert judged.pairs.ids(wanted) == ids
    assert judged.pairs.count(wanted) == len(ids)


@pytest.mark.parametrize("order", get_args(PairOrder))
@pytest.mark.parametrize("descending", [False, True])
def test_that_pages_by_key_meet_every_row_once_in_every_order(
    judged: Application, reading: Application, order: PairOrder, descending: bool
) -> None:
    for app in (judged, reading):
        wanted = PairFilter(order=order, descending=descending)
        ids = app.pairs.ids(wanted)
        seen: list[int] = []
        while page := app.pairs.page(wanted, after_id=seen[-1] if seen else 0, limit=3):
            seen += [row.id for row in page]
        assert seen == ids and sorted(ids) == app.pairs.ids()
        assert ids[::-1] == app.pairs.ids(PairFilter(order=order, descending=not descending))


def test_that_an_order_sorts_by_what_its_column_shows(judged: Application, reading: Application) -> None:
    rows = reading.pairs.rows(reading.pairs.ids(PairFilter(order="prompt")))
    assert [row.prompt.lower() for row in rows] == sorted(row.prompt.lower() for row in rows)
    rows = judged.pairs.rows(judged.pairs.ids(PairFilter(order="newest", descending=True)))
    assert [row.id for row in rows] == [4, 3, 2, 1, 6, 5]
    assert rows[0].newest_ms > 0 and rows[-1].newest_ms == 0
    assert {row.a_chars for row in rows} == {len("Answer 0 one.")}


@pytest.mark.parametrize("field", ["label", "order", "flag", "text_flag"])
def test_that_an_unknown_filter_or_order_is_refused(field: str) -> None:
    with pytest.raises(BadInput, match=r"Unknown .* 'sparkling'"):
        PairFilter(**{field: "sparkling"})  # type: ignore[arg-type]


def test_that_pairs_whose_texts_look_wrong_are_found(app: Application, tmp_path: Path) -> None:
    bring(app, tmp_path, [{"prompt": "p", "response1": "I don\u00e2\u20ac\u2122t", "response2": "I do"}], "wrong")
    (found,) = app.pairs.page(PairFilter(text_flag="mojibake"))
    assert found.id == 12 and flag_keys(found.text_flags) == ("mojibake",)


def test_that_a_reviewer_who_labels_again_under_another_version_counts_once(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as app:
        for version, strength in ((1, 2), (2, 3)):
            if version == 2:
                second = app.rubrics.new_draft(1).value
                app.rubrics.save_draft(second.id, replace(second.body, purpose="Which answer is safer?"))
                app.rubrics.publish(second.id, ChangeLevel.MAJOR, "Another meaning.")
            queue = app.annotation.open_queue(QueueSettings(1, version, filter=PairFilter(pair_ids=(1,))))
            (shown,) = app.annotation.next(queue, 1)
            sign = 1 if (shown.left_is == "A") == (version == 1) else -1
            app.annotation.commit(shown.presentation_uid, prefer(sign * strength))
        (row,) = app.pairs.rows([1])
        assert (row.state, row.labels, row.disagree) == ("A 1", 1, False) or row.state == "B 1"
        assert len(app.pairs.judgements([1])[1]) == 2
        assert app.pairs.ids(PairFilter(label="disagree")) == []


def test_that_labels_are_found_by_who_made_them_and_when(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", pairs=5) as app:
        rule = person(app.store, "rule", ReviewerKind.SCRIPTED)
        for who, count in ((1, 2), (rule.id, 4)):
            for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(who, 1)), count):
                app.annotation.commit(shown.presentation_uid, prefer(2))
        made = {j.id: j for pair in app.pairs.ids() for j in app.pairs.detail(pair).judgements}
        for kind, who in (("human", 1), ("scripted", rule.id), ("imported", 0)):
            by_hand = {
                pair for pair in app.pairs.ids() for j in app.pairs.detail(pair).judgements if j.reviewer.id == who
            }
            assert set(app.pairs.ids(PairFilter(reviewer_kind=kind))) == by_hand
            none = app.pairs.ids(PairFilter(reviewer_kind=kind, label="none"))
            assert set(none) == set(app.pairs.ids()) - by_hand
        times = sorted(j.at_ms for j in made.values())
        assert app.pairs.count(PairFilter(labelled_ms=(times[0], times[-1] + 1))) == app.pairs.count(
            PairFilter(label="labelled")
        )
        assert app.pairs.count(PairFilter(labelled_ms=(times[-1] + 1, times[-1] + 9))) == 0
        assert app.pairs.count(PairFilter(labelled_ms=(times[0], times[-1] + 1), reviewer_id=1)) == 2
        assert app.pairs.count(PairFilter(reviewer_kind="human")) == app.annotation.labelled_pairs() == 2
        with pytest.raises(BadInput, match="Unknown kind of reviewer"):
            PairFilter(reviewer_kind="robot")
