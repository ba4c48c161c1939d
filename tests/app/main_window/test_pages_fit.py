"""Every page with a real workspace: it fits small windows, names its controls, and survives a change of theme."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QLabel,
    QScrollBar,
    QStackedWidget,
    QWidget,
)

from app.inspect.pair_panel import PairPanel
from app.main_window.page import Page
from app.places import PLACES
from app.runs.monitor import Monitor
from app.widgets.containers import ScrollColumn, WholeColumn
from app.widgets.lazy_part import LazyPart
from app.widgets.line_splitter import LineHandle, LineSplitter
from app.widgets.plots.plot_cells import PlotCells
from tests.fakes.workspaces import opened

Build = Callable[..., Any]
LEAST = (1024, 700)
INNER = ("qt_", "_q_")
PLAIN = (
    Page,
    QStackedWidget,
    LineSplitter,
    LineHandle,
    ScrollColumn,
    WholeColumn,
    LazyPart,
    PlotCells,
    PairPanel,
    Monitor,
)
"""What looks the same without a style sheet."""


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


@pytest.mark.parametrize("place", [p.id for p in PLACES])
def test_that_all_of_the_page_but_plain_containers_has_the_style_sheet_once(small: Any, place: str) -> None:
    page = small.page(place)
    small.settle()
    sheet = small.window.rail.styleSheet()
    bare, twice = [], []
    for widget in (page, *page.findChildren(QWidget)):
        sheets, part = [], widget
        while part is not None and not part.isWindow():
            sheets += [part.styleSheet()] if part.styleSheet() == sheet else []
            part = part.parentWidget()
        plain = isinstance(widget, PLAIN) or type(widget) is QWidget or widget.window() is not small.window
        plain = plain or (isinstance(widget, QScrollBar) and not widget.isVisibleTo(page))
        plain = plain or widget.property("part") == "scrolled"
        if not sheets and not plain:
            bare.append((type(widget).__name__, widget.objectName()))
        if len(sheets) > 1:
            twice.append(type(widget).__name__)
    assert bare == []
    assert twice == []


def test_that_a_page_that_is_half_made_is_whole_at_once_when_it_is_asked_for(
    main_window: Build, workspace: Path
) -> None:
    running = main_window(workspace=workspace)
    running.window.navigate("runs")
    running.qtbot.waitUntil(lambda: bool(running.window.stack._making))
    page = running.window.page("runs")
    assert page.isVisible() and page.monitor.tabs.isVisibleTo(page.monitor)
    assert all(part.styleSheet() for part in page.styled_parts())
    running.settle()
    assert running.window.stack.currentWidget() is page


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
