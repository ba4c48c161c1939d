"""Suites: list, read, import, make of the workspace's own pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from core.domain.changes import Changes, Outcome
from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.names import checked_name, cleaned_name
from core.domain.pair_table import PairFilter
from core.domain.suite import Expected, Suite, SuiteInfo, SuiteSlice, slices_of, split_title
from core.durable import file_sha256
from core.services.importing.files.kinds import plain_name
from core.services.suites.built_in import built_in_suites, find_built_in, info_of
from core.services.suites.columns import FIELDS, SuiteChoices
from core.services.suites.from_workspace import OF_PROMPTS, items_of_dev, items_of_pairs
from core.services.suites.reports import StoredSuite, SuiteImport, SuiteView
from core.services.suites.suite_file import Cancelled, OnRows, SuiteReading, read_suite_file
from core.store import events, pairs
from core.store import suites as repository
from core.store.search.index import SearchIndex
from core.store.sqlite.database import Session, Store

__all__ = [
    "FIELDS",
    "OF_PROMPTS",
    "StoredSuite",
    "Suite",
    "SuiteChoices",
    "SuiteImport",
    "SuiteInfo",
    "SuiteSlice",
    "SuiteView",
    "SuitesService",
]
_SHOWN = 20


class SuitesService:
    """Reads the built-in suites and those of the workspace, and stores new ones."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[SuiteInfo]:
        """Return the built-in suites, then every version of the workspace's own, oldest first."""
        with self._store.read() as session:
            return [*map(info_of, built_in_suites()), *repository.listed(session)]

    def get(self, wanted: str) -> Suite:
        """Return a suite by its title ("look-alikes v1"), or the newest version of a name.

        Raises:
            NotFound: when there is none.
        """
        return self.show(wanted).suite

    def show(self, wanted: str) -> SuiteView:
        """Return a suite with its identity and the sizes of its slices.

        Raises:
            NotFound: when there is none.
        """
        suite = find_built_in(wanted)
        if suite is not None:
            info = info_of(suite)
        else:
            with self._store.read() as session:
                info, suite = repository.find(session, wanted), repository.get(session, wanted)
        return SuiteView(info, suite, tuple(slices_of(suite.items)))

    def import_(
        self,
        path: Path,
        name: str = "",
        *,
        choices: SuiteChoices | None = None,
        licence: str = "",
        description: str = "",
        on_rows: OnRows | None = None,
        cancelled: Cancelled | None = None,
    ) -> Outcome[SuiteImport]:
        """Store the items of a file as the next version of a suite; every row is accounted for.

        Args:
            path: JSON Lines, JSON or CSV, plain or packed.
            name: of the suite; the file's name when empty.
            choices: what the user says about the file.
            licence: of the items, in words.
            description: what they are for.
            on_rows: told now and then how many rows were read.
            cancelled: asked as often; True ends the import.

        Raises:
            BadInput: the file or the name cannot be used; nothing was stored.
            UsageError: something must be chosen first, or a choice contradicts the file; nothing was stored.
        """
        name = free_name(name or cleaned_name(plain_name(path), "suite"))
        read = read_suite_file(path, choices or SuiteChoices(), on_rows, cancelled)
        detail = {
            "file": path.name,
            "file_sha256": file_sha256(path),
            "rows": read.rows,
            "repeats": len(read.repeats),
            "rejected": read.rejects.count,
            "columns": {column.name: column.becomes for column in read.bound.columns},
            "expected": read.bound.expected or dict(read.bound.values),
        }
        suite = Suite(name, 1, read.items, "import", licence.strip(), description.strip())
        stored = self.add(suite, detail)
        rejects = read.rejects.save(self._store.folder, f"suite-{stored.value.info.id}")
        return Outcome(_report(read, stored.value, str(rejects or "")), stored.changes)

    def preview(self, path: Path, choices: SuiteChoices | None = None) -> SuiteImport:
        """Return what :meth:`import_` would do with every row; nothing is stored.

        Raises:
            BadInput, UsageError: see :meth:`import_`.
        """
        return _report(read_suite_file(path, choices or SuiteChoices()), None)

    def from_pairs(
        self, name: str, wanted: PairFilter, expected: Expected, *, licence: str = "", description: str = ""
    ) -> Outcome[StoredSuite]:
        """Store the different prompts of the pairs that pass a filter; those of sealed test splits are left out.

        Raises:
            BadInput: nothing passes, or the name or the expectation cannot be used; nothing was stored.
        """
        name = free_name(name)
        with self._store.read() as session:
            index = SearchIndex(self._store.folder, self._store.uuid, read_only=self._store.read_only)
            found = items_of_pairs(session, pairs.ids(session, wanted, index), expected)
        detail = {
            "filter": {key: value for key, value in asdict(wanted).items() if value not in (None, "", False)},
            "pairs": found.pairs,
            "sealed_prompts_left_out": found.sealed,
            "prompts_in_train_splits": found.trained,
        }
        suite = Suite(name, 1, found.items, "workspace", licence.strip(), description.strip())
        outcome = self.add(suite, detail)
        return replace(outcome, value=replace(outcome.value, notes=found.notes()))

    def from_dataset(self, wanted: int | str, name: str = "", *, description: str = "") -> Outcome[StoredSuite]:
        """Store the dev split of a dataset version as preferences. The test split stays sealed.

        Args:
            wanted: id, title or name of the dataset version.
            name: of the suite; that of the dataset with "dev" when empty.
            description: what the items are for.

        Raises:
            NotFound: there is no such version.
            BadInput: its dev split is empty, or the name cannot be used; nothing was stored.
        """
        with self._store.read() as session:
            version, items = items_of_dev(session, wanted)
        detail = {"dataset": version.title, "root_sha256": version.root_sha256, "split": "dev"}
        return self.add(Suite(name or f"{version.name} dev", 1, items, "dataset", "", description.strip()), detail)

    def add(self, suite: Suite, detail: Mapping[str, Any] | None = None) -> Outcome[StoredSuite]:
        """Store items as the next version of the suite's name; the same items again are not stored.

        Args:
            suite: its number is not read.
            detail: where the items come from, as plain values.

        Raises:
            BadInput: the name is none, or that of a built-in suite; nothing was stored.
        """
        suite = replace(suite, name=free_name(suite.name))
        now = self._store.write_context()

        def write(session: Session) -> StoredSuite:
            before = repository.newest_of(session, suite.name)
            if before is not None and before.sha256 == suite.sha256:
                return StoredSuite(before, False)
            made = repository.add(session, suite, now, detail)
            summary = f"Stored suite {made.title}: {counted(made.n, 'item')}"
            told = {"sha256": made.sha256, "items": made.n}
            events.log(session, now, "suite.add", summary, subject="suite", subject_id=made.id, detail=told)
            return StoredSuite(made, True)

        stored = self._store.write(write, "storing a suite")
        return Outcome(stored, Changes.SUITES if stored.is_new else Changes.NOTHING)


def free_name(name: str) -> str:
    """Return the name of a suite as it is stored.

    Raises:
        BadInput: it is none, looks like a title, or is that of a built-in suite.
    """
    name = checked_name(" ".join(name.split(" ")), "suite")
    if split_title(name)[1]:
        raise BadInput(f"{name!r} ends like the number of a version; nothing was stored.", "Leave the number out.")
    if find_built_in(name) is not None:
        raise BadInput(f"The name {name!r} belongs to a built-in suite; nothing was stored.", "Choose another name.")
    return name


def _report(read: SuiteReading, stored: StoredSuite | None, rejects_file: str = "") -> SuiteImport:
    return SuiteImport(
        stored=stored,
        kind=read.kind,
        columns=read.bound.columns,
        rows=read.rows,
        items=len(read.items),
        repeats=len(read.repeats),
        rejected=read.rejects.count,
        slices=tuple(slices_of(read.items)),
        reasons=tuple(read.rejects.told()),
        first_rejects=read.rejects.first(_SHOWN),
        first_repeats=read.repeats[:_SHOWN],
        first_items=read.items[:5],
        rejects_file=rejects_file,
        notes=read.notes,
    )
