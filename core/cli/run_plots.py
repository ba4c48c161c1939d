"""``runs plot``: the numbers behind the plots of all pairs of a run, and its memory at each step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from core.cli.output import say, say_json, table
from core.domain.errors import NotFound, UsageError
from core.domain.estimate import TOO_SMALL
from core.domain.metrics import metric
from core.domain.number_text import estimate_text, format_value
from core.domain.x_axis import BY_NAME, STEP
from core.runs import run_control
from core.runs.event_lines import finite
from core.runs.run_reader import RunReader
from core.services.runs.memory_use import FIELDS, NOT_RECORDED, MemoryCurve, memory_curves
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_plots import GAPS, PLOT_NAMES, PairPlots, RunPlots, plain_plots, spectrum_at
from core.services.runs.x_places import XPlaces, x_places

_Rows = list[list[str]]
_MEMORY = "memory"
_NAMES = (*PLOT_NAMES, _MEMORY)


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``runs``."""
    group.command("plot", help="Numbers of a plot: margins, slices, gradient weights, memory.")(plot)


def plot(
    run: Annotated[str, typer.Argument(help="Run folder; with --in also an id or name.")],
    name: Annotated[str, typer.Argument(help=f"{', '.join(_NAMES)}.")] = "margins",
    step: Annotated[int, typer.Option(help="Look of displacement and weights; the newest without it.")] = -1,
    x: Annotated[str, typer.Option(help=f"What is told beside each step: {', '.join(BY_NAME)}.")] = STEP,
    where: Annotated[Path | None, typer.Option("--in", help="Workspace (or folder of runs) to look in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print one plot."""
    if name not in _NAMES:
        raise UsageError(f"No plot is called {name!r}.", f"Choose one of: {', '.join(_NAMES)}.")
    reader = RunReader(run_control.find_run(run, where).path)
    places = _places(reader, x, where)
    if name == _MEMORY:
        curves = memory_curves(reader)
        plain: dict[str, object] = {"plot": name, "unit": "GiB", "curves": _plain_curves(curves)}
        head, rows = _memory(curves)
    else:
        found = RunPlots(reader, RunEstimates(reader)).read((name,))
        look = _look(found, name, step)
        plain = {"plot": name, **plain_plots(found, look)}
        head, rows = _table(found, name, look)
    if as_json:
        say_json(finite({**plain, **_plain_places(x, places)}))
    elif not rows:
        say(f"Memory: {NOT_RECORDED} in this run." if name == _MEMORY else "Nothing was measured yet.")
    else:
        say(table(*_with_places(rows, head, x, places)))


def _look(found: PairPlots, name: str, step: int) -> int | None:
    """Return the look that was asked for, None for the newest.

    Raises:
        NotFound: when no pair was measured at that step.
    """
    shown = found.weights if name == "weights" else found.pairs
    if name in ("displacement", "weights") and step >= 0 and step not in shown.looks:
        known = ", ".join(map(str, shown.looks[-8:])) or "none yet"
        raise NotFound(f"No pair was measured at step {step}.", f"The last looks were at: {known}.")
    return step if step >= 0 else None


def _places(reader: RunReader, x: str, where: Path | None) -> XPlaces | None:
    """Return where the steps stand on the axis that was asked for; None for the steps themselves.

    Raises:
        UsageError: when no axis has that name.
        NotFound: when the run has not recorded what it needs.
    """
    if x not in BY_NAME:
        raise UsageError(f"No x axis is called {x!r}.", f"Choose one of: {', '.join(BY_NAME)}.")
    if x == STEP:
        return None
    beside = where or reader.folder.path.parent
    found = x_places(reader, lambda run_id: RunReader(run_control.find_run(run_id, beside).path)).get(x)
    if found is None:
        raise NotFound(f"The run has no numbers for {BY_NAME[x].title} yet.", "Leave --x out for the steps.")
    return found


def _plain_places(x: str, places: XPlaces | None) -> dict[str, object]:
    """Return the axis with the place of each step, for JSON; nothing for the steps themselves."""
    if places is None:
        return {}
    steps = [int(step) for step in places.steps]
    return {"x": {"name": x, "title": BY_NAME[x].title, "steps": steps, "places": places.places.tolist()}}


def _with_places(rows: _Rows, head: tuple[str, ...], x: str, places: XPlaces | None) -> tuple[_Rows, tuple[str, ...]]:
    """Return rows and head with the place of each step beside it, where the rows have steps."""
    if places is None or "step" not in head:
        return rows, head
    at = head.index("step")
    steps = np.array([float(row[at].rpartition(" ")[2]) for row in rows])  # of "1 to 5" the last one
    words = [_place_words(place, x) for place in places.of(steps)]
    wide = [[*row[: at + 1], word, *row[at + 1 :]] for row, word in zip(rows, words, strict=True)]
    return wide, (*head[: at + 1], BY_NAME[x].title, *head[at + 1 :])


def _place_words(place: float, x: str) -> str:
    return f"{round(place)}" if BY_NAME[x].whole else f"{place:.2f}"


def _plain_curves(curves: Mapping[str, MemoryCurve]) -> dict[str, object]:
    return {name: {"steps": steps, "values": values} for name, (steps, values) in curves.items()}


def _memory(curves: Mapping[str, MemoryCurve]) -> tuple[tuple[str, ...], _Rows]:
    shown = {metric(FIELDS[name]).name: dict(zip(*curve, strict=True)) for name, curve in curves.items() if curve[0]}
    steps = sorted({step for values in shown.values() for step in values})
    rows = [[str(step), *(format_value(values.get(step)) for values in shown.values())] for step in steps]
    return ("step", *(f"{name}, GiB" for name in shown)), rows


def _table(found: PairPlots, name: str, step: int | None) -> tuple[tuple[str, ...], _Rows]:
    """Return head and rows of a plot."""
    if name == "margins":
        return _margins(found)
    if name == "displacement":
        return _displacement(found, step)
    if name == "weights":
        return _weights(found, step)
    if name == "slices":
        rows = [
            [c.name, str(c.steps[-1]), estimate_text(c.newest), str(c.newest.n), "" if c.enough else TOO_SMALL]
            for c in found.slices
        ]
        return ("slice", "step", f"accuracy, {found.of}, Wilson 95 %", "n", ""), rows
    if name == "phase":
        rows = [[str(p.step), estimate_text(p.kl), estimate_text(p.h), str(p.h.n)] for p in found.phase]
        return ("step", "KL to reference", "mean h", "n"), rows
    rows = [
        [str(step_), metric, f"{format_value(v)} [{format_value(lo)}, {format_value(hi)}]", str(n)]
        for curve, metric in GAPS.items()
        for step_, v, lo, hi, n in zip(*_parts(found, curve), strict=True)
    ]
    return ("step", "measure", "train probe − held-out, MOVER 95 %", "n"), rows


def _parts(found: PairPlots, curve: str) -> tuple[list[int], list[float], list[float], list[float], list[int]]:
    s = found.curves[curve]
    return s.steps, s.values, s.low, s.high, s.n


def _margins(found: PairPlots) -> tuple[tuple[str, ...], _Rows]:
    heat = found.heat
    rows: _Rows = []
    if heat is not None and heat.n.size:
        for place, counts in enumerate(heat.counts):
            first, last = int(heat.first[place]), int(heat.last[place])
            steps = str(first) if first == last else f"{first} to {last}"
            for bin_, count in enumerate(counts):
                if count:
                    share = f"{100 * count / heat.n[place]:.1f} %"
                    rows.append([steps, heat.words_of(bin_), str(int(count)), share, str(int(heat.n[place]))])
    return ("step", "bin, nats", "pairs", "share", f"n, {found.of}"), rows


def _displacement(found: PairPlots, step: int | None) -> tuple[tuple[str, ...], _Rows]:
    pairs = found.pairs
    looks = pairs.looks
    part = pairs.at(step if step is not None else looks[-1]) if looks else slice(0, 0)
    values = zip(pairs.pair_ids[part], pairs.chosen[part], pairs.rejected[part], strict=True)
    rows = [[pair_id, format_value(float(c)), format_value(float(r))] for pair_id, c, r in values]
    return ("pair", "chosen, nats", "rejected, nats"), rows


def _weights(found: PairPlots, step: int | None) -> tuple[tuple[str, ...], _Rows]:
    pairs = found.weights
    looks = pairs.looks
    rows: _Rows = []
    for look in looks if step is None else [step]:
        spectrum = spectrum_at(pairs, look)
        wilson = f"[{spectrum.saturated.low:.3f}, {spectrum.saturated.high:.3f}]"
        rows.append(
            [
                str(look),
                format_value(spectrum.effective),
                f"{spectrum.saturated.value:.3f} {wilson}",
                str(spectrum.saturated.n),
            ]
        )
    return ("step", "effective pairs", "weight below 0.05, Wilson 95 %", "n"), rows
