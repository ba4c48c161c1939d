"""Output of commands: JSON for machines, aligned text for people."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line end, and those that turn the direction of what follows."""
_ENDS = {"low": "lo", "high": "hi"}
"""Names of the ends of an interval, as values are kept and as commands print them."""


def say(text: str) -> None:
    """Print one line and flush it; a closed pipe is not an error."""
    try:
        print(printable(text, sys.stdout), flush=True)
    except BrokenPipeError:
        # Later lines and the exit of the interpreter must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str, stream: TextIO) -> str:
    """Return ``text`` as ``stream`` can encode it, with what would command a terminal or turn its words as escapes.

    Texts of prompts, answers and files are printed, and a file name may hold bytes that are not characters.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    visible = _COMMANDS.sub(lambda sign: sign[0].encode("unicode_escape").decode("ascii"), text)
    return visible.encode(encoding, "backslashreplace").decode(encoding)


def say_note(text: str) -> None:
    """Print a sentence that stops nothing on standard error, so that output for machines stays what it is."""
    print(printable(f"note: {text}", sys.stderr), file=sys.stderr, flush=True)


def as_id(text: str) -> int | None:
    """Return the id that a word is, None for a name; a number that no id can be is one too: nothing has it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 30 else None


def say_json(value: object) -> None:
    """Print a value as one line of strict JSON; the ends of every interval are ``lo`` and ``hi``."""
    say(json_text(with_short_ends(value)))


def json_text(value: object) -> str:
    """Return a value as one line of strict JSON that holds no character which would command a terminal.

    >>> json_text({"prompt": "a\\x9b2J"})
    '{"prompt": "a\\\\u009b2J"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _COMMANDS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def with_short_ends(value: object) -> object:
    """Return plain values in which each interval has the names that evidence has: ``lo`` and ``hi``.

    >>> with_short_ends([{"value": 0.5, "low": 0.4, "high": 0.6, "n": 90}])
    [{'value': 0.5, 'lo': 0.4, 'hi': 0.6, 'n': 90}]
    """
    if isinstance(value, Mapping):
        short = _ENDS if _ENDS.keys() <= value.keys() else {}
        return {short.get(key, key): with_short_ends(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [with_short_ends(one) for one in value]
    return value


def short_line(text: str, most: int) -> str:
    """Return a text as one line of at most ``most`` characters.

    >>> short_line("one\\ntwo three", 8)
    'one two…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def escaped(text: str) -> str:
    """Return a text with its line ends and other control characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> str:
    """Return rows as columns of text, as wide as their widest cell."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
