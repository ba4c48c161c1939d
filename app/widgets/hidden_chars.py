"""Invisible characters: where they are, and what to print in their place. Pure functions.

Bidirectional controls can make text read differently from what is stored, zero-width ones can hide words
from search, and a long run of combining marks can cover the lines around it. All are made visible.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.counting import counted

NAMES: dict[int, str] = {
    0x00AD: "soft hyphen",
    0x034F: "CGJ",
    0x061C: "ALM",
    0x115F: "filler",
    0x1160: "filler",
    0x17B4: "KHMER AQ",
    0x17B5: "KHMER AA",
    0x180E: "MVS",
    0x200B: "ZWSP",
    0x200C: "ZWNJ",
    0x200D: "ZWJ",
    0x200E: "LRM",
    0x200F: "RLM",
    0x2028: "LSEP",
    0x2029: "PSEP",
    0x202A: "LRE",
    0x202B: "RLE",
    0x202C: "PDF",
    0x202D: "LRO",
    0x202E: "RLO",
    0x2060: "WJ",
    0x2061: "FN",
    0x2062: "TIMES",
    0x2063: "SEP",
    0x2064: "PLUS",
    0x2066: "LRI",
    0x2067: "RLI",
    0x2068: "FSI",
    0x2069: "PDI",
    0x3164: "filler",
    0xFEFF: "BOM",
    0xFFA0: "filler",
    0xFFF9: "IAA",
    0xFFFA: "IAS",
    0xFFFB: "IAT",
    0xFFFC: "OBJ",
}
_CONTROLS = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f"
_TAGS = "\U000e0000-\U000e007f"
_SURROGATES = "\ud800-\udfff"
_SINGLES = "".join(map(chr, NAMES))
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARK = re.compile(f"[{_MARKS}]")
MARKS_KEPT = 8
_FIND = re.compile(
    f"([{_CONTROLS}{_SINGLES}{_TAGS}{_SURROGATES}]|\r(?!\n))\\1*|(?<=[{_MARKS}]{{{MARKS_KEPT}}})[{_MARKS}]+"
)
_EMOJI = re.compile("[\u2600-\u27bf\ufe0f\U0001f1e6-\U0001faff]")
_JOINED_SCRIPTS = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\ufb50-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True, slots=True)
class Hidden:
    """One passage that is replaced on the screen: where it is, and what is printed."""

    start: int
    end: int
    label: str


def find_hidden(text: str) -> list[Hidden]:
    """Return every invisible passage in order.

    Joiners inside emoji and inside scripts that need them (Arabic, Indic) are ordinary spelling and left alone.

    >>> [h.label for h in find_hidden("a\\u202eb")]
    ['U+202E RLO']
    """
    return [
        Hidden(m.start(), m.end(), label_of(m.group())) for m in _FIND.finditer(text) if not _belongs(text, m.start())
    ]


def label_of(hidden: str) -> str:
    """Return what is printed in place of a hidden passage."""
    if _MARK.match(hidden):
        return f"+{counted(len(hidden), 'combining mark')}"
    code = ord(hidden[0])
    name = NAMES.get(code, "tag" if code >= 0xE0000 else "")
    times = f" ×{len(hidden)}" if len(hidden) > 1 else ""
    return f"U+{code:04X} {name}".strip() + times


def badge_text(hidden: Sequence[Hidden]) -> str:
    """Return the text of the badge, empty when nothing is hidden."""
    if not hidden:
        return ""
    count = sum(h.end - h.start for h in hidden)
    return counted(count, "hidden character")


def _belongs(text: str, place: int) -> bool:
    if text[place] not in "\u200c\u200d":
        return False
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    emoji = text[place] == "\u200d" and _EMOJI.match(before) and _EMOJI.match(after)
    return bool(emoji or (_JOINED_SCRIPTS.match(before) and _JOINED_SCRIPTS.match(after)))
