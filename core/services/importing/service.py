"""Importing preference files: preview, then store."""

from __future__ import annotations

import shutil
from itertools import islice
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput, StorageFull
from core.domain.pair_table import CONSENTS, SourceInfo
from core.durable import file_sha256
from core.services.importing.detect import SAMPLE_ROWS, Detection, detect, take_sample
from core.services.importing.files.kinds import FileKind, plain_name, sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.formats.registry import format_infos
from core.services.importing.formats.row_format import BoundFormat, FormatInfo
from core.services.importing.job import ImportJob
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.rejects import RejectList
from core.services.importing.report import (
    Cancelled,
    ImportPreview,
    ImportProgress,
    ImportReport,
    OnProgress,
)
from core.services.importing.rows import ParsedPair, RawRow
from core.store import imports as repository
from core.store import sources
from core.store.import_rows import NewSource
from core.store.sqlite.database import Store

__all__ = ["FormatInfo", "ImportPreview", "ImportProgress", "ImportReport", "ImportsService"]
_SAMPLES = 5
_DISK_FACTOR = 3  # text, indexes and the write-ahead log
_EXPANSION = 4  # of compressed text, typically
_LEAST_ROOM = 1 << 20
_PACKED = (".gz", ".parquet")
_PLAIN_NAMES = {"train", "test", "dev", "valid", "validation", "data", "dataset", "pairs", "preferences"}


