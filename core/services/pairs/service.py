"""Pairs: pages and filters of the pair table, one pair with its whole history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.domain.judgement import Judgement
from core.domain.pair import Pair
from core.domain.pair_table import (
    IndexState,
    LabelFilter,
    PairDetail,
    PairFilter,
    PairInDataset,
    PairInRun,
    PairInSource,
    PairSummary,
    SourceInfo,
)
from core.services.pairs.table_export import TableReport, export_table
from core.services.pairs.tags import PairTagsService
from core.store import judgement_views, sources
from core.store import pairs as repository
from core.store.search.index import SearchIndex
from core.store.search.matching import Stop
from core.store.sqlite.database import Store

__all__ = [
    "IndexState",
    "LabelFilter",
    "PairDetail",
    "PairFilter",
    "PairInDataset",
    "PairInRun",
    "PairInSource",
    "PairSummary",
    "PairsService",
    "SourceInfo",
    "TableReport",
]


class PairsService:
    """Reads pairs. A large table keeps the ids only and reads the rows that it shows.

    Attributes:
        tags: puts tags on pairs and takes them off.
    """

    def __init__(self, store: Store) -> None:
        self._store, self.tags = store, PairTagsService(store)
        self._index = SearchIndex(store.folder, store.uuid, read_only=store.read_only)

    def page(self, wanted: PairFilter | None = None, after_id: int = 0, limit: int = 256) -> list[PairSummary]:
        """Return the next rows behind the pair ``after_id`` in the order of the filter; 0 for the first ones."""
        with self._store.read() as session:
            found = repository.page_ids(session, wanted or PairFilter(), after_id or None, limit, self._index)
            return repository.rows(session, found, self.tags.read(session))

    def ids(self, wanted: PairFilter | None = None, stop: Stop | None = None) -> list[int]:
        """Return the ids of all pairs that pass the filter, in its order.

        Args:
            wanted: the filter; every pair when None.
            stop: asked now and then while texts are read; True ends the search.

        Raises:
            UserError: ``stop`` said so.
        """
        with self._store.read() as session:
            return repository.ids(session, wanted or PairFilter(), self._index, stop)

    def first_ids(self, wanted: PairFilter, limit: int = 256) -> list[int] | None:
        """Return the first ids of :meth:`ids` where they are found sooner than all of them: a search and no more.

        Fewer than ``limit`` are all; None where ``ids`` is no slower.
        """
        if not wanted.text.strip() or wanted != PairFilter(text=wanted.text):
            return None
        with self._store.read() as session:
            return repository.page_ids(session, wanted, None, limit, self._index)

    def rows(self, pair_ids: Sequence[int]) -> list[PairSummary]:
        """Return the rows of these pairs in the order asked for; unknown ids are left out."""
        with self._store.read() as session:
            return repository.rows(session, pair_ids, self.tags.read(session))

    def count(self, wanted: PairFilter | None = None) -> int:
        """Return how many pairs pass the filter."""
        with self._store.read() as session:
            return repository.count(session, wanted or PairFilter(), self._index)

    def index_state(self) -> IndexState:
        """Return how many pairs the search index holds; of the others a search reads the texts, which takes longer."""
        with self._store.read() as session:
            return self._index.state(session)

    def advance_index(self, most: int = 1000) -> IndexState:
        """Add up to ``most`` pairs to the search index (about 0.2 ms each) and return how far it reaches then.

        Call it until the state is complete, or no longer grows: the disk may be full.
        """
        with self._store.read() as session:
            return self._index.advance(session, most)

    def detail(self, pair_id: int) -> PairDetail:
        """Return everything known about one pair.

        Raises:
            NotFound: when there is none with this id.
        """
        with self._store.read() as session:
            return repository.detail(session, pair_id, self.tags.read(session))

    def texts(self, pair_ids: Sequence[int]) -> dict[int, Pair]:
        """Return the full texts of these pairs with their generation records."""
        with self._store.read() as session:
            return {key: pair for key, (_, pair) in repository.texts(session, pair_ids).items()}

    def judgements(self, pair_ids: Sequence[int]) -> dict[int, list[Judgement]]:
        """Return every judgement of these pairs, oldest first; pairs without one are left out."""
        with self._store.read() as session:
            return judgement_views.of_pairs(session, pair_ids)

    def sources(self) -> list[SourceInfo]:
        """Return every source of pairs, for the filter."""
        with self._store.read() as session:
            return sources.listed(session)

    def export_table(self, path: Path | str, wanted: PairFilter | None = None, *, replace: bool = False) -> TableReport:
        """Write the pairs that pass as CSV with their current labels, and a manifest beside it.

        Cells that a spreadsheet would run as formulas get an apostrophe in front. Importing the file removes it as
        long as the manifest is beside the file.

        Raises:
            BadInput: the name does not end in .csv, or a file is there and ``replace`` is not said.
        """
        with self._store.read() as session:
            tags = self.tags.read(session)
            return export_table(session, Path(path), wanted or PairFilter(), tags, replace=replace)
