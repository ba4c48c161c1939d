"""Formulas of a text that is shown as it is written: which of them have a picture, and which wait for theirs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from app.theme.formulas import Formula, Formulas, Picture
from app.widgets.display import SHOW_AT_FIRST, Mark
from app.widgets.formula_text import FoundFormula, code_ranges, formulas_with_places
from app.widgets.hidden_chars import find_hidden
from app.widgets.markdown_html import Look

Range = tuple[int, int]


class InSource:
    """The formulas of one text.

    A formula in code, one that holds a hidden character, and one over a mark (the name of a role) is left as it is.

    Attributes:
        drawn: part of the text and its picture, in order. wanted: formulas whose pictures are not drawn yet.
    """

    def __init__(
        self, text: str, look: Look, formulas: Formulas, marks: Sequence[Mark], limit: int | None = SHOW_AT_FIRST
    ) -> None:
        """Args: limit: how many characters of the text are shown."""
        self.drawn: list[tuple[Range, Picture]] = []
        self.wanted: list[Formula] = []
        for start, found in plain_formulas(text if limit is None else text[:limit], marks):
            formula = Formula(found.tex, found.display, look.text_px, look["text"])
            if (picture := formulas.picture(formula)) is not None:
                self.drawn.append(((start, found.end), picture))
            elif not formulas.is_known(formula):
                self.wanted.append(formula)

    @property
    def ranges(self) -> list[Range]:
        """The parts of the text that pictures stand for."""
        return [part for part, _ in self.drawn]


def plain_formulas(text: str, marks: Sequence[Mark] = ()) -> Iterator[tuple[int, FoundFormula]]:
    """Yield the formulas that may be drawn, each behind its place."""
    closed = sorted(
        (
            *code_ranges(text),
            *((mark.start, mark.end) for mark in marks),
            *((h.start, h.end) for h in find_hidden(text)),
        )
    )
    starts = [start for start, _ in closed]
    for start, found in formulas_with_places(text):
        inside = bisect_right(starts, start)
        begins_inside = any(end > start for _, end in closed[max(0, inside - 1) : inside])
        holds_one = inside < len(starts) and starts[inside] < found.end
        if not (begins_inside or holds_one):
            yield start, found
