"""The share of right answers to gold items while time goes on, by reviewer; a major rubric version starts anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from core.domain.judgement import Reviewer
from core.domain.rubric import ChangeLevel, RubricVersion
from core.domain.team import GOLD_WINDOW, Drift, DriftLine, DriftPoint, RubricBreak
from core.evaluation.measures.shares import share_by_prompt
from core.services.quality.reviewers import sign
from core.store.retest_pairs import SecondAnswer

LEAST = 5
"""Gold items before the first point."""
MOST_POINTS = 60


def drift_of(people: Sequence[Reviewer], versions: Sequence[RubricVersion], anchors: Sequence[SecondAnswer]) -> Drift:
    """Return the lines of all reviewers with ``LEAST`` gold answers under a major version, and the rubric changes.

    Args:
        people: all reviewers.
        versions: of all rubrics, oldest first.
        anchors: gold answers, oldest first.
    """
    names = {one.id: one.name for one in people}
    of = {one.id: one for one in versions}
    groups: dict[tuple[int, int, str], list[SecondAnswer]] = defaultdict(list)
    for one in anchors:
        version = of[one.version_id]
        groups[one.reviewer_id, version.rubric_id, version.number.split(".")[0]].append(one)
    lines = tuple(
        DriftLine(who, names.get(who, ""), of[given[-1].version_id].title, _points(given))
        for (who, _, _), given in sorted(groups.items(), key=lambda entry: (names.get(entry[0][0], ""), entry[0]))
        if len(given) >= LEAST
    )
    rubrics = {of[one.version_id].rubric_id for one in anchors}
    return Drift(lines, _breaks([one for one in versions if one.rubric_id in rubrics]))


def _points(given: Sequence[SecondAnswer]) -> tuple[DriftPoint, ...]:
    ends = np.unique(np.linspace(LEAST, len(given), min(MOST_POINTS, len(given) - LEAST + 1)).round().astype(int))
    return tuple(_point(given[max(0, end - GOLD_WINDOW) : end]) for end in ends.tolist())


def _point(given: Sequence[SecondAnswer]) -> DriftPoint:
    right = [sign(one.strength) == sign(one.first) for one in given]
    wrong = tuple(one.pair_id for one, hit in zip(given, right, strict=True) if not hit)[::-1]
    return DriftPoint(given[-1].at_ms, share_by_prompt(right, None, "right among the last gold items"), wrong)


def _breaks(versions: Sequence[RubricVersion]) -> tuple[RubricBreak, ...]:
    """Return the major versions after the first of their rubric."""
    return tuple(
        RubricBreak(one.published_ms, one.title)
        for one in versions
        if one.published_ms is not None and one.level is ChangeLevel.MAJOR and one.based_on is not None
    )
