"""Names that people see in lists, messages and file names: one line of visible text of a bounded length."""

from __future__ import annotations

import unicodedata

from core.domain.errors import BadInput

LONGEST = 120
"""Characters of a name; longer ones break lists and file names."""
_JOINERS = "\u200c\u200d"
"""Zero-width joiners, which some scripts and composed emoji need between two letters."""
_BLANK_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Characters that count as letters or signs and show nothing."""


def checked_name(text: str, what: str) -> str:
    """Return a name without blanks around it.

    Args:
        text: as it was typed or read.
        what: the noun of the message: "reviewer", "dataset version".

    Raises:
        BadInput: the name is empty, too long, or holds characters that cannot be seen.

    >>> checked_name("  Ann ", "reviewer")
    'Ann'
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise BadInput(f"A {what} needs a name.", "Write at least one letter.")
    if bad := hidden_characters(name):
        raise BadInput(
            f"The name of a {what} may not hold {bad[0]}; nothing was changed.", "Type the name again, on one line."
        )
    if len(name) > LONGEST:
        raise BadInput(
            f"The name of a {what} has {len(name)} characters; {LONGEST} are the most. Nothing was changed.",
            "Choose a shorter name.",
        )
    return name


def cleaned_name(text: str, fallback: str) -> str:
    """Return a name that came with a file as one that :func:`checked_name` accepts.

    Hidden characters become blanks, a long name is cut, and an empty one becomes ``fallback``.

    >>> cleaned_name("Ann\\nB.", "reviewer")
    'Ann B.'
    """
    visible = "".join(" " if _is_hidden(c) else c for c in unicodedata.normalize("NFC", text))
    return " ".join(visible.split())[:LONGEST].strip() or fallback


def hidden_characters(text: str) -> list[str]:
    """Return what cannot be seen in a text, in words and in order; empty when all of it can.

    >>> hidden_characters("a\\nb")
    ['a line break']
    """
    return [_words(character) for character in text if _is_hidden(character)]


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character not in _JOINERS
    return category in ("Cc", "Cs", "Co", "Zl", "Zp") or character in _BLANK_LETTERS


def _words(character: str) -> str:
    if character in "\n\r\u2028\u2029\x0b\x0c\x85":
        return "a line break"
    if character == "\x00":
        return "a NUL character"
    name = unicodedata.name(character, "").lower()
    return f"the hidden character U+{ord(character):04X}" + (f" ({name})" if name else "")
