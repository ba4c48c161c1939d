"""The pair table as CSV for spreadsheets, with a manifest beside it that the import reads.

CSV is for spreadsheets; the formats for training are JSON Lines and Parquet of a frozen dataset version.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from core import durable
from core.domain.errors import BadInput
from core.domain.ids import canonical_json, new_uid
from core.domain.pair import Pair, Response
from core.domain.pair_table import PairFilter
from core.domain.pair_tags import SEPARATOR
from core.services.importing.files.escaping import ESCAPING, guard
from core.services.importing.files.side_car import SIDE_CAR
from core.services.importing.formats.pairwright_files import TABLE_COLUMNS, TABLE_EXTRA
from core.services.importing.limits import allow_csv_fields
from core.services.written_files import chosen_place
from core.store import label_table
from core.store import pairs as repository
from core.unfinished import noted

COLUMNS = (*TABLE_COLUMNS, *TABLE_EXTRA)
_PART = 500
_FIELD_CHARS = 64 << 20


@dataclass(frozen=True, slots=True)
class TableReport:
    """What was written: the file, its manifest, and the rows counted in the written file."""

    path: str
    manifest_path: str
    rows: int
    sha256: str


def export_table(
    session: repository.Session, path: Path, wanted: PairFilter, tags: repository.Tags, *, replace: bool = False
) -> TableReport:
    """Write all pairs that pass a filter, with their current labels and ``tags``, from one snapshot.

    Raises:
        BadInput: the name does not end in .csv, or the table or its manifest is there and must not be replaced.
        StorageFull, UserError: an existing table is unchanged.
    """
    if Path(path).suffix.lower() != ".csv":
        raise BadInput("The pair table is written as CSV; nothing was written.", "Name a file that ends in .csv.")
    path = chosen_place(path, replace=replace)
    side_car = chosen_place(path.with_name(path.name + SIDE_CAR), replace=replace)
    ids = repository.ids(session, wanted)
    unnamed = path.parent / f"{durable.TMP_PREFIX}{new_uid()}.csv"
    with ExitStack() as at_end:
        at_end.enter_context(noted(unnamed))
        at_end.callback(unnamed.unlink, missing_ok=True)
        durable.write_stream(unnamed, _csv(session, ids, tags), shown=path)
        rows, sha = _counted(unnamed)
        if rows != len(ids):
            raise RuntimeError(f"{path.name} holds {rows} rows, the table {len(ids)}")
        manifest = {"kind": "pairwright-table", "escaping": ESCAPING, "rows": rows, "sha256": sha}
        # First: it names the table by its hash and says nothing about another one, so no moment has a table without it.
        durable.write_json(side_car, {**manifest, "columns": list(COLUMNS)})
        durable.move(unnamed, path)
    return TableReport(str(path), str(side_car), rows, sha)


def _csv(session: repository.Session, ids: Sequence[int], tags: repository.Tags) -> Iterator[bytes]:
    yield _lines([COLUMNS])
    for start in range(0, len(ids), _PART):
        part = ids[start : start + _PART]
        texts = repository.texts(session, part)
        names = {row.id: row.source for row in repository.rows(session, part)}
        labels = label_table.of_pairs(session, part)
        yield _lines([_cells(*texts[key], names[key], labels.get(key, []), tags.get(key, ())) for key in part])


def _cells(sha256: str, pair: Pair, source: str, labels: list[dict[str, object]], tags: Sequence[str]) -> list[str]:
    """Return one row. ``messages`` is filled only where ``prompt`` alone does not hold the whole prompt."""
    single = len(pair.prompt.messages) == 1 and pair.prompt.messages[0].role == "user"
    cells = [
        sha256,
        source,
        pair.prompt.as_text(),
        "" if single else canonical_json(pair.prompt.to_plain()),
        pair.a.text,
        pair.b.text,
        canonical_json(labels) if labels else "",
        _generation(pair.a),
        _generation(pair.b),
        SEPARATOR.join(tags),
    ]
    return [guard(cell) for cell in cells]


def _generation(response: Response) -> str:
    plain = response.generation.to_plain() if response.generation else {}
    return canonical_json(plain) if plain else ""


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return buffer.getvalue().encode("utf-8")


def _counted(path: Path) -> tuple[int, str]:
    """Count the rows of the written file and hash it."""
    allow_csv_fields(_FIELD_CHARS)
    with path.open(encoding="utf-8", newline="") as handle:
        rows = max(0, sum(1 for _ in csv.reader(handle, strict=True)) - 1)
    return rows, durable.file_sha256(path)
