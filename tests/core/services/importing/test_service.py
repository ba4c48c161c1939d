from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.changes import Changes
from core.domain.errors import BadInput, StorageFull, UserError
from core.domain.judgement import ReviewerKind, Task, Verdict
from core.services.application import Application
from core.services.importing import job, look
from core.services.importing.report import ImportProgress
from core.services.importing.service import ImportReport
from core.services.pairs.service import PairFilter
from tests.fakes.fresh import fresh


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def trl(number: int, **more: Any) -> dict[str, Any]:
    return {"prompt": f"q{number}", "chosen": f"good {number}", "rejected": f"bad {number}", **more}


def table(number: int, *labels: Any) -> dict[str, Any]:
    named = {f"annotator{i}": label for i, label in enumerate(labels, 1)}
    return {"prompt": f"q{number}", "response1": f"one {number}", "response2": f"two {number}", **named}


def counts(app: Application) -> dict[str, int]:
    with app.store.read() as session:
        run = session.connection().exec_driver_sql
        names = ("source", "reviewer", "rubric_version", "prompt", "pair", "pair_source", "presentation", "judgement")
        return {name: run(f"SELECT count(*) FROM {name}").scalar_one() for name in names}


def adds_up(report: ImportReport) -> bool:
    return report.rows == report.imported + report.duplicates + report.repeats + report.rejected


def test_that_rows_become_pairs_and_labels_of_an_imported_reviewer(app: Application, tmp_path: Path) -> None:
    outcome = app.imports.run(lines(tmp_path / "mine.jsonl", [trl(1), trl(2)]), licence="MIT")
    report = outcome.value
    assert (report.rows, report.imported, report.duplicates, report.rejected, report.judgements) == (2, 2, 0, 0, 2)
    assert Changes.PAIRS in outcome.changes
    detail = app.pairs.detail(app.pairs.ids()[0])
    (label,) = detail.judgements
    assert (label.reviewer.name, label.reviewer.kind) == ("mine", ReviewerKind.IMPORTED)
    assert (label.rubric_title, label.task) == ("mine 1.0.0", Task.IMPORTED)
    assert label.draft is not None
    assert label.draft.verdict is Verdict.PREFER
    winner = detail.pair.a if label.draft.preferred == "A" else detail.pair.b
    assert winner.text == "good 1"
    left = detail.pair.a if label.left_is == "A" else detail.pair.b
    assert left.text == "good 1"
    (place,) = detail.sources
    assert (place.source.name, place.source.licence, place.row) == ("mine", "MIT", 1)


def test_that_the_stub_rubric_of_a_source_is_published(app: Application, tmp_path: Path) -> None:
    app.imports.run(lines(tmp_path / "mine.jsonl", [trl(1)]))
    (version,) = app.rubrics.published(imported=True)
    assert version.title == "mine 1.0.0"
    assert "mine" in version.body.purpose


def test_that_importing_a_file_again_adds_nothing(app: Application, tmp_path: Path) -> None:
    path = lines(tmp_path / "mine.jsonl", [trl(i) for i in range(5)])
    app.imports.run(path)
    before = counts(app)
    outcome = app.imports.run(path, name="another name")
    assert (outcome.value.imported, outcome.value.duplicates, outcome.value.judgements) == (0, 5, 0)
    assert outcome.value.source_name == "mine"
    assert counts(app) == before
    assert Changes.PAIRS not in outcome.changes
    assert app.imports.preview(path).known_as == "mine"


def test_that_a_pair_in_the_other_order_is_the_same_pair(app: Application, tmp_path: Path) -> None:
    swapped = {"prompt": "q1", "chosen": "bad 1", "rejected": "good 1"}
    report = app.imports.run(lines(tmp_path / "mine.jsonl", [trl(1), swapped])).value
    assert (report.imported, report.duplicates, report.repeats) == (1, 0, 1)


def test_that_a_second_label_that_contradicts_the_first_is_a_judgement_of_its_own(
    app: Application, tmp_path: Path
) -> None:
    swapped = {"prompt": "q1", "chosen": "bad 1", "rejected": "good 1"}
    path = lines(tmp_path / "mine.jsonl", [trl(1), swapped, trl(1)])
    report = app.imports.run(path).value
    assert (report.judgements, report.second_labels, report.known_labels) == (2, 1, 1)
    assert [label.reviewer.name for label in app.pairs.detail(1).judgements] == ["mine", "mine (label 2)"]
    assert report.reading is not None
    assert any("One label contradicts the same reviewer's earlier label" in note for note in report.reading.notes)
    again = app.imports.run(path).value
    assert (again.judgements, again.second_labels, again.known_labels) == (0, 0, 3)


