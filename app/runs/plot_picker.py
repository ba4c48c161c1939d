"""The plot picker: which plots are shown, found by name, under headings, and in how many columns."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.inputs import SearchField, SegmentedControl
from app.widgets.labels import Chip, text_label
from app.widgets.plots.plot_layout import MOST_COLUMNS, PlotLayout
from app.widgets.plots.run_plots import GROUPS, PLOTS

_WIDTH, _HEIGHT = 300, 540
_MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class PlotPicker(QFrame):
    """A popup under the button. Each change shows at once; Alt with up and down moves the plot of the focused box.

    Signals:
        changed(PlotLayout): the user chose.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget, theme: Theme, layout: PlotLayout) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.layout_now = layout
        self.setWindowTitle("Plots")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        frame = QFrame()
        frame.setProperty("part", "popup")
        outer.addWidget(frame)
        column = QVBoxLayout(frame)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(8)
        column.addLayout(self._head())
        self.search = SearchField(theme, "Find a plot…", delay_ms=60)
        self.search.searched.connect(self.narrow)
        column.addWidget(self.search)
        column.addWidget(self._list(), 1)
        column.addLayout(self._foot())
        self._show()
        self.resize(theme.px(_WIDTH), theme.px(_HEIGHT))

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(text_label("Plots", "section"))
        self.count = Chip("")
        row.addWidget(self.count)
        row.addStretch(1)
        self.reset = push_button("Reset", "link", tooltip="The plots of a new workspace")
        self.reset.clicked.connect(lambda: self._take(PlotLayout()))
        row.addWidget(self.reset)
        return row

    def _list(self) -> ScrollColumn:
        found = ScrollColumn(name="Plots by group", spacing=4)
        self.boxes: dict[str, QCheckBox] = {}
        self._places: dict[str, QLabel] = {}
        self._heads: dict[str, QLabel] = {}
        for group in GROUPS:
            self._heads[group] = text_label(group, "muted")
            found.column.addWidget(self._heads[group])
            for kind in (plot for plot in PLOTS if plot.group == group):
                row = QHBoxLayout()
                box = self.boxes[kind.key] = QCheckBox(kind.title)
                box.setAccessibleName(kind.title)
                box.setToolTip("Alt+Up and Alt+Down move the plot")
                box.toggled.connect(lambda on, key=kind.key: self._take(self.layout_now.switched(key, on)))
                box.installEventFilter(self)
                place = self._places[kind.key] = text_label("", "caption")
                row.addWidget(box, 1)
                row.addWidget(place)
                found.column.addLayout(row)
        self.nothing = text_label("No plot has that name.", "muted")
        found.column.addWidget(self.nothing)
        found.column.addStretch(1)
        return found

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(text_label("Columns", "caption"))
        self.columns = SegmentedControl("Columns", [(n, str(n)) for n in range(1, MOST_COLUMNS + 1)])
        self.columns.changed.connect(lambda n: self._take(PlotLayout(self.layout_now.shown, int(n))))
        row.addWidget(self.columns)
        row.addStretch(1)
        row.addWidget(text_label("for this workspace", "caption"))
        return row

    def narrow(self, text: str) -> None:
        """Show the plots whose name holds a text, and the headings of those."""
        wanted = text.strip().lower()
        for kind in PLOTS:
            there = wanted in kind.title.lower()
            self.boxes[kind.key].setVisible(there)
            self._places[kind.key].setVisible(there)
        for group, head in self._heads.items():
            head.setVisible(any(kind.group == group and wanted in kind.title.lower() for kind in PLOTS))
        self.nothing.setVisible(not any(wanted in kind.title.lower() for kind in PLOTS))

    def _take(self, layout: PlotLayout) -> None:
        """Show another layout and tell of it; the last plot cannot be switched off."""
        before, self.layout_now = self.layout_now, layout
        self._show()
        if layout != before:
            self.changed.emit(layout)

    def _show(self) -> None:
        shown = self.layout_now.shown
        self.count.set_chip(f"{len(shown)} of {len(PLOTS)}", "neutral")
        for key, box in self.boxes.items():
            box.blockSignals(True)
            box.setChecked(key in shown)
            box.blockSignals(False)
            self._places[key].setText(f"{shown.index(key) + 1}" if key in shown else "")
        self.columns.set_value(self.layout_now.columns)
        self.narrow(self.search.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move the plot of the focused box."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            by = _MOVES.get(Qt.Key(event.key()))
            if by is not None and event.modifiers() & Qt.KeyboardModifier.AltModifier:
                key = next(key for key, box in self.boxes.items() if box is watched)
                self._take(self.layout_now.moved(key, by))
                return True
        return super().eventFilter(watched, event)

    def show_under(self, button: QWidget) -> None:
        """Open below a button, inside its screen."""
        corner = button.mapToGlobal(QPoint(button.width() - self.width(), button.height() + 4))
        screen = button.screen() or QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        self.resize(self.width(), min(self.height(), room.height() - 8))
        corner.setX(min(max(corner.x(), room.left()), room.right() - self.width()))
        corner.setY(min(corner.y(), room.bottom() - self.height()))
        self.move(corner)
        self.show()
        self.search.setFocus()
