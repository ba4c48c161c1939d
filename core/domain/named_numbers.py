"""A setting that holds several numbers by name, written as ``q_proj=32, v_proj=8``."""

from __future__ import annotations

import math

from core.domain.errors import UsageError


def named_numbers(text: str, setting: str, *, low: float, high: float, whole: bool = False) -> dict[str, float]:
    """Return the numbers of a setting by name, in the order they are written; none for an empty text.

    Args:
        text: ``name=number`` words joined by commas.
        setting: name of the setting, for the message.
        low: lowest number allowed.
        high: highest number allowed.
        whole: only whole numbers are allowed.

    Raises:
        UsageError: naming the word that cannot be read.
    """
    found: dict[str, float] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = (part.strip() for part in word.rpartition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name or not low <= value <= high or (whole and not value.is_integer()):
            raise UsageError(
                f"{setting} cannot hold {word!r}.",
                f"Write name=number joined by commas; each number lies between {low:g} and {high:g}"
                + (" and is whole." if whole else "."),
            )
        if name in found:
            raise UsageError(f"{setting} names {name} twice.", "Name each once.")
        found[name] = value
    return found
