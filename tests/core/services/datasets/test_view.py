"""What the page of a dataset version says is what its items rest on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.dataset_view import LENGTHS, NO_CLAUSE, NO_FLAG, DatasetPart, SliceBy
from core.domain.judgement import JudgementDraft
from core.domain.pair_table import PairFilter
from core.domain.rubric import Criterion
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from tests.fakes.fresh import fresh
from tests.fakes.workspaces import BODY, opened, prefer


def label(app: Application, pair: int, draft: JudgementDraft, version: int = 1) -> None:
    queue = app.annotation.open_queue(QueueSettings(1, version, filter=PairFilter(pair_ids=(pair,))))
    (shown,) = app.annotation.next(queue, 1)
    # Left and right are drawn; the strength here is meant for A and B.
    sign = 1 if shown.left_is == "A" else -1
    criteria = {key: sign * value for key, value in draft.criteria.items()}
    app.annotation.commit(
        shown.presentation_uid, replace(draft, strength=sign * (draft.strength or 0), criteria=criteria)
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Give two versions of one dataset; the second asks for a strength that the label of pair 4 has not."""
    with opened(tmp_path_factory.mktemp("view") / "ws") as made:
        label(made, 1, prefer(2, criteria={"help": 2}))
        label(made, 2, prefer(-2, criteria={"help": 1}))
        label(made, 3, prefer(3, edit="Better."))
        policy = FreezePolicy(splits=(1.0, 0.0, 0.0))
        made.datasets.freeze("d", policy)
        label(made, 4, prefer(1, criteria={"help": 1}))
        made.datasets.freeze("d", replace(policy, min_strength=2.0))
        yield made


def test_that_the_view_says_what_stands_behind_the_items_in_words(app: Application) -> None:
    view = app.datasets.view("d v1")
    assert [(one.name, one.items) for one in view.rubrics] == [("Helpful 1.0.0", 3)]
    assert [(one.name, one.note, one.items) for one in view.reviewers] == [("Ann", "human", 3)]
    assert [(one.name, one.items) for one in view.sources] == [("made up", 3)]
    assert (view.adjudicated, view.edited, view.difference, view.runs) == (0, 1, None, ())
    words = dict(view.policy)
    assert words["Rubric versions"] == "every published one that is not stale"
    assert words["Train / dev / sealed test"] == "100 % / 0 % / 0 %, drawn by prompt with seed 0"
    assert not any("_" in what + how for what, how in view.policy)


def test_that_a_policy_names_versions_and_reviewers_and_not_their_numbers(app: Application) -> None:
    made = app.datasets.freeze("named", FreezePolicy(rubric_version_ids=(1,), reviewer_ids=(1,), source_ids=(1,))).value
    words = dict(app.datasets.view(made.id).policy)
    assert (words["Rubric versions"], words["Reviewers"], words["Sources"]) == ("Helpful 1.0.0", "Ann", "made up")


def test_that_the_difference_is_told_from_the_older_version_to_the_newer(app: Application) -> None:
    difference = app.datasets.view("d v2").difference
    assert difference is not None
    assert (difference.old, difference.new) == ("d v1", "d v2")
    assert (difference.removed, difference.added) == ((), ())
    assert difference.policy_changes == (("min_strength", "1.0", "2.0"),)


def test_that_each_part_opens_the_pairs_it_counts(app: Application) -> None:
    pairs = app.datasets.pairs_of
    assert list(pairs("d v1", DatasetPart(split="train"))) == [1, 2, 3]
    assert list(pairs("d v1", DatasetPart(split="dev"))) == []
    assert list(pairs("d v1", DatasetPart(edited=True))) == [3]
    assert list(pairs("d v1", DatasetPart(reviewer_id=1, rubric_version_id=1, source_id=1))) == [1, 2, 3]
    assert list(pairs("d v1", DatasetPart(reviewer_id=9))) == []


@pytest.mark.parametrize("by", get_args(SliceBy))
def test_that_a_clause_covers_the_items_whose_chosen_answer_it_favours(app: Application, by: SliceBy) -> None:
    coverage = app.datasets.coverage("d v1", by)
    assert [name for _, name in coverage.clauses] == ["Helpful", "No clause answered"]
    assert coverage.all_of == {"help": 1, NO_CLAUSE: 2}
    for clause, _ in coverage.clauses:
        for key, _ in coverage.slices:
            part = DatasetPart.of_slice(by, key, clause)
            assert coverage.cells[clause, key] == len(app.datasets.pairs_of("d v1", part))
    assert list(app.datasets.pairs_of("d v1", DatasetPart(clause="help"))) == [1]
    assert BODY.criteria == (Criterion("help", "Helpful", "Which helps more?"),)


def test_that_slices_by_length_and_text_are_those_of_the_texts(tmp_path: Path) -> None:
    answers = ["a" * n for n in (1, 199, 200, 799, 800, 3199, 3200, 5000)] + ["don\u00e2\u20ac\u2122t", "x\u200by "]
    rows = [{"prompt": f"q{n}", "chosen": text, "rejected": "b" * 9999} for n, text in enumerate(answers)]
    rows.append({"prompt": "both", "chosen": "don\u00e2\u20ac\u2122t\u200b", "rejected": ""})
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with fresh(tmp_path / "ws") as app:
        app.imports.run(file, consent="granted")
        app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0)))
        lengths, flags = (app.datasets.coverage("d v1", by) for by in ("length", "text_flag"))
        expected = Counter(max(least for least, _ in LENGTHS if len(row["chosen"]) >= least) for row in rows)
        assert {int(key): count for key, count in lengths.sizes.items()} == expected
        assert [name for _, name in lengths.slices] == [words for _, words in LENGTHS]
        found = Counter(key for pair in app.pairs.ids() for key in app.pairs.detail(pair).text_flags or (NO_FLAG,))
        assert flags.sizes == found and found["mojibake"] == 2 and found[NO_FLAG] == 8
        for coverage in (lengths, flags):
            for key, count in coverage.sizes.items():
                assert len(app.datasets.pairs_of("d v1", DatasetPart.of_slice(coverage.by, key))) == count
