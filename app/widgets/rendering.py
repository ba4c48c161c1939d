"""Turns stored text into something the screen can show. Pure and thread-safe.

Markdown is parsed with HTML off, so that tags in an answer appear as text; images become "[image: …]", links show
their address and lead nowhere. Nothing here loads anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.theme.theme import MONO_FAMILIES, Theme
from app.widgets.code_html import code_pieces, plain_html
from app.widgets.display import SHOW_AT_FIRST, Display, Mark, TextSpan, has_endless_run, make_display
from app.widgets.hidden_chars import Hidden, badge_text, find_hidden
from app.widgets.word_diff import Marks

Mode = Literal["rendered", "source", "diff"]
MARKDOWN_LIMIT = 40_000
"""Characters; with the two limits below it keeps the worst hostile text under a quarter of a second."""
MOST_SPECIALS = 2500
MOST_TOKENS = 2500
LINE = 150


@dataclass(frozen=True, slots=True)
class Look:
    """What rendering needs of the theme: colours and sizes as plain values.

    ``text_px`` is the size of body text and ``code_px`` of code, both zoomed.
    """

    colours: tuple[tuple[str, str], ...]
    text_px: int
    code_px: int

    def __getitem__(self, name: str) -> str:
        return dict(self.colours)[name]


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
    """

    stored: str
    html: str
    display: Display | None
    spans: tuple[TextSpan, ...]
    hidden: tuple[Hidden, ...]
    cut: int
    note: str

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
) -> Rendered:
    """Render a text.

    Args:
        text: as it is stored.
        mode: "rendered" Markdown, its "source", or "diff": the source with ``marks``.
        look: colours and sizes, from :func:`look_of`.
        marks: parts that only this text has.
        extra: further parts to mark in the source.
        limit: how many characters of the source are shown; None for all.
    """
    tokens = _parse(text) if mode == "rendered" else None
    if tokens is not None:
        html = _Painter(look).paint(tokens)
        return Rendered(text, html, None, (), tuple(find_hidden(text)), 0, "")
    note = "Drawn as Markdown it would be incomplete or too slow; this is its source." if mode == "rendered" else ""
    display = make_display(text, limit=limit)
    different = tuple(Mark(*span, marks.side) for span in marks.spans) if marks and mode == "diff" else ()
    spans = (*display.spans((*different, *extra)), *display.chips)
    return Rendered(text, "", display, spans, display.hidden, display.cut, note)


LEAST_VISIBLE = 0.8
"""Markdown that swallows more of the words than this leaves (empty nested lists, too deep nesting, link
definitions) is shown as its source: a reviewer must never judge text that is not there."""


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": 20})
    return parser.enable(["table", "strikethrough"])


def _parse(text: str) -> list[Token] | None:
    """Return the parsed Markdown, or None when drawing it could freeze the window."""
    if len(text) > MARKDOWN_LIMIT or has_endless_run(text):
        return None
    if sum(text.count(special) for special in "*_[]`<>|~\n") > MOST_SPECIALS:
        return None
    tokens = _parser().parse(text)
    if sum(1 + len(token.children or ()) for token in tokens) > MOST_TOKENS:
        return None
    if _letters(_visible(tokens)) < LEAST_VISIBLE * _letters(text):
        return None
    _link_targets(tokens)
    return tokens


def _visible(tokens: Sequence[Token]) -> str:
    """Return the words that drawing these tokens would show."""
    return "".join(token.content for token in tokens)


def _letters(text: str) -> int:
    """Count letters and digits."""
    return sum(map(str.isalnum, text))


