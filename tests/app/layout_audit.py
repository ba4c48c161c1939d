"""Finds text that is cut, controls that lie over each other, and parts outside their parent, in any widget.

It measures by the fonts and the geometry that the widgets have, so that it says the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QGraphicsView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QScrollBar,
    QSplitterHandle,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)

from app.widgets.labels import ElideLabel
from app.widgets.messages import Toast
from app.widgets.verdict_button import VerdictButton

SLACK = 1
"""Pixels of rounding that nobody sees."""
CELL_PADDING = 8
"""Of the padding of a column title, what it can do without."""


def findings(root: QWidget) -> list[str]:
    """Return what is wrong with what ``root`` shows now, one line each."""
    found = []
    for widget in _shown(root):
        found += [f"{_path(widget)}: {text}" for text in _cut_text(widget)]
        found += [f"{_path(widget)}: {text}" for text in _misplaced(widget)]
    return found


def _shown(root: QWidget) -> Iterator[QWidget]:
    """Walk what is visible, leaving out the inner parts of Qt's own controls and of plots."""
    yield root
    for child in root.children():
        if not isinstance(child, QWidget) or not child.isVisibleTo(root) or child.isWindow():
            continue
        if isinstance(child, QGraphicsView | QScrollBar | QSplitterHandle):
            continue
        if isinstance(child, QAbstractItemView):
            yield child
            for head in child.findChildren(QHeaderView):
                if head.isVisible():
                    yield head
            continue
        yield from _shown(child)


def _path(widget: QWidget) -> str:
    names: list[str] = []
    at: QWidget | None = widget
    while at is not None and len(names) < 4:
        text = at.text() if isinstance(at, QAbstractButton | QLabel) else at.accessibleName() or at.objectName()
        names.append(f"{type(at).__name__}{f'<{text[:34]}>' if text else ''}")
        at = at.parentWidget()
    return " < ".join(names)


# Text


def _cut_text(widget: QWidget) -> list[str]:
    match widget:
        case ElideLabel():
            return _cut_elide_label(widget)
        case QLabel():
            return _cut_label(widget)
        case VerdictButton():
            return _cut_verdict(widget)
        case QCheckBox() | QRadioButton():
            return _cut_box(widget)
        case QPushButton():
            return _cut_button(widget)
        case QToolButton():
            return _too_small(widget, widget.sizeHint()) if widget.text() and _has_words(widget) else []
        case QTabBar():
            return _cut_tabs(widget)
        case QHeaderView():
            return _cut_header(widget)
        case QComboBox():
            return _cut_combo(widget)
        case QLineEdit():
            return _cut_field(widget)
        case _:
            return []


def _too_small(widget: QWidget, need: QSize) -> list[str]:
    has = widget.size()
    cut = has.width() + SLACK < need.width() or has.height() + SLACK < need.height()
    return [f"is {has.width()}x{has.height()}, needs {need.width()}x{need.height()}"] if cut else []


def _width(metrics: QFontMetrics, text: str) -> int:
    return max((metrics.horizontalAdvance(line) for line in text.split("\n")), default=0)


def _cut_label(label: QLabel) -> list[str]:
    if not label.text() or not label.pixmap().isNull():
        return []
    room = label.contentsRect()
    if label.wordWrap():
        need = label.heightForWidth(label.width())
        longest = max((label.fontMetrics().horizontalAdvance(word) for word in label.text().split()), default=0)
        wrong = [f"is {label.height()} high, needs {need}"] if label.height() + SLACK < need else []
        return wrong + ([f"word of {longest} in {room.width()}"] if longest > room.width() + SLACK else [])
    need_size = label.minimumSizeHint()
    return _too_small(label, need_size)


def _cut_elide_label(label: ElideLabel) -> list[str]:
    """Text from outside may be cut where it is long, never to less than a few letters; our own words may not."""
    line = label.text().replace("\n", " ")
    need, room = label.fontMetrics().horizontalAdvance(line), label.contentsRect().width()
    if not line or need <= room + SLACK:
        return []
    if not label.property("outside"):
        return [f"elided: {room} of {need}"]
    few = min(need, label.fontMetrics().horizontalAdvance("mmm…"))
    return [f"cut to nothing: {room} of {need}"] if room + SLACK < few else []


def _cut_verdict(button: VerdictButton) -> list[str]:
    words = button.shown_words()
    return [f"elided: {words!r}"] if "…" in words else []


def _words(button: QAbstractButton) -> str:
    """Return what a button shows: the mark before the letter of Alt is not drawn."""
    return re.sub(r"&(.)", r"\1", button.text())


def _cut_box(box: Any) -> list[str]:
    option = QStyleOptionButton()
    box.initStyleOption(option)
    element = QStyle.SubElement
    kind = element.SE_CheckBoxContents if isinstance(box, QCheckBox) else element.SE_RadioButtonContents
    room = box.style().subElementRect(kind, option, box)
    need = _width(box.fontMetrics(), _words(box))
    if not box.text():
        return []
    return [f"elided: {room.width()} of {need}"] if room.width() + SLACK < need else []


