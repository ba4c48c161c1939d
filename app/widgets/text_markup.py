"""From text to the little HTML a text view shows. Pure functions; the input is hostile."""

from __future__ import annotations

import html
import re
from functools import lru_cache

from app.theme.tokens import Tokens
from app.widgets.word_diff import Marks

LONG_RUN = 1000
BREAK = "\u200b"
_HIDDEN = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\x00-\x08\x0b-\x1f\x7f]")
_RUN = re.compile(r"\S{%d,}" % LONG_RUN)
_CHIP_OPEN, _CHIP_CLOSE = "\ue000", "\ue001"
_NAMES = {
    "\u200b": "zero width space",
    "\u200c": "zero width non-joiner",
    "\u200d": "zero width joiner",
    "\u200e": "left-to-right mark",
    "\u200f": "right-to-left mark",
    "\u202a": "left-to-right embedding",
    "\u202b": "right-to-left embedding",
    "\u202c": "pop direction",
    "\u202d": "left-to-right override",
    "\u202e": "right-to-left override",
    "\u2066": "left-to-right isolate",
    "\u2067": "right-to-left isolate",
    "\u2068": "first strong isolate",
    "\u2069": "pop isolate",
    "\ufeff": "byte order mark",
    "\u00ad": "soft hyphen",
}
_EMOJI_JOIN = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]\u200d")


def count_hidden(text: str) -> int:
    """Return how many invisible or direction-changing characters the text holds (emoji joiners do not count)."""
    return len(_HIDDEN.findall(_EMOJI_JOIN.sub("", text)))


def chipped(text: str) -> str:
    """Replace hidden characters by marked names, and break runs without a space."""
    joined = _EMOJI_JOIN.sub(lambda m: m.group()[0] + "\ue002", text)
    named = _HIDDEN.sub(
        lambda m: f"{_CHIP_OPEN}{_NAMES.get(m.group(), f'U+{ord(m.group()):04X}')}{_CHIP_CLOSE}", joined
    )
    broken = _RUN.sub(lambda m: BREAK.join(_pieces(m.group())), named)
    return broken.replace("\ue002", "\u200d")


def _pieces(run: str) -> list[str]:
    return [run[i : i + LONG_RUN // 10] for i in range(0, len(run), LONG_RUN // 10)]


def _finish(markup: str) -> str:
    return markup.replace(_CHIP_OPEN, '<span class="chip">⟨').replace(_CHIP_CLOSE, "⟩</span>")


def source(text: str) -> str:
    """Return the text character by character, line breaks and blanks kept."""
    return _finish(f'<div class="source">{html.escape(chipped(text))}</div>')


def marked(text: str, marks: Marks) -> str:
    """Return the source with the stretches that only this text has underlined on a soft ground."""
    parts, at = [], 0
    for start, end in marks.spans:
        parts.append(html.escape(chipped(text[at:start])))
        parts.append(f'<span class="only_{marks.side}">{html.escape(chipped(text[start:end]))}</span>')
        at = end
    parts.append(html.escape(chipped(text[at:])))
    return _finish(f'<div class="source">{"".join(parts)}</div>')


def markdown(text: str, tokens: Tokens) -> str:
    """Return rendered Markdown: tags shown as text, images and links as words, code coloured."""
    return _finish(_parser(tokens.dark).render(chipped(text)))


@lru_cache(maxsize=2)
def _parser(dark: bool):  # noqa: ANN202
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable(
        ["table", "strikethrough"]
    )

    def image(self, tokens, idx, options, env):  # noqa: ANN001, ANN202
        return f"[image: {html.escape(tokens[idx].content or str(tokens[idx].attrs.get('src', '')))}]"

    def link_open(self, tokens, idx, options, env):  # noqa: ANN001, ANN202
        return '<span class="link">'

    def link_close(self, tokens, idx, options, env):  # noqa: ANN001, ANN202
        href = next((str(t.attrs.get("href", "")) for t in reversed(tokens[:idx]) if t.type == "link_open"), "")
        return f"</span> [{html.escape(href)}]"

    def fence(self, tokens, idx, options, env):  # noqa: ANN001, ANN202
        return f"<pre>{_coloured(tokens[idx].content, tokens[idx].info.strip(), dark)}</pre>"

    for name, rule in (("image", image), ("link_open", link_open), ("link_close", link_close), ("fence", fence)):
        parser.add_render_rule(name, rule)
    return parser


def _coloured(code: str, language: str, dark: bool) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language.split()[0] if language else "text")
    except (ClassNotFound, IndexError):
        return html.escape(code)
    formatter = HtmlFormatter(nowrap=True, noclasses=True, style="github-dark" if dark else "default")
    return highlight(code, lexer, formatter)


def style_sheet(tokens: Tokens, size: int) -> str:
    """Return the view's style sheet in the theme's colours."""
    return (
        f"body, p, li, div {{ color: {tokens['text']}; line-height: 150%; }}"
        f"p {{ margin: 0 0 {size // 2}px 0; }}"
        f"pre {{ background-color: {tokens['sunken']}; font-family: 'JetBrains Mono','DejaVu Sans Mono',monospace;"
        f" white-space: pre-wrap; }}"
        f"code {{ background-color: {tokens['sunken']}; font-family: 'JetBrains Mono','DejaVu Sans Mono',monospace; }}"
        f".source {{ white-space: pre-wrap; }}"
        f".only_a {{ background-color: {tokens['diff_a']}; text-decoration: underline; }}"
        f".only_b {{ background-color: {tokens['diff_b']}; text-decoration: underline; }}"
        f".chip {{ background-color: {tokens['warn_soft']}; color: {tokens['warn']}; font-size: {size - 3}px; }}"
        f".link {{ color: {tokens['accent']}; text-decoration: underline; }}"
    )
