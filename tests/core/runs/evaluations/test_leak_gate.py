"""The leak gate before and in an evaluation: open suites block too, and can be measured without what leaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core import durable
from core.domain.errors import UsageError
from core.domain.suite import Suite, SuiteItem
from core.runs.evaluations.creation import NewEvaluation, create_evaluation, make_record
from core.runs.evaluations.folder import EvaluationFolder, publish
from core.runs.evaluations.leak_gate import LEAKS, Leaked, check_leaks, leak_notes
from core.runs.folder import RunFolder
from tests.core.runs.evaluations.conftest import SMALL, open_suite
from tests.tiny_models import tiny_pairs


def leaking(name: str = "asks") -> Suite:
    """Three questions of which the middle one was trained on."""
    own = open_suite(3).items
    trained = SuiteItem("known", tiny_pairs(1)[0].prompt, "open")
    return Suite(name, 2, (own[0], trained, own[2]))


def new(run: RunFolder, *suites: Suite, **changes: object) -> NewEvaluation:
    return replace(NewEvaluation(run.path, suites, config=SMALL), **changes)  # type: ignore[arg-type]


def test_that_an_open_suite_with_a_trained_prompt_is_refused_before_anything_is_made(
    trained_run: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(
        Leaked, match=r"on asks v2: 1 of 3 test items has a copy.*The items are known\. Nothing was"
    ) as no:
        create_evaluation(tmp_path / "one", new(trained_run, leaking()))
    assert (no.value.items, list(tmp_path.iterdir())) == (("known",), [])
    assert "--leave-out-leaks" in no.value.hint


def test_that_what_leaks_can_be_left_out_and_is_counted(trained_run: RunFolder, tmp_path: Path) -> None:
    folder = create_evaluation(tmp_path / "one", new(trained_run, leaking(), leave_out_leaks=True))
    (suite,) = folder.record().suites
    assert (suite.used, suite.total) == (2, 3)
    assert [item.id for item in folder.items()["asks v2"]] == ["ask-0", "ask-2"]
    (note,) = folder.record().notes
    assert note == "1 item of asks v2 has a copy or near copy in what an arm was trained or tuned on: left out."
    only = Suite("known", 1, (leaking().items[1],))
    with pytest.raises(UsageError, match="Every item of known v1 has a copy"):
        create_evaluation(tmp_path / "two", new(trained_run, only, leave_out_leaks=True))


def test_that_the_evaluator_refuses_one_that_was_made_before_and_lists_the_hits(
    trained_run: RunFolder, tmp_path: Path
) -> None:
    folder = published(tmp_path / "old", new(trained_run, leaking()))
    with pytest.raises(Leaked, match=r"Nothing was answered\."):
        check_leaks(folder, folder.record(), folder.items())
    assert durable.read_json(folder.path / LEAKS)["asks v2"]["leaked"] == 1


def test_that_a_near_copy_among_the_runs_own_held_out_pairs_is_noted(trained_run: RunFolder, tmp_path: Path) -> None:
    dev = replace(leaking("dev"), number=1, origin="dataset")
    folder = create_evaluation(tmp_path / "dev", new(trained_run, dev))
    found = check_leaks(folder, folder.record(), folder.items())
    assert leak_notes(found)[0].startswith("1 item of dev v1 has a copy or near copy in what the run was trained on")


def published(path: Path, what: NewEvaluation) -> EvaluationFolder:
    """Return the folder of an evaluation as versions without the check made it."""
    record, items = make_record(what, "e" * 32)
    return publish(path, record, items)
