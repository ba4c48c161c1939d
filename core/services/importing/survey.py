"""The first look at a file: every column and every label value is counted before a format is chosen.

A file may be sorted by its label, or change after the first thousand rows; so all rows are read, and some kept. Reading
them takes about a tenth of the time in which an import stores them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from core.domain.choices import choice_hint
from core.domain.errors import UsageError
from core.services.importing.formats.sample import Row, Sample, Tallies
from core.services.importing.reading import FIELDS, Choices
from core.services.importing.rows import RawRow

HEAD_ROWS = 2000  # kept from the beginning
_SPREAD_ROWS = 1000  # and at most as many, in even distances, from the rest
_CHARS = 16 << 20  # of each of the two


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at a file found.

    Attributes:
        head: the first records, those that cannot be read included.
        sample: what the formats are chosen by.
        problems: reason -> (records, line of the first), of the records that could not be read.
    """

    head: tuple[RawRow, ...]
    sample: Sample
    problems: Mapping[str, tuple[int, int]]


def survey(rows: Iterable[RawRow], choices: Choices, most: Callable[[int], bool] | None = None) -> Survey:
    """Look at a file.

    Args:
        rows: all of its records.
        choices: what the user says about it.
        most: told the number of records after each thousand; True ends the look before the end of the file.
    """
    tallies, spread = Tallies(), _Spread()
    head: list[RawRow] = []
    problems: dict[str, tuple[int, int]] = {}
    inner = key_reader(choices)
    count = chars = 0
    complete = True
    for row in rows:
        count += 1
        if inner is not None and row.values is not None:
            row = RawRow(row.line, inner(row.values))
        if row.values is not None:
            tallies.add(row.values)
        elif row.problem in problems or len(problems) < 100:
            seen, line = problems.get(row.problem, (0, row.line))
            problems[row.problem] = (seen + 1, line)
        if len(head) < HEAD_ROWS and chars < _CHARS:
            head.append(row)
            chars += _chars(row)
        else:
            spread.offer(row)
        if count % 1000 == 0 and most is not None and most(count):
            complete = False
            break
    check_choices(choices, tallies.columns)
    kept = [(row.line, row.values) for row in (*head, *spread.kept) if row.values is not None]
    lines, values = [line for line, _ in kept], [row for _, row in kept]
    sample = Sample.build(values, lines, tallies, choices, count, complete)
    return Survey(tuple(head), sample, problems)


def key_reader(choices: Choices) -> Callable[[Row], Row] | None:
    """Return what adds ``chosen.answer`` to a row whose ``chosen`` is an object with that key; None when not asked."""
    dotted = [name.split(".") for name in (*choices.columns, *choices.reviewer_columns) if "." in name]
    if not dotted:
        return None

    def add(row: Row) -> Row:
        more: dict[str, object] = {}
        for parts in dotted:
            name = ".".join(parts)
            if name not in row:
                more[name] = _inside(row, parts)
        return {**row, **more} if more else row

    return add


def check_choices(choices: Choices, columns: Mapping[str, object]) -> None:
    """Refuse choices that no file, or not this one, can follow.

    Raises:
        UsageError: for an unknown column or field, or a field that two columns are to be.
    """
    if not columns:
        return
    for column in (*choices.columns, *choices.reviewer_columns):
        if column not in columns:
            known = ", ".join(map(str, list(columns)[:30]))
            raise UsageError(f"The file has no column {column!r}.", f"Its columns: {known}.")
    taken: dict[str, str] = {}
    for column, wanted in choices.columns.items():
        if wanted not in FIELDS:
            raise UsageError(f"A column cannot be {wanted!r}.", choice_hint(wanted, FIELDS))
        if wanted != "unused" and wanted in taken:
            raise UsageError(f"{taken[wanted]!r} and {column!r} cannot both be {wanted}.", "Name one of them.")
        taken[wanted] = column
    if choices.reviewer_columns and "label" in taken:
        raise UsageError("Name either one label column or the columns of several reviewers, not both.")


class _Spread:
    """Keeps rows in even distances from a stream whose length is not known."""

    def __init__(self) -> None:
        self.kept: list[RawRow] = []
        self._step, self._at, self._size = 1, 0, 0

    def offer(self, row: RawRow) -> None:
        """Keep the row, or do not."""
        self._at += 1
        if self._at % self._step:
            return
        self.kept.append(row)
        self._size += _chars(row)
        while len(self.kept) > _SPREAD_ROWS or (self._size > _CHARS and len(self.kept) > 1):
            self.kept = self.kept[1::2]
            self._step *= 2
            self._size = sum(map(_chars, self.kept))


def _chars(row: RawRow) -> int:
    """Return about how much memory a row takes."""
    if row.values is None:
        return 0
    return sum(len(cell) if isinstance(cell, str) else len(str(cell)) for cell in row.values.values())


def _inside(row: Row, parts: list[str]) -> object:
    value: object = row
    for part in parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
