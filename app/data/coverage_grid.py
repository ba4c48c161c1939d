"""Clauses by slices: how many items each clause decided, as a grid of buttons that open their pairs."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import clear_layout
from app.widgets.labels import ElideLabel, plain_tip, text_label
from core.domain.dataset_view import Coverage

THIN = 10
"""Fewer items than this are marked as few."""
MOST_SLICES = 8


class CoverageGrid(QWidget):
    """Shows a :class:`Coverage`; ``opened(clause key, slice key)`` fires for a cell, with "" for all slices."""

    opened = Signal(str, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2)
        self._grid.setVerticalSpacing(2)
        self._note = text_label("", "hint", wrap=True)
        column.addLayout(self._grid)
        row = QHBoxLayout()
        row.addWidget(self._note, 1)
        column.addLayout(row)
        column.addStretch(1)

    def set_coverage(self, coverage: Coverage) -> None:
        """Show other counts; of more than ``MOST_SLICES`` slices the largest."""
        clear_layout(self._grid)
        slices = sorted(coverage.slices, key=lambda one: -coverage.sizes.get(one[0], 0))[:MOST_SLICES]
        for place, (_, name) in enumerate(slices, 1):
            self._grid.addWidget(ElideLabel(name, kind="caption"), 0, place, Qt.AlignmentFlag.AlignBottom)
        self._grid.addWidget(text_label("All", "caption"), 0, len(slices) + 1, Qt.AlignmentFlag.AlignRight)
        most = max(coverage.cells.values(), default=1) or 1
        empty = thin = 0
        for row, (clause, words) in enumerate(coverage.clauses, 1):
            self._grid.addWidget(ElideLabel(words), row, 0)
            for place, (key, name) in enumerate(slices, 1):
                count = coverage.cells.get((clause, key), 0)
                decided = bool(clause)
                empty += decided and not count
                thin += decided and 0 < count < THIN
                self._grid.addWidget(self._cell(clause, key, words, name, count, count / most), row, place)
            self._grid.addWidget(self._cell(clause, "", words, "all", coverage.all_of.get(clause, 0), None), row, 99)
        self._grid.setColumnStretch(0, 2)
        for place in range(1, len(slices) + 1):
            self._grid.setColumnStretch(place, 1)
        self._note.setText(_note(empty, thin, len(coverage.slices) - len(slices), bool(coverage.clauses)))

    def _cell(self, clause: str, key: str, words: str, name: str, count: int, share: float | None) -> QPushButton:
        """Return the button of a cell: an empty one is marked by a sign and a frame, a thin one by its colour."""
        tokens = self._theme.tokens
        button = QPushButton(f"{'⚠ ' if clause and not count and share is not None else ''}{count:,}")
        button.setAccessibleName(f"{words}, {name}: {count:,} pairs")
        button.setToolTip(plain_tip(f"{words}, {name}: {count:,} pairs"))
        button.setEnabled(count > 0)
        button.clicked.connect(partial(self.opened.emit, clause, key))
        tone = ""
        if share is not None and clause:
            tone = "empty" if not count else "thin" if count < THIN else ""
        surface, ink, frame = tokens["surface"], tokens["text"], "transparent"
        if tone:
            pair = ("bad_soft", "bad") if tone == "empty" else ("warn_soft", "warn")
            surface, ink = tokens[pair[0]], tokens[pair[1]]
            frame = tokens["bad"] if tone == "empty" else "transparent"
        elif share is not None and count:
            surface = _mixed(tokens.colour("surface"), tokens.colour("plot_chosen"), 0.12 + 0.38 * share)
        button.setStyleSheet(
            f"QPushButton {{ background: {surface}; color: {ink}; border: 1px solid {frame}; border-radius: 2px;"
            f" min-height: {self._theme.px(22)}px; min-width: 20px; padding: 0 4px;"
            f" font-weight: {600 if share is None or tone else 400}; }}"
            f"QPushButton:focus, QPushButton:hover {{ border: 2px solid {tokens['focus']}; }}"
        )
        return button


def _mixed(ground: QColor, ink: QColor, share: float) -> str:
    parts = ((g + (i - g) * share) for g, i in zip(ground.getRgb()[:3], ink.getRgb()[:3], strict=True))  # type: ignore[index]
    return QColor(*(round(part) for part in parts)).name()


def _note(empty: int, thin: int, hidden: int, any_clause: bool) -> str:
    """Return what the marks mean."""
    parts = []
    if not any_clause:
        return "No label behind this version answers a clause of a rubric."
    if empty:
        parts.append(f"⚠ {empty} empty")
    if thin:
        parts.append(f"{thin} with fewer than {THIN}")
    if hidden:
        parts.append(f"{hidden} smaller slices are not shown")
    return " · ".join(parts)
