"""Which pairs hold all terms of a search: from the index where it reaches, from the texts where it does not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

from sqlmodel import Session

from core.domain.errors import UserError
from core.domain.ids import canonical_json
from core.domain.search_text import fold
from core.store.plain import chunks, fetch
from core.store.search.frequent_words import SHORTEST
from core.store.search.index import OpenIndex, SearchIndex
from core.store.search.short_terms import LONGEST, bits_of, keys

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
    try:
        with _opened_for(session, index) as opened:
            if opened is not None:
                found = _indexed(session, opened, terms, stop)
                return [*found, *_read_behind(session, opened.upto, terms, stop)]
    except sqlite3.DatabaseError:
        pass  # the index is damaged: Check workspace tells of it, and the texts answer
    return list(_read_behind(session, 0, terms, stop))


def first_matching(
    session: Session, terms: Sequence[str], index: SearchIndex | None, after: int, limit: int
) -> list[int]:
    """Return the first ids behind ``after`` of what :func:`matching` returns, without looking for the others."""
    if not all(_storable(term) for term in terms):
        return []
    try:
        with _opened_for(session, index) as opened:
            if opened is not None:
                found = list(islice(_streamed(session, opened, terms, after), limit))
                if len(found) < limit:
                    behind = max(after, opened.upto)
                    found += islice(_read_behind(session, behind, terms, _never), limit - len(found))
                return found
    except sqlite3.DatabaseError:
        pass  # as in matching
    return list(islice(_read_behind(session, after, terms, _never), limit))


@contextmanager
def _opened_for(session: Session, index: SearchIndex | None) -> Iterator[OpenIndex | None]:
    """Give the open index, None where there is none that fits."""
    if index is None:
        yield None
        return
    with index.open(session) as opened:
        yield opened


def holds(texts: Iterable[str], terms: Sequence[str]) -> bool:
    """Say whether every term occurs in one of the texts."""
    folded = [fold(text) for text in texts]
    return all(any(term in text for text in folded) for term in terms)


@dataclass(frozen=True, slots=True)
class _ByBits:
    """What bits say of some terms, one bit a pair.

    Attributes:
        held: pairs that hold the terms that bits answer for, the doubtful ones included, and may hold the others.
        doubtful: pairs of which only the texts say whether they hold the terms that bits answer for.
        listed: terms that only the places of trigrams answer for.
        narrowed: bits left pairs out.
    """

    held: int
    doubtful: int
    listed: tuple[str, ...]
    narrowed: bool

    @property
    def few(self) -> bool:
        """Whether reading the texts of all that are left is quicker than any list."""
        return self.narrowed and self.held.bit_count() <= _FEW


def _by_bits(opened: OpenIndex, terms: Sequence[str], stop: Stop) -> _ByBits:
    held, doubtful, listed = (1 << (opened.upto + 1)) - 2, 0, []
    for term in terms:
        _stopped(stop)
        if len(term) <= LONGEST:
            held &= opened.holding_short(term)
            continue
        sure, others = opened.holding_in_words(term) if len(term) >= SHORTEST else (0, 0)
        if sure and (doubtful | others).bit_count() <= min(_FEW, sure.bit_count()):
            held, doubtful = held & (sure | others), doubtful | others
        else:
            listed.append(term)
    narrowed = len(listed) < len(terms)
    for term in listed:
        if (possible := opened.may_hold(term)) is not None:
            held, narrowed = held & possible, True
    return _ByBits(held, doubtful & held, tuple(listed), narrowed)


def _indexed(session: Session, opened: OpenIndex, terms: Sequence[str], stop: Stop) -> list[int]:
    """Return the matching pairs up to where the index reaches.

    Once few pairs are left, their texts are read for all terms: that is quicker than any list.
    """
    bits = _by_bits(opened, terms, stop)
    if not bits.narrowed and len(bits.listed) == 1:
        return _listed(session, opened, bits.listed[0], stop)
    for term in bits.listed:
        if bits.few:
            return list(_read_these(session, list(keys(0, bits.held)), terms, stop))
        _stopped(stop)
        held = bits.held & bits_of(_listed(session, opened, term, stop))
        bits = replace(bits, held=held, doubtful=bits.doubtful & held, narrowed=True)
    right = bits_of(list(_read_these(session, list(keys(0, bits.doubtful)), terms, stop)))
    return list(keys(0, bits.held & ~bits.doubtful | right))


def _listed(session: Session, opened: OpenIndex, term: str, stop: Stop) -> list[int]:
    """Return the pairs that hold a term of three or more characters by the places of its trigrams, ascending."""
    if (middle := _middle(term)) != term:
        some = opened.holding([middle])
        if len(some) <= _FEW:
            return list(_read_these(session, some, [term], stop))
    return opened.holding([term])


def _middle(term: str) -> str:
    """Return the middle of a long phrase, any other term as it is."""
    at = (len(term) - _WINDOW) // 2
    return term[at : at + _WINDOW] if len(term) > 2 * _WINDOW else term


def _streamed(session: Session, opened: OpenIndex, terms: Sequence[str], after: int) -> Iterator[int]:
    """Yield the matching pairs behind ``after`` up to where the index reaches, a portion at a time."""
    bits = _by_bits(opened, terms, _never)
    held = bits.held >> (after + 1) << (after + 1)
    if bits.few or not bits.listed:
        doubtful = held if bits.listed else bits.doubtful
        found = iter(keys(0, held))
    else:
        short = [_middle(term) for term in bits.listed]
        doubtful = bits.doubtful if short == list(bits.listed) else held
        marks = f"{held:b}"[::-1]
        found = (key for key in opened.streamed(short, after) if marks[key : key + 1] == "1")
    while part := list(islice(found, _PART)):
        asked = [key for key in part if doubtful >> key & 1] if doubtful else []
        wrong = set(asked).difference(_read_these(session, asked, terms, _never)) if asked else ()
        yield from (key for key in part if key not in wrong)


def _read_behind(session: Session, after: int, terms: Sequence[str], stop: Stop) -> Iterator[int]:
    """Read the texts of all pairs behind an id and yield those that hold every term."""
    query = f"{_TEXTS.format('pair p')} WHERE p.id>? ORDER BY p.id LIMIT {_PART}"
    while not _stopped(stop) and (rows := fetch(session, query, (after,))):
        yield from (row[0] for row in rows if holds(row[1:], terms))
        after = rows[-1][0]


def _read_these(session: Session, ids: Sequence[int], terms: Sequence[str], stop: Stop) -> Iterator[int]:
    """Read the texts of these pairs and yield those that hold every term."""
    query = _TEXTS.format("json_each(?) j CROSS JOIN pair p ON p.id=j.value")
    for part in chunks(ids, _PART):
        _stopped(stop)
        yield from (row[0] for row in fetch(session, query, (canonical_json(part),)) if holds(row[1:], terms))


def _never() -> bool:
    return False


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
