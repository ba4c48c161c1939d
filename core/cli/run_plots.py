"""``runs plot``: the numbers behind the plots of all pairs of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, table
from core.domain.errors import NotFound, UsageError
from core.domain.estimate import TOO_SMALL
from core.domain.number_text import estimate_text, format_value
from core.runs import run_control
from core.runs.event_lines import finite
from core.runs.run_reader import RunReader
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_plots import GAPS, PLOT_NAMES, PairPlots, RunPlots, plain_plots, spectrum_at

_Rows = list[list[str]]


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``runs``."""
    group.command("plot", help="Numbers of a plot of all pairs: margins over steps, slices, gradient weights.")(plot)


def plot(
    run: Annotated[str, typer.Argument(help="Run folder; with --in also an id or name.")],
    name: Annotated[str, typer.Argument(help=f"{', '.join(PLOT_NAMES)}.")] = "margins",
    step: Annotated[int, typer.Option(help="Look of displacement and weights; the newest without it.")] = -1,
    where: Annotated[Path | None, typer.Option("--in", help="Workspace (or folder of runs) to look in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print one plot."""
    if name not in PLOT_NAMES:
        raise UsageError(f"No plot is called {name!r}.", f"Choose one of: {', '.join(PLOT_NAMES)}.")
    reader = RunReader(run_control.find_run(run, where).path)
    found = RunPlots(reader, RunEstimates(reader)).read((name,))
    shown = found.weights if name == "weights" else found.pairs
    if name in ("displacement", "weights") and step >= 0 and step not in shown.looks:
        known = ", ".join(map(str, shown.looks[-8:])) or "none yet"
        raise NotFound(f"No pair was measured at step {step}.", f"The last looks were at: {known}.")
    look = step if step >= 0 else None
    if as_json:
        say_json(finite({"plot": name, **plain_plots(found, look)}))
        return
    head, rows = _table(found, name, look)
    say(table(rows, head) if rows else "Nothing was measured yet.")


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
