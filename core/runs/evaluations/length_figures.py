"""How far the ranking of preference items follows the length of their answers, in tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.estimate import Estimate
from core.domain.suite import SuiteItem
from core.evaluation.measures.length import length_controlled
from core.evaluation.measures.means import bootstrap_by_prompt
from core.evaluation.measures.preference import longer_preferred
from core.evaluation.measures.shares import share_by_prompt
from core.evaluation.statistics import spearman
from core.runs.evaluations.columns import ArmRows, Column

FEWEST = 10
"""With fewer pairs nothing is said."""


def length_figures(rows: ArmRows, columns: Sequence[Column], groups: Mapping[str, str]) -> dict[str, Estimate]:
    """Return what length explains of the implicit reward of one policy; empty without h of at least ``FEWEST`` pairs.

    Args:
        rows: of the policy, with the tokens of both answers.
        columns: of the policy; those called "h" and "preference_accuracy" are read.
        groups: the prompt of each item, by its id.
    """
    known = {column.metric: column.values for column in columns}
    h, right = known.get("h", {}), known.get("preference_accuracy", {})
    ids = sorted(h)
    if len(ids) < FEWEST:
        return {}
    prompts, values = [groups[id_] for id_ in ids], np.array([h[id_] for id_ in ids])
    longer = np.array([rows.scores[id_].tokens_chosen - rows.scores[id_].tokens_rejected for id_ in ids], dtype=float)
    uneven = longer != 0
    found: dict[str, Estimate] = {}
    correlation = bootstrap_by_prompt(
        lambda both: spearman(both[:, 0], both[:, 1]), np.column_stack([values, longer]), prompts, "",
        "Spearman's rank correlation of h and the difference of lengths",
    )  # fmt: skip
    if math.isfinite(correlation.value):  # there is none where all lengths or all h are equal
        found["h_length_correlation"] = correlation
    if right:
        hits = [right[id_] for id_ in ids]
        controlled = length_controlled(hits, longer, prompts, what="accuracy").controlled
        if math.isfinite(controlled.value):
            found["accuracy_at_equal_length"] = controlled
    if uneven.any():
        agrees = (values[uneven] > 0) == (longer[uneven] > 0)
        names = [prompt for prompt, is_one in zip(prompts, uneven, strict=True) if is_one]
        found["prefers_longer"] = share_by_prompt(agrees, names, "share of pairs whose longer answer has the higher h")
    return found


def people_prefer_longer(rows: ArmRows, items: Sequence[SuiteItem], groups: Mapping[str, str]) -> Estimate | None:
    """Return how often people chose the longer answer: the accuracy of a ranking by length alone; None for few pairs.

    Args:
        rows: of any arm with the tokens of both answers.
        items: of the suite.
        groups: the prompt of each item, by its id.
    """
    ids = [i.id for i in items if i.expected == "preference" and not i.is_tie and i.id in rows.scores]
    if len(ids) < FEWEST:
        return None
    scores = [rows.scores[id_] for id_ in ids]
    found = longer_preferred(
        [row.tokens_chosen for row in scores], [row.tokens_rejected for row in scores], [groups[id_] for id_ in ids]
    )
    return found if found.n else None
