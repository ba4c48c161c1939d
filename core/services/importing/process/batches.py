"""Prepared pairs of a file, some hundred at a time, with the records that were rejected among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.services.importing.files.readers import RowReader
from core.services.importing.files.streams import check_file
from core.services.importing.formats.row_format import RowHeld
from core.services.importing.formats.sample import Row
from core.services.importing.kept_rows import Rows
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.look import FirstLook, look_at, rows_refused
from core.services.importing.prepare import prepare
from core.services.importing.reading import Choices, Reading, Remarks
from core.services.importing.rows import ParsedPair, RawRow, Reject
from core.store.import_rows import NewPair, NewRow

_CHARS = 8 << 20


@dataclass(slots=True)
class Batch:
    """Some records of a file in their order.

    Attributes:
        rows: those that hold pairs. rejects: the others.
        position: bytes of the file read so far.
        stored: they were stored by an import that was interrupted, and only their rejects are told again.
    """

    rows: list[NewRow] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    position: int = 0
    stored: bool = False

    @property
    def records(self) -> int:
        """How many records of the file the batch is made of."""
        return sum(row.records for row in self.rows) + len(self.rejects)


@dataclass(frozen=True, slots=True)
class FileReading:
    """How a file is read: the reading, and what its format says of the reviewers in it.

    Attributes:
        joins_rows: pairs are made of several rows, so an interrupted import cannot go on at one of them.
    """

    reading: Reading
    names_reviewers: bool
    repeats_labels: bool
    joins_rows: bool = False


class PairSource(Protocol):
    """Gives the prepared pairs of one file, once. Use it as a context manager.

    Attributes:
        size: bytes of the file.
    """

    size: int

    def found(self) -> FileReading:
        """Look at the whole file and return how it is read.

        Raises:
            BadInput: when it cannot be read or holds no pairs.
            UsageError: for choices that contradict each other or the file.
        """
        ...

    def batches(self, rows: int, skip: int = 0) -> Iterator[Batch]:
        """Yield the records, at most ``rows`` at a time; the first ``skip`` are already stored.

        Raises:
            UserError: when the file cannot be read further.
        """
        ...

    def remarks(self) -> tuple[str, ...]:
        """Return what the conversion left out, with counts, once all batches were taken."""
        ...

    def was_cancelled(self) -> bool:
        """Say whether the reading ended early because the user cancelled."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


class ParsedHere:
    """Parses a file in this process; for :class:`PairSource`."""

    def __init__(self, path: Path, choices: Choices, limits: Limits) -> None:
        check_file(path, limits)
        self.size = path.stat().st_size
        self._path, self._choices, self._limits = path, choices, limits
        self._look: FirstLook | None = None

    def found(self) -> FileReading:
        """Look at the file; see :class:`PairSource`."""
        self._look = look = look_at(self._path, self._choices, self._limits, whole=True)
        fmt = look.found.fmt
        return FileReading(look.reading, fmt.names_reviewers, fmt.repeats_labels, look.bound.joiner is not None)

    def batches(self, rows: int, skip: int = 0) -> Iterator[Batch]:
        """Parse the file; see :class:`PairSource`."""
        assert self._look is not None
        if self._look.kept.complete:
            yield from prepared(self._look.kept, self._look, rows, skip)
            return
        with RowReader(self._path, self._look.kind, self._limits) as reader:
            yield from prepared(reader, self._look, rows, skip)

    def remarks(self) -> tuple[str, ...]:
        """Return what was counted; see :class:`PairSource`."""
        assert self._look is not None
        return tuple(sentence for entry in _remarks(self._look) for sentence in entry.sentences())

    def was_cancelled(self) -> bool:
        """Return False: the caller itself stops between two batches."""
        return False

    def close(self) -> None:
        """Nothing is open between two batches."""


def prepared(reader: Rows, look: FirstLook, rows: int, skip: int) -> Iterator[Batch]:
    """Yield the records of a reader, prepared."""
    remarks = look.remarks()
    convert, joiner = look.bound.convert, look.bound.joiner
    batch, chars, left = Batch(stored=skip > 0), 0, skip
    for row in reader:
        for entry in remarks:
            entry.line = row.line
        if joiner is not None:
            joiner.line = row.line
        try:
            pairs = _pairs(row, convert, look)
        except RowHeld:
            continue
        except RowRejected as error:
            batch.rejects += [Reject(row.line, error.reason)] * rows_refused(error, joiner)
        else:
            if not batch.stored:
                batch.rows.append(NewRow._make((row.line, pairs, 1 if joiner is None else joiner.joined)))
                for pair in pairs:
                    chars += len(pair.prompt_text) + len(pair.a_text) + len(pair.b_text)
        left -= 1
        if len(batch.rows) + len(batch.rejects) >= rows or chars > _CHARS or left == 0:
            batch.position = reader.position
            yield batch
            batch, chars = Batch(stored=left > 0), 0
    batch.position = reader.position
    if joiner is not None:
        batch.rejects += [Reject(line, reason) for line, reason in joiner.alone()]
    yield batch


def _pairs(row: RawRow, convert: Callable[[Row], list[ParsedPair]], look: FirstLook) -> tuple[NewPair, ...]:
    """Turn one record into the pairs that are stored."""
    if row.values is None:
        raise RowRejected(row.problem)
    pairs = tuple([prepare(parsed) for parsed in convert(row.values)])
    if not pairs:
        raise RowRejected("it holds no pair")
    if not look.rules.any:
        return pairs
    kept = look.rules.kept(pairs, [pair.text_flags for pair in pairs])
    if len(kept) < len(pairs):
        look.survey.sample.remarks.count("a pair whose texts look wrong is left out, as chosen")
    return tuple(kept)


def _remarks(look: FirstLook) -> tuple[Remarks, ...]:
    remarks = (look.survey.sample.remarks, look.found.bound.remarks)
    return remarks[:1] if remarks[0] is remarks[1] else remarks
