"""One import, from the first record to the report.

Records are parsed here while the writer thread stores the batch before, so two cores are used. A batch is one
transaction: a cancel or a crash leaves whole batches, and importing the file again finds them by content and adds the
rest.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from pathlib import Path

from core.domain.errors import UserError
from core.services.importing.files.readers import RowReader
from core.services.importing.formats.row_format import BoundFormat
from core.services.importing.limits import RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.rejects import RejectList
from core.services.importing.report import Cancelled, ImportProgress, ImportReport, OnProgress
from core.services.importing.rows import RawRow
from core.store import events
from core.store import imports as repository
from core.store.import_rows import BatchResult, NewPair, NewRow, Target
from core.store.sqlite.database import Store
from core.store.sqlite.writer import Priority

BATCH_ROWS = 1000  # small enough that a label waits at most 0.1 s behind a batch
_BATCH_CHARS = 8 << 20
_POLL_EVERY = 256


class ImportJob:
    """Runs once; see :meth:`run`."""

    def __init__(self, store: Store, target: Target, bound: BoundFormat) -> None:
        self._store = store
        self._target = target
        self._bound = bound
        self._rejects = RejectList()
        self._total = BatchResult()
        self._rows = 0
        self._sent_rejects = 0
        self._batch: list[NewRow] = []
        self._batch_chars = 0
        self._waiting: Future[BatchResult] | None = None

    def run(self, reader: RowReader, on_progress: OnProgress | None, cancelled: Cancelled | None) -> ImportReport:
        """Store every record of the reader and return the report.

        Raises:
            UserError: when the file or the disk fails; stored batches stay.
        """
        started = time.monotonic()
        stopped = False
        try:
            for row in reader:
                self._take(row)
                if self._rows % _POLL_EVERY == 0 and cancelled is not None and cancelled():
                    stopped = True
                    break
                if len(self._batch) >= BATCH_ROWS or self._batch_chars > _BATCH_CHARS:
                    self._send(reader.position, "running")
                    self._show_progress(reader, on_progress)
            self._send(reader.position, "cancelled" if stopped else "done")
            self._collect()
        except UserError as error:
            if stored := self._total.imported:
                error.message += f" {stored} rows of this file are stored; importing it again adds the rest."
            raise
        finally:
            if (
                self._waiting is not None
            ):  # an error of the reader: wait for the current batch, which is stored whole or not at all
                self._waiting.exception()
        self._show_progress(reader, on_progress)
        return self._report(stopped, time.monotonic() - started)

    def _take(self, row: RawRow) -> None:
        """Turn one record into pairs or into a reject."""
        self._rows += 1
        try:
            if row.values is None:
                raise RowRejected(row.problem)
            pairs = tuple(prepare(parsed) for parsed in self._bound.convert(row.values))
            if not pairs:
                raise RowRejected("it holds no pair")
        except RowRejected as error:
            self._rejects.add(row.line, error.reason)
            return
        self._batch.append(NewRow(row.line, pairs))
        self._batch_chars += sum(_chars(pair) for pair in pairs)

    def _send(self, position: int, status: str) -> None:
        """Hand the batch to the writer once the batch before is durable."""
        self._collect()
        batch, self._batch, self._batch_chars = self._batch, [], 0
        rejected = self._rejects.count - self._sent_rejects
        self._sent_rejects = self._rejects.count
        context = self._store.write_context()
        target = self._target

        def write(session: repository.Session) -> BatchResult:
            result = repository.add_batch(session, target, batch, context)
            counts = {
                "rows": len(batch) + rejected,
                "imported": result.imported,
                "duplicates": result.duplicates,
                "rejected": rejected,
                "judgements": result.judgements,
                "byte_offset": position,
            }
            repository.add_batch_row(session, target, counts, status, context)
            return result

        self._waiting = self._store.submit(write, "importing pairs", Priority.BULK)

    def _collect(self) -> None:
        """Wait for the current batch and add its counts to the total."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        result = waiting.result()
        total = self._total
        total.imported += result.imported
        total.duplicates += result.duplicates
        total.pairs += result.pairs
        total.judgements += result.judgements
        total.known_labels += result.known_labels
        total.reviewers |= result.reviewers

    def _show_progress(self, reader: RowReader, on_progress: OnProgress | None) -> None:
        if on_progress is not None:
            done = self._total
            on_progress(
                ImportProgress(
                    reader.position, reader.size, self._rows, done.imported, done.duplicates, self._rejects.count
                )
            )

    def _report(self, stopped: bool, seconds: float) -> ImportReport:
        total, target = self._total, self._target
        path: Path | None = self._rejects.save(self._store.folder, f"source-{target.source_id}")
        report = ImportReport(
            rows=self._rows,
            imported=total.imported,
            duplicates=total.duplicates,
            rejected=self._rejects.count,
            judgements=total.judgements,
            rejects_path="" if path is None else str(path),
            source_id=target.source_id,
            source_name=target.source_name,
            pairs=total.pairs,
            known_labels=total.known_labels,
            fmt=target.format,
            reviewers=tuple(sorted(total.reviewers)),
            reasons=dict(self._rejects.reasons.most_common(20)),
            cancelled=stopped,
            seconds=round(seconds, 3),
        )
        self._log(report)
        return report

    def _log(self, report: ImportReport) -> None:
        summary = (
            f"Imported {report.source_name}: {report.imported} new, {report.duplicates} known, "
            f"{report.rejected} rejected of {report.rows} records"
        )
        detail = {key: getattr(report, key) for key in ("rows", "imported", "duplicates", "rejected", "judgements")}
        detail.update(pairs=report.pairs, cancelled=report.cancelled, format=report.fmt)
        context = self._store.write_context()
        self._store.write(
            lambda session: events.log(
                session, context, "import", summary, subject="source", subject_id=report.source_id, detail=detail
            ),
            "recording the import",
        )


def _chars(pair: NewPair) -> int:
    return len(pair.prompt_text) + len(pair.a_text) + len(pair.b_text)
