"""Which rows of a ledger count after a resume.

Attempt k continues from the step ``resumed_from`` of a checkpoint. Rows that earlier attempts recorded after that step
belong to weights that no longer exist: they stay in the file, but readers leave them out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps up to which each attempt counts.

    Attributes:
        limits: by attempt, the last step that counts; None is unlimited. An attempt that a later one
            restarted from the beginning has limit -1: not even its step 0 counts.
    """

    limits: tuple[tuple[int, int | None], ...] = ()

    @classmethod
    def of(cls, attempts: Iterable[tuple[int, int]]) -> Timeline:
        """Build the timeline of ``(attempt, resumed_from)``."""
        limits: list[tuple[int, int | None]] = []
        cut: int | None = None
        for attempt, resumed_from in sorted(attempts, reverse=True):
            limits.append((attempt, cut))
            here = resumed_from if resumed_from > 0 else -1
            cut = here if cut is None else min(cut, here)
        return cls(tuple(reversed(limits)))

    def shows(self, attempt: int, step: int) -> bool:
        """Return whether a row counts."""
        for number, limit in self.limits:
            if number == attempt:
                return limit is None or step <= limit
        return True

    def where(self) -> str:
        """Return an SQL condition over the columns ``attempt`` and ``step``."""
        cuts = [f"(attempt = {int(a)} AND step > {int(limit)})" for a, limit in self.limits if limit is not None]
        return f"NOT ({' OR '.join(cuts)})" if cuts else "1"


def read_timeline(connection: sqlite3.Connection) -> Timeline:
    """Return the timeline of an open ledger."""
    rows = connection.execute("SELECT attempt, resumed_from FROM attempts ORDER BY attempt")
    return Timeline.of((row[0], row[1]) for row in rows)
