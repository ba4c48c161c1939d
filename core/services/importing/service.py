"""Importing preference files: preview, then store."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput, StorageFull, UsageError
from core.domain.pair_table import CONSENTS, SourceInfo
from core.durable import file_sha256
from core.services.importing.cut_prompt import cutting, wants_cut
from core.services.importing.detect import Detection, all_remarks, detect, read_as
from core.services.importing.files.kinds import FileKind, plain_name, sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.flag_tally import FlagTally
from core.services.importing.formats.registry import format_infos
from core.services.importing.formats.row_format import BoundFormat, FormatInfo, RowHeld
from core.services.importing.job import ImportJob
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.reading import Choices, Reading
from core.services.importing.refusal import OpenQuestions, ask, no_rows
from core.services.importing.rejects import RejectList
from core.services.importing.report import (
    Cancelled,
    ImportPreview,
    ImportProgress,
    ImportReport,
    OnProgress,
)
from core.services.importing.rows import ParsedPair, RawRow
from core.services.importing.survey import Survey, key_reader, survey
from core.store import sources
from core.store.import_rows import NewSource
from core.store.sqlite.database import Store

__all__ = [
    "Choices",
    "FormatInfo",
    "ImportPreview",
    "ImportProgress",
    "ImportReport",
    "ImportsService",
    "OpenQuestions",
]
_SAMPLES = 5
_PREVIEW_ROWS = 100_000
_PREVIEW_BYTES = 64 << 20
_DISK_FACTOR = 3  # text, indexes and the write-ahead log
_EXPANSION = 4  # of compressed text, typically
_LEAST_ROOM = 1 << 20
_PACKED = (".gz", ".parquet")
_PLAIN_NAMES = {"train", "test", "dev", "valid", "validation", "data", "dataset", "pairs", "preferences"}


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a file before it is stored; ``bound`` converts the rows as the reader gives them."""

    kind: FileKind
    survey: Survey
    found: Detection
    bound: BoundFormat
    reading: Reading


