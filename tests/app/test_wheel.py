"""The mouse wheel over a control that has not the focus changes nothing, on any page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QScrollBar, QSlider, QTabBar, QWidget

from app.places import PLACES
from core.paths import resources_dir


def values(root: QWidget) -> dict[QWidget, object]:
    """Return every control of the kinds that Qt changes by the wheel, with what it says."""
    found: dict[QWidget, object] = {}
    for kind in (QComboBox, QAbstractSpinBox, QSlider, QTabBar):
        for control in root.findChildren(kind):
            if isinstance(control, QComboBox | QTabBar):
                found[control] = control.currentIndex()
            else:
                found[control] = control.value() if isinstance(control, QSlider) else control.text()
    return found


def turn(widget: QWidget, steps: int) -> None:
    """Turn the wheel over the middle of a widget."""
    middle = QPointF(widget.rect().center())
    delta = QPoint(0, 120 * steps)
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(widget.rect().center())),
        QPoint(),
        delta,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_that_the_wheel_changes_no_control_without_the_focus(main_window: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    running = main_window(workspace=folder)
    seen = 0
    for place in PLACES:
        page = running.page(place.id)
        running.settle()
        page.setFocus()
        before = values(page)
        for control in before:
            if not control.hasFocus() and not isinstance(control, QScrollBar):
                turn(control, -1)
                turn(control, 1)
                turn(control, 1)
        assert values(page) == before
        seen += len(before)
    assert seen > 20
