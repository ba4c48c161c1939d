"""Whether how alike the two answers of a pair are before training tells how far the chosen one moved in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.estimate import Estimate
from core.evaluation.measures.means import bootstrap_by_prompt
from core.evaluation.statistics import spearman
from core.runs.evaluations.columns import ArmRows, Column
from core.runs.evaluations.length_figures import FEWEST


def similarity_figures(
    reference: ArmRows | None, columns: Sequence[Column], groups: Mapping[str, str]
) -> dict[str, Estimate]:
    """Return the rank correlation of CHES under the reference and the displacement of chosen; below 0 it predicts.

    Empty where fewer than ``FEWEST`` pairs have both.

    Args:
        reference: with the similarity of each pair before training.
        columns: of the policy; the one called "displacement_chosen" is read.
        groups: the prompt of each item, by its id.
    """
    moved: Mapping[str, float] = next((c.values for c in columns if c.metric == "displacement_chosen"), {})
    before = {id_: row.ches_by_length for id_, row in reference.scores.items()} if reference else {}
    ids = sorted(id_ for id_ in moved if np.isfinite(before.get(id_, np.nan)))
    if len(ids) < FEWEST:
        return {}
    found = bootstrap_by_prompt(
        lambda both: spearman(both[:, 0], both[:, 1]),
        np.array([[before[id_], moved[id_]] for id_ in ids]),
        [groups[id_] for id_ in ids],
        "",
        "Spearman's rank correlation of CHES by length under the reference and the displacement of chosen",
    )
    return {"ches_displacement_correlation": found} if np.isfinite(found.value) else {}