class ImportsService:
    """Reads preference files into the workspace."""

    def __init__(self, store: Store, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()

    def formats(self) -> list[FormatInfo]:
        """Return the formats that can be asked for, options included."""
        return format_infos()

    def preview(self, path: Path | str, fmt: str | None = None, *, choices: Choices | None = None) -> ImportPreview:
        """Look at a file without storing anything.

        All of it is looked at up to a hundred thousand records or 64 MiB; a longer one is looked at whole by
        :meth:`run` before it stores anything.

        Args:
            path: the file.
            fmt: short for ``Choices(fmt=...)``.
            choices: what the user says about the file.

        Raises:
            BadInput: when it cannot be read or holds no pairs.
            UsageError: for choices that contradict each other or the file.
        """
        path = Path(path)
        look = self._look(path, _with_format(choices, fmt), whole=False)
        found, head = look.found, look.survey.head
        rejects, pairs, labels, reviewers, flags = _try_rows(head, look.bound)
        reading = replace(look.reading, notes=(*look.reading.notes, *flags.sentences()))
        sha = file_sha256(path)
        with self._store.read() as session:
            known = sources.by_file(session, sha)
        checked = len(head)
        return ImportPreview(
            path=str(path),
            kind=look.kind.title,
            fmt=found.key,
            title=found.fmt.title,
            confidence=found.confidence,
            notes=reading.notes,
            alternatives=found.alternatives,
            columns=tuple(use.name for use in look.reading.columns),
            checked=checked,
            good=checked - rejects.count,
            bad=rejects.count,
            complete=look.reading.complete and checked == look.reading.rows,
            rejects=rejects.first(),
            samples=tuple(pairs[:_SAMPLES]),
            reviewers=reviewers,
            labels=labels,
            size=path.stat().st_size,
            file_sha256=sha,
            name=_default_name(path),
            reading=reading,
            flags=flags.found(),
            known_as=known.name if known else "",
        )

    def run(
        self,
        path: Path | str,
        *,
        fmt: str | None = None,
        choices: Choices | None = None,
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
            fmt: short for ``Choices(fmt=...)``; the format is detected when neither names one.
            choices: what the user says about the file.
            name: what the source is called; the file's name when None.
            licence: of the data, free text.
            consent: granted, unknown or withdrawn; only granted sources enter a dataset by default.
            reviewer: name of the imported reviewer that holds the file's labels; the source's name when None.
            on_progress: called about every thousand records.
            cancelled: polled; True stops after the current batch.

        Raises:
            BadInput: when the file cannot be read or holds no pairs that can be used; nothing was stored.
            OpenQuestions: when the file leaves something open that the choices do not answer; nothing was stored.
            UsageError: for choices that contradict each other or the file.
            StorageFull: when the disk has no room; nothing was stored.
            WorkspaceInUse, UserError: when the workspace cannot be written.
        """
        path = Path(path)
        if consent not in CONSENTS:
            raise BadInput(f"Unknown consent {consent!r}.", f"Use one of {', '.join(CONSENTS)}.")
        look = self._look(path, _with_format(choices, fmt), whole=True)
        found = look.found
        if look.reading.questions:
            raise ask(path, look.reading.questions)
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
        self._store.copy_before("import")
        with RowReader(path, look.kind, self._limits) as reader:
            job = ImportJob(self._store, new, look.bound, look.reading, all_remarks(found, look.survey.sample))
            report = job.run(reader, on_progress, cancelled)
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

    def _look(self, path: Path, choices: Choices, *, whole: bool) -> _Look:
        """Look at a file and detect how it is read."""
        kind = sniff(path, self._limits, choices.encoding, choices.part)
        with RowReader(path, kind, self._limits) as reader:

            def enough(count: int) -> bool:
                return count >= _PREVIEW_ROWS or reader.position > _PREVIEW_BYTES

            seen = survey(reader, choices, None if whole else enough)
        if not seen.sample.rows:
            raise no_rows(path, seen.sample.total, seen.problems)
        found = detect(path, seen.sample, self._limits)
        inner, convert = key_reader(choices), found.bound.convert
        bound = found.bound
        if inner is not None:
            bound = replace(bound, convert=lambda row: convert(inner(row)))
        if wants_cut(choices):
            bound = replace(bound, convert=cutting(bound.convert))
            found = replace(found, bound=replace(found.bound, convert=cutting(convert)))
        reading = read_as(found, seen.sample, tried=not whole)
        return _Look(kind, seen, found, bound, replace(reading, notes=(*kind.notes, *reading.notes)))

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


def _with_format(choices: Choices | None, fmt: str | None) -> Choices:
    choices = choices or Choices()
    if fmt and choices.fmt and fmt != choices.fmt:
        raise UsageError(f"Two formats are given, {fmt!r} and {choices.fmt!r}.", "Name one of them.")
    return replace(choices, fmt=fmt) if fmt else choices


def _default_name(path: Path) -> str:
    """Return a name for a file's source; a file called train or data also takes its folder's name."""
    name = plain_name(path)
    if name.lower() in _PLAIN_NAMES and path.absolute().parent.name:
        return f"{path.absolute().parent.name} {name}"
    return name


def _try_rows(
    rows: Sequence[RawRow], bound: BoundFormat
) -> tuple[RejectList, list[ParsedPair], int, tuple[str, ...], FlagTally]:
    """Convert records as the import would and return rejects, first pairs, labels, reviewers and text flags."""
    flags, joiner = FlagTally(), bound.joiner
    if joiner is not None:
        joiner.clear()
    rejects, pairs, labels = RejectList(), [], 0
    reviewers: dict[str, None] = {}
    for row in rows:
        try:
            if row.values is None:
                raise RowRejected(row.problem)
            if joiner is not None:
                joiner.line = row.line
            parsed = bound.convert(row.values)
            for pair in parsed:
                flags.add(row.line, prepare(pair).text_flags)
        except RowHeld:
            continue
        except RowRejected as error:
            rejects.add(row.line, error.reason)
            continue
        if len(pairs) < _SAMPLES:
            pairs.extend(parsed)
        for pair in parsed:
            labels += len(pair.labels)
            reviewers.update((label.reviewer, None) for label in pair.labels if label.reviewer)
    for line, reason in joiner.alone() if joiner is not None else ():
        rejects.add(line, reason)
    return rejects, pairs, labels, tuple(reviewers), flags