def _cut_button(button: QPushButton) -> list[str]:
    if not button.text():
        return []
    option = QStyleOptionButton()
    button.initStyleOption(option)
    room = button.style().subElementRect(QStyle.SubElement.SE_PushButtonContents, option, button)
    icon = 0 if button.icon().isNull() else button.iconSize().width() + 4
    metrics = button.fontMetrics()
    need = _width(metrics, _words(button)) + icon
    wrong = [f"elided: {room.width()} of {need}"] if room.width() + SLACK < need else []
    return wrong + ([f"is {room.height()} high"] if room.height() + 2 * SLACK < metrics.height() else [])


def _has_words(button: QToolButton) -> bool:
    return button.toolButtonStyle() != Qt.ToolButtonStyle.ToolButtonIconOnly


def _cut_tabs(bar: QTabBar) -> list[str]:
    wrong = []
    for place in range(bar.count()):
        room, need = bar.tabRect(place), _width(bar.fontMetrics(), bar.tabText(place).replace("&&", "&"))
        if room.width() < need or room.right() > bar.width() + SLACK or room.left() < 0:
            at = f"{room.left()} to {room.right()} of {bar.width()}"
            wrong.append(f"tab {bar.tabText(place)!r} at {at}, needs {need}")
    return wrong


def _cut_header(head: QHeaderView) -> list[str]:
    model, wrong = head.model(), []
    if head.orientation() != Qt.Orientation.Horizontal or model is None:
        return []
    for section in range(head.count()):
        text = str(model.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole) or "")
        if head.isSectionHidden(section) or not text:
            continue
        need = head.sectionSizeHint(section) - CELL_PADDING
        if head.sectionSize(section) < need:
            wrong.append(f"column {text!r}: {head.sectionSize(section)} of {need}")
    return wrong


def _cut_combo(box: QComboBox) -> list[str]:
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    control = QStyle.ComplexControl.CC_ComboBox
    room = box.style().subControlRect(control, option, QStyle.SubControl.SC_ComboBoxEditField, box)
    need = box.fontMetrics().horizontalAdvance(box.currentText())
    if need <= room.width() + SLACK or box.property("outside"):
        return []
    return [f"elided {box.currentText()!r}: {room.width()} of {need}"]


def _cut_field(field: QLineEdit) -> list[str]:
    """Hints are read whole, and so are the numbers of spin boxes; typed text scrolls."""
    if isinstance(field.parentWidget(), QComboBox):
        return []
    number = isinstance(field.parentWidget(), QAbstractSpinBox)
    text = field.text() if number else "" if field.text() else field.placeholderText()
    room = field.contentsRect().width() - (0 if number else 4)
    need = field.fontMetrics().horizontalAdvance(text)
    return [f"elided {text!r}: {room} of {need}"] if text and room + SLACK < need else []


# Places


def _misplaced(widget: QWidget) -> list[str]:
    if isinstance(widget, QAbstractScrollArea | QComboBox | QAbstractSpinBox | QTabBar | QLineEdit):
        return _cut_sideways(widget) if isinstance(widget, QScrollArea) else []
    children = [child for child in widget.children() if isinstance(child, QWidget) and _counts(child, widget)]
    return [*_overlaps(children), *_outside(widget, children)]


def _counts(child: QWidget, parent: QWidget) -> bool:
    """Whether a child has a place of its own: shown, no window, nothing that lies over the page on purpose."""
    over = isinstance(child, Toast | QSplitterHandle) or bool(child.property("overlay"))
    return child.isVisibleTo(parent) and not child.isWindow() and not over and not child.size().isEmpty()


def _overlaps(children: list[QWidget]) -> list[str]:
    wrong = []
    for place, one in enumerate(children):
        for other in children[place + 1 :]:
            both = one.geometry().intersected(other.geometry())
            if both.width() > SLACK and both.height() > SLACK:
                wrong.append(f"{_path(one)} over {_path(other)} by {both.width()}x{both.height()}")
    return wrong


def _outside(parent: QWidget, children: list[QWidget]) -> list[str]:
    if isinstance(parent.parentWidget(), QScrollArea):  # a viewport; what it holds scrolls
        return []
    room = parent.rect().adjusted(-SLACK, -SLACK, SLACK, SLACK)
    lost = [child for child in children if not room.contains(child.geometry())]
    return [f"{_path(child)} at {_text(child.geometry())} outside {_text(room)}" for child in lost]


def _cut_sideways(area: QScrollArea) -> list[str]:
    content, view = area.widget(), area.viewport()
    off = area.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    if content is None or not off or content.width() <= view.width() + SLACK:
        return []
    return [f"content of {content.width()} in {view.width()}, and it does not scroll sideways"]


def _text(rect: QRect) -> str:
    return f"{rect.x()},{rect.y()} {rect.width()}x{rect.height()}"
