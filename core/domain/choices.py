"""The hint for a value that is none of the known ones: the nearest one, and all of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def choice_hint(given: object, known: Iterable[str], words: str = "Use one of") -> str:
    """Return what to do instead: "Did you mean ...?" where a known value is near, and the list of all.

    Args:
        given: what was written.
        known: the values that there are, in the order in which they are listed; empty ones are not named.
        words: begin the list.

    >>> choice_hint("sigmod", ["sigmoid", "ipo"])
    'Did you mean sigmoid? Use one of: sigmoid, ipo.'
    >>> choice_hint("x", ["sigmoid", "ipo"])
    'Use one of: sigmoid, ipo.'
    """
    names = [name for name in known if name]
    by_form = {_form(name): name for name in reversed(names)}
    near = get_close_matches(_form(str(given)), by_form, n=1, cutoff=0.7)
    listed = f"{words}: {', '.join(names)}."
    return f"Did you mean {by_form[near[0]]}? {listed}" if near else listed


def _form(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")
