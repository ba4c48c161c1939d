"""What collections of prompts are made of: the share of each category, language and length, with interval and n."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.domain.estimate import Estimate
from core.domain.text_language import text_language
from core.domain.text_length import text_length

MOST_PROMPTS = 3000
"""Prompts of a collection whose language and length are read, spread over all of it."""
_EDGES = (5, 10, 20, 40, 80, 160)
"""Upper ends of the lengths, in words (characters where a script has no blanks); longer ones come last."""
_HOW = "share, Wilson interval"


@dataclass(frozen=True, slots=True)
class MixRow:
    """One category, language or length: its share in each collection, in the order of the collections."""

    value: str
    shares: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class Mix:
    """What collections are made of, in one respect.

    Attributes:
        collections: names of those that have any value.
        rows: the commonest first; lengths from short to long.
    """

    what: str
    collections: tuple[str, ...]
    rows: tuple[MixRow, ...]


def mixes_of(collections: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> tuple[Mix, ...]:
    """Return the mixes of categories, languages and lengths.

    Args:
        collections: name -> prompts, and the category of each, "" where it has none.
    """
    texts = {name: _spread(prompts) for name, (prompts, _) in collections.items()}
    categories = {name: [one for one in named if one] for name, (_, named) in collections.items()}
    languages = {name: [text_language(text) or "not told" for text in prompts] for name, prompts in texts.items()}
    lengths = {name: [_length(text) for text in prompts] for name, prompts in texts.items()}
    order = [_upto(low, high) for low, high in pairwise((0, *_EDGES))] + [f"over {_EDGES[-1]}"]
    return (_mix("category", categories), _mix("language", languages), _mix("length", lengths, order))


def _mix(what: str, values: Mapping[str, Sequence[str]], order: Sequence[str] = ()) -> Mix:
    # It loads numpy, which the window does not wait for.
    from core.evaluation.statistics import wilson

    there = {name: Counter(found) for name, found in values.items() if found}
    total = Counter[str]()
    for counts in there.values():
        for value, count in counts.items():
            total[value] += count
    names = [value for value in order if value in total] or [value for value, _ in total.most_common()]
    rows = []
    for value in names:
        shares = []
        for counts in there.values():
            n = counts.total()
            low, high = wilson(counts[value], n)
            shares.append(Estimate(counts[value] / n, low, high, n, "", _HOW))
        rows.append(MixRow(value, tuple(shares)))
    return Mix(what, tuple(there), tuple(rows))


def _length(text: str) -> str:
    count = text_length(text).count
    low = 0
    for edge in _EDGES:
        if count <= edge:
            return _upto(low, edge)
        low = edge
    return f"over {_EDGES[-1]}"


def _upto(low: int, high: int) -> str:
    return f"up to {high}" if low == 0 else f"{low + 1} to {high}"


def _spread(texts: Sequence[str]) -> Sequence[str]:
    step = max(1, -(-len(texts) // MOST_PROMPTS))
    return texts[::step]
