"""Where the log-probs of both answers went, and whether the samples of the policy went with them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.domain.estimate import Estimate
from core.evaluation.measures.means import mean_by_prompt, paired_difference
from core.evaluation.measures.shares import share_by_prompt


@dataclass(frozen=True, slots=True)
class Quadrants:
    """Shares of pairs by the displacement of chosen and of rejected; a displacement of 0 is not below 0.

    Attributes:
        ideal: chosen up, rejected down. both_up, both_down: as named. inverted: chosen down, rejected up.
        chosen_down: chosen below the reference.
        margin_up_chosen_down: the margin grew although the chosen answer became less likely.
        chosen, rejected: mean displacements, in nats.
    """

    ideal: Estimate
    both_up: Estimate
    both_down: Estimate
    inverted: Estimate
    chosen_down: Estimate
    margin_up_chosen_down: Estimate
    chosen: Estimate
    rejected: Estimate


def quadrants(chosen: ArrayLike, rejected: ArrayLike, groups: Sequence[Hashable] | None = None) -> Quadrants:
    """Return how the pairs lie in the plane of both displacements. Source: N. Razin et al., arXiv 2410.08847.

    Args:
        chosen: (n,) log-prob of chosen under the policy minus under the reference, nats.
        rejected: (n,) the same of rejected.
        groups: (n,) the prompt of each pair; None when each has its own.
    """
    w, r = np.asarray(chosen, dtype=np.float64), np.asarray(rejected, dtype=np.float64)
    down_w, down_r = w < 0, r < 0

    def share(hits: ArrayLike, what: str) -> Estimate:
        return share_by_prompt(hits, groups, f"share of pairs, {what}")

    return Quadrants(
        share(~down_w & down_r, "chosen up and rejected down"),
        share(~down_w & ~down_r, "both up"),
        share(down_w & down_r, "both down"),
        share(down_w & ~down_r, "chosen down and rejected up"),
        share(down_w, "chosen down"),
        share(down_w & (w > r), "margin up and chosen down"),
        mean_by_prompt(w, groups, "nats", "mean displacement of chosen"),
        mean_by_prompt(r, groups, "nats", "mean displacement of rejected"),
    )


@dataclass(frozen=True, slots=True)
class MassAudit:
    """Whether samples moved where log-probs fell.

    Attributes:
        moves: aligned minus reference of each thing that was looked at in the samples, paired.
        moved: names of those whose interval excludes 0.
        alarm: more than half of the pairs are down on both sides, and the samples moved.
    """

    moves: Mapping[str, Estimate]
    moved: tuple[str, ...]
    alarm: bool


def mass_audit(
    both_down: Estimate,
    aligned: Mapping[str, ArrayLike],
    reference: Mapping[str, ArrayLike],
    groups: Sequence[Hashable] | None = None,
) -> MassAudit:
    """Return where the probability went that both answers of a pair lost.

    Falling log-probs alone are no damage. They are where the policy's own samples refuse more, repeat themselves, grow,
    or become unlikely under the reference.

    Args:
        both_down: of :class:`Quadrants`.
        aligned: name (refused, tokens, repetition, reference nats a token) -> (n,) of the policy's samples.
        reference: the same of the reference's samples of the same prompts.
        groups: (n,) the prompt of each sample; None when each has its own.
    """
    moves = {
        name: paired_difference(values, reference[name], groups, what=f"{name}, aligned minus reference")
        for name, values in aligned.items()
        if name in reference
    }
    moved = tuple(name for name, e in moves.items() if e.has_interval and (e.low > 0 or e.high < 0))
    return MassAudit(moves, moved, both_down.value > 0.5 and bool(moved))
