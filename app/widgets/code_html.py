"""Code in theme colours: Pygments tokens as inline styles. Only languages on the list, only short code."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token
from pygments.util import ClassNotFound

LONGEST = 20_000
MOST_PIECES = 1500
_LANGUAGES = (
    "bash c c++ console cpp css diff dockerfile go html ini java javascript js json kotlin latex lua make markdown md "
    "objective-c perl php powershell py python python3 r ruby rust sh shell sql swift toml ts typescript xml yaml yml"
)
LANGUAGES = frozenset(_LANGUAGES.split(" "))
_COLOURS = (
    (Comment, "code_comment"),
    (Keyword, "code_keyword"),
    (String, "code_string"),
    (Number, "code_number"),
    (Operator.Word, "code_keyword"),
    (Operator, "code_operator"),
    (Name.Function, "code_name"),
    (Name.Class, "code_name"),
    (Name.Builtin, "code_name"),
    (Name.Tag, "code_keyword"),
    (Name.Attribute, "code_name"),
    (Name.Decorator, "code_name"),
)


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    if language not in LANGUAGES:
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _token_colour(kind: object) -> str:
    for family, colour in _COLOURS:
        if kind in family:  # type: ignore[operator]
            return colour
    return ""


def code_pieces(code: str, language: str) -> list[tuple[str, str]]:
    """Return (colour token or "", text) pieces that join to ``code`` exactly; plain when it is not on the list."""
    lexer = _lexer(language.strip().lower())
    if lexer is None or len(code) > LONGEST:
        return [("", code)]
    pieces: list[tuple[str, str]] = []
    for kind, text in lexer.get_tokens(code):
        colour = "" if kind is Token else _token_colour(kind)
        if pieces and (pieces[-1][0] == colour or not text.strip()):
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + text)
        else:
            pieces.append((colour, text))
    faithful = "".join(text for _, text in pieces) == code
    return pieces if faithful and len(pieces) <= MOST_PIECES else [("", code)]


def plain_html(text: str) -> str:
    """Return text as HTML that shows exactly its characters."""
    return escape(text, quote=True)
