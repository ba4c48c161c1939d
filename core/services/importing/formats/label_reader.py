"""From the label cells of one row to its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.judgement import Verdict
from core.services.importing.formats.codings import Coding, read_values, side_label, to_label
from core.services.importing.formats.sample import Row, cell_text
from core.services.importing.formats.verdict_words import REFUSED, Read
from core.services.importing.formats.winners import side_of
from core.services.importing.limits import RowRejected, describe_type, printable
from core.services.importing.reading import Remarks
from core.services.importing.rows import ParsedLabel

_MOST_INDIVIDUAL = 100
_NOTHING: tuple[object, ...] = (None, "", [], {})


class ValueTable:
    """Looks up what a cell says."""

    def __init__(self, reads: dict[str, Read], coding: Coding | None, asked: bool) -> None:
        self._reads, self._asked = reads, asked
        self._coding: Coding | None = coding

    def of(self, cell: object) -> Read | None:
        """Return what the cell says, None when it is blank."""
        text = cell_text(cell)
        if text is None:
            return REFUSED if isinstance(cell, list | dict) and cell else None
        read = self._reads.get(text)
        if read is None:
            coding: Coding | None = self._coding
            if coding is None and not self._asked:
                coding = "words"
            read = read_values({text: 1}, coding)[text]
            if len(self._reads) < 10_000:
                self._reads[text] = read
        return read


@dataclass(frozen=True, slots=True)
class RowLabels:
    """Reads the labels of one row after the other.

    Attributes:
        who: column that names the reviewer of the one label. nested: column with a list of labels of others.
        others: columns that also say who won; a row in which one names another answer is counted.
        models: columns with the models of both answers, where the label is the name of the better one.
        texts: columns of both answers, where the label is the text of the better one.
    """

    columns: tuple[str, ...]
    who: str | None
    nested: str | None
    others: tuple[str, ...]
    table: ValueTable
    remarks: Remarks
    models: tuple[str, str] | None = None
    texts: tuple[str, str] | None = None

    def read(self, row: Row) -> tuple[ParsedLabel, ...]:
        """Return the labels; see :class:`Labels`."""
        labels, refused = [], []
        several = len(self.columns) > 1
        for column in self.columns:
            cell = row.get(column)
            side = side_of(row, cell, self.models) if self.models else 0
            read = None if cell is None or side else self.table.of(cell)
            if read is REFUSED and self.texts:
                side = side_of(row, cell, self.texts)
            if side:
                labels.append(side_label(side, _reviewer(row, self.who)))
                continue
            if read is None or read.reads in ("no label", "open"):
                continue
            if read is REFUSED:
                refused.append((column, cell))
                continue
            labels.append(to_label(read, column if several else _reviewer(row, self.who)))
        if refused and not labels:
            raise RowRejected(f"{refused[0][0]} is {shown(refused[0][1])}, which names no side")
        for column, cell in refused:
            self.remarks.count(f"{column} is {shown(cell)}, which names no side; that label is left out")
        if self.others and labels:
            self._compare(row, labels[0])
        if self.nested:
            labels += self._individual(row.get(self.nested))
        return tuple(labels)

    def _compare(self, row: Row, label: ParsedLabel) -> None:
        side = _side(label.verdict, label.strength)
        for name in self.others:
            cell = row.get(name)
            read = None if cell is None else self.table.of(cell)
            if read is not None and read.reads in ("first", "second", "tie", "neither"):
                other = to_label(read, "")
                if _side(other.verdict, other.strength) != side:
                    self.remarks.count(f"{name} says otherwise than {self.columns[0]}, which is read")

    def _individual(self, cell: object) -> list[ParsedLabel]:
        """Return the labels of a list of objects with a signed score each."""
        labels = []
        for number, item in enumerate(cell[:_MOST_INDIVIDUAL] if isinstance(cell, list) else (), 1):
            read = None
            if isinstance(item, dict):
                key = "score" if "score" in item else "strength"
                read = self.table.of(item.get(key))
                tell_of_others(self.remarks, item, (key,), str(self.nested))
            if read is None or read.reads in ("no label", "open", "refused"):
                self.remarks.count(f"an entry of {self.nested} has no score that names a side; it is left out")
                continue
            labels.append(to_label(read, f"individual {number}"))
        return labels


def tell_of_others(remarks: Remarks, entry: Mapping[str, object], read: tuple[str | None, ...], column: str) -> None:
    """Count what an entry of a list of labels holds beside the verdict and the reviewer: it is not kept."""
    for key, held in entry.items():
        if key not in read and held not in _NOTHING:
            remarks.count(f"{printable(str(key))[:40]} beside {read[0]} in {column} is not kept")


def _side(verdict: Verdict, strength: int | None) -> object:
    return verdict if strength is None else strength > 0


def shown(cell: object) -> str:
    """Return a cell for a reason: its text in quotes, or its kind."""
    text = cell_text(cell)
    return describe_type(cell) if text is None else repr(text[:40])


def _reviewer(row: Row, column: str | None) -> str:
    """Return the reviewer that a record names, or nothing."""
    value = row.get(column) if column else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).encode("utf-8", errors="replace").decode("utf-8")  # only a name: repair it, do not reject the row
    return text.replace("\x00", "").strip()[:80]
