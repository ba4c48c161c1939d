"""Counting words, sentences, paragraphs and list items of an answer, in scripts with and without spaces."""

from __future__ import annotations

import re
import unicodedata

_UNSPACED = re.compile("[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_LIST_ITEM = re.compile(
    r"^[^\S\n]*(?:(?:[-*+\u2022\u2023\u25aa\u25cf\u25e6\u2013\u2014\u00b7]|\*{0,2}\d{1,3}[.)]\*{0,2}|[a-zA-Z]\)"
    r"|[(\uff08]\d{1,3}[)\uff09])[^\S\n]+|\d{1,3}[\u3001\uff0e]|[\u2022\u25cf])[^\S\n]*(?=\S)",
    re.MULTILINE,
)
_END = re.compile(
    "[.!?\u2026\u061f\u06d4]+[\"'\u201d\u2019\u00bb)\\]]*(?=\\s|$)|[\u3002\uff01\uff1f]+[\u201d\u2019\u300d\uff09]*"
)
_NO_END = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|no|nr|fig|approx|e\.g|i\.e|z\.\s?b|d\.\s?h|bzw|ca|p\.\s?ex|sr|sra|u\.s)|"
    r"\b[A-Z])\.$",
    re.IGNORECASE,
)


def is_spaced(character: str) -> bool:
    """Whether a character belongs to a script that parts words by blanks."""
    return _UNSPACED.match(character) is None


def list_items(text: str) -> int:
    """Return how many lines begin with a bullet or a number.

    >>> list_items("Fruit:\\n- apple\\n* pear\\n2) plum\\n**bold**")
    3
    """
    return len(_LIST_ITEM.findall(text))


def words(text: str) -> int:
    """Return how many words a text has; each character of Chinese or Japanese counts as one.

    A word is a part between blanks with at least one letter or digit, so that a bullet or a dash is none.

    >>> words("Two words - no more."), words("\u6771\u4eac GPT-4")
    (4, 3)
    """
    spaced = _UNSPACED.sub(" ", text).split()
    return len(_UNSPACED.findall(text)) + sum(any(c.isalnum() for c in part) for part in spaced)


def characters(text: str) -> int:
    """Return how many characters a text has without blanks around it, in Unicode's composed form."""
    return len(unicodedata.normalize("NFC", text).strip())


def paragraphs(text: str) -> int:
    """Return how many parts with visible text stand between blank lines."""
    return sum(bool(part.strip()) for part in _BLANK_LINE.split(text))


def sentences(text: str) -> int:
    """Return how many sentences a text has.

    A sentence ends at its sign, at a blank line and before a list item. A point inside a number or behind a common
    abbreviation or a single letter ends none.

    >>> sentences("It costs 3.5 euros, e.g. today. Really? Yes!"), sentences("- one\\n- two")
    (3, 2)
    """
    parts = [part for block in _BLANK_LINE.split(text) for part in _LIST_ITEM.split(block)]
    return sum(_in_part(part) for part in parts)


def _in_part(text: str) -> int:
    count, start = 0, 0
    for match in _END.finditer(text):
        if match.group().startswith(".") and _NO_END.search(text[start : match.start() + 1]) and text[match.end() :]:
            continue
        count += any(map(str.isalnum, text[start : match.end()]))
        start = match.end()
    return count + any(map(str.isalnum, text[start:]))
