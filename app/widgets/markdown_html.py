"""Writes parsed Markdown as the HTML subset that Qt's documents know, every text escaped and every style inline.

Blanks, indents and blank lines are kept. Numbers of lists are text, so that they read as they were written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from app.theme.formulas import Formula, Formulas
from app.theme.theme import MONO_FAMILIES
from app.widgets.code_html import code_pieces, plain_html
from app.widgets.display import make_display
from app.widgets.markdown_check import list_marker

LINE = 150
MOST_BLANK_LINES = 40


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


class Painter:
    """Paints one text; ``drawn`` and ``wanted`` tell which formulas are pictures and which wait for theirs."""

    def __init__(self, look: Look, text: str, formulas: Formulas | None) -> None:
        self._colours = dict(look.colours)
        self._look, self._formulas = look, formulas
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.drawn: list[str] = []
        self.wanted: list[Formula] = []
        self._marker = ""
        self._end = 0
        mono = ",".join(f"'{name}'" for name in MONO_FAMILIES)
        self._mono = f"font-family:{mono};font-size:{look.code_px}px;"
        below = round(look.text_px * 0.7)
        self._paragraph = f"margin-top:0;margin-bottom:{below}px;line-height:{LINE}%;white-space:pre-wrap;"
        self._gap = f'<p style="margin:0;font-size:{look.text_px // 2}px"></p>'

    def paint(self, tokens: Sequence[Token]) -> str:
        """Return the whole document."""
        body = "".join(self._blank_lines(token) + self._block(token) for token in tokens)
        return f'<div style="font-size:{self._look.text_px}px;color:{self._colours["text"]}">{body}</div>'

    def _blank_lines(self, token: Token) -> str:
        """Return the blank lines before a block at the top beyond the one that parts paragraphs anyway."""
        if token.level or token.map is None or token.nesting < 0:
            return ""
        start, end = token.map
        blank = min(MOST_BLANK_LINES, start - self._end - (1 if self._end else 0))
        while end > start and end <= len(self._lines) and not self._lines[end - 1].strip():
            end -= 1
        self._end = end
        return f'<p style="-qt-paragraph-type:empty;margin:0;line-height:{LINE}%"><br/></p>' * max(0, blank)

    def _block(self, token: Token) -> str:
        match token.type:
            case "inline":
                return "".join(self._inline(child) for child in token.children or ())
            case "paragraph_open":
                margin = f"margin-top:0;margin-bottom:2px;line-height:{LINE}%;white-space:pre-wrap;"
                style = margin if token.hidden else self._paragraph
                return f'<p dir="auto" style="{style}">{self._indent(token)}{self._take_marker()}'
            case "paragraph_close" | "heading_close":
                return "</p>"
            case "heading_open":
                size = self._look.text_px + max(0, 4 - int(token.tag[1:])) * 2
                return f'<p style="{self._paragraph}font-size:{size}px;font-weight:600">{self._take_marker()}'
            case "fence" | "code_block":
                return self._lone_marker() + self._code(token.content, token.info or "")
            case "hr":
                return f'{self._lone_marker()}<hr style="background-color:{self._colours["border"]}"/>'
            case "formula_block":
                centre = "" if self._marker else ' align="center"'
                return f'<p{centre} style="{self._paragraph}">{self._take_marker()}{self._formula(token)}</p>'
            case "list_item_open":
                return self._item(token)
            case "list_item_close":
                return f"{self._lone_marker()}</li>"
        return self._container(token)

    def _indent(self, token: Token) -> str:
        """Return the blanks before the first line of a paragraph at the top, which Markdown leaves out."""
        if token.level or token.map is None:
            return ""
        line = self._lines[token.map[0]]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _item(self, token: Token) -> str:
        """Open an item; a dash before a number could be a minus, so it is shown as it was written."""
        written = token.map is not None and self._lines[token.map[0]].lstrip(" >")[1:].lstrip()[:1].isdigit()
        if token.info or token.markup == "+" or written:
            self._marker = list_marker(token)
            return f'<li style="line-height:{LINE}%;list-style-type:none;">'
        return f'<li style="line-height:{LINE}%;">'

    def _take_marker(self) -> str:
        marker, self._marker = self._marker, ""
        return f"{self._text(marker)} " if marker else ""

    def _lone_marker(self) -> str:
        return f'<p style="{self._paragraph}">{self._take_marker()}</p>' if self._marker else ""

    def _container(self, token: Token) -> str:
        opening = token.nesting == 1
        match token.tag:
            case "ul" | "ol":
                gap = self._gap if token.level == 0 else ""
                return "<ul>" if opening else f"</ul>{gap}"
            case "thead" | "tbody" | "tr":
                return f"<{token.tag}>" if opening else f"</{token.tag}>"
            case "blockquote":
                style = f"margin-left:16px;color:{self._colours['text2']};"
                return f'{self._lone_marker()}<div style="{style}">' if opening else f"</div>{self._gap}"
            case "table":
                border = self._colours["border"]
                style = f"border-color:{border};border-collapse:collapse;"
                start = f'<table cellspacing="0" cellpadding="5" border="1" style="{style}">'
                return self._lone_marker() + start if opening else f"</table>{self._gap}"
            case "th" | "td":
                shade = f' bgcolor="{self._colours["sunken"]}"' if token.tag == "th" else ""
                return f"<{token.tag}{shade}>" if opening else f"</{token.tag}>"
        return ""

    def _inline(self, token: Token) -> str:
        match token.type:
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
            case "formula":
                return self._formula(token)
        return self._text(token.content)

    def _formula(self, token: Token) -> str:
        """Return the picture of a formula; its source until it is drawn, and where it cannot be drawn in full."""
        if self._formulas is None:
            return self._text(token.content)
        formula = Formula(token.meta["tex"], token.meta["display"], self._look.text_px, self._colours["text"])
        picture = self._formulas.picture(formula)
        if picture is None:
            if not self._formulas.is_known(formula):
                self.wanted.append(formula)
            return self._text(token.content)
        self.drawn.append(token.content)
        size = f'width="{picture.width}" height="{picture.height}"'
        return f'<img src="{picture.name}" {size} style="vertical-align:middle"/>'

    def _code(self, code: str, info: str) -> str:
        pieces = code_pieces(code.removesuffix("\n"), info.split(" ", 1)[0])
        body = "".join(
            f'<span style="color:{self._colours[colour]}">{self._text(text)}</span>' if colour else self._text(text)
            for colour, text in pieces
        )
        label = ""
        if info.strip():
            style = f"margin:0;color:{self._colours['text3']};font-size:{self._look.code_px - 1}px"
            label = f'<p style="{style}">{self._text(info.strip())}</p>'
        cell = f'<p dir="ltr" style="white-space:pre-wrap;margin:0;line-height:135%;{self._mono}">{body}</p>'
        table = f'<table width="100%" cellpadding="8" cellspacing="0"><tr><td bgcolor="{self._colours["sunken"]}">'
        return f"{table}{label}{cell}</td></tr></table>{self._gap}"

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
