"""What an import would do with every row of a file, without storing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.services.importing.process.batches import PairSource
from core.services.importing.rejects import RejectList
from core.services.importing.report import Cancelled, ImportProgress, OnProgress
from core.services.importing.rows import Reject
from core.store import imports as repository
from core.store.import_rows import NewRow
from core.store.sqlite.database import Store

_ROWS, _REASONS = 1000, 20
_COUNTS = ("rows", "imported", "duplicates", "repeats", "rejected", "pairs", "labels")
_DIGEST = 16  # bytes of a hash that are remembered of each pair: 128 bits tell all pairs of a file apart


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an import would count; ``rows = imported + duplicates + repeats + rejected``.

    The counts are those of :class:`~core.services.importing.report.ImportReport`.

    Attributes:
        pairs: new pairs.
        labels: labels that come along with all good rows, those that are stored already included.
        reasons: why rows are rejected, the most frequent first, with the number of rows.
        rejects: the first of them.
    """

    rows: int = 0
    imported: int = 0
    duplicates: int = 0
    repeats: int = 0
    rejected: int = 0
    pairs: int = 0
    labels: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()


def forecast_of(
    store: Store, source: PairSource, on_progress: OnProgress | None = None, cancelled: Cancelled | None = None
) -> tuple[Forecast, RejectList]:
    """Read every record of a file and return what would become of it, and the list of rejects.

    Args:
        store: the workspace that is asked for known pairs.
        source: of the pairs; :meth:`PairSource.found` was called.
        on_progress: called about every thousand records.
        cancelled: polled; True stops after the current records, and the counts are of those before.
    """
    counter, rejects = _Counter(store), RejectList()
    for batch in source.batches(_ROWS):
        for entry in batch.rejects:
            rejects.add(entry.line, entry.reason)
        counter.add(batch.rows, len(batch.rejects))
        if on_progress is not None:
            on_progress(counter.progress(batch.position, source.size))
        if cancelled is not None and cancelled():
            break
    return counter.forecast(rejects), rejects


class _Counter:
    """Counts rows as ``core.store.imports.add_batch`` does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: set[bytes] = set()
        self._counts: dict[str, int] = dict.fromkeys(_COUNTS, 0)

    def add(self, rows: list[NewRow], rejected: int) -> None:
        """Count some records and the rejects among them."""
        counts = self._counts
        counts["rows"] += sum(row.records for row in rows) + rejected
        counts["rejected"] += rejected
        with self._store.read() as session:
            known = repository.known_pairs(session, (pair.sha256 for row in rows for pair in row.pairs))
        for row in rows:
            counts[self._kind(row, known)] += row.records
            counts["labels"] += sum(len(pair.labels) for pair in row.pairs)

    def forecast(self, rejects: RejectList) -> Forecast:
        """Return the counts."""
        reasons = dict(rejects.reasons.most_common(_REASONS))
        return Forecast(**self._counts, reasons=reasons, rejects=rejects.first())

    def progress(self, position: int, size: int) -> ImportProgress:
        """Return how far it is; ``position`` of ``size`` bytes are read."""
        counts = self._counts
        return ImportProgress(
            position, size, counts["rows"], counts["imported"], counts["duplicates"], counts["rejected"]
        )

    def _kind(self, row: NewRow, known: set[str]) -> str:
        """Note the pairs of a row and return which count it belongs to."""
        here = {bytes.fromhex(pair.sha256)[:_DIGEST]: pair.sha256 in known for pair in row.pairs}
        repeated = self._seen.issuperset(here)
        fresh = sum(not is_known for digest, is_known in here.items() if digest not in self._seen)
        self._seen.update(here)
        self._counts["pairs"] += fresh
        return "imported" if fresh else "repeats" if repeated else "duplicates"
