"""Checks that drawing Markdown leaves out nothing but its markup. Pure functions.

Two comparisons of a text with its tokens: all characters that are never block markup, in their order; and the number
of stars, underscores and the like, of which each must be seen or be the markup of a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it.token import Token

BLOCK_MARKS = "*_`~#>|-+:"
COUNTED = "*_#"
"""Signs whose number must add up. Others stand for whole rows of a table or a rule."""
_DROP = str.maketrans("", "", BLOCK_MARKS + " \t\n\r")


def loses_nothing(text: str, tokens: Sequence[Token]) -> bool:
    """Whether every character of ``text`` is seen when the tokens are drawn, or is markup."""
    seen = "".join(_seen(tokens))
    if seen.translate(_DROP) != text.translate(_DROP):
        return False
    markup = "".join(_markup(tokens))
    return all(text.count(sign) == seen.count(sign) + markup.count(sign) for sign in COUNTED)


def list_marker(item: Token) -> str:
    """Return what stands before an item of a list as it was written: "3." or "-"."""
    return f"{item.info}{item.markup}"


def nests_empty_lists(tokens: Sequence[Token]) -> bool:
    """Whether an item of a list begins with another list: mostly a row of numbers that was no list."""
    pairs = pairwise(tokens)
    return any(a.type == "list_item_open" and b.type.endswith("list_open") for a, b in pairs)


def _seen(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from (child.content for child in token.children or ())
        elif token.type == "list_item_open" and token.info:
            yield list_marker(token)
        elif token.type == "fence":
            yield token.info
            yield token.content
        else:
            yield token.content


def _markup(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("heading_open", "list_item_open") and not token.info:
            yield token.markup
        elif token.type == "hr":
            yield token.markup[:-1]  # the parser counts one too many
        for child in token.children or ():
            if child.type not in ("text", "formula"):
                yield child.markup
