"""The table of all judgements by reviewer, for spreadsheets and statistics elsewhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import durable
from core.domain.errors import BadInput
from core.domain.ids import canonical_json
from core.services.importing.files.escaping import guard
from core.services.written_files import chosen_place
from core.store import licences
from core.store.plain import read_json
from core.store.reviewer_rows import ReviewerRowValues, reviewer_rows
from core.store.sqlite.database import Session

COLUMNS = (
    "judgement", "reviewer", "kind", "licence", "pair", "pair_sha256", "source", "rubric", "version", "task", "left_is",
    "shown_utc_ms", "stored_utc_ms", "active_ms", "verdicts_chosen", "verdict", "strength", "chosen_side", "reason",
    "confidence", "criteria", "rationale", "flags", "marks", "edit", "amended",
)  # fmt: skip
"""``licence`` is that of the reviewer's labels, empty where none is stated. Strengths are canonical: negative favours
answer A; ``left_is`` says which answer stood at the left."""
_PART = 1000


@dataclass(frozen=True, slots=True)
class ReviewerTable:
    """What was written: the file and its rows."""

    path: str
    rows: int


def export_reviewers(session: Session, path: Path, *, replace: bool = False) -> ReviewerTable:
    """Write every judgement that counts as one row. Notes of bookmarks, reviewers and marks are private and left out.

    Raises:
        BadInput: the name does not end in .csv, or a file is there and ``replace`` is not said.
        StorageFull, UserError: a file that was there is as it was.
    """
    if Path(path).suffix.lower() != ".csv":
        raise BadInput("The table of reviewers is written as CSV; nothing was written.", "Name a file ending in .csv.")
    path = chosen_place(path, replace=replace)
    counted = _Counted(reviewer_rows(session))
    durable.write_stream(path, _csv(counted, licences.of_reviewers(session)))
    return ReviewerTable(str(path), counted.rows)


class _Counted:
    """Counts the rows that pass."""

    def __init__(self, rows: Iterable[ReviewerRowValues]) -> None:
        self._source, self.rows = rows, 0

    def __iter__(self) -> Iterator[ReviewerRowValues]:
        for row in self._source:
            self.rows += 1
            yield row


def _csv(rows: Iterable[ReviewerRowValues], under: Mapping[int, str]) -> Iterator[bytes]:
    part: list[tuple[str, ...]] = [COLUMNS]
    for row in rows:
        part.append(_cells(row, under.get(row.reviewer_id, "")))
        if len(part) == _PART:
            yield _lines(part)
            part = []
    yield _lines(part)


def _cells(row: ReviewerRowValues, licence: str) -> tuple[str, ...]:
    process: Mapping[str, Any] = read_json(row.process)
    marks = [{key: value for key, value in one.items() if key != "note"} for one in read_json(row.spans)]
    side = "" if not row.strength else "A" if row.strength < 0 else "B"
    chosen = process.get("changes_of_mind")
    values = (
        row.judgement_id, row.reviewer, row.kind, licence, row.pair_id, row.pair_sha256, row.source, row.rubric,
        row.version, row.task, row.left_is, row.shown_ms, row.at_ms, process.get("active_ms"),
        canonical_json(chosen) if chosen else "", row.verdict, row.strength, side, row.reason, row.confidence,
        _filled(row.criteria), row.rationale, _filled(row.flags), canonical_json(marks) if marks else "", row.edit,
        "yes" if row.op == "amend" else "",
    )  # fmt: skip
    return tuple("" if value is None else guard(value) if isinstance(value, str) else str(value) for value in values)


def _filled(text: str) -> str:
    return "" if text in ("{}", "[]") else text


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode("utf-8")
