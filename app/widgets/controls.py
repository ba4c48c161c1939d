"""Controls that the mouse wheel changes only while they have the keyboard focus.

Qt changes a combo box, a spin box, a slider or the tab of a tab bar by the wheel wherever the mouse happens to be, so
that scrolling a form changes what it says. Use these classes in place of Qt's; a test of the source asks for them.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QTabBar,
    QTabWidget,
    QWidget,
)

from app.widgets.labels import plain_tip

NAME_LETTERS = 12
"""Letters of a name from outside that a combo box shows at least."""

ARROW_SHARE = 0.2
"""Half the width of a combo box's arrow, in heights of a line of its text."""


class ComboBox(QComboBox):
    """A combo box that leaves the wheel to what scrolls under it, unless it has the focus.

    Args:
        parent: of the widget.
        outside: whether it lists names from outside, which may be longer than any room; it shows the beginning of a
            long one, and the whole as its tooltip. What the program itself offers is always shown whole.
    """

    def __init__(self, parent: QWidget | None = None, *, outside: bool = False) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        if outside:
            self.setProperty("outside", True)
            self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            self.setMinimumContentsLength(NAME_LETTERS)
            self.currentTextChanged.connect(lambda text: self.setToolTip(plain_tip(text)))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass the wheel on without the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw what Fusion draws, with an arrow that grows with the text; its own has one size."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        if self.currentIndex() < 0 and self.placeholderText():
            option.currentText = self.placeholderText()  # type: ignore[attr-defined]
        arrow = QStyle.SubControl.SC_ComboBoxArrow
        area = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, arrow, self)
        option.subControls &= ~arrow  # type: ignore[attr-defined]
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        side, middle = self.fontMetrics().height() * ARROW_SHARE, QRectF(area).center()
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(group, QPalette.ColorRole.ButtonText), max(1.2, side / 4)))
        ends = ((-side, -side / 2), (0.0, side / 2), (side, -side / 2))
        painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in ends]))


class SpinBox(QSpinBox):
    """A spin box that leaves the wheel to what scrolls under it, unless it has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass the wheel on without the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class DoubleSpinBox(QDoubleSpinBox):
    """As ``SpinBox``, for numbers with decimals."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass the wheel on without the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class Slider(QSlider):
    """A slider that leaves the wheel to what scrolls under it, unless it has the focus."""

    def __init__(self, orientation: Qt.Orientation, parent: QWidget | None = None) -> None:
        super().__init__(orientation, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass the wheel on without the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class TabBar(QTabBar):
    """A tab bar that the wheel turns only while it has the focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Pass the wheel on without the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class TabWidget(QTabWidget):
    """A tab widget with such a tab bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabBar(TabBar())
