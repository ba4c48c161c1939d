"""Whether the run knows its training pairs by heart: they are measured beside held-out pairs of the same split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.domain.estimate import Estimate
from core.domain.suite import SuiteItem
from core.evaluation.measures.degeneration import units
from core.evaluation.measures.memorisation import membership_auc, train_gap, verbatim_overlap
from core.evaluation.preference_metrics import half_credit
from core.runs.evaluations.columns import ArmRows, Column

FEWEST = 10
"""With fewer pairs of a side nothing is said."""


@dataclass(frozen=True, slots=True)
class MeasuredPairs:
    """Pairs of one split: the items, and what the ledger holds of them under an arm and under the reference."""

    items: Sequence[SuiteItem]
    own: ArmRows
    reference: ArmRows

    def of_decisive(self) -> tuple[list[str], list[float]]:
        """Return the prompt and the h (nats) of each pair that people did not call a tie."""
        both = self.own.scores.keys() & self.reference.scores.keys()
        kept = [item for item in self.items if item.expected == "preference" and not item.is_tie and item.id in both]
        return [item.prompt.sha256 for item in kept], [self._h(item.id) for item in kept]

    def _h(self, item: str) -> float:
        ours, theirs = self.own.scores[item], self.reference.scores[item]
        return (ours.logp_chosen - theirs.logp_chosen) - (ours.logp_rejected - theirs.logp_rejected)


def memorisation(trained: MeasuredPairs, held_out: MeasuredPairs, beta: float) -> dict[str, Estimate]:
    """Return the gaps between training and held-out pairs and how well the loss tells them apart; by metric.

    Empty where a side has fewer than ``FEWEST`` pairs. The loss is that of DPO at the run's beta, whatever it was
    trained with, so that it means the same for every run.

    Args:
        trained: training pairs under the policy.
        held_out: pairs of the same split that were not trained on.
        beta: between h and the margin.
    """
    (prompts, h), (others, h_others) = trained.of_decisive(), held_out.of_decisive()
    if min(len(h), len(h_others)) < FEWEST:
        return {}
    losses, losses_others = _losses(h, beta), _losses(h_others, beta)
    right, right_others = half_credit(np.asarray(h)), half_credit(np.asarray(h_others))
    return {
        "memorised_loss": train_gap(losses, losses_others, prompts, others, "nats"),
        "memorised_accuracy": train_gap(right, right_others, prompts, others),
        "memorised_h": train_gap(h, h_others, prompts, others, "nats"),
        "membership_auc": membership_auc(losses, losses_others, [*prompts, *others]),
    }


def overlap(items: Sequence[SuiteItem], rows: ArmRows) -> Column:
    """Return how much of the chosen answers of training pairs an arm says word for word.

    With a temperature of 0 it is what the arm says first.
    """
    values = {
        item.id: verbatim_overlap(units(rows.answers[item.id].text), units(item.chosen))
        for item in items
        if item.id in rows.answers
    }
    what = "mean longest common run of words / words of the trained answer, training prompts"
    return Column("verbatim_overlap", "mean", what, values)


def _losses(h: Sequence[float], beta: float) -> np.ndarray:
    """Return softplus(-beta h), the loss of DPO, nats."""
    return np.logaddexp(0.0, -beta * np.asarray(h, dtype=np.float64))