def test_that_another_source_adds_its_own_label_to_a_known_pair(app: Application, tmp_path: Path) -> None:
    app.imports.run(lines(tmp_path / "one.jsonl", [trl(1)]))
    report = app.imports.run(lines(tmp_path / "two.jsonl", [trl(1), trl(2)])).value
    assert (report.imported, report.duplicates, report.judgements) == (1, 1, 2)
    detail = app.pairs.detail(1)
    assert [place.source.name for place in detail.sources] == ["one", "two"]
    assert [label.reviewer.name for label in detail.judgements] == ["one", "two"]


def test_that_a_grown_file_adds_only_what_is_new(app: Application, tmp_path: Path) -> None:
    path = lines(tmp_path / "mine.jsonl", [trl(1)])
    app.imports.run(path)
    report = app.imports.run(lines(path, [trl(1), trl(2)])).value
    assert (report.imported, report.duplicates, report.judgements, report.known_labels) == (1, 1, 1, 1)
    assert report.source_name == "mine (2)"
    assert len(app.reviewers.list()) == 1


def test_that_annotators_become_reviewers_of_their_own(app: Application, tmp_path: Path) -> None:
    rows = [table(1, 1, 2, 0), table(2, 1, 1, None)]
    report = app.imports.run(lines(tmp_path / "three.jsonl", rows), fmt="table:one_based").value
    assert report.judgements == 5
    assert report.reviewers == ("three annotator1", "three annotator2", "three annotator3")
    verdicts = {j.reviewer.name: j.draft.verdict for j in app.pairs.detail(1).judgements if j.draft}
    assert verdicts["three annotator3"] is Verdict.TIE
    assert app.pairs.count(PairFilter(label="disagree")) == 1


def test_that_a_person_is_never_taken_for_a_file(app: Application, tmp_path: Path) -> None:
    app.reviewers.add("mine")
    report = app.imports.run(lines(tmp_path / "mine.jsonl", [trl(1)])).value
    assert report.reviewers == ("mine (imported)",)


def test_that_bad_rows_are_listed_with_line_and_reason(app: Application, tmp_path: Path) -> None:
    rows = [trl(1), "{broken\n", trl(2, chosen=7), trl(3, chosen="same", rejected="same"), trl(4)]
    report = app.imports.run(lines(tmp_path / "mine.jsonl", rows)).value
    assert (report.rows, report.imported, report.rejected) == (5, 2, 3)
    assert Path(report.rejects_path).parent == app.folder / "rejects"
    listed = [json.loads(line) for line in Path(report.rejects_path).read_text(encoding="utf-8").splitlines()]
    assert [entry["line"] for entry in listed] == [2, 3, 4]
    assert "not JSON" in listed[0]["reason"]
    assert listed[1]["reason"] == "chosen is a number, not text"
    assert "same text" in listed[2]["reason"]
    assert sum(report.reasons.values()) == 3


def test_that_a_record_with_several_pairs_counts_as_one_row(app: Application, tmp_path: Path) -> None:
    answers = [{"response": text, "score": score} for text, score in (("a", 1), ("b", 3), ("c", 2))]
    report = app.imports.run(lines(tmp_path / "uf.jsonl", [{"prompt": "q", "completions": answers}])).value
    assert (report.rows, report.imported, report.pairs, report.judgements) == (1, 1, 2, 2)
    detail = app.pairs.detail(1)
    assert {r.generation.extra["score"] for r in (detail.pair.a, detail.pair.b) if r.generation} <= {1.0, 2.0, 3.0}


def test_that_a_preview_stores_nothing_and_says_what_will_happen(app: Application, tmp_path: Path) -> None:
    path = lines(tmp_path / "three.jsonl", [table(1, 1, 2), table(2, 9, 9)])
    before = counts(app)
    preview = app.imports.preview(path, "table:one_based")
    assert (preview.fmt, preview.checked, preview.good, preview.bad) == ("table:one_based", 2, 1, 1)
    assert preview.reviewers == ("annotator1", "annotator2")
    assert preview.labels == 2
    assert preview.complete
    assert preview.rejects[0].line == 2
    assert preview.samples[0].first.text == "one 1"
    assert preview.known_as == ""
    assert counts(app) == before


