"""Which pairs hold all terms of a search: from the index where it reaches, from the texts where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlmodel import Session

from core.domain.errors import UserError
from core.domain.ids import canonical_json
from core.domain.search_text import fold
from core.store.plain import chunks, fetch
from core.store.search.frequent_words import SHORTEST
from core.store.search.index import OpenIndex, SearchIndex
from core.store.search.short_terms import LONGEST, keys

Stop = Callable[[], bool]
_PART = 500
_FEW = 8000
"""Pairs whose texts are read sooner than the places of a term that stands in many pairs."""
_WINDOW = 20
"""Characters of a long phrase that are looked for first: each costs a list of places."""
_TEXTS = "SELECT p.id, q.text||char(0)||p.a_text||char(0)||p.b_text FROM {} CROSS JOIN prompt q ON q.id=p.prompt_id"


def matching(
    session: Session, terms: Sequence[str], index: SearchIndex | None = None, stop: Stop | None = None
) -> list[int]:
    """Return the ids of all pairs that hold every term in their prompt or an answer, ascending.

    Args:
        session: reads the texts.
        terms: folded, as ``search_terms`` returns them.
        index: makes it quick; without one every text is read.
        stop: asked now and then; True ends the search.

    Raises:
        UserError: ``stop`` said so.
    """
    if not all(_storable(term) for term in terms):
        return []  # no stored text holds half a character
    stop = stop or (lambda: False)
    if index is None:
        return list(_read_behind(session, 0, terms, stop))
    with index.open(session) as opened:
        if opened is None:
            return list(_read_behind(session, 0, terms, stop))
        found = _indexed(session, opened, terms, stop)
        return [*found, *_read_behind(session, opened.upto, terms, stop)]


def holds(texts: Iterable[str], terms: Sequence[str]) -> bool:
    """Say whether every term occurs in one of the texts."""
    folded = [fold(text) for text in texts]
    return all(any(term in text for text in folded) for term in terms)


def _indexed(session: Session, opened: OpenIndex, terms: Sequence[str], stop: Stop) -> list[int]:
    """Return the matching pairs up to where the index reaches.

    Once few pairs are left, their texts are read for all terms that follow: that is quicker than any list.
    """
    found: list[int] | None = None
    for number, term in enumerate(terms):
        _stopped(stop)
        if found is not None and len(found) <= _FEW:
            return list(_read_these(session, found, terms[number:], stop))
        some = opened.holding_short(term) if len(term) <= LONGEST else _long(session, opened, term, stop)
        found = some if found is None else sorted(set(some).intersection(found))
    return found or []


def _long(session: Session, opened: OpenIndex, term: str, stop: Stop) -> list[int]:
    """Return the pairs that hold a term of three or more characters, ascending."""
    if len(term) >= SHORTEST:
        sure, others = opened.holding_in_words(term)
        if others.bit_count() <= min(_FEW, sure.bit_count()):
            return sorted([*keys(0, sure), *_read_these(session, list(keys(0, others)), [term], stop)])
    if len(term) > 2 * _WINDOW:
        middle = (len(term) - _WINDOW) // 2
        some = opened.holding([term[middle : middle + _WINDOW]])
        if len(some) <= _FEW:
            return list(_read_these(session, some, [term], stop))
    return opened.holding([term])


def _read_behind(session: Session, after: int, terms: Sequence[str], stop: Stop) -> Iterable[int]:
    """Read the texts of all pairs behind an id and yield those that hold every term."""
    query = f"{_TEXTS.format('pair p')} WHERE p.id>? ORDER BY p.id LIMIT {_PART}"
    while not _stopped(stop) and (rows := fetch(session, query, (after,))):
        yield from (row[0] for row in rows if holds(row[1:], terms))
        after = rows[-1][0]


def _read_these(session: Session, ids: Sequence[int], terms: Sequence[str], stop: Stop) -> Iterable[int]:
    """Read the texts of these pairs and yield those that hold every term."""
    query = _TEXTS.format("json_each(?) j CROSS JOIN pair p ON p.id=j.value")
    for part in chunks(ids, _PART):
        _stopped(stop)
        yield from (row[0] for row in fetch(session, query, (canonical_json(part),)) if holds(row[1:], terms))


def _stopped(stop: Stop) -> bool:
    if stop():
        raise UserError("The search was stopped.")
    return False


def _storable(term: str) -> bool:
    try:
        term.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in term
