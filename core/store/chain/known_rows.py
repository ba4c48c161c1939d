"""Digests of rows that were stored a moment ago, from the values that were stored.

An import knows every value of the rows that it stores by the thousand; reading them back for the chain would cost a
tenth of the import. Both ways give the same bytes, because both follow the columns of
:class:`~core.store.chain.material.Log`, and *Check workspace* always reads what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlmodel import Session

from core.store.chain.material import LOGS, Log, digest_of

KnownDigests = dict[tuple[str, int, int], str]
"""(table, id before the first row, id of the last one) -> hex sha256."""
_KEY = "chain digests"
_LOGS = {log.table: log for log in LOGS}


def note_rows(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], same: Mapping[str, Any]
) -> None:
    """Tell the sealer of this transaction what rows hold, so that it need not read them.

    Args:
        session: of the transaction.
        table: a log of the chain.
        columns: of the rows, ``id`` first.
        rows: with consecutive ids.
        same: column -> value of the columns that are alike in all rows. All that the chain covers must be given.
    """
    if rows:
        render = _renderer(_LOGS[table], columns, same)
        digest = digest_of("".join(map(render, rows)).encode())
        known_digests(session)[table, rows[0][0] - 1, rows[-1][0]] = digest


def known_digests(session: Session) -> KnownDigests:
    """Return what was noted in the transaction of a session."""
    return session.info.setdefault(_KEY, {})


def _renderer(log: Log, columns: Sequence[str], same: Mapping[str, Any]) -> Callable[[tuple[Any, ...]], str]:
    """Return the function that gives the bytes of a row as the text whose UTF-8 they are."""
    places: list[tuple[int, bool]] = []  # of the columns that vary, and whether they are texts
    template = ""
    for name in log.columns:
        is_text = name in log.texts
        if name in same:
            template += (_text(same[name]) if is_text else _word(same[name])).replace("%", "%%")
        else:
            places.append((columns.index(name), is_text))
            template += "%s" if is_text else "%s,"
    words_at = [place for place, is_text in places if not is_text]
    pick = itemgetter(*words_at) if len(words_at) > 1 else itemgetter(slice(1))  # the id alone
    texts = [place for place, is_text in places if is_text]

    def render(row: tuple[Any, ...]) -> str:
        words = pick(row)
        if None in words:
            words = ["-" if word is None else word for word in words]
        return template % (*words, *[_text(row[place]) for place in texts])

    return render if texts or set(log.optional) - same.keys() else lambda row: template % pick(row)


def _word(value: Any) -> str:
    return "-," if value is None else f"{value},"


def _text(value: str | None) -> str:
    if value is None:
        return "-"
    return f"{len(value) if value.isascii() else len(value.encode())}:{value}"