def test_that_the_format_the_user_confirms_is_used(app: Application, tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", [{"prompt": "q", "response1": "x", "response2": "y", "label": 1}])
    app.imports.run(path, fmt="table:zero_based")
    detail = app.pairs.detail(1)
    draft = detail.judgements[0].draft
    assert draft is not None
    assert (detail.pair.a if draft.preferred == "A" else detail.pair.b).text == "y"


def test_that_progress_never_goes_back_and_ends_at_the_end(app: Application, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", 10)
    seen = []
    path = lines(tmp_path / "mine.jsonl", [trl(i) for i in range(95)])
    app.imports.run(path, on_progress=seen.append)
    assert len(seen) >= 9
    assert [p.rows for p in seen] == sorted(p.rows for p in seen)
    assert (seen[-1].rows, seen[-1].imported, seen[-1].bytes_read) == (95, 95, seen[-1].bytes_total)


def test_that_a_cancelled_import_keeps_whole_batches_and_goes_on_later(
    app: Application, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", 10)
    path = lines(tmp_path / "mine.jsonl", [trl(i) for i in range(100)])
    asked = iter([False] * 4 + [True] * 100)
    report = app.imports.run(path, cancelled=lambda: next(asked)).value
    assert report.cancelled
    assert report.rows == report.imported == app.pairs.count() == 40
    again = app.imports.run(path).value
    assert (again.imported, again.duplicates) == (60, 40)
    assert app.pairs.count() == 100


def test_that_a_batch_that_fails_leaves_the_batches_before_it(
    app: Application, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", 10)
    real, calls = job.repository.add_batch, []

    def failing(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise StorageFull("The disk is full; what was saved before is safe.")
        return real(*args)

    monkeypatch.setattr(job.repository, "add_batch", failing)
    path = lines(tmp_path / "mine.jsonl", [trl(i) for i in range(50)])
    with pytest.raises(StorageFull, match="20 rows of this file are stored; the import can go on behind them"):
        app.imports.run(path)
    assert app.pairs.count() == 20
    assert app.imports.run(path).value.imported == 30


def _overwritten(path: Path) -> None:
    lines(path, [trl(i + 1000) for i in range(60)])


def _appended(path: Path) -> None:
    lines(path, [trl(i) for i in range(70)])


def _replaced(path: Path) -> None:
    _overwritten(path.with_name("other"))
    path.with_name("other").replace(path)


def _touched(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize("act", [_overwritten, _appended, _replaced, _touched, Path.unlink], ids=lambda a: a.__name__)
@pytest.mark.parametrize("rows_kept", [False, True])
def test_that_no_row_of_another_file_is_stored_when_the_file_is_written_to_while_it_is_read(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None], rows_kept: bool
) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", 20)
    monkeypatch.setattr(look, "MEMORY", look.MEMORY if rows_kept else 1)
    path = lines(tmp_path / "mine.jsonl", [trl(i) for i in range(60)])
    before, acted = path.read_bytes(), list[int]()

    def once(progress: ImportProgress) -> None:
        if progress.imported and not acted:
            acted.append(1)
            act(path)

    if act in (_touched, Path.unlink):
        assert app.imports.run(path, on_progress=once).value.imported == 60
        return
    with pytest.raises(BadInput, match=r"mine\.jsonl was written to while .* 40 rows of this file are stored"):
        app.imports.run(path, on_progress=once)
    assert app.pairs.count() == 40
    with pytest.raises(BadInput):
        app.imports.resume(1)
    path.write_bytes(before)
    assert app.imports.resume(1).value.imported == 60


def test_that_an_import_that_would_fill_the_disk_is_refused_before_it_starts(
    app: Application, tmp_path: Path, monkeypatch: Any
) -> None:
    from core.services.importing import service

    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(service.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageFull, match="nothing was stored"):
        app.imports.run(lines(tmp_path / "mine.jsonl", [trl(1)]))
    assert counts(app)["source"] == 0


def test_that_consent_is_kept_and_can_be_withdrawn(app: Application, tmp_path: Path) -> None:
    app.imports.run(lines(tmp_path / "mine.jsonl", [trl(1)]), consent="unknown")
    (source,) = app.imports.sources()
    assert source.consent == "unknown"
    assert app.imports.set_consent(source.id, "withdrawn").value.consent == "withdrawn"
    with pytest.raises(BadInput):
        app.imports.set_consent(source.id, "perhaps")
    with pytest.raises(BadInput):
        app.imports.run(lines(tmp_path / "b.jsonl", [trl(2)]), consent="perhaps")


def test_that_a_read_only_workspace_refuses_an_import(app: Application, tmp_path: Path) -> None:
    app.close()
    with Application.open(tmp_path / "ws", read_only=True) as reading:
        path = lines(tmp_path / "mine.jsonl", [trl(1)])
        assert reading.imports.preview(path).good == 1
        with pytest.raises(UserError, match="reading only"):
            reading.imports.run(path)


def test_that_a_file_without_pairs_leaves_no_trace(app: Application, tmp_path: Path) -> None:
    before = counts(app)
    with pytest.raises(BadInput, match="known to hold the two answers"):
        app.imports.run(lines(tmp_path / "p.jsonl", [{"prompt": "q", "label": "safe"}]))
    assert counts(app) == before


def test_that_every_import_is_logged_with_its_counts_and_batches(app: Application, tmp_path: Path) -> None:
    app.imports.run(lines(tmp_path / "mine.jsonl", [trl(1), "x\n"]))
    with app.store.read() as session:
        run = session.connection().exec_driver_sql
        batch = run("SELECT rows, imported, duplicates, rejected, judgements, status FROM import_batch").all()
        summary = run("SELECT summary FROM event_log WHERE op='import'").scalar_one()
    assert [tuple(row) for row in batch] == [(2, 1, 0, 1, 1, "done")]
    assert summary == "Imported mine: 1 new, 0 known, 0 repeated, 1 rejected of 2 records"


def test_that_a_file_called_train_takes_its_folders_name(app: Application, tmp_path: Path) -> None:
    (tmp_path / "kind words").mkdir()
    assert app.imports.preview(lines(tmp_path / "kind words" / "train.jsonl", [trl(1)])).name == "kind words train"


ROW = st.one_of(
    st.integers(0, 8).map(trl),
    st.integers(0, 8).map(lambda i: trl(i, chosen=f"bad {i}", rejected=f"good {i}")),
    st.integers(0, 8).map(lambda i: trl(i, chosen=None)),
    st.integers(0, 8).map(lambda i: trl(i, rejected=f"good {i}")),
    st.sampled_from(["{broken\n", "\n", "7\n", '{"a": NaN}\n', '{"a": 1, "a": 2}\n']),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.lists(ROW, max_size=12), min_size=1, max_size=3), packed=st.booleans())
def test_that_the_counts_always_add_up(app: Application, tmp_path: Path, files: list[list[Any]], packed: bool) -> None:
    for number, rows in enumerate(files):
        path = lines(tmp_path / f"f{number}.jsonl", [trl(0), *rows])
        if packed:
            path.write_bytes(gzip.compress(path.read_bytes()))
        known, labels = app.pairs.count(), counts(app)["judgement"]
        report = app.imports.run(path).value
        assert adds_up(report)
        assert report.rows == 1 + sum(row != "\n" for row in rows)
        assert app.pairs.count() == known + report.pairs == known + report.imported
        assert counts(app)["judgement"] == labels + report.judgements
        assert report.judgements + report.known_labels == report.imported + report.duplicates + report.repeats


def test_that_a_second_annotator_of_the_same_pair_is_heard_in_a_file_with_a_record_a_judgement(
    app: Application, tmp_path: Path
) -> None:
    row = {"prompt": "q", "response_a": "x", "response_b": "y"}
    rows = [
        {**row, "winner": "A", "judge": "e1"},
        {**row, "winner": "B", "judge": "e2"},
        {**row, "winner": "B", "judge": "e1"},
    ]
    report = app.imports.run(lines(tmp_path / "long.jsonl", rows)).value
    assert (report.imported, report.repeats, report.judgements, report.second_labels) == (1, 2, 3, 1)
    assert report.reviewers == ("long e1", "long e1 (label 2)", "long e2")
