"""The filter of a table of runs: words that a run holds, and conditions such as ``tag:sweep beta<0.2 kl<6``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.domain.errors import UsageError

TEXTS = ("name", "tag", "state", "model", "dataset", "loss", "note")
"""What ``name:`` and the like can ask for: the text stands in it, in either case."""
NUMBERS = ("beta", "lr", "seed", "steps", "accuracy", "kl", "h")
"""What can be compared with a number; a run in which it was not measured does not match."""
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "=": operator.eq,
}  # fmt: skip
_CONDITION = re.compile(rf"({'|'.join((*TEXTS, *NUMBERS, 'β'))})(<=|>=|<|>|=|:)(\S*)", re.IGNORECASE)
HINT = f"Conditions are {', '.join(f'{name}:' for name in TEXTS)} and {', '.join(NUMBERS)} with <, >, <=, >= or =."


@dataclass(frozen=True, slots=True)
class FilteredRun:
    """What a filter looks at: texts and numbers by name, and all texts of the run together.

    A text may have several lines, one for each tag; a number that is not known is NaN.
    """

    texts: Mapping[str, str]
    numbers: Mapping[str, float]
    whole: str


Condition = Callable[[FilteredRun], bool]


def read_filter(text: str) -> Condition:
    """Return what tells whether a run matches every word and condition of a filter; an empty one matches all.

    Raises:
        UsageError: for a number that is none, or a text compared by size.

    >>> run = FilteredRun({"tag": "sweep"}, {"beta": 0.1}, "b1 sweep")
    >>> [read_filter(text)(run) for text in ("tag:sweep beta<0.2", "B1", "beta>0.1", "tag:other", "")]
    [True, True, False, False, True]
    """
    conditions = [_condition(word) for word in text.split()]
    return lambda run: all(holds(run) for holds in conditions)


def _condition(word: str) -> Condition:
    found = _CONDITION.fullmatch(word)
    if found is None:
        wanted = word.casefold()
        return lambda run: wanted in run.whole.casefold()
    name, sign, value = found[1].lower().replace("β", "beta"), found[2], found[3]
    if name in TEXTS:
        if sign not in (":", "="):
            raise UsageError(f"{name} cannot be compared with {sign}.", HINT)
        return lambda run: value.casefold() in run.texts.get(name, "").casefold()
    number = _number(name, value)
    compare = _SIGNS["=" if sign == ":" else sign]
    return lambda run: compare(run.numbers.get(name, math.nan), number)


def _number(name: str, value: str) -> float:
    try:
        return float(value.replace(",", "."))
    except ValueError as error:
        raise UsageError(f"{name} is compared with {value!r}, which is no number.", HINT) from error
