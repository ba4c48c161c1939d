"""Every page with a real workspace: it fits small windows, names its controls, and survives a change of theme."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractScrollArea, QAbstractSpinBox, QComboBox, QFrame, QLabel, QScrollBar, QWidget

from app.places import PLACES
from tests.fakes.workspaces import opened

Build = Callable[..., Any]
LEAST = (1024, 700)
INNER = ("qt_", "_q_")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    opened(folder).close()
    return folder


def _name(widget: QWidget) -> str:
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def _reached(root: QWidget) -> list[QWidget]:
    """Return what the keyboard reaches, without the inner parts of Qt's own controls."""
    found = []
    for widget in root.findChildren(QWidget):
        inner = widget.objectName().startswith(INNER) or isinstance(widget, QScrollBar)
        part_of = isinstance(widget.parent(), QAbstractSpinBox | QComboBox | QAbstractScrollArea)
        part_of = part_of or isinstance(widget.window(), QFrame)  # the list of a combo box is a window of its own
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not inner and not part_of:
            found.append(widget)
    return found


@pytest.fixture(scope="module")
def small(shared_window: Build, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("fit") / "ws"
    opened(folder).close()
    return shared_window(workspace=folder, size=LEAST)


@pytest.mark.parametrize("place", [p.id for p in PLACES])
def test_that_the_page_fits_a_small_window_and_names_its_controls(small: Any, place: str) -> None:
    page = small.page(place)
    small.settle()
    hint = small.window.minimumSizeHint()
    assert (hint.width() <= LEAST[0], hint.height() <= LEAST[1]) == (True, True), (hint, page.minimumSizeHint())
    unnamed = [(type(w).__name__, w.objectName()) for w in _reached(small.window) if not _name(w).strip()]
    assert unnamed == []
    rich = [w.text()[:40] for w in page.findChildren(QLabel) if w.textFormat() == Qt.TextFormat.RichText]
    assert rich == []


def test_that_no_page_breaks_when_the_theme_the_text_size_or_the_workspace_changes(
    main_window: Build, workspace: Path, tmp_path: Path
) -> None:
    running = main_window(workspace=workspace)
    for place in PLACES:
        running.page(place.id)
        running.settle()
    running.context.settings.set("look.theme", "dark")
    running.context.settings.set("look.zoom", 150)
    running.settle()
    running.app.switch.open(tmp_path / "other", create=True)
    running.settle()
    running.context.settings.set("look.theme", "high_contrast")
    running.context.session.set_reviewer(1, "Ann")
    for place in PLACES:
        running.page(place.id)
        running.settle()
