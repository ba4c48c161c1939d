"""Inputs: segmented choices, labelled sliders and search fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from app.theme.theme import Theme
from app.widgets.controls import Slider
from app.widgets.labels import text_label

LEAST_EMS = 2.2
"""The least width of a segment, in heights of a line."""


_SPARE_PX = 4
"""Room that rounded paddings and frames of a focused or chosen segment may take from its words."""


class _Segment(QPushButton):
    """One of the joined buttons. A style sheet's least width would let a layout cut its words."""

    def minimumSizeHint(self) -> QSize:
        """Return room for the words, and no less than a letter asks for."""
        return self.sizeHint()

    def sizeHint(self) -> QSize:
        """Return the size of the words; checked and unchecked alike."""
        base = super().sizeHint()
        return QSize(max(base.width() + _SPARE_PX, round(LEAST_EMS * self.fontMetrics().height())), base.height())


class SegmentedControl(QWidget):
    """A row of joined buttons of which one is chosen, or none: ``A | = | B``.

    Left and right move the choice. ``changed(value)`` fires when the user chose (not on ``set_value``).
    """

    changed = Signal(object)

    def __init__(self, name: str, options: Sequence[tuple[Any, str]], *, clearable: bool = False) -> None:
        """Make one button per (value, label); with ``clearable`` a second press clears the choice."""
        super().__init__()
        self._values = [value for value, _ in options]
        self._clearable = clearable
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        for place, (_, label) in enumerate(options):
            button = _Segment(label)
            button.setCheckable(True)
            button.setAutoDefault(False)  # Enter presses the main button of a dialog
            ends = {0: "first", len(options) - 1: "last"}
            button.setProperty("segment", ends.get(place, "middle"))
            button.setAccessibleName(f"{name}: {label}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if place == 0 else Qt.FocusPolicy.ClickFocus)
            button.installEventFilter(self)
            self._group.addButton(button, place)
            row.addWidget(button)
        self._group.idClicked.connect(self._click)

    @property
    def value(self) -> Any:
        """The chosen value, or None."""
        place = self._place()
        return None if place is None else self._values[place]

    def set_value(self, value: Any) -> None:
        """Show a choice; None or an unknown value shows none."""
        self._check(self._values.index(value) if value in self._values else None)

    def buttons(self) -> list[QPushButton]:
        """Return the buttons, left to right."""
        return [button for button in self._group.buttons() if isinstance(button, QPushButton)]

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Move the choice by the arrow keys."""
        if isinstance(event, QKeyEvent) and event.type() == event.Type.KeyPress:
            step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
            if step is not None:
                now = self._place()
                target = 0 if now is None else min(len(self._values) - 1, max(0, now + step))
                self._check(target)
                self.buttons()[target].setFocus()
                self.changed.emit(self.value)
                return True
        return super().eventFilter(watched, event)

    def _place(self) -> int | None:
        checked = [number for number, button in enumerate(self._group.buttons()) if button.isChecked()]
        return checked[0] if checked else None

    def _check(self, place: int | None) -> None:
        for number, button in enumerate(self.buttons()):
            button.setChecked(number == place)
            reached = number == (place if place is not None else 0)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if reached else Qt.FocusPolicy.ClickFocus)

    def _click(self, place: int) -> None:
        kept = self._group.button(place).isChecked() or not self._clearable
        self._check(place if kept else None)
        self.changed.emit(self.value)


class _ResettingSlider(Slider):
    """A slider that goes back to its default on a double click."""

    reset = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Report the double click."""
        self.reset.emit()


class LabeledSlider(QWidget):
    """Name, slider, value: ``changed(float)`` fires while it is moved; a double click resets it.

    ``label`` is the name; a form takes it out, so that the sliders of several stand under each other.
    """

    changed = Signal(float)

    def __init__(self, name: str, low: float, high: float, step: float, value: float, *, decimals: int = 2) -> None:
        super().__init__()
        self._low, self._step, self._decimals, self._default = low, step, decimals, value
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._slider = _ResettingSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, round((high - low) / step))
        self._slider.setFixedWidth(110)
        self._slider.setAccessibleName(name)
        self._slider.setToolTip(f"{name}; double-click for {value:.{decimals}f}")
        self._shown = text_label("", "caption")
        self.label = text_label(name, "muted")
        row.addWidget(self.label)
        row.addWidget(self._slider)
        row.addWidget(self._shown)
        self._slider.valueChanged.connect(self._moved)
        self._slider.reset.connect(lambda: self.set_value(self._default, tell=True))
        self.set_value(value)

    @property
    def value(self) -> float:
        """The current value."""
        return round(self._low + self._slider.value() * self._step, 10)

    def set_value(self, value: float, *, tell: bool = False) -> None:
        """Move it; ``tell`` also fires ``changed``."""
        self._slider.blockSignals(not tell)
        self._slider.setValue(round((value - self._low) / self._step))
        self._slider.blockSignals(False)
        self._print()

    def _moved(self) -> None:
        self._print()
        self.changed.emit(self.value)

    def _print(self) -> None:
        self._shown.setText(f"{self.value:.{self._decimals}f}")
        self._slider.setAccessibleDescription(self._shown.text())


class SearchField(QLineEdit):
    """A search field: ``searched(text)`` fires 200 ms after the last key, at once on Enter; Escape clears."""

    searched = Signal(str)

    def __init__(self, theme: Theme, hint: str, *, delay_ms: int = 200) -> None:
        super().__init__()
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint.rstrip("…"))
        self.setClearButtonEnabled(True)
        self.addAction(theme.icons.icon("search", "text3"), QLineEdit.ActionPosition.LeadingPosition)
        self._last = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(delay_ms)
        self._timer.timeout.connect(self._emit_search)
        self.textChanged.connect(lambda _: self._timer.start())
        self.returnPressed.connect(self._emit_search)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Clear on Escape; an empty field lets it through."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self._emit_search()
            return
        super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:
        """Return room for the whole hint, the drawing before it and the cross after it."""
        base = super().minimumSizeHint()
        words = self.fontMetrics().horizontalAdvance(self.placeholderText())
        return QSize(words + 3 * base.height(), base.height())

    def sizeHint(self) -> QSize:
        """Return the size that shows the whole hint."""
        return self.minimumSizeHint().expandedTo(super().sizeHint())

    def reset(self) -> None:
        """Empty the field without telling."""
        self.clear()
        self._timer.stop()
        self._last = ""

    def _emit_search(self) -> None:
        self._timer.stop()
        if self.text() != self._last:
            self._last = self.text()
            self.searched.emit(self._last)
