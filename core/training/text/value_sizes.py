"""How large the values of a chat template are, measured before they are made into text."""

from __future__ import annotations

from typing import Any

MAX_CHARS = 4 * 1024 * 1024
"""Characters of one text, and items of one list, that a template may make."""


def length(value: Any) -> int:
    """Return the length of a text or collection, 0 for anything else."""
    return len(value) if isinstance(value, str | bytes | list | tuple | dict) else 0


def number(value: Any) -> int:
    """Return a whole number, 0 for anything else."""
    return value if isinstance(value, int) else 0


def total(value: Any) -> int:
    """Return about how many characters the text of a value has, at most a little more than ``MAX_CHARS``."""
    if isinstance(value, str):
        return len(value)
    found, waiting = 0, [value]
    while waiting and found <= MAX_CHARS:
        one = waiting.pop()
        if isinstance(one, str | bytes):
            found += len(one) + 2
        elif isinstance(one, dict):
            waiting.extend(one.keys())
            waiting.extend(one.values())
            found += 4
        elif isinstance(one, list | tuple | set):
            waiting.extend(one)
            found += 2
        elif isinstance(one, int):
            found += 1 + one.bit_length() // 3
        else:
            found += 16
    return found
