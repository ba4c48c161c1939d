"""Single verdicts in words, for formats whose labels do not stand in a column of their own."""

from __future__ import annotations

from core.services.importing.formats.codings import to_label
from core.services.importing.formats.verdict_words import NO_LABEL, read_words
from core.services.importing.limits import RowRejected, describe_type
from core.services.importing.rows import ParsedLabel


def label_of(value: object, name: str, reviewer: str = "") -> ParsedLabel | None:
    """Return the label that a word says; None for a blank or a word for "no answer".

    Raises:
        RowRejected: when it names no side, tie or neither.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise RowRejected(f"{name} is {describe_type(value)}, which names no side")
    word = value.strip()
    if not word:
        return None
    read = read_words([word]).get(word)
    if read is None:
        raise RowRejected(f"{name} is {word[:40]!r}, which names no side")
    return None if read == NO_LABEL else to_label(read, reviewer)
