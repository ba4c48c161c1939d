"""Importing preference files: preview, then store."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.counting import counted, size_words
from core.domain.errors import BadInput, StorageFull, UsageError
from core.domain.pair_table import CONSENTS, SourceInfo
from core.durable import file_sha256
from core.runs.child_processes.request import Progress
from core.services.importing import downloads
from core.services.importing.downloads import Download
from core.services.importing.fewer_collections import fewer_collections
from core.services.importing.forecast import Forecast, forecast_of
from core.services.importing.formats.registry import format_infos
from core.services.importing.formats.row_format import FormatInfo
from core.services.importing.hub import HubDataset, fetch_files, list_dataset, origin_of
from core.services.importing.job import ImportJob
from core.services.importing.limits import Limits
from core.services.importing.look import default_name, preview_of
from core.services.importing.process.batches import PairSource, ParsedHere
from core.services.importing.process.child import ParsedInChild, needs_child, preview_in_child
from core.services.importing.process.values import from_plain, to_plain
from core.services.importing.reading import Choices
from core.services.importing.refusal import OpenQuestions, ask
from core.services.importing.report import Cancelled, ImportPreview, ImportProgress, ImportReport, OnProgress
from core.services.importing.unchanged import Unchanged
from core.services.written_files import chosen_place
from core.store import events, import_marks, sources
from core.store.import_rows import NewSource, UnfinishedImport
from core.store.sqlite.database import Store

__all__ = [
    "Choices",
    "Forecast",
    "FormatInfo",
    "ImportPreview",
    "ImportProgress",
    "ImportReport",
    "ImportsService",
    "OpenQuestions",
    "UnfinishedImport",
]
_DISK_FACTOR = 3  # text, indexes and the write-ahead log
_EXPANSION = 4  # of compressed text, typically
_LEAST_ROOM = 1 << 20
_PACKED = (".gz", ".parquet")


class ImportsService:
    """Reads preference files into the workspace."""

    def __init__(self, store: Store, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()
        self._running: set[str] = set()  # sha256 of the files that are being imported

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
        path, choices = Path(path), _with_format(choices, fmt)
        if needs_child(path, preview=True):
            preview = preview_in_child(path, choices, self._limits)
        else:
            preview = preview_of(path, choices, self._limits)
        with self._store.read() as session:
            known = sources.by_file(session, preview.file_sha256)
        origin = origin_of(path, self._store.folder)
        if origin is not None:
            preview = replace(preview, name=origin.name, licence=origin.licence)
        return replace(preview, known_as=known.name if known else "")

    def forecast(
        self,
        path: Path | str,
        *,
        choices: Choices | None = None,
        rejects_to: Path | None = None,
        replace: bool = False,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Forecast:
        """Read every record of a file and say what an import would do with it; nothing is stored.

        The list of rejects, line and reason, goes to ``rejects_to``, unless stopped; a file that is there only with
        ``replace``. Raises what :meth:`run` does.
        """
        path = Path(path)
        place = chosen_place(rejects_to, path.expanduser(), replace=replace) if rejects_to else None
        parsing = self._parsing(path, choices or Choices(), cancelled)
        try:
            if questions := parsing.found().reading.questions:
                raise ask(path, questions)
            counts, rejects = forecast_of(self._store, parsing, on_progress, cancelled)
        finally:
            parsing.close()
        if place is not None and not (cancelled is not None and cancelled()):
            rejects.write(place)
        return counts

    def run(
        self,
        path: Path | str,
        *,
        fmt: str | None = None,
        choices: Choices | None = None,
        name: str | None = None,
        licence: str = "",
        consent: str = "unknown",
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
            licence: of the data, free text; of a file from the hub, that of its card when empty.
            consent: granted, unknown or withdrawn; only granted sources enter a dataset by default, and nobody has
                granted what was not said.
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
        choices = _with_format(choices, fmt)
        origin = origin_of(path, self._store.folder)
        source_name = (name or (origin.name if origin else default_name(path))).strip() or path.name
        new = NewSource(source_name, (reviewer or "").strip() or source_name, path.name, "", "", licence, consent)
        if origin is not None:
            new = replace(new, file_name=origin.address, licence=licence or origin.licence)
        with fewer_collections():
            return self._store_file(path, choices, new, None, on_progress, cancelled)

    def hub_dataset(self, repo: str, revision: str = "main", cancelled: Cancelled | None = None) -> HubDataset:
        """Ask the hub for the files of a dataset; see :func:`core.services.importing.hub.list_dataset`."""
        return list_dataset(repo, revision, cancelled)

    def download(
        self,
        dataset: HubDataset,
        paths: Sequence[str],
        *,
        on_progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> list[Path]:
        """Download files of a dataset into the workspace; see :func:`core.services.importing.hub.fetch_files`."""
        folder, limits = self._store.folder, self._limits
        return fetch_files(dataset, paths, folder, limits=limits, on_progress=on_progress, cancelled=cancelled)

    def downloads(self) -> list[Download]:
        """Return the files that were downloaded from the hub into the workspace."""
        return downloads.listed(self._store.folder, self._needed_files())

    def clear_downloads(self, *, parts: bool = False) -> list[Download]:
        """Remove downloaded files that no unfinished import needs; see :func:`downloads.clear`. Pairs stay."""
        gone = downloads.clear(self._store.folder, self._needed_files(), parts=parts)
        if gone:
            size = size_words(sum(one.size for one in gone))
            summary = f"Removed {counted(len(gone), 'downloaded file')} ({size}); their pairs stay"
            context = self._store.write_context()
            self._store.write(
                lambda session: events.log(session, context, "downloads.clear", summary), "noting removed downloads"
            )
        return gone

    def _needed_files(self) -> list[Path]:
        with self._store.read() as session:
            return [Path(one.path) for one in import_marks.unfinished(session) if one.path]

    def unfinished(self) -> list[UnfinishedImport]:
        """Return the imports that did not reach the end of their file and are not running here, oldest first."""
        with self._store.read() as session:
            found = import_marks.unfinished(session)
        return [one for one in found if one.file_sha256 not in self._running]

    def resume(
        self,
        source_id: int,
        path: Path | str | None = None,
        *,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Outcome[ImportReport]:
        """Go on with an interrupted import behind the last record it has stored.

        The report counts all records of the file, as if the import had never been interrupted.

        Args:
            source_id: see :meth:`unfinished`.
            path: where the file is now; where it was when None.
            on_progress: see :meth:`run`.
            cancelled: see :meth:`run`.

        Raises:
            NotFound: when the source has no unfinished import.
            BadInput: when the file is not there or no longer the same; nothing was stored.
            UserError: see :meth:`run`.
        """
        with self._store.read() as session:
            before = import_marks.one(session, source_id)
        place = Path(path or before.path or before.file_name)
        if not place.is_file() or file_sha256(place) != before.file_sha256:
            what = "is not the file that was being imported" if place.is_file() else "is not there"
            raise BadInput(
                f"{place} {what}; the import of {before.source_name} cannot go on.",
                f"Name the file {before.file_name} as it was, or give the source up.",
            )
        new = NewSource(before.source_name, before.source_name, place.name, before.file_sha256, "")
        choices = from_plain(Choices, before.choices)
        with fewer_collections():
            return self._store_file(place, choices, new, before if before.marked else None, on_progress, cancelled)

    def give_up(self, source_id: int) -> Outcome[str]:
        """Give a source up: its unfinished import ends and its consent is withdrawn. Return a sentence about it.

        Raises:
            NotFound: when there is no such source.
        """
        context = self._store.write_context()
        with self._store.read() as session:
            shared = import_marks.shared_pairs(session, source_id)
        name = self._store.write(
            lambda session: import_marks.give_up(session, source_id, context), "giving up a source"
        )
        told = (
            f"{name} is given up: its import ends and its consent is withdrawn. Nothing was deleted: its pairs and "
            "labels stay in the workspace, and no new dataset version takes them."
        )
        if shared:
            told += (
                f" {shared:,} of them also came from other sources and are left out too; consent for it undoes this."
            )
        return Outcome(told, Changes.PAIRS | Changes.WORKSPACE)

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

    def _store_file(
        self,
        path: Path,
        choices: Choices,
        new: NewSource,
        before: UnfinishedImport | None,
        on_progress: OnProgress | None,
        cancelled: Cancelled | None,
    ) -> Outcome[ImportReport]:
        """Parse a file and store what it holds, from its beginning or behind what is stored already."""
        unchanged, parsing = Unchanged(path), self._parsing(path, choices, cancelled)
        sha = ""
        try:
            found = parsing.found()
            if found.reading.questions:
                raise ask(path, found.reading.questions)
            self._check_room(path)
            sha = unchanged.hashed(new.file_sha256)
            new = replace(
                new,
                file_sha256=sha,
                format=found.reading.fmt,
                names_reviewers=found.names_reviewers,
                repeats_labels=found.repeats_labels,
            )
            self._running.add(sha)
            self._store.copy_before("import", check_later=True)
            job = ImportJob(self._store, new, found.reading, (str(path.absolute()), to_plain(choices)), unchanged)
            if before is not None and not found.joins_rows:
                job.go_on(before)
            report = job.run(parsing, on_progress, cancelled)
        finally:
            self._running.discard(sha)
            parsing.close()
        changes = Changes.WORKSPACE
        if report.pairs or report.judgements:
            changes |= Changes.PAIRS | Changes.JUDGEMENTS | Changes.RUBRICS | Changes.REVIEWERS
        return Outcome(report, changes)

    def _parsing(self, path: Path, choices: Choices, cancelled: Cancelled | None) -> PairSource:
        """Return what gives the pairs of a file, from a process of its own where the file needs one."""
        if needs_child(path):
            return ParsedInChild(path, choices, self._limits, cancelled)
        return ParsedHere(path, choices, self._limits)

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
