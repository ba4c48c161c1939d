"""On which clauses a reviewer names another side than the others, and which gold items show these clauses."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from core.domain.qualification import ClauseDisagreement
from core.domain.rubric import Criterion
from core.evaluation.measures.shares import share_by_prompt
from core.services.quality.agreement_by_group import common_verdicts, split_places
from core.services.quality.label_columns import LabelColumns, Verdicts, answered_verdicts
from core.services.quality.reviewers import SHOWN

LEAST_COMPARED = 3
"""Comparisons on a clause before it is told."""


def clause_disagreements(
    criteria: Sequence[Criterion], labels: LabelColumns, reviewer_id: int, gold: Collection[int]
) -> tuple[ClauseDisagreement, ...]:
    """Return the clauses on which a reviewer differs from others, the most first; ties in the order of the rubric.

    Args:
        criteria: of the rubric version.
        labels: those that count under versions of one meaning.
        reviewer_id: whose answers are compared with those of everybody else.
        gold: pairs that this reviewer may practise on, in the order in which they are offered.
    """
    answered = answered_verdicts(labels)
    found = []
    for clause in criteria:
        if (given := answered.get(clause.id)) is None:
            continue
        differs, pairs = _compared(labels, given, reviewer_id)
        if differs.size >= LEAST_COMPARED:
            share = share_by_prompt(differs, pairs.tolist(), "comparisons with others that name another side")
            newest = dict.fromkeys(pairs[differs][::-1].tolist())
            shown = _first_those(labels, given, gold)
            found.append(ClauseDisagreement(clause.id, clause.name, share, tuple(newest)[:SHOWN], shown))
    return tuple(sorted(found, key=lambda one: -one.share.value))


def _compared(labels: LabelColumns, given: Verdicts, reviewer_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Return of each comparison with another reviewer whether the sides differ, and its pair, by time of the label."""
    differs, places = [np.zeros(0, bool)], [np.zeros(0, np.int64)]
    for one, other, first, second in common_verdicts(given):
        if reviewer_id in (one, other):
            mine = first if one == reviewer_id else second
            differs.append(given.side[first] != given.side[second])
            places.append(given.place[mine])
    where = np.concatenate(places)
    order = np.argsort(where, kind="stable")
    return np.concatenate(differs)[order], labels.pair[where[order]]


def _first_those(labels: LabelColumns, given: Verdicts, gold: Collection[int]) -> tuple[int, ...]:
    """Return the gold items on which answers to the clause split, then the others that answer it."""
    split = set(labels.pair[given.place[split_places(given)]].tolist())
    answers = set(labels.pair[given.place].tolist())
    return (*(key for key in gold if key in split), *(key for key in gold if key in answers - split))
