"""Whether a policy's sigma(margin) is the probability that people prefer an answer, on the preferences of a suite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.ids import sha256_text
from core.domain.suite import SuiteItem
from core.evaluation.measures.calibration import brier, ece, in_order_shown, probabilities, reliability, temperature
from core.evaluation.measures.calibration_tests import kolmogorov_smirnov, spiegelhalter
from core.runs.evaluations.columns import Column

FEWEST = 10
"""With fewer pairs no calibration is given."""


def calibration(
    columns: Sequence[Column],
    items: Sequence[SuiteItem],
    groups: Mapping[str, str],
    beta: float,
    *,
    fit: bool = False,
) -> tuple[dict[str, Estimate], dict[str, Any]]:
    """Return the estimates "ece" and "brier" of one arm, and its reliability diagram as plain values.

    Both are empty where the arm has no h of at least ``FEWEST`` pairs. Answers are taken in their canonical order A, B
    (the smaller content hash first), so that the label is not the same everywhere.

    Args:
        columns: of the arm; the one called "h" is read (nats).
        items: of the suite, with the texts of both answers and the share of people who prefer the chosen one.
        groups: the prompt of each item, by its id.
        beta: factor between h and the margin.
        fit: also find the temperature at which sigma(margin / T) fits best; for held-out pairs, never for a test.
    """
    h = next((column.values for column in columns if column.metric == "h"), {})
    some = [item for item in items if item.id in h]
    if len(some) < FEWEST:
        return {}, {}
    first = [sha256_text(item.chosen) < sha256_text(item.rejected) for item in some]
    margins, _ = in_order_shown([beta * h[item.id] for item in some], first)
    labels = [item.target if is_first else 1 - item.target for item, is_first in zip(some, first, strict=True)]
    p, prompts = probabilities(margins), [groups[item.id] for item in some]
    error, score = ece(p, labels, prompts), brier(p, labels, prompts)
    bins = []
    for one in reliability(p, labels):
        ids = [some[place].id for place in one.members]
        bins.append({"predicted": one.predicted, "observed": plain(one.observed), "items": ids})
    band = [edge if math.isfinite(edge) else None for edge in (error.null_low, error.null_high)]
    found = {"ece": error.error, "brier": score.score}
    if fit:
        found["temperature"] = temperature(margins, labels, prompts)
    tests = [test(p, labels).to_plain() for test in (spiegelhalter, kolmogorov_smirnov)]
    return found, {"bins": bins, "chance": band, "tests": tests}
