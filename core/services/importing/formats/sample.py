"""What a look at a file leaves: some of its rows, and for every column what stands in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.counting import counted
from core.services.importing.formats.column_names import with_fields
from core.services.importing.reading import Choices, Remarks

Row = Mapping[str, object]
_LONG = 60  # characters; a longer text is no label
_MANY = 1000  # different values of one column that are counted
_COLUMNS = 2000
_KEYS = 12
_SHOWN = 120  # characters of a cell that are shown


def cell_text(cell: object) -> str | None:
    """Return what a cell holds as text for a table of values; None when it is blank, a list or an object.

    >>> [cell_text(cell) for cell in (True, 1, 2.0, " A ", "", None)]
    ['true', '1', '2.0', 'A', None, None]
    """
    if isinstance(cell, str):
        return cell.strip() or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return repr(cell) if cell == cell else None  # NaN is no value
    return None if cell is None or isinstance(cell, list | dict) else str(cell)


class Tally:
    """What stands in one column.

    Attributes:
        filled: rows with something in it.
        values: value -> rows. Long texts, lists and objects are not in it, nor new values once there are a thousand.
        kinds: type -> rows.
        keys: keys of the first objects.
    """

    __slots__ = ("_full", "filled", "keys", "kinds", "values")

    def __init__(self) -> None:
        self.filled = 0
        self.values: Counter[str] = Counter()
        self.kinds: Counter[type] = Counter()
        self.keys: dict[str, None] = {}
        self._full = False

    def add(self, cell: object) -> None:
        """Count one cell."""
        if isinstance(cell, str):
            if self._full or len(cell) > _LONG:
                if cell and not cell.isspace():
                    self.filled += 1
                    self.kinds[str] += 1
                return
        elif isinstance(cell, list | dict):
            self._add_nested(cell)
            return
        text = cell_text(cell)
        if text is None:
            return
        self.filled += 1
        self.kinds[type(cell)] += 1
        if not self._full:
            self.values[text] += 1
            self._full = len(self.values) > _MANY
        elif text in self.values:
            self.values[text] += 1

    def _add_nested(self, cell: list[object] | dict[str, object]) -> None:
        if not cell:
            return
        self.filled += 1
        self.kinds[type(cell)] += 1
        if isinstance(cell, dict) and len(self.keys) < _KEYS:
            self.keys.update(dict.fromkeys(list(map(str, cell))[:_KEYS]))

    def describe(self) -> str:
        """Return in a few words what the column holds, such as "text" or "objects with the keys answer, score"."""
        if not self.filled:
            return "nothing"
        kind = self.kinds.most_common(1)[0][0]
        if kind is dict:
            return f"objects with the keys {', '.join(list(self.keys)[:_KEYS])}"
        words = {str: "text", bool: "true or false", int: "numbers", float: "numbers", list: "lists"}
        return words.get(kind, kind.__name__)


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a file when its format is detected.

    Attributes:
        rows: the first ones, then others spread over the file.
        names: lower-case name -> the column's name in the file, once the user's own choices are applied.
        choices: what the user says about the file.
        tallies: column -> what stands in it, over all rows that were looked at.
        total: rows that were looked at, the unreadable ones included. complete: they are all rows of the file.
        remarks: what the formats count while they convert.
        notes: what the columns themselves give to say.
        lines: of the rows.
    """

    rows: Sequence[Row]
    names: dict[str, str] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    total: int = 0
    complete: bool = True
    remarks: Remarks = field(default_factory=Remarks)
    notes: tuple[str, ...] = ()
    lines: Sequence[int] = ()

    @classmethod
    def of(cls, rows: Sequence[Row], choices: Choices | None = None) -> Sample:
        """Return the sample of a file that holds these rows; a column may be missing in some."""
        tallies = Tallies()
        for row in rows:
            tallies.add(row)
        return cls.build(rows, range(1, len(rows) + 1), tallies, choices or Choices(), len(rows))

    @classmethod
    def build(
        cls,
        rows: Sequence[Row],
        lines: Sequence[int],
        tallies: Tallies,
        choices: Choices,
        total: int,
        complete: bool = True,
    ) -> Sample:
        """Return the sample of a file whose columns are counted already."""
        names, notes = tallies.names()
        fields = with_fields(names, dict(choices.columns))
        return cls(rows, fields, choices, tallies.columns, total, complete, notes=tuple(notes), lines=lines)

    def pick(self, *wanted: str) -> str | None:
        """Return the first of the wanted columns that the file has, by its own name."""
        return next((self.names[name] for name in wanted if name in self.names), None)

    def pick_pair(self, wanted: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
        """Return the first wanted pair of columns that the file has."""
        for one, other in wanted:
            if one in self.names and other in self.names:
                return self.names[one], self.names[other]
        return None

    def values(self, column: str) -> list[object]:
        """Return a column's cells in the rows of the sample."""
        return [row.get(column) for row in self.rows]

    def first_text(self, column: str) -> str:
        """Return the first cell with something in it, on one line and cut; lists and objects as JSON."""
        cell = next((cell for cell in self.values(column) if cell not in (None, "", [], {})), "")
        if isinstance(cell, list | dict):
            cell = json.dumps(cell, ensure_ascii=False, default=str)
        text = " ".join(str(cell)[: 4 * _SHOWN].split())
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

    def tally(self, column: str) -> Tally:
        """Return what stands in a column; an empty tally for a column that is not there."""
        return self.tallies.get(column) or Tally()


class Tallies:
    """Counts every column of a file while its rows go by; memory does not grow with the rows."""

    def __init__(self) -> None:
        self.columns: dict[str, Tally] = {}

    def add(self, row: Row) -> None:
        """Count the cells of one row."""
        columns = self.columns
        for name, cell in row.items():
            tally = columns.get(name)
            if tally is None:
                if len(columns) >= _COLUMNS:
                    continue
                columns[name] = tally = Tally()
            if cell is not None:
                tally.add(cell)

    def names(self) -> tuple[dict[str, str], list[str]]:
        """Return lower-case name -> column, and what to say of columns that differ in case or blanks only.

        Among those the one that is filled in the most rows is used.
        """
        groups: dict[str, list[str]] = {}
        for name in self.columns:
            groups.setdefault(str(name).strip().lower(), []).append(name)
        names, notes = {}, []
        for plain, twins in groups.items():
            best = max(twins, key=lambda name: self.columns[name].filled)
            names[plain] = best
            notes += [self._twins(best, other) for other in twins if other != best]
        return names, notes

    def _twins(self, used: str, other: str) -> str:
        return (
            f"Two columns are called {used!r} and {other!r}; {used!r} is read ({_rows(self.columns[used].filled)}), "
            f"{other!r} is not ({_rows(self.columns[other].filled)})."
        )


def _rows(count: int) -> str:
    return counted(count, "row")
