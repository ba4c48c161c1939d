"""The order of the palette's lines: pure functions over titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, utils

FLOOR = 55.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette.

    Attributes:
        key: unique; recent lines are stored by it.
        title: what it runs or shows.
        where: its place or kind, shown after the title.
        keys: shortcut, shown at the right.
        icon: a drawing's name.
        run: what Enter does.
        words: more words that the search matches.
        behind: points by which it stands behind entries that fit as well.
    """

    key: str
    title: str
    where: str
    keys: str
    icon: str
    run: Callable[[], object]
    words: str = ""
    behind: float = 0.0


def score(query: str, entry: Entry) -> float:
    """Return how well an entry matches the query, 0 to 120."""
    title = utils.default_process(entry.title)
    wanted = utils.default_process(query)
    if not wanted:
        return 0.0
    best = max(
        fuzz.WRatio(wanted, title),
        0.85 * fuzz.partial_token_set_ratio(wanted, utils.default_process(f"{entry.words} {entry.where}")),
    )
    if title.startswith(wanted):
        return best + 20
    return best + (10 if any(word.startswith(wanted) for word in title.split()) else 0)


def rank(query: str, entries: Sequence[Entry], recent: Sequence[str] = (), limit: int = 60) -> list[Entry]:
    """Return the entries to show: best match first, or recent ones first for an empty query."""
    order = {key: place for place, key in enumerate(recent)}
    if not query.strip():
        return sorted(entries, key=lambda e: order.get(e.key, len(order)))[:limit]
    scored = [(score(query, entry), entry) for entry in entries]
    fitting = [(points - entry.behind, entry) for points, entry in scored if points >= FLOOR]
    fitting.sort(key=lambda pair: (-pair[0], order.get(pair[1].key, len(order)), pair[1].title))
    return [entry for _, entry in fitting[:limit]]
