"""Numbers of a step: exact, whatever the order its pairs were computed in."""

from __future__ import annotations

import math

import pytest
import torch

from core.domain.run_config import RunConfig
from core.domain.run_events import PairMetrics
from core.training.forward.scorer import Scores
from core.training.losses.evaluate_pairs import LossEvaluator
from core.training.steps.step_metrics import StepTally, accuracy, mean
from core.training.text.encoded_pair import EncodedPair

PAIRS = [
    EncodedPair("a", (1, 2), (3, 4), (5,), (1, 1), (1,)),
    EncodedPair("b", (1,), (3,), (5, 6, 7), (1,), (1, 1, 1), truncated=True),
    EncodedPair("c", (1, 9), (3, 4), (5, 6), (1, 1), (1, 1), weight=2.0, target=0.75),
]
REFERENCE = {
    "a": (torch.tensor([-1.0, -2.0]), torch.tensor([-3.0])),
    "b": (torch.tensor([-4.0]), torch.tensor([-1.0, -1.5, -0.5])),
    "c": (torch.tensor([-2.0, -1.0]), torch.tensor([-0.5, -2.5])),
}
LOGPS = torch.tensor([[-2.0, -4.0], [-4.0, -3.0], [-5.0, -1.0]], dtype=torch.float64)


def scores(rows: list[int]) -> Scores:
    tokens = torch.tensor([PAIRS[i].response_tokens() for i in rows])
    return Scores(LOGPS[rows], tokens, entropy=tokens * 2.0, correct=torch.ones(len(rows), 2))


def evaluator(config: RunConfig) -> LossEvaluator:
    return LossEvaluator(config, lambda pairs: {pair.pair_id: REFERENCE[pair.pair_id] for pair in pairs})


def tally_of(groups: list[list[int]], config: RunConfig) -> StepTally:
    tally = StepTally(3)
    for group in groups:
        tally.add(group, evaluator(config).evaluate([PAIRS[i] for i in group], scores(group)), scores(group))
    return tally


def test_that_a_step_is_the_exact_mean_of_its_pairs() -> None:
    config = RunConfig(beta=0.5)
    event = tally_of([[0, 1, 2]], config).event(step=3, epoch=0.5, grad_norm=1.0, lr=0.1, seconds=2.0)
    h = [(-2 + 3) - (-4 + 3), 0.0, (-5 + 3) - (-1 + 3)]
    z = [0.5 * value for value in h]
    assert [row.h for row in event.rows] == h
    losses = [math.log1p(math.exp(-v)) for v in z]
    losses[2] = 2.0 * (0.75 * losses[2] + 0.25 * math.log1p(math.exp(z[2])))
    assert event.loss == pytest.approx(sum(losses) / 3, rel=1e-12)
    assert event.margin == pytest.approx(sum(z) / 3)
    assert event.accuracy == pytest.approx((1 + 0.5 + 0) / 3)
    assert event.reward_chosen == pytest.approx(0.5 * (1 + 0 - 2) / 3)
    assert event.reward_chosen - event.reward_rejected == pytest.approx(event.margin)
    assert event.displacement_chosen == pytest.approx((1 + 0 - 2) / 3)
    assert event.gradient_weight == pytest.approx(
        sum((1 / (1 + math.exp(z[0])), 0.5, 0.75 / (1 + math.exp(z[2])) - 0.25 / (1 + math.exp(-z[2])))) / 3
    )
    assert (event.pairs, event.truncated, event.tokens_per_s) == (3, 1, 11 / 2.0)
    assert event.entropy == pytest.approx(2.0)
    assert event.token_accuracy == pytest.approx(6 / 11)


def test_that_the_order_of_computing_changes_no_number() -> None:
    config = RunConfig(rpo_alpha=0.3, rpo_average="pairs")
    events = [
        tally_of(groups, config).event(step=1, epoch=0.0, grad_norm=0.0, lr=0.0, seconds=1.0)
        for groups in ([[0, 1, 2]], [[2], [0], [1]], [[1, 2], [0]])
    ]
    assert events[0] == events[1] == events[2]
    assert set(events[0].extra) == {"nll", "preference_loss"}
    assert [row.pair_id for row in events[0].rows] == ["a", "b", "c"]


def test_that_the_gradient_by_log_probs_matches_a_finite_difference() -> None:
    config = RunConfig(beta=0.3, label_smoothing=0.1)
    pair_losses = evaluator(config).evaluate(PAIRS, scores([0, 1, 2]))
    eps = 1e-6
    for i in range(3):
        for side in range(2):
            sums = []
            for sign in (1, -1):
                moved = LOGPS.clone()
                moved[i, side] += sign * eps
                rows = evaluator(config).evaluate(PAIRS, Scores(moved, scores([0, 1, 2]).tokens)).rows
                sums.append(sum(row.loss for row in rows))
            assert pair_losses.gradient[i, side].item() == pytest.approx((sums[0] - sums[1]) / (2 * eps), abs=1e-8)


def test_that_reference_sums_carry_the_weights_of_the_objective() -> None:
    plain, weighted = evaluator(RunConfig()), evaluator(RunConfig(ld_alpha=0.5))
    assert plain.reference_logps(PAIRS[1]) == (-4.0, -3.0)
    assert weighted.reference_logps(PAIRS[1]) == (-4.0, -2.0)


def test_that_rounding_dust_is_a_tie() -> None:
    def row(margin: float) -> PairMetrics:
        return PairMetrics("p", 0.0, 0.0, 0.0, 0.0, 0.0, margin, margin, 0.5, 1, 1)

    assert accuracy([row(1e-13), row(-1e-13), row(0.0)]) == 0.5
    assert accuracy([row(1e-6), row(-1e-6)]) == 0.5
    assert math.isnan(mean([]))
    assert math.isnan(mean([1.0, math.inf]))
