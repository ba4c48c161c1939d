"""Turns stored text into something the screen can show. Pure and thread-safe.

Markdown is parsed with HTML, links and images off, so that they appear as the text they are. Nothing here loads
anything, and nothing that is no markup is left out: where drawing would lose a character, the source is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from markdown_it.token import Token

from app.theme.formulas import Formula, Formulas, Picture
from app.theme.theme import Theme
from app.widgets.display import SHOW_AT_FIRST, Display, Mark, TextSpan, has_endless_run, make_display
from app.widgets.formulas_in_source import InSource
from app.widgets.hidden_chars import Hidden, badge_text, find_hidden
from app.widgets.markdown_check import loses_nothing, nests_empty_lists
from app.widgets.markdown_html import LINE, Look, Painter
from app.widgets.markdown_rules import parser
from app.widgets.word_diff import Marks

__all__ = ["LINE", "Look", "Mode", "Rendered", "look_of", "render"]
Mode = Literal["rendered", "source", "formulas", "diff"]
MARKDOWN_LIMIT = 40_000
"""Characters; with the two limits below it keeps the worst hostile text under a quarter of a second."""
MOST_SPECIALS = 2500
MOST_TOKENS = 2500
TOO_LONG = f"Longer than {MARKDOWN_LIMIT:,} characters: not drawn as Markdown, this is its source."
TOO_SLOW = "Drawing this as Markdown would take too long; this is its source."
LOSES_TEXT = "Drawn as Markdown some characters would be missing; this is its source."


def look_of(theme: Theme, size: int = 14) -> Look:
    """Return the current look for text of ``size`` design pixels."""
    return Look(tuple(theme.tokens.colours.items()), theme.px(size), theme.px(size - 1))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text ready to be shown.

    Attributes:
        stored: the text itself.
        html: the rendered Markdown; empty when the source is shown.
        display: the source, with hidden characters as chips; None when Markdown is shown.
        spans: what is formatted in ``display``.
        hidden: hidden characters found.
        cut: stored characters not shown yet.
        note: why it is shown in another mode, or empty.
        drawn: the sources of the formulas that ``html`` shows as pictures, in order.
        wanted: formulas that are shown as source until their pictures are drawn.
        pictures: of formulas in ``display``, each behind its place there.
    """

    stored: str
    html: str
    display: Display | None
    spans: tuple[TextSpan, ...]
    hidden: tuple[Hidden, ...]
    cut: int
    note: str
    drawn: tuple[str, ...] = ()
    wanted: tuple[Formula, ...] = ()
    pictures: tuple[tuple[int, Picture], ...] = ()

    @property
    def badge(self) -> str:
        """The words of the badge for hidden characters, empty when there are none."""
        return badge_text(self.hidden)


def render(
    text: str,
    mode: Mode,
    look: Look,
    *,
    marks: Marks | None = None,
    extra: Sequence[Mark] = (),
    limit: int | None = SHOW_AT_FIRST,
    formulas: Formulas | None = None,
) -> Rendered:
    """Render a text.

    Args:
        text: as it is stored.
        mode: "rendered" Markdown, its "source", "formulas": the source with its formulas as pictures, or "diff": the
            source with ``marks``.
        look: colours and sizes, from :func:`look_of`.
        marks: parts that only this text has.
        extra: further parts to mark in the source.
        limit: how many characters of the source are shown; None for all.
        formulas: the pictures of formulas; without it formulas are shown as they are written.
    """
    note = ""
    if mode == "rendered":
        parsed = _parse(text)
        if not isinstance(parsed, str):
            painter = Painter(look, text, formulas)
            html = painter.paint(parsed)
            hidden = tuple(find_hidden(text))
            return Rendered(text, html, None, (), hidden, 0, "", tuple(painter.drawn), tuple(painter.wanted))
        note = parsed
    found = InSource(text, look, formulas, extra, limit) if mode == "formulas" and formulas is not None else None
    display = make_display(text, limit=limit, pictures=found.ranges if found is not None else ())
    different = tuple(Mark(*span, marks.side) for span in marks.spans) if marks and mode == "diff" else ()
    spans = (*display.spans((*different, *extra)), *display.chips)
    made = Rendered(text, "", display, spans, display.hidden, display.cut, note)
    if found is None:
        return made
    pictures = tuple((display.to_shown(start), picture) for (start, _), picture in found.drawn)
    sources = tuple(text[start:end] for (start, end), _ in found.drawn)
    return replace(made, drawn=sources, wanted=tuple(found.wanted), pictures=pictures)


def _parse(text: str) -> list[Token] | str:
    """Return the parsed Markdown, or why the source must be shown."""
    if len(text) > MARKDOWN_LIMIT:
        return TOO_LONG
    if has_endless_run(text) or sum(text.count(special) for special in "*_[]`<>|~$\n") > MOST_SPECIALS:
        return TOO_SLOW
    tokens = parser().parse(text)
    if sum(1 + len(token.children or ()) for token in tokens) > MOST_TOKENS:
        return TOO_SLOW
    return tokens if loses_nothing(text, tokens) and not nests_empty_lists(tokens) else LOSES_TEXT
