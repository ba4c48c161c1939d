"""Check of a preflight: which answers the model prefers before training, by its own log-probs.

Labels that are turned round, or a template that swaps the answers, show here first: the model disagrees with nearly all
of them. Per token, because a sum of log-probs prefers the shorter answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from core.domain.counting import counted
from core.domain.number_text import interval_text
from core.domain.preflight_report import Check
from core.domain.run_events import PairMetrics
from core.evaluation.estimates import proportion


def ranking_check(rows: Sequence[PairMetrics]) -> list[Check]:
    """Return the check, given the pairs of the tried step; none where the reference's log-probs are not known."""
    known = [row for row in rows if math.isfinite(row.ref_chosen + row.ref_rejected) and _tokens(row) > 0]
    if not known:
        return []
    hits = np.array([_credit(row) for row in known])
    share = proportion(hits)
    text = (
        f"Before training the model gives the chosen answer the higher log-prob per token in {float(hits.sum()):g} of "
        f"{counted(len(known), 'tried pair')} (share {share.value:.2f} {interval_text(share)})."
    )
    if share.high < 0.5:
        hint = "Look at some pairs with --proof: the labels may be turned round."
        return [Check("ranking", "warn", text, hint)]
    return [Check("ranking", "ok", text)]


def _tokens(row: PairMetrics) -> int:
    return min(row.tokens_chosen, row.tokens_rejected)


def _credit(row: PairMetrics) -> float:
    """Return 1 where the chosen answer has the higher log-prob per token, one half where both are equal."""
    chosen, rejected = row.ref_chosen / row.tokens_chosen, row.ref_rejected / row.tokens_rejected
    return 0.5 if chosen == rejected else float(chosen > rejected)
