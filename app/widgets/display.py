"""From stored text to what the screen shows: hidden characters as chips, endless runs broken. Pure functions.

The offsets of the stored and of the shown text are kept together, so that marks of the stored text can be shown and a
selection on the screen can be stored.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.widgets.hidden_chars import Hidden, find_hidden

MarkKind = Literal["a", "b", "find", "span", "good", "bad", "strong", "out", "in"]
SHOW_AT_FIRST = 200_000
LONGEST_RUN, LONGEST_LINE = 1000, 20_000
PICTURE = "\ufffc"
"""What stands for a picture in the text of a document."""
_RUN = re.compile(rf"[^\s]{{{LONGEST_RUN}}}(?=[^\s])")
_LINE = re.compile(rf"[^\r\n]{{{LONGEST_LINE - LONGEST_RUN},{LONGEST_LINE}}}(?<=\s)(?=[^\s])")
"""A line so long that laying it out at once would keep the window waiting; it is broken behind a blank, where it stands
beyond the beginning of a text."""
_DOS_BREAK = re.compile("\r\n")


@dataclass(frozen=True, slots=True)
class MarkNote:
    """A few words on a chip behind a mark, in the colour of a kind of marks."""

    words: str
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of the stored text that is shown marked, with chips behind it."""

    start: int
    end: int
    kind: MarkKind
    notes: tuple[MarkNote, ...] = ()


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A part of the shown text with a format of its own: a mark's kind, or "chip"."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Display:
    """What is shown of one text.

    Attributes:
        text: the shown text.
        chips: spans of ``text`` that stand for hidden characters.
        hidden: the hidden characters of the stored text.
        cut: how many stored characters are not shown yet.
    """

    text: str
    chips: tuple[TextSpan, ...]
    hidden: tuple[Hidden, ...]
    cut: int
    _stored: tuple[int, ...]
    _shown: tuple[int, ...]

    def to_shown(self, offset: int) -> int:
        """Return the shown offset of a stored one; inside a chip it is the chip's start."""
        place = bisect_right(self._stored, offset) - 1
        base, shown = self._stored[place], self._shown[place]
        following = self._shown[place + 1] if place + 1 < len(self._shown) else len(self.text)
        return min(shown + offset - base, following)

    def to_stored(self, offset: int) -> int:
        """Return the stored offset of a shown one; inside a chip it is that of the hidden character."""
        place = bisect_right(self._shown, offset) - 1
        base, shown = self._stored[place], self._shown[place]
        if place + 1 < len(self._stored):
            return min(base + offset - shown, self._stored[place + 1])
        return base + offset - shown

    def spans(self, marks: tuple[Mark, ...]) -> tuple[TextSpan, ...]:
        """Return marks as spans of the shown text; what is cut off is left out."""
        end = self.to_stored(len(self.text))
        shown = (m for m in marks if m.start < end)
        return tuple(TextSpan(self.to_shown(m.start), self.to_shown(min(m.end, end)), m.kind) for m in shown)


def has_endless_run(text: str) -> bool:
    """Whether the text holds a word so long that laying it out would freeze the window."""
    return _RUN.search(text) is not None


def make_display(text: str, *, limit: int | None = SHOW_AT_FIRST, pictures: Sequence[tuple[int, int]] = ()) -> Display:
    """Return how a text is shown.

    Args:
        text: as it is stored.
        limit: how many characters of it at most, None for all.
        pictures: parts that a picture stands for, each ``PICTURE`` in the shown text; they hold no hidden character.
    """
    shown = text if limit is None or len(text) <= limit else text[:limit]
    hidden = find_hidden(shown)
    edits = [(h.start, h.end, f"[{h.label}]", True) for h in hidden]
    edits += [(start, end, PICTURE, False) for start, end in pictures if end <= len(shown)]
    edits += [(m.end(), m.end(), "\n", False) for m in _RUN.finditer(shown)]
    edits += [(m.end(), m.end(), "\n", False) for m in _LINE.finditer(shown, SHOW_AT_FIRST)]
    edits += [(m.start(), m.end(), "\n", False) for m in _DOS_BREAK.finditer(shown)]
    edits.sort(key=lambda edit: edit[:2])
    pieces, chips, stored, places = [], [], [0], [0]
    at = length = 0
    for start, end, put, is_chip in edits:
        if start < at:
            continue
        length += start - at
        pieces += [shown[at:start], put]
        stored.append(start)
        places.append(length)
        if is_chip:
            chips.append(TextSpan(length, length + len(put), "chip"))
        length += len(put)
        at = end
        stored.append(end)
        places.append(length)
    pieces.append(shown[at:])
    return Display("".join(pieces), tuple(chips), tuple(hidden), len(text) - len(shown), tuple(stored), tuple(places))
