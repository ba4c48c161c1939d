"""The objective lab of one prompt: the trained policy as the optimum, other policies, and each number of five steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.domain.conversation import Prompt
from core.domain.errors import BadInput, UsageError
from core.domain.lab_steps import StepsView, lab_steps, sigmoid
from core.domain.prompt_lab import LabAnswer, LabRequest, OtherPolicy, PromptLab, checked, distinct, notes_of

ASKED = Prompt.from_text("How do I stop a kitchen tap from dripping?")


def answer(number: int, reference: float, h: float, **changes: object) -> LabAnswer:
    """Return an answer with its log-prob under the reference and its displacement."""
    made = LabAnswer(f"sample {number}", "reference", f"text {number}", 10, reference + h, reference)
    return replace(made, **changes)  # type: ignore[arg-type]


LAB = PromptLab(
    {"name": "dpo", "run_id": "r", "step": 0},
    0.1,
    "sigmoid",
    ASKED,
    tuple(
        answer(n, reference, h)
        for n, (reference, h) in enumerate(
            [(-21.4, 6.1), (-18.9, -2.3), (-19.6, 3.4), (-18.6, 0.8), (-19.3, -4.9), (-20.2, 1.6)], 1
        )
    ),
    drawn=True,
)
"""The six answers of the design's picture."""


def test_that_at_the_beta_of_the_run_the_optimum_is_the_trained_policy() -> None:
    found = LAB.objective().at(LAB.beta)
    policy = [math.exp(one.policy) for one in LAB.answers]
    assert found.shares == pytest.approx([p / sum(policy) for p in policy])
    assert [round(share, 3) for share in found.shares] == pytest.approx(
        [0.654, 0.002, 0.266, 0.054, 0, 0.024], abs=2e-3
    )
    assert (found.reward, found.kl, math.exp(found.log_z), found.effective) == pytest.approx(
        (0.497, 2.302, 14.449, 2.0), rel=0.02
    )
    alike = LAB.objective("equal").at(LAB.beta)  # importance weights exp(h)
    weights = [math.exp(one.displacement) for one in LAB.answers]
    assert alike.shares == pytest.approx([w / sum(weights) for w in weights])
    twice = replace(LAB, answers=(replace(LAB.answers[0], count=2), *LAB.answers[1:]))
    assert twice.objective("equal").shares[0] == pytest.approx(2 / 7)
    assert twice.objective().shares == LAB.objective().shares


@pytest.mark.parametrize("weighing", ["reference", "equal"])
def test_that_another_run_stands_on_or_below_the_frontier_and_the_run_itself_on_it(weighing: str) -> None:
    own = OtherPolicy("r", "dpo", 0.1, tuple(a.policy for a in LAB.answers), tuple(a.reference for a in LAB.answers))
    optimum = LAB.objective(weighing).at(LAB.beta)  # type: ignore[arg-type]
    at = LAB.placed(own, weighing)  # type: ignore[arg-type]
    assert (at.reward, at.kl, at.gap) == pytest.approx((optimum.reward, optimum.kl, 0.0), abs=1e-6)
    moved = replace(own, name="other", policy=tuple(a.reference + 0.3 * (i % 3) for i, a in enumerate(LAB.answers)))
    at = LAB.placed(moved, weighing)  # type: ignore[arg-type]
    assert at.gap > 0
    assert at.reward <= LAB.objective(weighing).reward_at(at.kl)  # type: ignore[arg-type]
    apart = replace(moved, reference=tuple(value - 1 for value in moved.reference))
    assert any("other has another reference" in note for note in notes_of(replace(LAB, others=(apart,))))
    assert not any("another reference" in note for note in notes_of(replace(LAB, others=(moved,))))


def test_that_each_step_has_the_numbers_of_its_formula() -> None:
    objective = LAB.objective()
    view = StepsView(LAB, "reference", objective.at(0.2), of=0, winner=0, loser=1)
    steps = lab_steps(view)
    values = [[figure.value for figure in step.figures] for step in steps]
    share, reward = objective.shares[0], 0.61
    z = math.exp(view.optimum.log_z)
    assert [step.number for step in steps] == ["5.1", "5.2", "5.3", "5.4", "5.5"]
    assert values[0] == pytest.approx([share, math.exp(reward / 0.2), z, share * math.exp(reward / 0.2) / z])
    ratio = 0.2 * math.log(view.optimum.shares[0] / share)
    assert values[1] == pytest.approx([ratio, 0.2 * math.log(z), reward])
    assert sum(values[1][:2]) == pytest.approx(reward)  # type: ignore[arg-type]
    assert values[2] == pytest.approx([6.1, -2.3, 0.84, 1 / (1 + math.exp(-0.84)), math.log(1 + math.exp(-0.84))])
    assert values[3][2] == pytest.approx(values[3][3])
    assert values[4] == pytest.approx([0.84, sigmoid(-0.84), 0.5, 0.1 * sigmoid(-0.84)])
    assert [sum(figure.main for figure in step.figures) for step in steps] == [1] * 5
    assert steps[0].to_plain()["figures"]["π*(y1)"] == view.optimum.shares[0]
    tiny = lab_steps(replace(view, optimum=objective.at(0.0005)))[0].figures[1]
    assert (tiny.value, tiny.text) == (None, "6.9e529")


def test_that_equal_answers_are_one_and_a_lab_of_one_answer_is_refused_with_the_reason() -> None:
    kept = distinct([answer(1, -5, 1), answer(1, -5, 1), answer(2, -6, 1), answer(1, -4, 1, finished=False)])
    assert [(one.text, one.count, one.finished) for one in kept] == [
        ("text 1", 2, True), ("text 2", 1, True), ("text 1", 1, False),
    ]  # fmt: skip
    with pytest.raises(BadInput, match="Of 2 answers only 1 different one came"):
        distinct([answer(1, -5, 1), answer(1, -5, 1)])
    for wrong, words in (
        (LabRequest("r"), "one prompt"),
        (LabRequest("r", ASKED, "7"), "one prompt"),
        (LabRequest("r", ASKED, draw=0), "two different answers"),
        (LabRequest("r", ASKED, authors=()), "Nobody is named"),
    ):
        with pytest.raises(UsageError, match=words):
            checked(wrong)


def test_that_the_notes_say_why_prompts_are_not_compared_and_what_the_answers_hold() -> None:
    notes = " ".join(notes_of(LAB))
    assert "rewards of two prompts are never compared" in notes
    assert "exact sums over these 6 answers" in notes
    assert "importance weighting" not in notes
    other = replace(LAB, loss="ipo", drawn=False, answers=(*LAB.answers[:5], replace(LAB.answers[5], finished=False)))
    notes = " ".join(notes_of(other))
    assert "loss is ipo" in notes
    assert "y6: cut at the limit" in notes
    assert "not importance weighting" in notes
    assert LAB.best_and_worst() == (0, 4)
    assert LAB.suggested == "reference"
    collapsed = replace(LAB, answers=(*LAB.answers[:5], answer(6, -10, 1.6)))
    assert collapsed.suggested == "equal"
    assert "y6 holds 1.00 of the reference's share" in " ".join(notes_of(collapsed))
    named = replace(
        LAB,
        answers=(
            answer(1, -5, 1, name="rejected", author="given"), answer(2, -5, 0, name="chosen", author="given")
        ),
    )  # fmt: skip
    assert named.best_and_worst() == (1, 0)
