"""The row over the objective lab: beta on a log slider, the beta of the run, and what the optimum comes to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QVBoxLayout, QWidget

from app.inspect.lab_presenter import HIGH, LOW
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import Card
from app.widgets.controls import DoubleSpinBox, Slider
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label

STEPS = 240
_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_BETAS = (1e-3, 1e3)


class _TickNames(QWidget):
    """The numbers under the slider, each under its place; those without room are left out."""

    def __init__(self, theme: Theme, slider: BetaSlider) -> None:
        super().__init__()
        self._theme, self._slider = theme, slider
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the height of a line."""
        return QSize(self._theme.px(200), round(QFontMetricsF(self._theme.font(11)).height()))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Write the numbers."""
        painter = QPainter(self)
        painter.setFont(self._theme.font(11))
        painter.setPen(self._theme.tokens.colour("text3"))
        metrics, free = QFontMetricsF(painter.font()), 0.0
        for tick in _TICKS:
            share = self._slider.share_of(tick)
            if not 0 <= share <= 1:
                continue
            words = f"{tick:g}"
            width = metrics.horizontalAdvance(words)
            left = min(max(0.0, self._slider.x_of(share) - width / 2), self.width() - width)
            if left >= free:
                room = QRectF(left, 0, width + 2, self.height())
                painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), words)
                free = left + width + 6


class BetaSlider(QWidget):
    """A slider on a log scale with its numbers; ``changed(float)`` fires while the user moves it."""

    changed = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._ends = LOW, HIGH
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 12)
        self.slider.setAccessibleName("Beta")
        self._names = _TickNames(theme, self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.slider)
        column.addWidget(self._names)
        self.slider.valueChanged.connect(lambda place: self.changed.emit(self._value(place)))

    def set_ends(self, low: float, high: float) -> None:
        """Change what the slider reaches."""
        self._ends = low, high
        self._names.update()

    def show_value(self, beta: float) -> None:
        """Move the slider without telling."""
        self.slider.blockSignals(True)
        self.slider.setValue(round(min(1.0, max(0.0, self.share_of(beta))) * STEPS))
        self.slider.blockSignals(False)
        self.slider.setAccessibleDescription(f"beta {beta:.3g}")

    def _value(self, place: int) -> float:
        low, high = self._ends
        return low * math.exp(math.log(high / low) * place / STEPS)

    def share_of(self, beta: float) -> float:
        """Return where a beta lies, 0 at the left end and 1 at the right one."""
        low, high = self._ends
        return math.log(beta / low) / math.log(high / low)

    def x_of(self, share: float) -> float:
        """Return the pixel of a share: the handle's middle runs between two half handles."""
        handle = self.slider.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, None, self.slider)
        return handle / 2 + share * (self.slider.width() - handle)


class _Result(QWidget):
    """A number under its name."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(0)
        self._name, self._value = text_label("", "caption"), text_label("", "strong")
        column.addWidget(self._name)
        column.addWidget(self._value)

    def show_result(self, name: str, value: str, tip: str) -> None:
        """Show a number."""
        self._name.setText(name)
        self._value.setText(value)
        self.setToolTip(tip)
        self.setAccessibleName(f"{name} {value}")


class BetaBar(Card):
    """Beta and the four results. ``changed(float)`` fires when the user chose another beta."""

    changed = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__(spacing=0)
        self.slider, self.box = BetaSlider(theme), DoubleSpinBox()
        self.trained = push_button("β₀", name="Beta of the run")
        self.results = [_Result() for _ in range(4)]
        self._beta0 = 0.1
        self.box.setDecimals(3)
        self.box.setRange(*_BETAS)
        self.box.setSingleStep(0.01)
        self.box.setKeyboardTracking(False)
        self.box.setAccessibleName("Beta as a number")
        row = FlowLayout(spacing=12, row_spacing=6)
        row.addWidget(text_label("β", "section"))
        row.add(self.slider, least=12)
        for part in (self.box, self.trained):
            row.addWidget(part)
        for result in self.results:
            row.addWidget(result)
        self.add(row)
        self.slider.changed.connect(self.changed)
        self.box.valueChanged.connect(self.changed)
        self.trained.clicked.connect(lambda: self.changed.emit(self._beta0))

    def show_beta(self, beta: float, trained: float, ends: tuple[float, float]) -> None:
        """Show a beta without telling."""
        self._beta0 = trained
        self.trained.setText(f"β₀ {trained:g}, as trained")
        self.trained.setAccessibleName(f"Beta of the run, {trained:g}")
        self.slider.set_ends(*ends)
        self.slider.show_value(beta)
        self.box.blockSignals(True)
        self.box.setValue(beta)
        self.box.blockSignals(False)

    def show_results(self, results: Sequence[tuple[str, str, str]]) -> None:
        """Show the four numbers: name, value, tooltip."""
        for widget, result in zip(self.results, results, strict=False):
            widget.show_result(*result)
