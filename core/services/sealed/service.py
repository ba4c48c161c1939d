"""Sealed tests of a workspace: sealed files, looks, leaks, and the ledger of what items were used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import paths
from core.domain.changes import Changes, Outcome
from core.domain.dataset import DatasetVersion, Split
from core.domain.errors import NotFound
from core.domain.item_use import RecordedUse, UsageReport, UseKind
from core.domain.pair import TrainingPair
from core.domain.suite import Suite
from core.evaluation.openings import OpeningNote, count_looks
from core.services.datasets.sealing import Sealing
from core.services.runs.service import RunsService
from core.services.sealed import usage
from core.services.suites.service import SuitesService
from core.store import datasets as repository
from core.store import item_uses
from core.store.sqlite.database import Session, Store

if TYPE_CHECKING:
    from core.evaluation.leaks import LeakReport
    from core.services.sealed.compared import Progress

__all__ = ["OpeningNote", "SealedPlace", "SealedService", "SealedView", "UsageReport"]


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """What the evaluator process needs to open a sealed test, and to refuse another one.

    Attributes:
        title: of the suite that it holds.
        path: of the sealed file.
        keys: folder of its key.
        sha256: hash of its items as the event log knows it.
        rows: how many items it holds.
    """

    title: str
    path: Path
    keys: Path
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class SealedView:
    """What is known of the sealed test of a dataset version.

    Attributes:
        place: None where the file is not written yet and the workspace is open for reading only.
        openings: the oldest first; several of one evaluation are one look.
    """

    version: DatasetVersion
    rows: int
    place: SealedPlace | None
    openings: tuple[OpeningNote, ...]
    usage: UsageReport

    @property
    def looks(self) -> int:
        """How often somebody looked."""
        return count_looks(self.openings)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        place = self.place
        return {
            "title": self.version.title,
            "root_sha256": self.version.root_sha256,
            "rows": self.rows,
            "sealed": place is not None,
            "contents_sha256": place.sha256 if place else "",
            "file": str(place.path) if place else "",
            "looks": self.looks,
            "openings": [note.to_plain() for note in self.openings],
            **{key: value for key, value in self.usage.to_plain().items() if key not in ("of", "rows")},
        }


class SealedService:
    """Seals test splits, counts looks, finds leaks, and keeps the ledger of uses. Thread-safe."""

    def __init__(self, store: Store, runs: RunsService, suites: SuitesService) -> None:
        self._store, self._runs, self._suites = store, runs, suites
        self._sealing = Sealing(store)

    def seal_version(self, wanted: int | str) -> SealedPlace:
        """Return where the sealed test of a dataset version lies; it is written where it is missing.

        Raises:
            NotFound: there is no such version, or it has no test split.
            BadInput: the file was altered or holds other items; nothing was changed.
            UserError: it cannot be written.
        """
        version = self._with_test(wanted)
        header = self._sealing.seal(version)
        assert header is not None  # the version has a test split
        path = self._sealing.path_of(version)
        return SealedPlace(header.title, path, paths.keys_dir(), header.contents_sha256, header.rows)

    def view(self, wanted: int | str) -> SealedView:
        """Return file, looks, openings and uses of a sealed test.

        Raises:
            NotFound, BadInput: see :meth:`seal_version`.
        """
        version = self._with_test(wanted)
        place = None if self._store.read_only and not self.is_sealed(version) else self.seal_version(version.id)
        notes = tuple(self._sealing.openings(version))
        return SealedView(version, version.counts["test"], place, notes, self.usage(version.id))

    def is_sealed(self, version: DatasetVersion) -> bool:
        """Return whether the sealed file of a version is there and known to the event log."""
        return self._sealing.path_of(version).exists() and bool(self._sealing.known_sha256(version))

    def openings(self, wanted: int | str) -> list[OpeningNote]:
        """Return who opened the test split of a version, when, why and for which policy; the oldest first."""
        return self._sealing.openings(self._version(wanted))

    def looks(self, wanted: int | str) -> int:
        """Return how many looks were taken at the test split of a version."""
        return count_looks(self.openings(wanted))

    def take_openings(self) -> Outcome[int]:
        """Bring openings that other processes noted into the event log; return how many were new."""
        taken = self._sealing.take_notes()
        return Outcome(taken, Changes.DATASETS if taken else Changes.NOTHING)

    def leaks_of(
        self,
        wanted: int | str,
        *,
        run_ids: Sequence[str] = (),
        suites: Sequence[Suite] | None = None,
        on_progress: Progress | None = None,
    ) -> LeakReport:
        """Return which items of a version's test split stand elsewhere too; to be asked before every evaluation.

        It reads the frozen pairs, not the sealed file, and is no look.

        Args:
            wanted: the dataset version.
            run_ids: runs whose policies are evaluated; their own pairs are compared where they come from another
                version or a file.
            suites: compared as well; None takes the newest version of each suite that the workspace or the program has.
            on_progress: called now and then with how many items were compared, and where; may raise to cancel.

        Raises:
            NotFound: there is no such version, or it has no test split.
        """
        # datasketch takes more than a second to import, and only this needs it.
        from core.services.sealed.compared import leaks_of_test

        version = self._with_test(wanted)
        found = self._newest_suites() if suites is None else suites
        runs = self._pairs_of(run_ids, version)
        with self._store.read() as session:
            return leaks_of_test(session, version, suites=found, runs=runs, on_progress=on_progress)

    def leaks_of_suite(
        self,
        suite: Suite,
        versions: Sequence[int | str] = (),
        *,
        run_ids: Sequence[str] = (),
        on_progress: Progress | None = None,
    ) -> LeakReport:
        """Return which items of a suite stand in train or dev of dataset versions, or in the pairs of runs."""
        # datasketch takes more than a second to import, and only this needs it.
        from core.services.sealed.compared import leaks_of_suite

        runs = self._pairs_of(run_ids, None)
        with self._store.read() as session:
            known = [repository.get(session, one) for one in versions]
            return leaks_of_suite(session, suite, known, runs=runs, on_progress=on_progress)

    def usage(self, wanted: int | str, split: Split = "test") -> UsageReport:
        """Return what the items of a split were used for; "Used to tune: none." is what a sealed test should say."""
        version = self._version(wanted)
        title = f"{version.title}, {'sealed test' if split == 'test' else split}"
        runs = self._runs.list()
        with self._store.read() as session:
            return usage.usage_of_split(session, version, split, title, runs)

    def usage_of_suite(self, suite: Suite) -> UsageReport:
        """Return what the items of a suite were used for."""
        with self._store.read() as session:
            return usage.usage_of_suite(session, suite)

    def record_use(
        self,
        kind: UseKind,
        by: str,
        *,
        by_id: str = "",
        dataset: int | str | None = None,
        split: Split = "dev",
        suite: str = "",
        ids: Sequence[str] = (),
        note: str = "",
    ) -> Outcome[RecordedUse]:
        """Record, for good, that items of a split or a suite decided something.

        Args:
            kind: what they decided; what runs do is derived and need not be recorded.
            by: the threshold, detector or run, by name.
            by_id: its id, where it has one.
            dataset: the dataset version whose split was used; or
            split: of the dataset version.
            suite: name of the suite that was used.
            ids: only these items.
            note: in words.

        Raises:
            UsageError: an unknown kind, no name, or neither or both of dataset and suite.
            NotFound: there is no such dataset version.
        """
        version = None if dataset is None else self._version(dataset)
        use = RecordedUse(
            kind,
            by.strip(),
            by_id,
            root_sha256=version.root_sha256 if version else "",
            split=split if version else "",
            suite=suite,
            ids=tuple(map(str, ids)),
            note=note,
        )
        of, context = f"{version.title}, {split}" if version else suite, self._store.write_context()

        def write(session: Session) -> None:
            item_uses.record(session, context, use, of)

        self._store.write(write, "recording what items were used for")
        return Outcome(use, Changes.DATASETS)

    def _version(self, wanted: int | str) -> DatasetVersion:
        with self._store.read() as session:
            return repository.get(session, wanted)

    def _with_test(self, wanted: int | str) -> DatasetVersion:
        version = self._version(wanted)
        if not version.counts.get("test"):
            raise NotFound(
                f"{version.title} has no test split, so there is nothing to seal.",
                "Freeze a version with a share for the test, such as splits=[0.8,0.1,0.1].",
            )
        return version

    def _newest_suites(self) -> list[Suite]:
        newest = {info.name: info for info in self._suites.list()}
        return [self._suites.get(info.title) for info in newest.values()]

    def _pairs_of(
        self, run_ids: Sequence[str], version: DatasetVersion | None
    ) -> list[tuple[str, Sequence[TrainingPair]]]:
        found: list[tuple[str, Sequence[TrainingPair]]] = []
        for run_id in run_ids:
            info = self._runs.info(run_id)
            if version is None or info.record.dataset.get("root_sha256") != version.root_sha256:
                found.append((info.name, self._runs.reader(run_id).folder.pairs()))
        return found
