"""Suites of one or two items, of one prompt, of ties alone, and models that say the same or nothing: every number that
is given is a number, and says of how many items and how it was estimated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.evaluation_events import ScoreRow
from core.domain.evaluation_record import Arm
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.run_events import Failed
from core.domain.suite import Suite, SuiteItem
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.hosting import EvaluationHost
from tests.app.evaluate.fakes import ScriptedModel, finish, make_evaluation, make_run, suites

BASE = suites(12)
PAIRS = BASE[0].items


def suite_of(items: Sequence[SuiteItem]) -> Suite:
    return Suite("odd", 1, tuple(items))


def first(count: int) -> tuple[Suite, ...]:
    return tuple(Suite(suite.name, 1, suite.items[:count]) for suite in BASE)


class Refusing(ScriptedModel):
    def _text(self, arm: Arm, item: SuiteItem) -> str:
        return "I'm sorry, but I can't help with that."


class Silent(ScriptedModel):
    def _text(self, arm: Arm, item: SuiteItem) -> str:
        return ""


class Undecided(ScriptedModel):
    def score(self, arm: Arm, suite: str, batch: Sequence[Any]) -> list[ScoreRow]:
        return [ScoreRow(suite, arm.name, pair.item.id, -10.0, -10.0, 12, 12) for pair in batch]


class Overflowed(ScriptedModel):
    def score(self, arm: Arm, suite: str, batch: Sequence[Any]) -> list[ScoreRow]:
        value = float("nan") if arm.is_policy else -10.0
        return [ScoreRow(suite, arm.name, pair.item.id, value, -10.0, 12, 12) for pair in batch]


CASES: dict[str, tuple[tuple[Suite, ...], type[ScriptedModel]]] = {
    "one item": (first(1), ScriptedModel),
    "two items": (first(2), ScriptedModel),
    "one prompt": ((suite_of([replace(item, prompt=PAIRS[0].prompt) for item in PAIRS]),), ScriptedModel),
    "ties of people": ((suite_of([replace(item, is_tie=True) for item in PAIRS]),), ScriptedModel),
    "one kind": ((BASE[1],), ScriptedModel),
    "all refused": (BASE, Refusing),
    "nothing said": (BASE, Silent),
    "ties of the model": (BASE, Undecided),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("odd") / "ws"
    make_run(place)
    return place


@pytest.mark.parametrize("case", CASES)
def test_that_every_number_says_what_it_is(workspace: Path, case: str) -> None:
    made, model = CASES[case]
    evidence = finish(make_evaluation(workspace, 1 + list(CASES).index(case), made=made), model).evidence()
    line = json.loads(json.dumps(MeasuredEvidence.from_plain(evidence or {}).line(), allow_nan=False))
    for suite, metrics in line["suites"].items():
        for metric, arms in metrics.items():
            for arm, number in arms.items():
                where = (suite, metric, arm, number)
                assert number.keys() == {"value", "lo", "hi", "n", "unit", "estimator"}, where
                assert number["value"] is not None and number["n"] > 0 and number["estimator"], where
                if number["lo"] is None:
                    assert number["hi"] is None and "no interval" in number["estimator"], where
                else:
                    assert number["lo"] <= number["value"] <= number["hi"], where


def test_that_rates_at_the_ends_and_ties_are_what_they_must_be(workspace: Path) -> None:
    def measured(case: str) -> dict[str, Any]:
        made, model = CASES[case]
        folder = finish(make_evaluation(workspace, 50 + list(CASES).index(case), made=made), model)
        return (folder.evidence() or {})["suites"]

    refused = measured("all refused")
    assert refused["look-alikes v1"]["metrics"]["over_refusal"]["aligned"]["value"] == 1.0
    change = refused["look-alikes v1"]["differences"]["over_refusal"]["aligned"]
    assert (change["value"], change["p"]) == (0.0, 1.0) and change["lo"] < 0 < change["hi"]
    tied = measured("ties of the model")["preferences v1"]["metrics"]
    assert tied["ranking_accuracy"]["aligned"]["value"] == 0.5
    assert tied["preference_accuracy"]["aligned"]["value"] == 0.5
    assert "preference_accuracy" not in measured("ties of people")["odd v1"]["metrics"]


def test_that_log_probs_that_are_no_numbers_end_it_with_the_arm_and_the_item(workspace: Path) -> None:
    folder = make_evaluation(workspace, 99, made=BASE[:1])
    ended = evaluate(folder.path, EvaluationHost(host="terminal", make_model=Overflowed))
    assert isinstance(ended, Failed)
    assert "aligned gives a log-prob that is no finite number for item pair-" in ended.message
    assert "earlier checkpoint" in ended.hint and "error in the program" not in ended.message
    assert folder.evidence() is None