class ImportsService:
    """Reads preference files into the workspace."""

    def __init__(self, store: Store, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()

    def formats(self) -> list[FormatInfo]:
        """Return the formats that can be asked for, options included."""
        return format_infos()

    def preview(self, path: Path | str, fmt: str | None = None) -> ImportPreview:
        """Read a file's first records without storing anything.

        Args:
            path: the file.
            fmt: read it as this format instead of the detected one.

        Raises:
            BadInput: when it cannot be read or holds no pairs.
        """
        path = Path(path)
        kind, found, columns = self._look(path, fmt)
        with RowReader(path, kind, self._limits) as reader:
            first = list(islice(reader, SAMPLE_ROWS + 1))
        rejects, pairs, labels, reviewers = _try_rows(first[:SAMPLE_ROWS], found.bound)
        sha = file_sha256(path)
        with self._store.read() as session:
            known = sources.by_file(session, sha)
        checked = min(len(first), SAMPLE_ROWS)
        return ImportPreview(
            path=str(path),
            kind=kind.title,
            fmt=found.key,
            title=found.fmt.title,
            confidence=found.confidence,
            notes=found.bound.notes,
            alternatives=found.alternatives,
            columns=columns,
            checked=checked,
            good=checked - rejects.count,
            bad=rejects.count,
            complete=len(first) <= SAMPLE_ROWS,
            rejects=rejects.first(),
            samples=tuple(pairs[:_SAMPLES]),
            reviewers=reviewers,
            labels=labels,
            size=path.stat().st_size,
            file_sha256=sha,
            name=_default_name(path),
            known_as=known.name if known else "",
        )

    def run(
        self,
        path: Path | str,
        *,
        fmt: str | None = None,
        name: str | None = None,
        licence: str = "",
        consent: str = "granted",
        reviewer: str | None = None,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Outcome[ImportReport]:
        """Import a file. A second import of the same file adds nothing.

        Args:
            path: the file.
            fmt: a format key; detected when None.
            name: what the source is called; the file's name when None.
            licence: of the data, free text.
            consent: granted, unknown or withdrawn; only granted sources enter a dataset by default.
            reviewer: name of the imported reviewer that holds the file's labels; the source's name when None.
            on_progress: called about every thousand records.
            cancelled: polled; True stops after the current batch.

        Raises:
            BadInput: when the file cannot be read or holds no pairs.
            StorageFull: when the disk has no room; nothing was stored.
            WorkspaceInUse, UserError: when the workspace cannot be written.
        """
        path = Path(path)
        if consent not in CONSENTS:
            raise BadInput(f"Unknown consent {consent!r}.", f"Use one of {', '.join(CONSENTS)}.")
        kind, found, _ = self._look(path, fmt)
        self._check_room(path)
        source_name = (name or _default_name(path)).strip() or path.name
        new = NewSource(
            name=source_name,
            reviewer=(reviewer or "").strip() or source_name,
            file_name=path.name,
            file_sha256=file_sha256(path),
            format=found.key,
            licence=licence,
            consent=consent,
            names_reviewers=found.fmt.names_reviewers,
            repeats_labels=found.fmt.repeats_labels,
        )
        context = self._store.write_context()
        target = self._store.write(lambda session: repository.open_source(session, new, context), "opening the source")
        with RowReader(path, kind, self._limits) as reader:
            report = ImportJob(self._store, target, found.bound).run(reader, on_progress, cancelled)
        changes = Changes.WORKSPACE
        if report.pairs or report.judgements:
            changes |= Changes.PAIRS | Changes.JUDGEMENTS | Changes.RUBRICS | Changes.REVIEWERS
        return Outcome(report, changes)

    def sources(self) -> list[SourceInfo]:
        """Return every source of pairs, oldest first."""
        with self._store.read() as session:
            return sources.listed(session)

    def set_consent(self, source_id: int, consent: str) -> Outcome[SourceInfo]:
        """Record the consent for a source; frozen dataset versions do not change.

        Raises:
            BadInput: for an unknown word.
            NotFound: when there is no such source.
        """
        context = self._store.write_context()
        value = self._store.write(
            lambda session: sources.set_consent(session, source_id, consent, context), "recording consent"
        )
        return Outcome(value, Changes.PAIRS | Changes.WORKSPACE)

    def _look(self, path: Path, fmt: str | None) -> tuple[FileKind, Detection, tuple[str, ...]]:
        """Detect kind and format of a file from its first records."""
        kind = sniff(path, self._limits)
        with RowReader(path, kind, self._limits) as reader:
            sample = take_sample(reader)
        found = detect(path, sample, self._limits, fmt)
        return kind, found, tuple(str(name) for name in sample.names.values())

    def _check_room(self, path: Path) -> None:
        """Refuse before the first row when the disk has too little room."""
        factor = _DISK_FACTOR * (_EXPANSION if path.suffix.lower() in _PACKED else 1)
        needed = max(_LEAST_ROOM, factor * path.stat().st_size)
        free = shutil.disk_usage(self._store.folder).free
        if free < needed:
            raise StorageFull(
                f"Importing {path.name} needs about {needed / 2**20:,.1f} MiB and {free / 2**20:,.1f} MiB are free; "
                "nothing was stored.",
                "Free some space and try again.",
            )


def _default_name(path: Path) -> str:
    """Return a name for a file's source; a file called train or data also takes its folder's name."""
    name = plain_name(path)
    if name.lower() in _PLAIN_NAMES and path.absolute().parent.name:
        return f"{path.absolute().parent.name} {name}"
    return name


def _try_rows(rows: list[RawRow], bound: BoundFormat) -> tuple[RejectList, list[ParsedPair], int, tuple[str, ...]]:
    """Convert records as the import would and return rejects, first pairs, labels and reviewers."""
    rejects, pairs, labels = RejectList(), [], 0
    reviewers: dict[str, None] = {}
    for row in rows:
        try:
            if row.values is None:
                raise RowRejected(row.problem)
            parsed = bound.convert(row.values)
            for pair in parsed:
                prepare(pair)
        except RowRejected as error:
            rejects.add(row.line, error.reason)
            continue
        if len(pairs) < _SAMPLES:
            pairs.extend(parsed)
        for pair in parsed:
            labels += len(pair.labels)
            reviewers.update((label.reviewer, None) for label in pair.labels if label.reviewer)
    return rejects, pairs, labels, tuple(reviewers)
