"""How much work the form of a new evaluation announces, counted by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from app.evaluate.new_plan import EvaluationChoices, EvaluationWish, aligned_of, cheaper_words, request_of, work_of
from core.domain.suite import SuiteInfo

RUN: Any = SimpleNamespace(run_id="r", folder="r", record=SimpleNamespace(n_dev=20, n_train=50))
LANGUAGES = SuiteInfo(0, "languages", 1, "", {"check": 180}, "built-in")
CHOICES = EvaluationChoices([RUN], {}, [LANGUAGES], {"r": (100, 0)}, [], {"languages v1": 180})


def test_that_other_templates_count_three_times_for_policy_and_reference() -> None:
    wish = EvaluationWish(RUN, suites=("languages v1",), templates=True)
    assert aligned_of(wish, CHOICES) == 180
    assert work_of(wish, CHOICES).answers == 2 * 180 + 3 * 2 * 180
    assert request_of(wish).templates and not request_of(wish).leave_out_leaks
    assert request_of(replace(wish, leave_out_leaks=True)).leave_out_leaks
    assert "the chat template of training alone (360 answers)" in cheaper_words(wish, CHOICES)
    few = EvaluationWish(RUN, suites=("languages v1",), templates=True, limit=12)
    assert work_of(few, CHOICES).answers == 2 * 12 + 3 * 2 * 12


def test_that_training_pairs_are_counted_beside_held_out_ones() -> None:
    dev = work_of(EvaluationWish(RUN, dev=True), CHOICES)
    assert (dev.answers, dev.scores) == (2 * 20 + 2 * 20, 2 * 20 + 2 * 20)  # as many as are held out
    sealed = work_of(EvaluationWish(RUN, sealed=True), CHOICES)
    assert (sealed.answers, sealed.scores) == (2 * 100 + 2 * 32, 2 * 100 + 2 * 32)  # at most what is set
    assert work_of(EvaluationWish(RUN, dev=True, limit=5), CHOICES).scores == 2 * 5 + 2 * 5
