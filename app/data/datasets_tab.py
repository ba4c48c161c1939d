"""Dataset versions: the list, and the page of the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.data.bar_list import BarList
from app.data.card_row import CardRow
from app.data.dataset_cards import CompositionCard, DifferenceCard, PolicyCard, ProofCard, RunsCard, title_of
from app.data.flow_picture import FlowPicture, Way
from app.local_time import local_time
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.coverage_grid import CoverageGrid
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.messages import EmptyState
from app.widgets.wrapped_list import WrappedList
from core.domain.dataset import DatasetDiff, DatasetVersion, LeftOut
from core.domain.dataset_view import Coverage, DatasetPart, DatasetView

_ID = Qt.ItemDataRole.UserRole
SLICES = (
    ("source", "by source"),
    ("split", "by split"),
    ("reviewer", "by reviewer"),
    ("rubric", "by rubric version"),
    ("length", "by answer length"),
    ("text_flag", "by text flag"),
)


class DatasetsTab(QWidget):
    """Frozen dataset versions of the workspace. ``pairs_wanted(ids, words)`` fires for a number that is opened."""

    pairs_wanted = Signal(object, str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._versions: list[DatasetVersion] = []
        self._wanted: int | None = None
        self.view: DatasetView | None = None
        theme = context.theme
        self.list = WrappedList("Dataset versions")
        self.title, self.frozen = ElideLabel("", kind="title", outside=True), Chip("", "accent")
        self.composition, self.difference = CompositionCard(theme), DifferenceCard()
        self.proof, self.policy, self.runs = ProofCard(theme), PolicyCard(), RunsCard()
        self.flow, self.left_out, self.coverage = FlowPicture(theme), BarList(theme), CoverageGrid(theme)
        self.slice_by = ComboBox()
        self._way_words, self._left_words = text_label("", "caption", wrap=True), Chip("")
        self._build()
        self._connect()

    @property
    def current(self) -> DatasetVersion | None:
        """The chosen version, or None."""
        place = self.list.currentRow()
        return self._versions[place] if 0 <= place < len(self._versions) else None

    @property
    def versions(self) -> list[DatasetVersion]:
        """All versions, newest first."""
        return self._versions

    def set_versions(self, versions: Sequence[DatasetVersion]) -> None:
        """Show the versions, newest first; the chosen one stays chosen."""
        chosen = self._wanted if self._wanted is not None else self.current.id if self.current else None
        self._versions = sorted(versions, key=lambda v: -v.id)
        self._stack.setCurrentIndex(1 if versions else 0)
        self.list.blockSignals(True)
        self.list.clear()
        for version in self._versions:
            item = QListWidgetItem(title_of(version), self.list)
            item.setData(_ID, version.id)
        place = next((i for i, v in enumerate(self._versions) if v.id == chosen), 0)
        self.list.blockSignals(False)
        self.list.setCurrentRow(place if self._versions else -1)
        if self._wanted is not None and any(v.id == self._wanted for v in self._versions):
            self._wanted = None

    def choose(self, dataset_id: int) -> None:
        """Choose a version by its id, now or as soon as it is in the list."""
        place = next((i for i, v in enumerate(self._versions) if v.id == dataset_id), -1)
        self._wanted = dataset_id if place < 0 else None
        if place >= 0:
            self.list.setCurrentRow(place)

    def show_difference(self, diff: DatasetDiff) -> None:
        """Show the difference to another version than the one before."""
        self.difference.show_difference(diff)
        self._scroll.ensureWidgetVisible(self.difference)

    def _build(self) -> None:
        theme, actions = self._context.theme, self._context.actions
        for key, words in SLICES:
            self.slice_by.addItem(words, key)
        self.slice_by.setAccessibleName("Slices of the coverage")
        self._scroll = ScrollColumn(margin=0, spacing=8, name="Dataset version")
        self._scroll.column.setContentsMargins(8, 0, 8, 8)
        way = Card("From import to freeze")
        way.add(self._way_words)
        way.add(self.flow, 1)
        left = Card("Left out")
        left.add_to_head(self._left_words)
        left.add(self.left_out)
        left.column.addStretch(1)
        covered = Card("Coverage")
        covered.add_to_head(self.slice_by)
        covered.add(
            text_label("Pairs a clause decided: a label prefers the chosen answer on it.", "caption", wrap=True)
        )
        covered.add(self.coverage, 1)
        self._scroll.column.addLayout(self._head())
        self._scroll.column.addWidget(self.composition)
        self._scroll.column.addWidget(CardRow([way, left]))
        self._scroll.column.addWidget(CardRow([covered, self.difference]))
        self._scroll.column.addWidget(self.policy)
        self._scroll.column.addWidget(CardRow([self.proof, self.runs]))
        self._scroll.column.addStretch(1)
        split = FoldingSplit((self.list, self._scroll), (220, 900), heights=(110, 400), least=(12, 28), grows=1)
        empty = EmptyState(
            theme,
            "snow",
            "No dataset version yet",
            "Freeze labels into a version that never changes; runs train on it.",
            main=("Freeze a dataset version…", lambda: actions.run("data.freeze")),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(split)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addWidget(self._stack, 1)

    def _head(self) -> FlowLayout:
        """Return the title of the version with what can be done with it."""
        theme, actions, row = self._context.theme, self._context.actions, FlowLayout()
        row.addWidget(self.title)
        row.addWidget(self.frozen)
        row.add_gap()
        for action_id, words in (("data.diff", "Compare…"), ("data.export", "Export…")):
            row.addWidget(action_button(actions, action_id, text=words, theme=theme))
        train = push_button("Train on it", "primary", theme=theme, icon="train")
        train.clicked.connect(self._train)
        row.addWidget(train)
        return row

    def _connect(self) -> None:
        self.list.currentRowChanged.connect(lambda _: self._read())
        self.slice_by.activated.connect(lambda _: self._read_coverage())
        self.composition.opened.connect(self._open_part)
        self.coverage.opened.connect(self._open_cell)
        self.left_out.opened.connect(self._open_left_out)
        self.difference.opened.connect(self.pairs_wanted)
        self.difference.pair_opened.connect(lambda pair: self._context.navigate("data", pair_id=pair))
        self.runs.opened.connect(lambda uid: self._context.navigate("runs", run_id=uid))

    def _read(self) -> None:
        """Read the page of the chosen version."""
        version = self.current
        if version is None:
            return
        service, key = self._context.services.datasets, version.id
        self._context.tasks.query(lambda: service.view(key), self._show, owner=self, key="view")
        self._read_coverage()

    def _read_coverage(self) -> None:
        version = self.current
        if version is not None:
            service, key, by = self._context.services.datasets, version.id, self.slice_by.currentData()
            self._context.tasks.query(
                lambda: service.coverage(key, by), self._show_coverage, owner=self, key="coverage"
            )

    def _show(self, view: DatasetView) -> None:
        self.view, version = view, view.version
        self.title.setText(version.title)
        by = f" by {version.created_by}" if version.created_by else ""
        by += f", signed off by {version.signed_off_by}" if version.signed_off_by else ""
        self.frozen.set_chip(f"frozen {local_time(version.created_ms)}{by}", "accent")
        way = Way.of(version)
        self._way_words.setText(way.sentence())
        self.flow.set_way(way)
        self._left_words.set_chip(f"{way.imported - way.frozen:,}")
        self.left_out.set_bars([(_capital(entry.reason), entry.count, entry) for entry in version.left_out])
        for card in (self.composition, self.policy, self.proof, self.runs):
            card.show_view(view)
        self.difference.show_difference(view.difference)

    def _show_coverage(self, coverage: Coverage) -> None:
        self.coverage.set_coverage(coverage)

    def _open_left_out(self, entry: LeftOut) -> None:
        """Open the pairs that were left out for one reason; of very many the version keeps the first."""
        if self.view is not None:
            some = f", the first {len(entry.pair_ids):,}" if len(entry.pair_ids) < entry.count else ""
            self.pairs_wanted.emit(entry.pair_ids, f"Left out of {self.view.version.title}: {entry.reason}{some}")

    def _open_part(self, part: DatasetPart, words: str) -> None:
        """Open the pairs of a part of the version."""
        if self.view is not None:
            service, key = self._context.services.datasets, self.view.version.id
            self._context.tasks.query(
                lambda: tuple(service.pairs_of(key, part)),
                partial(self._want, words),
                owner=self,
                key="part",
            )

    def _want(self, words: str, ids: tuple[int, ...]) -> None:
        self.pairs_wanted.emit(ids, words)

    def _open_cell(self, clause: str, key: str) -> None:
        words = clause or "no clause answered"
        part = DatasetPart.of_slice(self.slice_by.currentData(), key, clause)
        self._open_part(part, f"{self.title.text()}: {words}")

    def _train(self) -> None:
        if self.current is not None:
            self._context.navigate("train", dataset_id=self.current.id)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
