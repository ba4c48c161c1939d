"""Bridge scores as rows: what one policy scores on the old and on the new version of a suite. No widgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.evaluate.figures import ItemsPlace, change_words, metric_words, number_words
from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.interval_chart import IntervalRow
from core.domain.bought import Bought
from core.domain.estimate import Estimate
from core.domain.evaluation_record import suite_words
from core.domain.suite import split_title

HEADS = ("Suite", "Number", "Old version [95 %], n", "New version [95 %], n", "Other items do [95 %]", "n", "Estimator")
ABOUT = (
    "The same policy answered both versions, so that other items explain all of a difference. Add it to a number of "
    "the old version before you compare it with one of the new version."
)


def has_versions(titles: Iterable[str]) -> bool:
    """Return whether two of the suites are versions of one.

    >>> has_versions(["unsafe v1", "look-alikes v1", "look-alikes v2"]), has_versions(["unsafe v1", "basics v1"])
    (True, False)
    """
    names = [split_title(title)[0] for title in titles]
    return len(set(names)) < len(names)


def bridge_chart(found: Sequence[Bought]) -> list[IntervalRow]:
    """Return what other items do to each share, in points."""
    rows: list[IntervalRow] = []
    for one in found:
        if one.before.unit or one.by_items is None:
            continue
        value, low, high = (100 * end for end in (one.by_items.value, one.by_items.low, one.by_items.high))
        text = f"{change_words(one.by_items)}  n {one.by_items.n}"
        label = f"{metric_words(one.metric)}, {_versions(one)}"
        rows.append(IntervalRow(label, text, value, low, high, key=ItemsPlace(one.suite)))
    return rows


def bridge_rows(found: Sequence[Bought]) -> list[TableRow]:
    """Return every number on both versions, and what other items do."""
    rows = []
    for one in found:
        moved = change_words(one.by_items) if one.by_items is not None else "the same items"
        n, estimator = (f"{one.by_items.n:,}", one.by_items.estimator) if one.by_items is not None else ("", "")
        both = (_level(one.before, one.metric), _level(one.after, one.metric))
        rows.append(TableRow((_versions(one), metric_words(one.metric), *both, moved, n, estimator), one.suite))
    return rows


def _versions(one: Bought) -> str:
    return f"{suite_words(one.old_suite)} → v{split_title(one.suite)[1]}"


def _level(estimate: Estimate, metric: str) -> str:
    return f"{number_words(estimate, metric)}, n {estimate.n:,}"
