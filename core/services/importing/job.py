"""One import, from the first record to the report.

Records are parsed here while the writer thread stores the batch before, so two cores are used. A batch is one
transaction: a cancel or a crash leaves whole batches, and importing the file again finds them by content and adds the
rest. The source is made with the first batch that holds a pair: a file without one leaves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from core.domain.errors import UserError
from core.services.importing.files.readers import RowReader
from core.services.importing.flag_tally import FlagTally
from core.services.importing.formats.row_format import BoundFormat, RowHeld
from core.services.importing.limits import RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.reading import Reading, Remarks
from core.services.importing.refusal import unusable
from core.services.importing.rejects import RejectList
from core.services.importing.report import Cancelled, ImportProgress, ImportReport, OnProgress
from core.services.importing.rows import RawRow
from core.store import events
from core.store import imports as repository
from core.store.import_rows import BatchResult, NewPair, NewRow, NewSource, Target
from core.store.sqlite.database import Store
from core.store.sqlite.writer import Priority

BATCH_ROWS = 1000  # small enough that a label waits at most 0.1 s behind a batch
_BATCH_CHARS = 8 << 20
_POLL_EVERY = 256


class ImportJob:
    """Runs once; see :meth:`run`."""

    def __init__(
        self, store: Store, new: NewSource, bound: BoundFormat, reading: Reading, remarks: Sequence[Remarks]
    ) -> None:
        """Args: new: the source of the file. remarks: what ``bound`` counts into while it converts."""
        self._store = store
        self._new = new
        self._target: Target | None = None
        self._bound = bound
        self._reading = reading
        self._remarks = remarks
        self._joiner = bound.joiner
        self._flags = FlagTally()
        self._rejects = RejectList()
        self._total = BatchResult()
        self._rows = 0
        self._sent_rejects = 0
        self._batch: list[NewRow] = []
        self._batch_chars = 0
        self._waiting: Future[tuple[Target, BatchResult]] | None = None

    def run(self, reader: RowReader, on_progress: OnProgress | None, cancelled: Cancelled | None) -> ImportReport:
        """Store every record of the reader and return the report.

        Raises:
            BadInput: when no record can be used; nothing was stored.
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
            for line, reason in self._joiner.alone() if self._joiner is not None else ():
                self._rejects.add(line, reason)
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
        if self._target is None and not stopped:
            raise unusable(self._new.file_name, self._rows, self._rejects.told())
        return self._report(stopped, time.monotonic() - started)

    def _take(self, row: RawRow) -> None:
        """Turn one record into pairs or into a reject."""
        self._rows += 1
        for remarks in self._remarks:
            remarks.line = row.line
        try:
            if row.values is None:
                raise RowRejected(row.problem)
            if self._joiner is not None:
                self._joiner.line = row.line
            pairs = tuple(prepare(parsed) for parsed in self._bound.convert(row.values))
            if not pairs:
                raise RowRejected("it holds no pair")
        except RowHeld:
            return
        except RowRejected as error:
            self._rejects.add(row.line, error.reason)
            return
        self._batch.append(NewRow(row.line, pairs, 1 if self._joiner is None else self._joiner.joined))
        for pair in pairs:
            self._batch_chars += _chars(pair)
            if pair.text_flags:
                self._flags.add(row.line, pair.text_flags)

    def _send(self, position: int, status: str) -> None:
        """Hand the batch to the writer once the batch before is durable."""
        self._collect()
        if self._target is None and not self._batch:  # only rejects so far
            return
        batch, self._batch, self._batch_chars = self._batch, [], 0
        rejected = self._rejects.count - self._sent_rejects
        self._sent_rejects = self._rejects.count
        context = self._store.write_context()
        known, new = self._target, self._new

        def write(session: repository.Session) -> tuple[Target, BatchResult]:
            target = known or repository.open_source(session, new, context)
            result = repository.add_batch(session, target, batch, context)
            counts = {
                "rows": sum(row.records for row in batch) + rejected,
                "imported": result.imported,
                "duplicates": result.duplicates + result.repeats,
                "rejected": rejected,
                "judgements": result.judgements,
                "byte_offset": position,
            }
            repository.add_batch_row(session, target, counts, status, context)
            return target, result

        self._waiting = self._store.submit(write, "importing pairs", Priority.BULK)

    def _collect(self) -> None:
        """Wait for the current batch and add its counts to the total."""
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        self._target, result = waiting.result()
        self._total.add(result)

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
        notes += self._flags.sentences()
        return (*notes, *(sentence for entry in self._remarks for sentence in entry.sentences()))

    def _log(self, report: ImportReport) -> None:
        summary = (
            f"Imported {report.source_name}: {report.imported} new, {report.duplicates} known, "
            f"{report.repeats} repeated, {report.rejected} rejected of {report.rows} records"
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


def _chars(pair: NewPair) -> int:
    return len(pair.prompt_text) + len(pair.a_text) + len(pair.b_text)


def _labels(count: int) -> str:
    return "One label contradicts" if count == 1 else f"{count:,} labels contradict"
