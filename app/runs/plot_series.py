"""What the plots of a run are fed with, read from its ledger and from that of the run it was forked from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.widgets.plots.curves import Curve, exact_text
from app.widgets.plots.run_series import ForkMark, Level, RunSeries, estimated_curve, plain_curve
from core.domain.errors import UserError
from core.domain.kl_estimate import kl_estimate, kl_name
from core.domain.metrics import metric
from core.domain.number_text import error_words, estimate_text, format_value
from core.domain.run_events import KlDone
from core.domain.run_record import RunRecord
from core.services.runs.memory_use import FIELDS, NOT_RECORDED, memory_curves
from core.services.runs.people_ceiling import PeopleCeiling
from core.services.runs.run_estimates import EstimatedSeries, ProbeEstimates, RunEstimates
from core.services.runs.run_plots import TRAIN, PairPlots
from core.services.runs.views import RunReader

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.runs.service import RunsService


_OF_PAIRS = ("spread.", "gap.", "pull.")
"""How curves begin that are worked out from the rows of pairs."""


def read_curves(
    reader: RunReader,
    estimates: RunEstimates,
    metrics: Sequence[str],
    of_pairs: Mapping[str, EstimatedSeries] | None = None,
) -> dict[str, Curve]:
    """Return the curves of a run: probes, KL and those ``of_pairs`` with intervals, steps without."""
    known = {**estimates.series(metrics), **(of_pairs or {})}
    memory = memory_curves(reader) if FIELDS.keys() & set(metrics) else {}
    found: dict[str, Curve] = {}
    for name in metrics:
        if name in known:
            found[name] = estimated_curve(known[name])
        elif name in memory:
            found[name] = plain_curve(memory[name])
        elif not name.startswith(_OF_PAIRS):
            found[name] = plain_curve(reader.series(name))
    return found


def run_series(
    curves: dict[str, Curve],
    total: int,
    *,
    before: tuple[dict[str, Curve], ForkMark],
    kl: KlDone | None,
    held_out: ProbeEstimates | None,
    start_loss: float | None,
    pairs: PairPlots,
    people: PeopleCeiling | None = None,
    resumes: tuple[float, ...] = (),
) -> RunSeries:
    """Put together all that the plots show."""
    titles = {"kl.kl": ("KL to reference", "")}
    if kl is not None:
        about = (error_words(kl_estimate(kl)), f"n {kl.samples}", f"{100 * kl.censored:.0f} % cut")
        titles["kl.kl"] = (kl_name(kl.horizon), " · ".join(part for part in about if part))
    levels = (*_levels(held_out, start_loss), _people_level(people))
    return RunSeries(
        curves,
        total,
        *before,
        levels=levels,
        titles=titles,
        pairs=pairs,
        resumes=resumes,
        notes={**_down_note(pairs), **_memory_note(curves), **_ranking_note(held_out)},
        helps={"accuracy": _people_help(people), "memory.resident": _memory_help()},
    )


def _levels(held_out: ProbeEstimates | None, start_loss: float | None) -> tuple[Level, ...]:
    start = math.nan if start_loss is None else start_loss
    name = "ln 2" if math.isclose(start, math.log(2)) else "start"
    ranking = held_out.values.get("ref_accuracy") if held_out is not None else None
    ref = math.nan if ranking is None else ranking.value
    return (
        Level("loss", "start", start, f"{name} {format_value(start)}", right=True),
        Level("accuracy", "reference", ref, ""),
    )


def _people_level(people: PeopleCeiling | None) -> Level:
    one = None if people is None else people.estimate
    if one is None:
        return Level("accuracy", "people", math.nan, "")
    return Level("accuracy", "people", one.value, f"people agree {estimate_text(one)}", right=True)


def _people_help(people: PeopleCeiling | None) -> str:
    """Return what the line of people says, or why it is not drawn."""
    if people is None:
        return ""
    return people.why or (
        "People agree: the expected agreement with one label of one person, over held-out pairs with two labels or "
        "more. A policy far above it has learned the labels' mistakes."
    )


def _ranking_note(held_out: ProbeEstimates | None) -> dict[str, tuple[str, ...]]:
    """Return what the dashed level of the accuracy is; on the line its words would cover curves."""
    ranking = held_out.values.get("ref_accuracy") if held_out is not None else None
    if ranking is None or not math.isfinite(ranking.value):
        return {}
    value = format_value(ranking.value)
    words = (f"dashed: reference's own ranking {value}", f"dashed: reference {value}", f"reference {value}")
    return {"accuracy": words}


def _down_note(pairs: PairPlots) -> dict[str, tuple[str, ...]]:
    """Return how many pairs became less likely on both sides at the newest look, for the plot of rewards."""
    if pairs.kind == TRAIN or not pairs.pairs.pair_ids:
        return {}
    down, n = pairs.both_down()
    return {"reward_chosen": (f"both down {down} of {n}",)}


def _memory_note(curves: Mapping[str, Curve]) -> dict[str, tuple[str, ...]]:
    """Return that the run has recorded no memory, where the plot is shown and steps were made."""
    curve = curves.get("memory.resident")
    return {"memory.resident": (NOT_RECORDED,)} if curve is not None and not curve.steps.size else {}


def _memory_help() -> str:
    """Return what the curves of memory mean."""
    return "\n".join(f"{metric(key).name}: {metric(key).explains}" for key in FIELDS.values())


def parent_curves(service: RunsService, record: RunRecord, metrics: Sequence[str]) -> tuple[dict[str, Curve], ForkMark]:
    """Return the curves of the run that this one was forked from, up to the fork, and what the fork changed.

    Nothing where it is no fork; only the mark where the other run is not there any more.
    """
    if not record.parent_run:
        return {}, ForkMark()
    step = float(record.parent_step)
    try:
        reader = service.reader(record.parent_run)
        parent = reader.record()
        curves = read_curves(reader, RunEstimates(reader), metrics)
    except UserError:
        return {}, ForkMark(step, f" fork of a run that is not here, step {step:g}")
    ours, theirs = record.config.to_plain(), parent.config.to_plain()
    changed = [
        f"{key} {_text(theirs.get(key))} → {_text(value)}" for key, value in ours.items() if theirs.get(key) != value
    ]
    shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    words = f" fork of {parent.name} at step {step:g}: {shown or 'no setting changed'}"
    return {name: _until(curve, step) for name, curve in curves.items()}, ForkMark(step, words)


def _text(value: object) -> str:
    return exact_text(value) if isinstance(value, float) else str(value)


def _until(curve: Curve, step: float) -> Curve:
    """Return the part of a curve up to a step, without intervals."""
    there = curve.steps <= step
    return Curve(curve.steps[there], curve.values[there])
