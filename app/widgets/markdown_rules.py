"""Markdown as answers use it: what is markup is drawn, and every other character stays as it was written.

CommonMark alters more than its markup: it eats the stars of a product, the backslashes of LaTeX and of paths, entities,
definitions of links, indents and blanks. The rules here leave all these in place. Links, images, tags and entities
are not interpreted at all, so that their text is seen as it is stored.
"""

from __future__ import annotations

import re
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from app.widgets.formula_text import ENVIRONMENTS, LONGEST_FORMULA, formula_at

DEEPEST = 20
_OFF = ("link", "image", "autolink", "entity", "html_inline", "reference", "lheading", "html_block")
_DUNDER = re.compile(r"__[A-Za-z0-9_]+__")
_PRODUCT_BEFORE = re.compile(r"[\d)\]][ \t]+$")
_PRODUCT_AFTER = re.compile(r"[ \t]+[\d(\[]")
_WIDE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
"""Scripts that put no blanks between words, so that emphasis stands inside what looks like one word."""
_BLOCK_START = re.compile(rf"\$\$|\\\[|\\begin\{{(?:{ENVIRONMENTS})")


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """Return the parser; it can be used from any thread."""
    made = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": DEEPEST})
    made.enable(["table", "strikethrough"]).disable(list(_OFF))
    made.inline.ruler.at("escape", _escape)
    made.inline.ruler.at("newline", _newline)
    made.inline.ruler.at("emphasis", _emphasis)
    made.inline.ruler.before("escape", "formula", _formula)
    made.block.ruler.before("fence", "formula_block", _formula_block, {"alt": ["paragraph", "blockquote", "list"]})
    return made


def _escape(state: StateInline, silent: bool) -> bool:
    """Keep a backslash and what it escapes; the escaped sign is no markup."""
    place = state.pos
    if state.src[place] != "\\" or place + 1 >= state.posMax:
        return False
    escaped = "" if state.src[place + 1] == "\n" else state.src[place + 1]
    if not silent:
        state.pending += "\\" + escaped
    state.pos = place + 1 + len(escaped)
    return True


def _newline(state: StateInline, silent: bool) -> bool:
    """Break the line, and keep the blanks around the break."""
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        state.push("softbreak", "br", 0)
    state.pos += 1
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Take stars and underscores for emphasis where they stand around words, not inside a word or a product."""
    marker, text, start = state.src[state.pos], state.src, state.pos
    if silent or marker not in ("_", "*"):
        return False
    scanned = state.scanDelims(start, marker == "*")
    end = start + scanned.length
    opens = scanned.can_open and not _continues(text[start - 1 : start], ")]}")
    closes = scanned.can_close and not _continues(text[end : end + 1], "([{")
    if marker == "*" and scanned.length == 1:
        opens = opens and _PRODUCT_BEFORE.search(text, max(0, start - 40), start) is None
        closes = closes and _PRODUCT_AFTER.match(text, end) is None
    if marker == "_" and _DUNDER.match(text, start):
        opens = False
    for _ in range(scanned.length):
        token = state.push("text", "", 0)
        token.content = marker
        place = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord(marker), scanned.length, place, -1, opens, closes))
    state.pos = end
    return True


def _continues(neighbour: str, brackets: str) -> bool:
    """Whether the sign beside a star belongs to the same word or product."""
    if not neighbour:
        return False
    return neighbour in brackets or (neighbour.isalnum() and _WIDE.match(neighbour) is None)


def _formula(state: StateInline, silent: bool) -> bool:
    """Take a formula as one piece, so that nothing in it is read as markup."""
    if state.src[state.pos] not in "$\\":
        return False
    found = formula_at(state.src, state.pos)
    if found is None or found.end > state.posMax or len(found.tex) > LONGEST_FORMULA:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = state.src[state.pos : found.end]
        token.meta = {"tex": found.tex, "display": found.display}
    state.pos = found.end
    return True


def _formula_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take a displayed formula over several lines, whose lines would otherwise be lists or headings."""
    first = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not _BLOCK_START.match(state.src, first):
        return False
    found = formula_at(state.src, first)
    if found is None or len(found.tex) > LONGEST_FORMULA:
        return False
    last = start
    while last < end and state.eMarks[last] < found.end:
        last += 1
    if last >= end or state.src[found.end : state.eMarks[last]].strip() or state.sCount[last] < state.blkIndent:
        return False
    if state.blkIndent and last > start:
        return False  # inside a list or a quote the further lines carry signs that are no part of it
    if not silent:
        state.line = last + 1
        token = state.push("formula_block", "", 0)
        token.content = state.src[first : found.end]
        token.meta = {"tex": found.tex, "display": True}
        token.map = [start, last + 1]
    return True
