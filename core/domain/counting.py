"""Counts in words: one format of numbers, and the right number of a noun."""

from __future__ import annotations


def number(value: float) -> str:
    """Return a count with commas between thousands, in the window, the command line and the files alike.

    >>> number(1500)
    '1,500'
    """
    return f"{value:,.0f}"


def counted(value: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun; ``plural`` where adding an s would be wrong.

    >>> counted(1, "pair"), counted(1500, "judgement"), counted(2, "reply", "replies")
    ('1 pair', '1,500 judgements', '2 replies')
    """
    return f"{number(value)} {noun if value == 1 else plural or f'{noun}s'}"


def verb(value: int, one: str, many: str) -> str:
    """Return the form of a verb that goes with a count.

    >>> verb(1, "is", "are"), verb(0, "is", "are")
    ('is', 'are')
    """
    return one if value == 1 else many


def size_words(size: int) -> str:
    """Return a size in the unit that fits.

    >>> size_words(412), size_words(34_500_000)
    ('412 bytes', '34.5 MB')
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
