"""The tiles over the plots: the headline of a run, each number with its interval, n and step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.counting import counted, number
from core.domain.kl_estimate import answer_words, is_identity, kl_estimate, kl_name
from core.domain.number_text import error_words, format_value, interval_text, pairs_right
from core.domain.run_events import KlDone
from core.services.runs.run_estimates import ProbeEstimates

Series = tuple[Sequence[float], Sequence[float]]
WINDOW = 10
"""Steps averaged where no probe was measured."""
TILES: tuple[tuple[str, str], ...] = (
    ("accuracy", "plot_accuracy"),
    ("margin", "plot_margin"),
    ("loss", "plot_loss"),
    ("kl", "plot_kl"),
    ("tokens_per_s", "text3"),
)
"""Metric and colour of each tile."""
_NAMES = {"accuracy": "accuracy", "margin": "margin z", "loss": "loss"}


@dataclass(frozen=True, slots=True)
class TileView:
    """One tile: whose number it is, the number, how sure it is, and of how many pairs at which step."""

    name: str
    value: str
    spread: str = ""
    about: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """What the tiles are made of.

    Attributes:
        held_out, train: newest probes, None where there is none. kl: newest KL.
        series: plain curves of the steps, by metric. start_loss: loss at policy = reference, None where pairs differ.
    """

    held_out: ProbeEstimates | None = None
    train: ProbeEstimates | None = None
    kl: KlDone | None = None
    series: Mapping[str, Series] | None = None
    start_loss: float | None = None


def tiles(headline: Headline) -> tuple[TileView, ...]:
    """Return the five tiles: held-out values, where there are none those of the train probe, else of batches."""
    probe, split = headline.held_out, "Held-out"
    if probe is None:
        probe, split = headline.train, "Train-probe"
    views = [_of_probe(name, split, probe, headline) for name in _NAMES]
    return (*views, _of_kl(headline.kl), _of_speed(headline.series or {}))


def _of_probe(name: str, split: str, probe: ProbeEstimates | None, headline: Headline) -> TileView:
    if probe is None or name not in probe.values:
        return _of_batches(name, (headline.series or {}).get(name, ((), ())))
    estimate = probe.values[name]
    where = f"step {probe.step}"
    about = {
        "accuracy": f"{pairs_right(estimate)} · {where}",
        "margin": f"{_h_words(probe)} · n {estimate.n:,} · {where}",
        "loss": f"{_start_words(headline.start_loss)}n {estimate.n:,} · {where}",
    }[name]
    hint = f"{estimate.estimator}, n {estimate.n:,}, {where}"
    return TileView(
        f"{split} {_NAMES[name]}",
        format_value(estimate.value),
        interval_text(estimate),
        about,
        _hint(hint, probe, name),
    )


def _hint(words: str, probe: ProbeEstimates, name: str) -> str:
    """Add what the tile has no room for: the interval of h, and the ranking of the reference."""
    if name == "margin" and "h" in probe.values:
        h = probe.values["h"]
        return f"{words}; h = z / β = {format_value(h.value)} {interval_text(h)} nats"
    if name == "accuracy" and "ref_accuracy" in probe.values:
        ref = probe.values["ref_accuracy"]
        return f"{words}; the reference's own ranking: {format_value(ref.value)} {interval_text(ref)}"
    return words


def _h_words(probe: ProbeEstimates) -> str:
    h = probe.values.get("h")
    return f"h {format_value(h.value)} nats" if h is not None else "h –"


def _start_words(start: float | None) -> str:
    return f"start {format_value(start)} · " if start is not None else ""


def _of_batches(name: str, series: Series) -> TileView:
    """Return the mean of the last batches, called by that name."""
    values = [value for value in series[1] if math.isfinite(value)][-WINDOW:]
    title = f"Batch {_NAMES[name]}"
    if not values:
        return TileView(title, "–", "", "not measured yet")
    mean, spread = _mean(values)
    about = f"mean of {counted(len(values), 'batch', 'batches')}, no probe"
    return TileView(title, format_value(mean), spread, about, "mean ± SE over the batches, whose pairs differ")


def _of_kl(event: KlDone | None) -> TileView:
    if event is None:
        return TileView("KL to reference", "–", "", "not measured yet")
    estimate = kl_estimate(event)
    about = f"nats · n {event.samples} · {_cut(event)} · step {event.step}"
    hint = f"{estimate.estimator}; {answer_words(event)}; what a longer answer would add is not in it"
    return TileView(kl_name(event.horizon), format_value(event.kl), error_words(estimate), about, hint)


def _cut(event: KlDone) -> str:
    return "policy = reference" if is_identity(event) else f"{100 * event.censored:.0f} % cut"


def _of_speed(series: Mapping[str, Series]) -> TileView:
    values = [value for value in series.get("tokens_per_s", ((), ()))[1] if math.isfinite(value)][-WINDOW:]
    if not values:
        return TileView("Tokens a second", "–", "", "not measured yet")
    mean, spread = _mean(values)
    text = number(mean) if mean >= 1000 else format_value(mean, 3)
    about = f"mean of {counted(len(values), 'step')}"
    return TileView("Tokens a second", text, spread, about, "mean ± SE over the last steps")


def _mean(values: Sequence[float]) -> tuple[float, str]:
    """Return mean and standard error in words."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return mean, ""
    se = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
    return mean, f"± {format_value(se, 2)}"
