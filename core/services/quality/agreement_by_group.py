"""Agreement of groups of labels: the verdict's side, the strength, and each criterion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from core.domain.estimate import Estimate
from core.domain.quality import Agreement
from core.evaluation.measures.agreement import (
    VerdictCounts,
    cohen,
    count_verdicts,
    fleiss_kappa_of,
    gwet,
    krippendorff_alpha,
    percent,
)
from core.evaluation.measures.shares import share_by_prompt
from core.store.plain import read_json
from core.store.quality_labels import QualityLabel

Item = tuple[int, int]
"""A pair under a rubric: labels under two rubrics answer two questions."""
ItemVerdict = tuple[Item, int, int, int | None]
"""Item, reviewer, side (0 first, 1 neither better, 2 second, 3 neither valid), signed strength or None."""
_SIDES, _STRENGTHS = 4, 7


def verdicts_of(labels: Iterable[QualityLabel]) -> list[ItemVerdict]:
    """Return a verdict for each reviewer and item, that of the newest label; "cannot judge" is left out."""
    newest: dict[tuple[Item, int], ItemVerdict] = {}
    for label in labels:
        item = (label.pair_id, label.rubric_id)
        if label.verdict == "cannot_judge":
            newest.pop((item, label.reviewer_id), None)
        else:
            side = 3 if label.verdict == "neither" else _side(label.strength or 0)
            strength = None if label.verdict == "neither" else label.strength or 0
            newest[item, label.reviewer_id] = (item, label.reviewer_id, side, strength)
    return list(newest.values())


def agreement_of(
    verdicts: Sequence[ItemVerdict], kappa: Callable[[VerdictCounts], Estimate] = fleiss_kappa_of
) -> Agreement:
    """Return the agreement of verdicts.

    Args:
        verdicts: of one group.
        kappa: how kappa is made from the counts of sides; Fleiss' by default.
    """
    numbers = {item: n for n, item in enumerate(dict.fromkeys(one[0] for one in verdicts))}
    items = np.array([numbers[one[0]] for one in verdicts], dtype=np.int64)
    sides = count_verdicts(items, np.array([one[2] for one in verdicts], dtype=np.int64), _SIDES)
    rated = np.array([one[3] is not None for one in verdicts], dtype=bool)
    levels = np.array([(one[3] or 0) + 3 for one in verdicts], dtype=np.int64)
    strengths = _used(count_verdicts(items[rated], levels[rated], _STRENGTHS))
    measures = {
        "alpha_nominal": krippendorff_alpha(sides),
        "alpha_ordinal": krippendorff_alpha(strengths, "ordinal"),
        "percent": percent(sides),
        "kappa": kappa(_used(sides)),
        "ac2": gwet(strengths, "ordinal"),
    }
    return Agreement(measures, _split(sides), len(verdicts))


def by_pair_of_reviewers(verdicts: Sequence[ItemVerdict], names: Mapping[int, str]) -> dict[str, Agreement]:
    """Return "name / name" -> agreement of two reviewers on their common items, with Cohen's kappa."""
    of_item: dict[Item, dict[int, ItemVerdict]] = defaultdict(dict)
    for one in verdicts:
        of_item[one[0]][one[1]] = one
    common: dict[tuple[int, int], list[tuple[ItemVerdict, ItemVerdict]]] = defaultdict(list)
    for given in of_item.values():
        for one, other in combinations(sorted(given), 2):
            common[one, other].append((given[one], given[other]))
    found = {}
    for (one, other), both in sorted(common.items()):
        first, second = ([pair[n][2] for pair in both] for n in (0, 1))
        kappa = cohen(first, second, _SIDES)
        flat = [verdict for pair in both for verdict in pair]
        found[f"{names[one]} / {names[other]}"] = agreement_of(flat, lambda _, kappa=kappa: kappa)
    return found


def by_group(verdicts: Iterable[tuple[str, ItemVerdict]]) -> dict[str, Agreement]:
    """Return name of the group -> its agreement, by name."""
    groups: dict[str, list[ItemVerdict]] = defaultdict(list)
    for name, one in verdicts:
        groups[name].append(one)
    return {name: agreement_of(groups[name]) for name in sorted(groups)}


def by_criterion(labels: Iterable[QualityLabel]) -> dict[str, Agreement]:
    """Return criterion -> agreement of its strengths; a criterion is named by its id in the rubric."""
    newest: dict[tuple[str, Item, int], ItemVerdict] = {}
    for label in labels:
        if label.criteria not in ("", "{}"):
            item = (label.pair_id, label.rubric_id)
            for name, strength in read_json(label.criteria).items():
                newest[name, item, label.reviewer_id] = (item, label.reviewer_id, _side(strength), int(strength))
    return by_group((key[0], one) for key, one in newest.items())


def disagreed(verdicts: Iterable[ItemVerdict]) -> tuple[int, ...]:
    """Return the pairs on which two reviewers name different sides under one rubric, by id."""
    sides: dict[Item, set[int]] = defaultdict(set)
    for item, _, side, _ in verdicts:
        sides[item].add(side)
    return tuple(sorted({item[0] for item, seen in sides.items() if len(seen) > 1}))


def _side(strength: int) -> int:
    return 0 if strength < 0 else 2 if strength > 0 else 1


def _used(counts: VerdictCounts) -> VerdictCounts:
    """Return the counts of verdicts that occur: scales of three and of seven steps are measured by their own steps."""
    used = counts.rows.sum(axis=0) > 0
    return VerdictCounts(counts.rows[:, used], counts.times) if used.sum() > 1 else counts


def _split(counts: VerdictCounts) -> Estimate:
    usable = counts.rows.sum(axis=1) >= 2
    split = ((counts.rows[usable] > 0).sum(axis=1) > 1).repeat(counts.times[usable].astype(int))
    return share_by_prompt(split, None, "items on which labels differ")
