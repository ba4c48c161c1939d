"""One import, from the first record to the report.

Records are parsed while the writer thread stores the batch before, so two cores are used. A batch is one transaction: a
cancel or a crash leaves whole batches and the mark that the import is unfinished. It can go on behind the last record
stored; importing the file again finds them by content and adds the rest. The source is made with the first batch that
holds a pair: a file without one leaves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.counting import counted, verb
from core.domain.errors import BadInput, UserError
from core.services.importing.flag_tally import FlagTally
from core.services.importing.process.batches import Batch, PairSource
from core.services.importing.reading import Reading
from core.services.importing.refusal import unusable
from core.services.importing.rejects import RejectList
from core.services.importing.report import Cancelled, ImportProgress, ImportReport, OnProgress
from core.services.importing.unchanged import Unchanged
from core.store import events, import_marks
from core.store import imports as repository
from core.store.import_rows import BatchResult, NewSource, Target, UnfinishedImport
from core.store.sqlite.database import Store
from core.store.sqlite.writer import Priority

BATCH_ROWS = 1000  # small enough that a label waits at most 0.1 s behind a batch


class ImportJob:
    """Runs once; see :meth:`run`."""

    def __init__(
        self, store: Store, new: NewSource, reading: Reading, mark: tuple[str, dict[str, Any]], unchanged: Unchanged
    ) -> None:
        """Args: new: the source of the file. mark: its path and the choices, for an import that is interrupted."""
        self._unchanged = unchanged
        self._store = store
        self._new = new
        self._mark = mark
        self._target: Target | None = None
        self._reading = reading
        self._remarks: tuple[str, ...] = ()
        self._flags = FlagTally()
        self._rejects = RejectList()
        self._total = BatchResult()
        self._before: UnfinishedImport | None = None
        self._rows = self._unsent = 0  # records read; rejects among them that no batch has counted yet
        self._told = False  # an error of the reading says already what is stored
        self._waiting: Future[tuple[Target, BatchResult]] | None = None

    def go_on(self, before: UnfinishedImport) -> None:
        """Let the import go on behind the records that an interrupted one has stored."""
        with self._store.read() as session:
            self._target = import_marks.target_of(session, before.source_id, self._new)
        self._before, self._rows = before, before.rows
        self._total = BatchResult(
            imported=before.imported, duplicates=before.duplicates, pairs=before.imported, judgements=before.judgements
        )

    def run(self, source: PairSource, on_progress: OnProgress | None, cancelled: Cancelled | None) -> ImportReport:
        """Store every record of the file and return the report.

        Raises:
            BadInput: when no record can be used; nothing was stored.
            UserError: when the file or the disk fails; stored batches stay.
        """
        started = time.monotonic()
        stopped = False
        batch, batches = Batch(), source.batches(BATCH_ROWS, self._before.rows if self._before else 0)
        try:
            while (following := self._next(batches, batch)) is not None:
                stopped = cancelled is not None and cancelled()
                if stopped:
                    break
                self._send(batch, "running")
                self._show_progress(batch.position, source.size, on_progress)
                batch = self._take(following)
            stopped = stopped or source.was_cancelled()
            self._send(batch, "cancelled" if stopped else "done")
            self._collect()
        except UserError as error:
            if not self._told and (stored := self._total.imported):
                error.message += (
                    f" {counted(stored, 'row')} of this file {verb(stored, 'is', 'are')} stored; "
                    "the import can go on behind them."
                )
            raise
        finally:
            if self._waiting is not None:  # an error: the current batch is stored whole or not at all
                self._waiting.exception()
        self._remarks = source.remarks()
        self._show_progress(batch.position, source.size, on_progress)
        if self._target is None and not stopped:
            raise unusable(self._new.file_name, self._rows, self._rejects.told())
        return self._report(stopped, time.monotonic() - started)

    def _next(self, batches: Iterator[Batch], batch: Batch) -> Batch | None:
        """Return the next batch; when the reading stops for an error, ``batch`` is stored and the error says so."""
        try:
            return next(batches, None)
        except UserError as error:
            self._send(batch, "running")
            self._collect()
            if stored := self._total.imported:
                again = " Importing it again would stop at the same place." if isinstance(error, BadInput) else ""
                error.message += f" {counted(stored, 'row')} of this file {verb(stored, 'is', 'are')} stored.{again}"
            self._told = True
            raise

    def _take(self, batch: Batch) -> Batch:
        """Note the rejects of a batch. What an interrupted import has counted already is not counted again."""
        for entry in batch.rejects:
            self._rejects.add(entry.line, entry.reason)
        if batch.stored:
            return Batch(position=batch.position)
        self._rows += batch.records
        for row in batch.rows:
            for pair in row.pairs:
                if pair.text_flags:
                    self._flags.add(row.line, pair.text_flags)
        return batch

    def _send(self, batch: Batch, status: str) -> None:
        """Hand the batch to the writer once the batch before is durable."""
        self._collect()
        self._unchanged.check()  # after the batch was read, so that all of it is of the file that was hashed
        self._unsent += len(batch.rejects)
        if not batch.rows and status == "running" and (self._target is None or not batch.rejects):
            return
        if self._target is None and not batch.rows:  # no row of the file was of use
            return
        rejected, self._unsent = self._unsent, 0
        context = self._store.write_context()
        known, new, (path, choices) = self._target, self._new, self._mark

        def write(session: repository.Session) -> tuple[Target, BatchResult]:
            target = known or repository.open_source(session, new, context)
            if known is None:
                import_marks.begin(session, target, path, choices)
            result = repository.add_batch(session, target, batch.rows, context)
            counts = {
                "rows": sum(row.records for row in batch.rows) + rejected,
                "imported": result.imported,
                "duplicates": result.duplicates + result.repeats,
                "rejected": rejected,
                "judgements": result.judgements,
                "byte_offset": batch.position,
            }
            repository.add_batch_row(session, target, counts, status, context)
            if status == "done":
                import_marks.end(session, target.source_id)
            return target, result

        self._waiting = self._store.submit(write, "importing pairs", Priority.BULK)

    def _collect(self) -> None:
        """Wait for the current batch and add its counts to the total."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        self._target, result = waiting.result()
        self._total.add(result)

    def _show_progress(self, position: int, size: int, on_progress: OnProgress | None) -> None:
        if on_progress is not None:
            done = self._total
            on_progress(ImportProgress(position, size, self._rows, done.imported, done.duplicates, self._rejects.count))

    def _report(self, stopped: bool, seconds: float) -> ImportReport:
        total, target = self._total, self._target
        path: Path | None = None
        if target is not None:
            path = self._rejects.save(self._store.folder, f"source-{target.source_id}")
        report = ImportReport(
            rows=self._rows,
            imported=total.imported,
            duplicates=total.duplicates,
            rejected=self._rejects.count,
            judgements=total.judgements,
            rejects_path="" if path is None else str(path),
            source_id=0 if target is None else target.source_id,
            source_name=self._new.name if target is None else target.source_name,
            pairs=total.pairs,
            known_labels=total.known_labels,
            fmt=self._new.format,
            reviewers=tuple(sorted(total.reviewers)),
            reasons=dict(self._rejects.reasons.most_common(20)),
            cancelled=stopped,
            seconds=round(seconds, 3),
            repeats=total.repeats,
            second_labels=total.second_labels,
            known_pair_labels=total.known_pair_labels,
            flags=self._flags.found(),
            reading=replace(self._reading, notes=(*self._reading.notes, *self._counted())),
        )
        if target is not None:
            self._log(report)
        return report

    def _counted(self) -> tuple[str, ...]:
        """Return what is to be said of labels and rows beside the numbers."""
        total, notes = self._total, []
        if total.second_labels:
            notes.append(
                f"{_labels(total.second_labels)} the same reviewer's earlier label on the same pair; both are stored, "
                "the later one as a judgement of its own."
            )
        if known := total.known_pair_labels:
            what = "One of the labels stored is a new label of a pair"
            what = what if known == 1 else f"{known:,} of the labels stored are new labels of pairs"
            notes.append(f"{what} known before.")
        if total.tagged:
            notes.append(f"{counted(total.tagged, 'pair')} got the tags of the file.")
        notes += self._flags.sentences()
        return (*notes, *self._remarks)

    def _log(self, report: ImportReport) -> None:
        summary = (
            f"Imported {report.source_name}: {report.imported:,} new, {report.duplicates:,} known, "
            f"{report.repeats:,} repeated, {report.rejected:,} rejected of {counted(report.rows, 'record')}"
        )
        keys = ("rows", "imported", "duplicates", "repeats", "rejected", "judgements")
        detail = {key: getattr(report, key) for key in keys}
        detail.update(pairs=report.pairs, cancelled=report.cancelled, format=report.fmt)
        context = self._store.write_context()
        self._store.write(
            lambda session: events.log(
                session, context, "import", summary, subject="source", subject_id=report.source_id, detail=detail
            ),
            "recording the import",
        )


def _labels(count: int) -> str:
    return "One label contradicts" if count == 1 else f"{count:,} labels contradict"
