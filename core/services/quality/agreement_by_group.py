"""Agreement of groups of labels: the verdict's side, the strength, and each criterion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from core.services.quality.label_columns import INVALID, Ints, LabelColumns, Verdicts, answered_verdicts, verdicts_of

_SIDES, _STRENGTHS = 4, 7


def agreement_of(verdicts: Verdicts, kappa: Callable[[VerdictCounts], Estimate] = fleiss_kappa_of) -> Agreement:
    """Return the agreement of verdicts.

    Args:
        verdicts: of one group.
        kappa: how kappa is made from the counts of sides; Fleiss' by default.
    """
    sides = count_verdicts(verdicts.item, verdicts.side, _SIDES)
    rated = verdicts.side != INVALID
    strengths = _used(count_verdicts(verdicts.item[rated], verdicts.strength[rated] + 3, _STRENGTHS))
    measures = {
        "alpha_nominal": krippendorff_alpha(sides),
        "alpha_ordinal": krippendorff_alpha(strengths, "ordinal"),
        "percent": percent(sides),
        "kappa": kappa(_used(sides)),
        "ac2": gwet(strengths, "ordinal"),
    }
    return Agreement(measures, _split(sides), verdicts.size)


def by_pair_of_reviewers(verdicts: Verdicts, names: Mapping[int, str]) -> dict[str, Agreement]:
    """Return "name / name" -> agreement of two reviewers on their common items, with Cohen's kappa."""
    found = {}
    for one, other, first, second in common_verdicts(verdicts):
        kappa = cohen(verdicts.side[first], verdicts.side[second], _SIDES)
        both = verdicts.only(np.concatenate([first, second]))
        found[f"{names[one]} / {names[other]}"] = agreement_of(both, lambda _, kappa=kappa: kappa)
    return found


def common_verdicts(verdicts: Verdicts) -> list[tuple[int, int, Ints, Ints]]:
    """Return two reviewers with the places of their verdicts on common items, in equal order, for all who have any."""
    places = {int(who): np.flatnonzero(verdicts.reviewer == who) for who in np.unique(verdicts.reviewer)}
    found = []
    for one, other in combinations(places, 2):
        mine, theirs = verdicts.item[places[one]], verdicts.item[places[other]]
        _, first, second = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
        if first.size:
            found.append((one, other, places[one][first], places[other][second]))
    return found


def by_group(verdicts: Verdicts, group: Ints, names: Mapping[int, str]) -> dict[str, Agreement]:
    """Return name of the group -> its agreement, by name.

    Args:
        verdicts: of all groups.
        group: (n,) the group of each.
        names: of the groups.
    """
    named = sorted((names.get(int(one), ""), int(one)) for one in np.unique(group))
    return {name: agreement_of(verdicts.only(group == one)) for name, one in named}


def by_version(labels: LabelColumns, titles: Mapping[int, str]) -> dict[str, Agreement]:
    """Return title -> agreement of all labels under a rubric version, those that were renewed under a later one too.

    So the versions are compared on the same pairs: what nobody had to label again is seldom like the rest.
    """
    named = sorted((titles.get(int(one), ""), int(one)) for one in np.unique(labels.version))
    found = ((title, verdicts_of(labels.only(labels.version == one))) for title, one in named)
    return {title: agreement_of(verdicts) for title, verdicts in found if verdicts.size}


def by_criterion(labels: LabelColumns) -> dict[str, Agreement]:
    """Return criterion -> agreement of its strengths; a criterion is named by its id in the rubric."""
    return {name: agreement_of(given) for name, given in answered_verdicts(labels).items()}


def disagreed(labels: LabelColumns, verdicts: Verdicts) -> tuple[int, ...]:
    """Return the pairs on which two reviewers name different sides under one rubric, by id."""
    return tuple(int(one) for one in np.unique(labels.pair[verdicts.place[split_places(verdicts)]]))


def split_places(verdicts: Verdicts) -> Ints:
    """Return the places of the verdicts on items on which not all name the same side."""
    if not verdicts.size:
        return verdicts.place
    _, number = np.unique(verdicts.item, return_inverse=True)
    least, most = np.full(number.max() + 1, _SIDES), np.full(number.max() + 1, -1)
    np.minimum.at(least, number, verdicts.side)
    np.maximum.at(most, number, verdicts.side)
    return np.flatnonzero((least != most)[number])


def several_places(verdicts: Verdicts) -> Ints:
    """Return the places of the verdicts on items that have two or more."""
    _, number, times = np.unique(verdicts.item, return_inverse=True, return_counts=True)
    return np.flatnonzero(times[number] >= 2)


def _used(counts: VerdictCounts) -> VerdictCounts:
    """Return the counts of verdicts that occur: scales of three and of seven steps are measured by their own steps."""
    used = counts.rows.sum(axis=0) > 0
    return VerdictCounts(counts.rows[:, used], counts.times) if used.sum() > 1 else counts


def _split(counts: VerdictCounts) -> Estimate:
    usable = counts.rows.sum(axis=1) >= 2
    split = ((counts.rows[usable] > 0).sum(axis=1) > 1).repeat(counts.times[usable].astype(int))
    return share_by_prompt(split, None, "items on which labels differ")
