"""Codings of a label column: which number, or which of true and false, means which answer.

Words and letters are unambiguous, see :mod:`~core.services.importing.formats.verdict_words`. Numbers are not: 1 is the
first answer in one file and the second in another. They are never guessed; the possible codings are put to the user,
each with what it would mean and how often.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from core.domain.choices import choice_hint
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.judgement import Verdict
from core.services.importing.formats.verdict_words import (
    NO_LABEL,
    OPEN,
    REFUSED,
    TIE,
    TRUTH,
    Read,
    read_words,
)
from core.services.importing.reading import Answer, CodingUse, Question, Reads, ValueUse
from core.services.importing.rows import ParsedLabel

Coding = Literal[
    "first_is_1",
    "second_is_1",
    "one_based",
    "zero_based",
    "one_to_two",
    "signed",
    "signed_first_positive",
    "scale_5",
    "scale_5_reversed",
    "scale_7",
    "scale_7_reversed",
    "words",
]
CODINGS: dict[Coding, str] = {
    "first_is_1": "1 or true = first, 0 or false = second; between them, how likely the first is better",
    "second_is_1": "1 or true = second, 0 or false = first; between them, how likely the second is better",
    "one_based": "1 = first, 2 = second, 0 or 3 = tie",
    "zero_based": "0 = first, 1 = second, 2 = tie",
    "one_to_two": "1 = first, 2 = second, 1.5 = tie; between them, how likely the second is better",
    "signed": "-3..-1 = first, 0 = tie, 1..3 = second",
    "signed_first_positive": "1..3 = first, 0 = tie, -3..-1 = second",
    "scale_5": "1 and 2 = first, 3 = tie, 4 and 5 = second",
    "scale_5_reversed": "5 and 4 = first, 3 = tie, 2 and 1 = second",
    "scale_7": "1 to 3 = first, 4 = tie, 5 to 7 = second",
    "scale_7_reversed": "7 to 5 = first, 4 = tie, 3 to 1 = second",
    "words": "only words are read, numbers are refused",
}
ALIASES: dict[str, Coding] = {"first_is_one": "first_is_1", "second_is_one": "second_is_1"}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_WHOLE: dict[Coding, dict[float, int]] = {
    "one_based": {1: -2, 2: 2, 0: 0, 3: 0},
    "zero_based": {0: -2, 1: 2, 2: 0},
    "signed": {n: n for n in range(-3, 4)},
    "signed_first_positive": {n: -n for n in range(-3, 4)},
    "scale_5": {1: -3, 2: -1, 3: 0, 4: 1, 5: 3},
    "scale_5_reversed": {5: -3, 4: -1, 3: 0, 2: 1, 1: 3},
    "scale_7": {n: n - 4 for n in range(1, 8)},
    "scale_7_reversed": {n: 4 - n for n in range(1, 8)},
    "words": {},
}
_VERDICTS = {"tie": Verdict.TIE, "neither": Verdict.NEITHER}
_OPEN_LISTED = 12
_USES_LISTED = 50
_WORDS: list[Coding] = ["words"]


def coding_of(key: str) -> Coding:
    """Return the coding called ``key``, an older name of it included.

    Raises:
        UsageError: when there is none.
    """
    if key in CODINGS:
        return key  # type: ignore[return-value]
    if key in ALIASES:
        return ALIASES[key]
    raise UsageError(f"There is no coding {key!r}.", choice_hint(key, CODINGS))


def as_number(text: str) -> float | None:
    """Return the number that a value spells; true and yes are 1, false and no are 0; None for anything else.

    >>> [as_number(text) for text in ("2.0", "true", "A", "1e400")]
    [2.0, 1, None, None]
    """
    text = text.replace("\u2212", "-")  # the minus sign of word processors
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if abs(number) < 1e9 else None


def read_number(number: float, coding: Coding) -> Read:
    """Return what a number says under a coding; refused when the coding does not know it."""
    if coding in ("first_is_1", "second_is_1"):
        return _likely(number if coding == "first_is_1" else 1 - number) if 0 <= number <= 1 else REFUSED
    if coding == "one_to_two":
        return _likely(2 - number) if 1 <= number <= 2 else REFUSED
    side = _WHOLE[coding].get(number)
    if side is None:
        return REFUSED
    return TIE if side == 0 else Read("first" if side < 0 else "second", abs(side))


def _likely(first: float) -> Read:
    """Return the side of a probability that the first is better; certainty is a plain preference."""
    if first == 0.5:
        return TIE
    if first in (0, 1):
        return Read("first" if first else "second", 2)
    distance = abs(first - 0.5)
    return Read("first" if first > 0.5 else "second", 1 if distance < 0.2 else 2 if distance < 0.4 else 3)


def read_values(
    values: Mapping[str, int], coding: Coding | None, said: Mapping[str, Reads] | None = None
) -> dict[str, Read]:
    """Return what each value of the label columns says.

    Args:
        values: value -> how often it stands there.
        coding: of the numbers; without one they are "open".
        said: what the user says about single values; it goes before everything else.
    """
    reads = read_words(values)
    for value in values:
        if value not in reads:
            number = as_number(value)
            if number is None:
                reads[value] = REFUSED
            else:
                reads[value] = OPEN if coding is None else read_number(number, coding)
    for value, read in (said or {}).items():
        reads[value] = NO_LABEL if read == "no label" else Read(read, 2 if read in ("first", "second") else None)
    return reads


def possible_codings(counts: Mapping[str, int], *, words: bool) -> list[Coding]:
    """Return the codings that numbers, or true and false, fit, without those that would mean the same for them.

    A coding under which only one side ever wins is left out while others let both win; one under which every row says
    the same while others do not. Numbers among words that no coding knows all of are taken for mistakes: no coding is
    returned.

    Args:
        counts: value -> how often it stands in the label columns.
        words: they hold words as well, so that the numbers may be mistakes.
    """
    numbers = {value: number for value in counts if (number := as_number(value)) is not None}
    fitting: dict[tuple[str, ...], Coding] = {}
    best = 0
    for coding in CODINGS:
        reads = {value: read_number(number, coding) for value, number in numbers.items()}
        known = sum(counts[value] for value, read in reads.items() if read is not REFUSED)
        if coding == "words" or not known or known < best:
            continue
        if known > best:
            best = known
            fitting.clear()
        fitting.setdefault(tuple(reads[value].reads for value in numbers), coding)
    if words and best < sum(counts.values()):
        return []
    every: list[Coding] = list(fitting.values())
    both: list[Coding] = [coding for sides, coding in fitting.items() if {"first", "second"} <= set(sides)]
    varied: list[Coding] = [coding for sides, coding in fitting.items() if len(set(sides) - {"refused"}) > 1]
    found = both if len(both) > 1 else varied if len(varied) > 1 else every
    return found + _WORDS if words and found else found


def coding_use(columns: tuple[str, ...], values: Mapping[str, int], reads: Mapping[str, Read], key: str) -> CodingUse:
    """Return how the label columns are read, every value with its count."""
    uses = sorted(values.items(), key=lambda item: -item[1])
    listed = [ValueUse(v, n, reads[v].reads, reads[v].strength) for v, n in uses[:_USES_LISTED]]
    rest: dict[Reads, list[int]] = {}
    for value, n in uses[_USES_LISTED:]:
        rest.setdefault(reads[value].reads, []).append(n)
    listed += [ValueUse(counted(len(ns), "other value"), sum(ns), read) for read, ns in rest.items()]
    return CodingUse(columns, key, CODINGS[coding_of(key)] if key else "words say it", tuple(listed))


def coding_question(columns: tuple[str, ...], values: Mapping[str, int], codings: list[Coding]) -> Question:
    """Return the question which coding the values follow that no word explains."""
    shown = sorted(values.items(), key=lambda item: -item[1])
    held = ", ".join(f"{value} ({counted(n, 'time')})" for value, n in shown[:_OPEN_LISTED])
    more = f" and {counted(len(shown) - _OPEN_LISTED, 'other value')}" if len(shown) > _OPEN_LISTED else ""
    verb = "holds" if len(columns) == 1 else "hold"
    sentence = f"{', '.join(columns)} {verb} {held}{more}; the file does not say which answer each of them means."
    answers = tuple(Answer(c, meaning_here(values, c), f"--coding {c}") for c in codings)
    return Question("coding", sentence, answers)


def meaning_here(values: Mapping[str, int], coding: Coding) -> str:
    """Return what a coding would mean for these values: "1 = first (7), 0 = second (3)".

    >>> meaning_here({"1": 7, "0": 3}, "first_is_1")
    '1 = first answer (7), 0 = second answer (3)'
    """
    reads = {value: read_number(as_number(value) or 0, coding) for value in values}
    names = {"first": "first answer", "second": "second answer"}
    if len(values) <= _OPEN_LISTED:
        return ", ".join(f"{v} = {names.get(reads[v].reads, reads[v].reads)} ({n:,})" for v, n in values.items())
    sums: dict[str, int] = {}
    for value, n in values.items():
        sums[reads[value].reads] = sums.get(reads[value].reads, 0) + n
    return ", ".join(f"{names.get(side, side)} {counted(n, 'time')}" for side, n in sums.items())


def to_label(read: Read, reviewer: str) -> ParsedLabel:
    """Return the label of a value that names a side, a tie or neither."""
    verdict = _VERDICTS.get(read.reads)
    if verdict is not None:
        return ParsedLabel(verdict, None, reviewer)
    strength = read.strength or 2
    return ParsedLabel(Verdict.PREFER, -strength if read.reads == "first" else strength, reviewer)


@lru_cache(1024)
def side_label(side: int, reviewer: str = "", strength: int = 2) -> ParsedLabel:
    """Return the label for -1 (first), 0 (tie) or 1 (second)."""
    return to_label(TIE if side == 0 else Read("first" if side < 0 else "second", strength), reviewer)
