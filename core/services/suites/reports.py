"""What the service of suites returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.suite import Suite, SuiteInfo, SuiteItem, SuiteSlice
from core.services.importing.rows import Reject
from core.services.suites.columns import SuiteColumn


@dataclass(frozen=True, slots=True)
class SuiteView:
    """A suite with all that its page shows."""

    info: SuiteInfo
    suite: Suite
    slices: tuple[SuiteSlice, ...]


@dataclass(frozen=True, slots=True)
class StoredSuite:
    """What became of items that were to be stored.

    Attributes:
        info: the version that holds them.
        is_new: False where the newest version of the name held the same items already; nothing was stored then.
        notes: what should be known of the items, one sentence each.
    """

    info: SuiteInfo
    is_new: bool
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        if self.is_new:
            return f"{self.info.title} is stored: {self.info.sha256}"
        return f"{self.info.title} holds these items already; nothing was stored."


@dataclass(frozen=True, slots=True)
class SuiteImport:
    """What became of the rows of a file: rows = items + repeats + rejected.

    Attributes:
        stored: None after a dry run.
        kind: of the file, in words. columns: what each of its columns became.
        items: of the suite. repeats: rows that ask the same as an earlier one.
        reasons: (why rows were rejected, how many, first line), the most frequent first.
        first_rejects, first_repeats, first_items: some of each; a repeat names its line and the earlier one.
        rejects_file: the list of all rejected rows, empty where there are none.
        notes: what was not as usual in the file.
    """

    stored: StoredSuite | None
    kind: str
    columns: tuple[SuiteColumn, ...]
    rows: int
    items: int
    repeats: int
    rejected: int
    slices: tuple[SuiteSlice, ...] = ()
    reasons: tuple[tuple[str, int, int], ...] = ()
    first_rejects: tuple[Reject, ...] = ()
    first_repeats: tuple[tuple[int, int], ...] = ()
    first_items: tuple[SuiteItem, ...] = ()
    rejects_file: str = ""
    notes: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        stored = self.stored
        return {
            "title": stored.info.title if stored else None,
            "sha256": stored.info.sha256 if stored else None,
            "is_new": stored.is_new if stored else None,
            "kind": self.kind,
            "rows": self.rows,
            "items": self.items,
            "repeats": self.repeats,
            "rejected": self.rejected,
            "columns": {column.name: column.becomes for column in self.columns},
            "slices": [slice_plain(one) for one in self.slices],
            "reasons": [{"reason": reason, "count": count, "line": line} for reason, count, line in self.reasons],
            "rejects_file": self.rejects_file or None,
            "notes": list(self.notes),
        }


def slice_plain(one: SuiteSlice) -> dict[str, Any]:
    """Return a slice as plain values."""
    return {"name": one.name, "value": one.value, "n": one.n, "enough": one.enough}
