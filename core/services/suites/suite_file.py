"""Reading a file of suite items with the readers of the import: every row becomes an item, a reject or a repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.domain.counting import counted, size_words
from core.domain.errors import BadInput, UserError
from core.domain.suite import SuiteItem
from core.services.importing.files.kinds import sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.files.streams import check_file
from core.services.importing.limits import MIB, Limits, RowRejected
from core.services.importing.refusal import unusable
from core.services.importing.rejects import RejectList
from core.services.importing.rows import RawRow
from core.services.suites.columns import BoundColumns, SuiteChoices, bind
from core.services.suites.rows import ItemReader, content_key

MOST_ROWS = 50_000
"""Rows of a file; a suite is answered item by item, and a larger one would take days."""
MOST_BYTES = 128 * MIB
LIMITS = Limits(line_bytes=MIB, expanded_bytes=1 << 30)
OnRows = Callable[[int], None]
Cancelled = Callable[[], bool]
_SAMPLE = "Keep a sample of it: every policy answers every item of a suite."
_OPPOSITE = {"comply": "refuse", "refuse": "comply"}


@dataclass(frozen=True, slots=True)
class SuiteReading:
    """What a file holds: rows = items + rejects + repeats.

    Attributes:
        kind: of the file, in words. bound: what each column becomes.
        rows: records of the file. repeats: (line, line of the item that asks the same).
        notes: what was not as usual, one sentence each.
    """

    kind: str
    bound: BoundColumns
    rows: int
    items: tuple[SuiteItem, ...]
    rejects: RejectList
    repeats: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()


def read_suite_file(
    path: Path, choices: SuiteChoices, on_rows: OnRows | None = None, cancelled: Cancelled | None = None
) -> SuiteReading:
    """Read JSON Lines, JSON or CSV, plain or packed.

    Args:
        path: the file.
        choices: what the user says about it.
        on_rows: told now and then how many rows were read.
        cancelled: asked as often; True ends the reading.

    Raises:
        BadInput: the file cannot be read, is too large, or no row of it can be used; says why.
        UsageError: something must be chosen first, or a choice contradicts the file.
        UserError: it was cancelled.
    """
    check_file(path, LIMITS)
    if path.stat().st_size > MOST_BYTES:
        raise BadInput(f"{path.name} is larger than {size_words(MOST_BYTES)}; nothing was stored.", _SAMPLE)
    kind = sniff(path, LIMITS, choices.encoding, choices.part)
    if kind.kind == "parquet" or kind.packing == "zstandard":
        raise BadInput(f"{path.name} is {kind.title}; nothing was stored.", "Save it as JSON Lines, JSON or CSV.")
    with RowReader(path, kind, LIMITS) as reader:
        rows = _rows(reader, path, on_rows, cancelled)
    usable = [row.values for row in rows if row.values is not None]
    bound = bind(path, usable, choices)
    items, rejects, repeats = _sorted_out(rows, ItemReader(bound, usable, LIMITS))
    if not items:
        raise unusable(path.name, len(rows), rejects.told())
    return SuiteReading(kind.title, bound, len(rows), tuple(items), rejects, tuple(repeats), kind.notes)


def _rows(reader: RowReader, path: Path, on_rows: OnRows | None, cancelled: Cancelled | None) -> list[RawRow]:
    rows: list[RawRow] = []
    for row in reader:
        rows.append(row)
        if len(rows) > MOST_ROWS:
            raise BadInput(
                f"{path.name} has more than {counted(MOST_ROWS, 'row')}; nothing was stored.",
                _SAMPLE,
            )
        if len(rows) % 500 == 0:
            if cancelled is not None and cancelled():
                raise UserError("Cancelled; nothing was stored.")
            if on_rows is not None:
                on_rows(len(rows))
    return rows


def _sorted_out(rows: list[RawRow], reader: ItemReader) -> tuple[list[SuiteItem], RejectList, list[tuple[int, int]]]:
    items: list[SuiteItem] = []
    rejects, repeats = RejectList(), []
    asked: dict[str, int] = {}
    ids: dict[str, int] = {}
    expects: dict[tuple[str, str], int] = {}
    for row in rows:
        try:
            if row.values is None:
                raise RowRejected(row.problem)
            item = reader.item(row.values)
            key, prompt = content_key(item), item.prompt.sha256
            if (before := asked.get(key)) is not None:
                repeats.append((row.line, before))
                continue
            if (before := ids.get(item.id)) is not None:
                raise RowRejected(f"the id {item.id[:40]!r} stands in line {before} already, for another item")
            if (before := expects.get((prompt, _OPPOSITE.get(item.expected, "")))) is not None:
                raise RowRejected(f"the same prompt expects {_OPPOSITE[item.expected]} in line {before}")
        except RowRejected as error:
            rejects.add(row.line, error.reason)
            continue
        asked[key] = ids[item.id] = row.line
        expects.setdefault((prompt, item.expected), row.line)
        items.append(item)
    return items, rejects, repeats
