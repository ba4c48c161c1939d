"""The share of right answers to gold items while time goes on, by reviewer; a major rubric version starts anew.

A change for the worse at one point is a finding of its own: a slope over all items shows it late. A slow change that
all reviewers share is one too: Page's test finds it where no reviewer alone has items enough.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.judgement import Reviewer
from core.domain.rubric import ChangeLevel, RubricVersion
from core.domain.team import (
    GOLD_WINDOW,
    Drift,
    DriftChange,
    DriftLine,
    DriftPoint,
    RubricBreak,
    TeamFinding,
    TeamTrend,
)
from core.evaluation.measures.change_point import change_point
from core.evaluation.measures.multiplicity import adjusted
from core.evaluation.measures.ordered_trend import ordered_trend
from core.evaluation.measures.shares import share_by_prompt
from core.services.quality.reviewers import sign
from core.store.retest_pairs import SecondAnswer

LEAST = 5
"""Gold items before the first point."""
MOST_POINTS = 60
ALARM_P = 0.05
PERIODS, LEAST_IN_PERIOD = 4, 3
"""Parts that the gold answers of a reviewer are cut into for the trend of all, and answers that each must have."""


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
        DriftLine(who, names.get(who, ""), of[given[-1].version_id].title, _points(given), _change(given))
        for (who, _, _), given in sorted(groups.items(), key=lambda entry: (names.get(entry[0][0], ""), entry[0]))
        if len(given) >= LEAST
    )
    rubrics = {of[one.version_id].rubric_id for one in anchors}
    trend = _trend(groups)
    return Drift(lines, _breaks([one for one in versions if one.rubric_id in rubrics]), trend)


def drift_findings(drift: Drift) -> Iterator[TeamFinding]:
    """Yield the lines that got worse at some point, p adjusted by Holm for the number of lines; then all together."""
    changes = {str(place): line.change for place, line in enumerate(drift.lines) if line.change is not None}
    p = adjusted({place: change.p for place, change in changes.items()})
    for place, change in changes.items():
        if p[place] < ALARM_P and change.after.value < change.before.value:
            line = drift.lines[int(place)]
            day = time.strftime("%Y-%m-%d", time.gmtime(change.at_ms / 1000))
            words = (
                f"{line.name} answers {_percent(change.after)} of {counted(change.after.n, 'gold item')} "
                f"right since {day}, {_percent(change.before)} of {change.before.n:,} before, "
                f"p {p[place]:.3f} (change point, Holm)."
            )
            yield TeamFinding("drift", words, change.pairs, len(change.pairs))
    trend = drift.trend
    if trend is not None and trend.p < ALARM_P and trend.rho.value < 0:
        words = f"{counted(trend.rho.n, 'reviewer')} together get worse on gold items: {trend.words()}."
        yield TeamFinding("drift", words, (), trend.gold)


def _trend(groups: Mapping[tuple[int, int, str], Sequence[SecondAnswer]]) -> TeamTrend | None:
    """Return the trend of all reviewers with answers enough in each period; None where fewer than two have.

    Of each reviewer the longest line counts, so that the rows are independent.
    """
    longest: dict[int, Sequence[SecondAnswer]] = {}
    for (who, _, _), given in sorted(groups.items(), key=lambda entry: len(entry[1])):
        longest[who] = given
    long = [given for given in longest.values() if len(given) >= PERIODS * LEAST_IN_PERIOD]
    if len(long) < 2:
        return None
    right = [np.array([sign(one.strength) == sign(one.first) for one in given], dtype=float) for given in long]
    shares = [[float(part.mean()) for part in np.array_split(one, PERIODS)] for one in right]
    found = ordered_trend(shares, "the share of right gold answers", "reviewer")
    return TeamTrend(found.rho, found.p, PERIODS, sum(len(given) for given in long))


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.0f} % ({100 * share.low:.0f}–{100 * share.high:.0f})"


def _change(given: Sequence[SecondAnswer]) -> DriftChange | None:
    right = [sign(one.strength) == sign(one.first) for one in given]
    found = change_point(right, "right among gold items")
    if found is None:
        return None
    wrong = tuple(one.pair_id for one, hit in zip(given, right, strict=True) if not hit)
    later = {one.pair_id for one in given[found.at :]}
    return DriftChange(
        given[found.at].at_ms, found.before, found.after, found.p, tuple(one for one in wrong[::-1] if one in later)
    )


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
