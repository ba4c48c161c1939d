"""Writes the sealed file of a dataset version, and brings the notes of its openings into the event log.

The file lies in the workspace (``sealed/<root sha256>.sealed``); its key lies in the user's data folder
(``core.paths.keys_dir``), so that no copy of the workspace, backup, export or bundle carries both. What the file holds
is also known to the event log as a plain hash, under the root hash of the version: versions of equal content share
file, hash and looks. A file that is missing, or whose key is not on this machine, is written again from the frozen
pairs, which must give the same hash; one that is there and differs is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core import paths
from core.domain.counting import counted
from core.domain.dataset import DatasetVersion
from core.domain.errors import BadInput, UserError
from core.evaluation.openings import FOLDER_END, OpeningNote, new_note, read_notes
from core.evaluation.sealed_test import SUFFIX, SealedHeader, check_sealed, key_path, write_sealed
from core.store import datasets as repository
from core.store import events
from core.store.split_suite import split_suite
from core.store.sqlite.database import Session, Store
from core.store.sqlite.write_context import WriteContext

WRITTEN, OPENED = "sealed.write", "sealed.open"
_BEFORE = "dataset.unseal"
"""How the event log of earlier versions called an opening."""


class Sealing:
    """The sealed files of one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def folder(self) -> Path:
        """The folder of the sealed files."""
        return self._store.folder / "sealed"

    def path_of(self, version: DatasetVersion) -> Path:
        """Return the place of the sealed file of a version."""
        return self.folder / f"{version.root_sha256}{SUFFIX}"

    def seal(self, version: DatasetVersion) -> SealedHeader | None:
        """Return the header of the version's sealed file, which is written where it is missing.

        None for a version without a test split.

        Raises:
            BadInput: the file was altered or holds other items; nothing was changed.
            UserError: the file is missing and cannot be written.
        """
        if not version.counts.get("test"):
            return None
        path, known = self.path_of(version), self.known_sha256(version)
        header = check_sealed(path, known) if path.exists() else None
        if header is not None and known and key_path(paths.keys_dir(), header).is_file():
            return header
        return self._written(version, path, known, header)

    def known_sha256(self, version: DatasetVersion) -> str:
        """Return the hash of the test items as the event log knows it, "" before they were sealed."""
        with self._store.read() as session:
            return _known(session, version)

    def take_notes(self) -> int:
        """Bring the openings that were noted beside the sealed files into the event log; return how many were new."""
        if self._store.read_only:
            return 0
        noted = list(self._noted())
        if not noted:
            return 0
        with self._store.read() as session:
            logged = {str(row.get("uid")) for row in events.details(session, OPENED)}
        if all(note.uid in logged for note in noted):
            return 0
        context = self._store.write_context()

        def write(session: Session) -> int:
            logged = {str(row.get("uid")) for row in events.details(session, OPENED)}
            ids = {version.root_sha256: version.id for version in repository.listed(session)}
            new = [note for note in noted if note.uid not in logged]
            for note in new:
                _log(session, context, note, ids.get(note.root_sha256))
            return len(new)

        return self._store.write(write, "noting who opened a sealed test")

    def note_export(self, version: DatasetVersion, person: str, reason: str, what: str) -> None:
        """Log that the test items of a version leave the workspace, before they do; it counts as a look."""
        note = new_note(
            person=person or "not named",
            reason=reason or what,
            policy="none",
            rows=version.counts["test"],
            title=version.title,
            root_sha256=version.root_sha256,
            contents_sha256=self.known_sha256(version),
        )
        context = self._store.write_context()
        self._store.write(
            lambda session: _log(session, context, note, version.id), "recording that the test split was opened"
        )

    def openings(self, version: DatasetVersion, *, take: bool = True) -> list[OpeningNote]:
        """Return every opening of a version's test split, oldest first: logged ones, and notes not yet taken.

        ``take`` brings the notes into the event log before.
        """
        if take:
            self.take_notes()
        with self._store.read() as session:
            found = [OpeningNote.from_plain(row) for row in events.details(session, OPENED)]
            found += [
                OpeningNote(
                    uid=f"event-{event.id}",
                    at_ms=event.at_ms,
                    person=event.reviewer or "not named",
                    reason=event.summary,
                    policy="none",
                    rows=version.counts.get("test", 0),
                    title=version.title,
                    root_sha256=version.root_sha256,
                )
                for event in events.about(session, _BEFORE, version.id)
            ]
        known = {note.uid for note in found}
        found += [note for note in self._noted() if note.uid not in known]
        return sorted((n for n in found if n.root_sha256 == version.root_sha256), key=lambda n: (n.at_ms, n.uid))

    def _written(self, version: DatasetVersion, path: Path, known: str, header: SealedHeader | None) -> SealedHeader:
        if self._store.read_only:
            raise UserError(
                f"The test split of {version.title} is not sealed yet on this machine, and the workspace is open for"
                " reading only.",
                "Open it for writing once; the file is then written.",
            )
        with self._store.read() as session:
            suite = split_suite(session, version, "test")
        expected = known or (header.contents_sha256 if header else "")
        if suite is None or (expected and suite.sha256 != expected):
            raise BadInput(
                f"The frozen pairs of {version.title} do not give the test split that was sealed; nothing was written.",
                "Check the workspace, and restore a backup where it names a problem.",
            )
        if header is None or not key_path(paths.keys_dir(), header).is_file():
            header = write_sealed(path, paths.keys_dir(), suite, version.root_sha256)
        if not known:
            self._log_written(version, suite.sha256, len(suite.items))
        return header

    def _log_written(self, version: DatasetVersion, sha256: str, rows: int) -> None:
        context = self._store.write_context()
        summary = f"Sealed the test split of {version.title}: {counted(rows, 'item')}"
        detail = {"root_sha256": version.root_sha256, "contents_sha256": sha256, "rows": rows}

        def write(session: Session) -> None:
            if not _known(session, version):
                events.log(session, context, WRITTEN, summary, subject="dataset", subject_id=version.id, detail=detail)

        self._store.write(write, "noting the sealed test split")

    def _noted(self) -> Iterator[OpeningNote]:
        for folder in sorted(self.folder.glob(f"*{FOLDER_END}")):
            yield from read_notes(folder.with_name(folder.name.removesuffix(FOLDER_END) + SUFFIX))


def _known(session: Session, version: DatasetVersion) -> str:
    rows = events.details(session, WRITTEN)
    return next((row["contents_sha256"] for row in rows if row.get("root_sha256") == version.root_sha256), "")


def _log(session: Session, context: WriteContext, note: OpeningNote, dataset_id: int | None) -> None:
    detail = note.to_plain()
    events.log(session, context, OPENED, _summary(note), subject="dataset", subject_id=dataset_id, detail=detail)


def _summary(note: OpeningNote) -> str:
    what = counted(note.rows, "test item")
    return f"{note.person} opened {what} of {note.title or 'a sealed test'} for {note.policy}: {note.reason}"[:300]