class _Painter:
    """Writes the HTML subset that Qt's documents know, every text escaped and every style inline."""

    def __init__(self, look: Look) -> None:
        self._colours = dict(look.colours)
        self._look = look
        mono = ",".join(f"'{name}'" for name in MONO_FAMILIES)
        self._mono = f"font-family:{mono};font-size:{look.code_px}px;"
        self._paragraph = f"margin-top:0;margin-bottom:{round(look.text_px * 0.7)}px;line-height:{LINE}%;"

        self._gap = f'<p style="margin:0;font-size:{look.text_px // 2}px"></p>'

    def paint(self, tokens: Sequence[Token]) -> str:
        """Return the whole document."""
        body = "".join(self._block(tokens, place) for place in range(len(tokens)))
        return f'<div style="font-size:{self._look.text_px}px;color:{self._colours["text"]}">{body}</div>'

    def _block(self, tokens: Sequence[Token], place: int) -> str:
        token = tokens[place]
        match token.type:
            case "inline":
                return "".join(self._inline(child) for child in token.children or ())
            case "paragraph_open":
                margin = "margin-top:0;margin-bottom:2px;line-height:150%;" if token.hidden else self._paragraph
                return f'<p dir="auto" style="{margin}">'
            case "paragraph_close" | "heading_close":
                return "</p>"
            case "heading_open":
                size = self._look.text_px + max(0, 4 - int(token.tag[1:])) * 2
                return f'<p style="{self._paragraph}font-size:{size}px;font-weight:600">'
            case "fence" | "code_block":
                return self._code(token.content, (token.info or "").split(" ", 1)[0])
            case "hr":
                return f'<hr style="background-color:{self._colours["border"]}"/>'
            case "html_block":
                return f'<p style="{self._paragraph}">{self._text(token.content)}</p>'
        return self._container(token)

    def _container(self, token: Token) -> str:
        opening = token.nesting == 1
        match token.tag:
            case "ul" | "ol" | "thead" | "tbody" | "tr":
                start = f' start="{int(token.attrs["start"])}"' if opening and "start" in token.attrs else ""
                gap = self._gap if token.tag in ("ul", "ol") and token.level == 0 else ""
                return f"<{token.tag}{start}>" if opening else f"</{token.tag}>{gap}"
            case "li":
                return f'<li style="line-height:{LINE}%;">' if opening else "</li>"
            case "blockquote":
                style = f"margin-left:16px;color:{self._colours['text2']};"
                return f'<div style="{style}">' if opening else f"</div>{self._gap}"
            case "table":
                border = self._colours["border"]
                style = f"border-color:{border};border-collapse:collapse;"
                start = f'<table cellspacing="0" cellpadding="5" border="1" style="{style}">'
                return start if opening else f"</table>{self._gap}"
            case "th" | "td":
                shade = f' bgcolor="{self._colours["sunken"]}"' if token.tag == "th" else ""
                return f"<{token.tag}{shade}>" if opening else f"</{token.tag}>"
        return ""

    def _inline(self, token: Token) -> str:
        match token.type:
            case "text":
                return self._text(token.content)
            case "softbreak" | "hardbreak":
                return "<br/>"
            case "code_inline":
                style = f"{self._mono}background-color:{self._colours['sunken']};"
                return f'<span style="{style}">{self._text(token.content)}</span>'
            case "strong_open" | "strong_close":
                return "<b>" if token.nesting == 1 else "</b>"
            case "em_open" | "em_close":
                return "<i>" if token.nesting == 1 else "</i>"
            case "s_open" | "s_close":
                return "<s>" if token.nesting == 1 else "</s>"
            case "link_open":
                return "<u>"
            case "link_close":
                return "</u>" + self._address(token)
            case "image":
                return self._image(token)
        return self._text(token.content)

    def _address(self, token: Token) -> str:
        href = str(token.meta.get("href", "")) if token.meta else ""
        return f'<span style="color:{self._colours["text3"]}"> ⟨{self._text(href[:500])}⟩</span>' if href else ""

    def _image(self, token: Token) -> str:
        words, source = token.content, str(token.attrs.get("src", ""))[:200]
        style = f"color:{self._colours['text3']};"
        return f'<span style="{style}">[image: {self._text(words)} {self._text(source)}]</span>'

    def _code(self, code: str, language: str) -> str:
        pieces = code_pieces(code.rstrip("\n"), language)
        body = "".join(
            f'<span style="color:{self._colours[colour]}">{self._text(text)}</span>' if colour else self._text(text)
            for colour, text in pieces
        )
        cell = f'<p style="white-space:pre-wrap;margin:0;line-height:135%;{self._mono}">{body}</p>'
        table = f'<table width="100%" cellpadding="8" cellspacing="0"><tr><td bgcolor="{self._colours["sunken"]}">'
        return f"{table}{cell}</td></tr></table>{self._gap}"

    def _text(self, text: str) -> str:
        """Escape a text; hidden characters become chips, endless runs are broken."""
        display = make_display(text, limit=None)
        if not display.chips:
            return plain_html(display.text).replace("\n", "<br/>") if "\n" in display.text else plain_html(display.text)
        style = f"background-color:{self._colours['warn_soft']};color:{self._colours['warn']};{self._mono}"
        pieces, at = [], 0
        for chip in display.chips:
            pieces.append(plain_html(display.text[at : chip.start]))
            pieces.append(f'<span style="{style}">{plain_html(display.text[chip.start : chip.end])}</span>')
            at = chip.end
        pieces.append(plain_html(display.text[at:]))
        return "".join(pieces).replace("\n", "<br/>")


def _link_targets(tokens: Sequence[Token]) -> None:
    """Give every closing link the address of its opening one."""
    for token in tokens:
        open_links: list[str] = []
        for child in token.children or ():
            if child.type == "link_open":
                open_links.append(str(child.attrs.get("href", "")))
            elif child.type == "link_close" and open_links:
                child.meta = {"href": open_links.pop()}
