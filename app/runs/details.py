"""The tabs under the plots: pairs of a step, worst margins, samples, log, frozen configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QHeaderView, QPlainTextEdit, QTableWidget, QTableWidgetItem

from app.runs import presenter
from app.runs.sample_view import SampleView
from app.theme.theme import Theme
from app.widgets.controls import TabWidget
from app.widgets.pair_table import PairTable
from core.domain.counting import counted
from core.domain.run_events import SampleDone

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.runs.lineage import LineageRow

LEAST_PX = 96


class DetailTabs(TabWidget):
    """Tabs of one run; ``pair_opened(str)`` fires when a pair is activated."""

    pair_opened = Signal(str)
    worst_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._samples: tuple[SampleDone, ...] | None = None
        self._snapshot: presenter.MonitorData | None = None
        self.setDocumentMode(True)
        self.setAccessibleName("Details of the run")
        self.step_pairs, self.worst = PairTable(theme), PairTable(theme)
        self.samples = SampleView(theme)
        self.log = _text_view("Log of the run", mono=True)
        self.config = QTableWidget(0, 2)
        self.config.setAccessibleName("Frozen configuration")
        self.config.setHorizontalHeaderLabels(["Setting", "Value"])
        self.config.verticalHeader().hide()
        self.config.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.config.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.config.setColumnWidth(0, theme.px(220))
        for widget, title in (
            (self.step_pairs, "Pairs of a step"),
            (self.worst, "Worst margins"),
            (self.samples, "Samples"),
            (self.log, "Log"),
            (self.config, "Config"),
        ):
            self.addTab(widget, title)
        self.step_pairs.opened.connect(self.pair_opened)
        self.worst.opened.connect(self.pair_opened)
        self.currentChanged.connect(self._turned)
        self._take_room()

    def event(self, event: QEvent) -> bool:
        """Ask for another height when the samples need more or less of it."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._take_room()
        return done

    def _take_room(self) -> None:
        """Be as high as the samples need: lists and texts scroll in whatever height they get."""
        shown = self.currentWidget()
        needed = self.tabBar().height() + shown.minimumSizeHint().height() if shown is self.samples else 0
        self.setMinimumHeight(max(LEAST_PX, needed))

    def show_step(self, first: int, last: int, rows: Sequence[LineageRow]) -> None:
        """List the pairs of a step or a range."""
        name = f"step {first}" if first == last else f"steps {first} to {last}"
        words = f"{name.capitalize()}: {counted(len(rows), 'pair')}"
        self.setTabText(0, words if rows or last else "Pairs of a step")
        self.step_pairs.set_rows(rows)

    def show_pairs_of(self, title: str, rows: Sequence[LineageRow]) -> None:
        """List pairs that were chosen by something other than a step, under a title of their own."""
        self.setTabText(0, title)
        self.step_pairs.set_rows(rows)

    def show_worst(self, rows: Sequence[LineageRow]) -> None:
        """List the worst margins, and say of which pairs at which step they are."""
        self.worst.set_rows(rows, self.worst.current_pair())
        steps = {row.step for row in rows}
        kind = {"dev": "held-out", "probe_train": "train probe"}.get(rows[0].kind, "") if rows else ""
        where = f"{kind} at step {steps.pop()}" if kind and len(steps) == 1 else "training, last visits"
        self.setTabText(self.indexOf(self.worst), f"Worst margins, {where}" if rows else "Worst margins")

    def show_nothing(self) -> None:
        """Clear both lists: another run was chosen."""
        self.show_step(0, 0, [])
        self.show_worst([])

    def show_snapshot(self, snapshot: presenter.MonitorData) -> None:
        """Take samples, log and configuration; only the tab at the front is filled, because this is called often."""
        self._snapshot = snapshot
        self._fill()

    def _fill(self) -> None:
        snapshot, shown = self._snapshot, self.currentWidget()
        if snapshot is None:
            return
        if shown is self.log:
            _set_text(self.log, "\n".join(snapshot.log))
        elif shown is self.samples and snapshot.samples != self._samples:
            self._samples = snapshot.samples
            self.samples.set_samples(snapshot.samples, presenter.sample_cadence(snapshot))
        elif shown is self.config:
            self._fill_config(snapshot)

    def _fill_config(self, snapshot: presenter.MonitorData) -> None:
        lines = presenter.config_lines(snapshot)
        if self.config.rowCount() != len(lines) or self.config.property("run") != snapshot.run_id:
            self.config.setProperty("run", snapshot.run_id)
            self.config.setRowCount(len(lines))
            for row, (name, value) in enumerate(lines):
                self.config.setItem(row, 0, QTableWidgetItem(name))
                self.config.setItem(row, 1, QTableWidgetItem(value))

    def _turned(self, _place: int) -> None:
        if self.currentWidget() is self.worst:
            self.worst_wanted.emit()
        self._fill()
        self._take_room()

    def current_row(self) -> LineageRow | None:
        """Return the row selected in the table at the front."""
        table = self.currentWidget()
        return table.current_row() if isinstance(table, PairTable) else None


def _text_view(name: str, *, mono: bool = False) -> QPlainTextEdit:
    view = QPlainTextEdit()
    view.setReadOnly(True)
    view.setAccessibleName(name)
    view.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    view.setProperty("mono", mono)
    return view


def _set_text(view: QPlainTextEdit, text: str) -> None:
    """Replace the text only when it changed; stay at the end unless the reader scrolled back."""
    if view.toPlainText() == text:
        return
    bar = view.verticalScrollBar()
    at_end, place = bar.value() >= bar.maximum() - 4, bar.value()
    view.setPlainText(text)
    bar.setValue(bar.maximum() if at_end else place)
