"""What the frontier shows of runs, worked out away from widgets."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.widgets.plots.run_frontier_chart import FrontierAxes, RunFrontierMark
from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.frontier import BetaFrontier, FrontierPoint, RunFrontier, RunPoint
from core.domain.number_text import estimate_text, format_value
from core.services.runs.run_frontier import kl_words

_KL = "on-policy KL, {unit}, ± 1.96 SE →"
_QUALITY = {"held_out_accuracy": "held-out accuracy, Wilson 95 %", "win_rate": "win rate by people, 95 % interval"}


_COLOURED = ("beta", "lr", "loss")
"""Settings that give the colours, the first of them that varies."""


@dataclass(frozen=True, slots=True)
class FrontierFigures:
    """One group of runs on the chart and in the table; ``rows`` have the key of their run first.

    Attributes:
        groups: (number, words) of each group that could be shown. group: the one that is.
        summary: how many runs, and how many of them none beats.
        left_out: a sentence for each run without a place.
    """

    marks: tuple[RunFrontierMark, ...]
    axes: FrontierAxes
    rows: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[int, str], ...]
    group: int
    summary: str
    left_out: tuple[str, ...]


def run_figures(found: RunFrontier, shown: Collection[str], group: int = 0) -> FrontierFigures:
    """Return the figures of runs by their own probes.

    Args:
        found: the frontier.
        shown: ids of the runs that the page is on, which have a ring.
        group: to show; 0 for that of a shown run, or the largest.
    """
    chosen = group or _group(found.points, [point.group for point in found.points if point.run_id in shown])
    points = [point for point in found.points if point.group == chosen]
    by = next((name for name in _COLOURED if name in found.varied), next(iter(found.varied), ""))
    series = sorted({point.values.get(by, "") for point in points}, key=_sort_key)
    labels = _labels(points, found.varied, by)
    reference = found.reference.get(chosen)
    axes = FrontierAxes(
        _KL.format(unit=points[0].kl.unit if points else "nats"),
        _QUALITY[found.number],
        tuple(f"{by} {value}" for value in series) if by else (),
        reference.value if reference is not None else math.nan,
        f"reference's own ranking {format_value(reference.value)}" if reference is not None else "",
    )
    marks = [_mark(p, series.index(p.values.get(by, "")), labels, shown) for p in points]
    rows = [_row(p, labels) for p in sorted(points, key=lambda p: (bool(p.beaten_by), p.kl.value))]
    return FrontierFigures(
        tuple(marks), axes, tuple(rows), _groups(found.points), chosen, _summary(points), found.left_out
    )


def _labels(points: Sequence[RunPoint], varied: Sequence[str], by: str) -> dict[str, str]:
    """Return a short name of each run: what its colour says, what is unusual among the others, and its seed."""
    usual = {name: Counter(p.values.get(name, "") for p in points).most_common(1)[0][0] for name in varied if points}
    found: dict[str, str] = {}
    for point in points:
        own = [
            f"{name} {value}" for name, value in point.values.items()
            if name == by or (name != "seed" and value != usual.get(name))
        ]  # fmt: skip
        own += [f"seed {point.values['seed']}"] if "seed" in point.values else []
        found[point.run_id] = ", ".join(own) or point.name
    return found


def evaluated_figures(
    found: BetaFrontier, run_of: Mapping[str, str], shown: Collection[str], group: int = 0
) -> FrontierFigures:
    """Return the figures of evaluated runs; ``run_of`` gives the run of each evaluation."""
    wanted = [p.group for p in found.points if run_of.get(p.evaluation_id, "") in shown]
    chosen = group or _group(found.points, wanted)
    points = [point for point in found.points if point.group == chosen]
    betas = list(dict.fromkeys(f"beta {point.beta:g}" for point in points))
    axes = FrontierAxes(
        _KL.format(unit=points[0].kl.unit if points else "nats"),
        _QUALITY.get(found.number, f"{found.number}, 95 % interval"),
        tuple(betas),
        0.5 if found.number == "win_rate" else math.nan,
        "as good as the reference" if found.number == "win_rate" else "",
    )
    names = {point.evaluation_id: f"beta {point.beta:g}, seed {point.seed}" for point in points}
    marks = [
        RunFrontierMark(
            run_of.get(p.evaluation_id, ""), names[p.evaluation_id], _ends(p.kl), _ends(p.quality),
            betas.index(f"beta {p.beta:g}"), bool(p.beaten_by), False,
            f"{p.run}, {names[p.evaluation_id]}: {estimate_text(p.quality)}; KL {kl_words(p.kl)}; "
            + (f"beaten by {names[p.beaten_by]}" if p.beaten_by else "on the frontier"),
            run_of.get(p.evaluation_id, "") in shown,
        )
        for p in points
    ]  # fmt: skip
    rows = [
        (run_of.get(p.evaluation_id, ""), p.run, names[p.evaluation_id], estimate_text(p.quality), _kl(p.kl),
         f"beaten by {names[p.beaten_by]}" if p.beaten_by else "on the frontier")
        for p in points
    ]  # fmt: skip
    return FrontierFigures(
        tuple(marks), axes, tuple(rows), _groups(found.points), chosen, _summary(points), found.left_out
    )


def _group(points: Sequence[RunPoint | FrontierPoint], wanted: Sequence[int]) -> int:
    """Return the first wanted group, else the largest; 0 where there is none."""
    counts = Counter(point.group for point in points)
    return wanted[0] if wanted else counts.most_common(1)[0][0] if counts else 0


def _groups(points: Sequence[RunPoint | FrontierPoint]) -> tuple[tuple[int, str], ...]:
    found: dict[int, list[RunPoint | FrontierPoint]] = {}
    for point in points:
        found.setdefault(point.group, []).append(point)
    return tuple(
        (group, f"{counted(len(own), 'run')}, n {own[0].quality.n:,} held-out pairs, KL in {own[0].kl.unit}")
        for group, own in found.items()
    )


def _summary(points: Sequence[RunPoint | FrontierPoint]) -> str:
    if not points:
        return ""
    best, sizes = sum(not point.beaten_by for point in points), {point.quality.n for point in points}
    n = f"n {min(sizes):,} each" if len(sizes) == 1 else f"n {min(sizes):,} to {max(sizes):,}"
    return f"{counted(len(points), 'run')} · {best} on the frontier · {n}"


def _sort_key(words: str) -> tuple[float, str]:
    try:
        return float(words), words
    except ValueError:
        return math.inf, words


def _kl(estimate: Estimate) -> str:
    return kl_words(estimate).replace(f" {estimate.unit}", "")


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    known = estimate.has_interval
    return estimate.value, estimate.low if known else math.nan, estimate.high if known else math.nan


def _mark(point: RunPoint, series: int, labels: Mapping[str, str], shown: Collection[str]) -> RunFrontierMark:
    other = "; another objective" if point.other_objective else ""
    note = f"; {point.note}" if point.note else f"; step {point.step:,}"
    words = f"{point.name}, {labels[point.run_id]}: {estimate_text(point.quality)}; KL {kl_words(point.kl)}"
    return RunFrontierMark(
        point.run_id,
        labels[point.run_id],
        _ends(point.kl),
        _ends(point.quality),
        series,
        bool(point.beaten_by),
        point.other_objective,
        f"{words}{note}{other}; {_place(point, labels)}",
        point.run_id in shown,
    )


def _place(point: RunPoint, labels: Mapping[str, str]) -> str:
    if not point.beaten_by:
        return "on the frontier"
    return f"beaten by {labels.get(point.beaten_by, point.beaten_by)}" + (
        "" if point.clearly else ", within the intervals"
    )


def _row(point: RunPoint, labels: Mapping[str, str]) -> tuple[str, ...]:
    other = "another objective; " if point.other_objective else ""
    return (
        point.run_id,
        point.name,
        labels[point.run_id],
        estimate_text(point.quality),
        _kl(point.kl),
        f"{other}{_place(point, labels)}" + (f" ({point.note})" if point.note else ""),
    )
