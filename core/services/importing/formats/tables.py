"""Tables with a prompt, two responses and one or more columns that say which is better."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from core.domain.conversation import Prompt
from core.services.importing.formats.codings import CODINGS, Coding, as_number, guess_coding, read_label, side_label
from core.services.importing.formats.columns import (
    Provenance,
    Row,
    Sample,
    answer_columns,
    label_columns,
    one_hot_columns,
    prompt_reader,
    reviewer_column,
)
from core.services.importing.formats.messages import read_answer, read_messages
from core.services.importing.formats.row_format import BoundFormat, FormatOption, RowFormat
from core.services.importing.formats.transcripts import split_answers
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.rows import ParsedLabel, ParsedPair

_SIGNED = ("overall_preference", "preference_strength", "strength")
LabelReader = Callable[[Row], tuple[ParsedLabel, ...]]


def bind_table(sample: Sample, limits: Limits, coding: Coding | None = None) -> BoundFormat | None:
    """Bind to a table.

    Args:
        sample: the first records of the file.
        limits: what a field may hold.
        coding: what the label column's numbers mean; guessed from the sample when None.
    """
    answers = answer_columns(sample)
    if answers is None or (sample.pick("chosen") and sample.pick("rejected")):
        return None
    split = _splitter(sample, answers, limits)
    if split is None:
        return None
    provenance = Provenance.of(sample)
    coding, labels, notes = _labels(sample, answers, coding)

    def convert(row: Row) -> list[ParsedPair]:
        prompt, first, second = split(row)
        return [ParsedPair(prompt, *provenance.responses(row, first, second), labels(row))]

    if coding is None:
        return BoundFormat(convert, notes)
    return BoundFormat(convert, notes, coding, 0.9 if _could_be_other(sample, coding) else 1.0)


def _splitter(
    sample: Sample, answers: tuple[str, str], limits: Limits
) -> Callable[[Row], tuple[Prompt, str, str]] | None:
    """Return what splits a row into prompt and two answers."""
    one, other = answers
    if one.lower() == "conversation_a":
        return lambda row: split_answers(
            read_messages(row.get(one), one, limits), read_messages(row.get(other), other, limits)
        )
    prompt = prompt_reader(sample, limits)
    if prompt is None:
        return None
    return lambda row: (prompt(row), read_answer(row.get(one), one, limits), read_answer(row.get(other), other, limits))


def _labels(
    sample: Sample, answers: tuple[str, str], coding: Coding | None
) -> tuple[Coding | None, LabelReader, tuple[str, ...]]:
    """Return the coding, the function that reads a row's labels, and notes about both."""
    hot = one_hot_columns(sample)
    if hot is not None:
        return None, lambda row: _one_hot(row, hot), (f"the winner is marked in {', '.join(n for n in hot if n)}",)
    columns = label_columns(sample)
    if not columns:
        return None, lambda _: (), ("no column says which answer is better; the pairs come without labels",)
    coding = coding or _guess(sample, answers, columns)
    fixed = coding  # the inner function needs a name of the narrowed type
    several = len(columns) > 1
    who = None if several else reviewer_column(sample)

    def read(row: Row) -> tuple[ParsedLabel, ...]:
        found = (read_label(row.get(c), c, fixed, c if several else _reviewer(row, who)) for c in columns)
        return tuple(label for label in found if label is not None)

    notes = [f"{', '.join(columns)} say which answer is better"]
    if any(as_number(value) is not None for c in columns for value in sample.values(c)):
        notes.append(CODINGS[coding])
    if who is not None:
        notes.append(f"{who} names the reviewer")
    if several:
        notes.append(f"{len(columns)} columns become {len(columns)} reviewers")
    return coding, read, tuple(notes)


def _reviewer(row: Row, column: str | None) -> str:
    """Return the reviewer that a record names, or nothing."""
    value = row.get(column) if column else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).encode("utf-8", errors="replace").decode("utf-8")  # only a name: repair it, do not reject the row
    return text.replace("\x00", "").strip()[:80]


def _guess(sample: Sample, answers: tuple[str, str], columns: list[str]) -> Coding:
    if answers[0].lower() == "human_ref_a":  # Stanford Human Preferences: 1 means the first
        return "first_is_one"
    if columns[0].lower() in _SIGNED:
        return "signed"
    cells = [value for column in columns for value in sample.values(column)]
    return guess_coding(cells, zero_named=answers[0].endswith("0"))


def _could_be_other(sample: Sample, coding: Coding) -> bool:
    """Say whether the numbers of the file fit another coding as well."""
    numbers = {as_number(v) for column in label_columns(sample) for v in sample.values(column)} - {None}
    return bool(numbers) and (coding in ("zero_based", "first_is_one") or numbers == {1} or numbers == {0, 1, 2})


def _one_hot(row: Row, columns: tuple[str, str, str | None]) -> tuple[ParsedLabel, ...]:
    marks = [_is_one(row.get(name), name) if name else False for name in columns]
    if sum(marks) > 1:
        raise RowRejected("more than one side is marked as the winner")
    if not any(marks):
        return ()
    return (side_label((-1, 1, 0)[marks.index(True)]),)


def _is_one(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in (None, ""):
        return False
    number = as_number(value)
    if number not in (0, 1):
        raise RowRejected(f"{name} is {str(value)[:20]!r}, neither 0 nor 1")
    return number == 1


FORMATS = (
    RowFormat(
        "table",
        "Two answers and a label",
        "a prompt, two responses, who won",
        0.96,
        bind_table,
        options=tuple(
            FormatOption(coding, meaning, partial(bind_table, coding=coding)) for coding, meaning in CODINGS.items()
        ),
    ),
)
