"""Places in a text: Python's and Qt's offsets, and the same words in a stored and in a drawn text. Pure functions."""

from __future__ import annotations

from bisect import bisect_left

from app.widgets.display import Display
from app.widgets.word_diff import TextRange, matching_words


class TextPlaces:
    """Turns Python offsets into Qt's, where characters beyond the first plane count two, and back."""

    def __init__(self, text: str) -> None:
        self._wide = [place for place, character in enumerate(text) if ord(character) > 0xFFFF]
        self._wide_qt = [place + before for before, place in enumerate(self._wide)]

    def to_qt(self, offset: int) -> int:
        """Return Qt's place of a Python offset."""
        return offset + bisect_left(self._wide, offset)

    def to_python(self, place: int) -> int:
        """Return the Python offset of Qt's place."""
        return place - bisect_left(self._wide_qt, place)


def drawn_ranges(stored: str, drawn: str, ranges: list[TextRange]) -> list[TextRange | None]:
    """Return where parts of a stored text stand in the text that was drawn of it; None for one that is not seen.

    >>> drawn_ranges("a **b** c", "a b c", [(2, 7)])
    [(2, 3)]
    """
    same = matching_words(stored, drawn)
    found: list[TextRange | None] = []
    for start, end in ranges:
        parts = [(b + max(start, a) - a, b + min(end, z) - a) for (a, z), (b, _) in same if a < end and z > start]
        found.append((parts[0][0], parts[-1][1]) if parts else None)
    return found


def document_ranges(
    stored: str, display: Display | None, drawn: str, ranges: list[TextRange]
) -> list[TextRange | None]:
    """Return where parts of a stored text stand in a document, in Qt's offsets; None for one that is not seen.

    Args:
        stored: the text as it is stored.
        display: how it is shown as plain text; None where it is rendered, and the words are compared.
        drawn: the text of the document.
        ranges: parts of the stored text.
    """
    if not ranges:
        return []
    places = TextPlaces(drawn)
    if display is None:
        found = drawn_ranges(stored, drawn, ranges)
    else:
        shown = [(display.to_shown(start), min(display.to_shown(end), len(drawn))) for start, end in ranges]
        found = [part if part[0] < part[1] else None for part in shown]
    return [None if part is None else (places.to_qt(part[0]), places.to_qt(part[1])) for part in found]


def stored_range(stored: str, drawn: str, part: TextRange) -> TextRange | None:
    """Return which part of the stored text is drawn between two places of the drawn one; the inverse.

    >>> stored_range("a **b** c", "a b c", (2, 3))
    (4, 5)
    """
    return drawn_ranges(drawn, stored, [part])[0]
