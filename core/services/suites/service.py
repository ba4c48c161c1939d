"""Suites: list, read, import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.domain.changes import Changes, Outcome
from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.names import checked_name
from core.domain.suite import Suite, SuiteInfo, SuiteSlice, slices_of, split_title
from core.services.suites.built_in import built_in_suites, find_built_in, info_of
from core.store import events
from core.store import suites as repository
from core.store.sqlite.database import Session, Store

__all__ = ["StoredSuite", "Suite", "SuiteInfo", "SuiteSlice", "SuiteView", "SuitesService"]


@dataclass(frozen=True, slots=True)
class StoredSuite:
    """What became of items that were to be stored.

    Attributes:
        info: the version that holds them.
        is_new: False where the newest version of the name held the same items already; nothing was stored then.
    """

    info: SuiteInfo
    is_new: bool


@dataclass(frozen=True, slots=True)
class SuiteView:
    """A suite with all that its page shows."""

    info: SuiteInfo
    suite: Suite
    slices: tuple[SuiteSlice, ...]


class SuitesService:
    """Reads the built-in suites and those of the workspace, and imports new ones."""

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
