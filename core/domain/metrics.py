"""Looking up the numbers of a run, naming a series, and writing a value as it is shown."""

from __future__ import annotations

import math
from dataclasses import replace

from core.domain.metric import Better, Metric
from core.domain.metric_table import LOSS_PARTS, METRICS, SPLIT_NAMES

__all__ = ["BY_KEY", "METRICS", "Better", "Metric", "format_value", "is_improvement", "metric"]

BY_KEY: dict[str, Metric] = {metric.key: metric for metric in METRICS}


def metric(key: str) -> Metric:
    """Return the metric named ``key`` or behind a series (``dev.loss``, ``kl.kl``); unknown ones name themselves."""
    source, _, field = key.rpartition(".")
    found = BY_KEY.get(field)
    if found is None or source == "extra":
        name, unit, explains = LOSS_PARTS.get(
            field, (field.replace("_", " ").capitalize(), "", "Extra curve of the loss.")
        )
        return Metric(key, name, unit, "neither", explains)
    if source in ("", "kl"):
        return found
    return replace(found, key=key, name=f"{found.name} ({SPLIT_NAMES.get(source, source)})")


def format_value(key: str, value: float | None, *, unit: bool = False) -> str:
    """Return ``value`` as it is shown: percent for shares, significant digits else, a dash for nothing.

    >>> format_value("accuracy", 0.8125), format_value("margin", -0.123456), format_value("kl", None)
    ('81.2 %', '-0.1235', '–')
    """
    what = metric(key)
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if what.unit == "share":
        return f"{100 * value:.1f} %"
    text = f"{value:.{what.decimals}g}"
    return f"{text} {what.unit}" if unit and what.unit else text


def is_improvement(key: str, change: float) -> bool | None:
    """Return whether ``change`` (new - old) is good, or None where the metric has no better side or did not move."""
    better = metric(key).better
    if better == "neither" or change == 0 or math.isnan(change):
        return None
    return (change > 0) == (better == "higher")
