"""Every page shows its words whole, with nothing over anything else, in small and large windows and with large text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTabBar, QVBoxLayout, QWidget

from app.places import PLACES
from core.paths import resources_dir
from tests.app.layout_audit import findings

SMALL, USUAL, LARGE = (1024, 700), (1280, 800), (1920, 1080)
QUICK = ((SMALL, 100), (SMALL, 200))
LAYOUT_TURNS = 8
"""Turns of the event loop in which nested layouts come to rest: each hands its size to the next."""
ALL = tuple((size, zoom) for zoom in (100, 150, 200) for size in (SMALL, USUAL, LARGE))


@pytest.fixture
def demo(main_window: Callable[..., Any], tmp_path: Path) -> Any:
    """Return the window on the demo workspace, with someone who labels."""
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    running = main_window(workspace=folder)
    reviewer = running.context.services.reviewers.add("mira").value
    running.context.session.set_reviewer(reviewer.id, reviewer.name)
    return running


def show(running: Any, place: str, size: tuple[int, int], zoom: int) -> None:
    """Show a page in a window and a text size."""
    running.context.settings.set("look.zoom", zoom)
    running.window.resize(*size)
    running.page(place)
    running.settle()
    if place == "annotate":
        running.context.actions.run("annotate.left2")
    for _ in range(LAYOUT_TURNS):
        QApplication.processEvents()


def test_that_the_import_page_shows_its_words_whole(demo: Any, tmp_path: Path) -> None:
    path = tmp_path / "votes of a workshop with a long name.jsonl"
    row = {"prompt": "Why?", "response_a": "So.", "response_b": "No.", "latency": 4, "url": "https://votes.example"}
    lines = [{**row, "prompt": f"Why {n}?", "preferred": 1 + n % 2, "rater": f"r{n % 3}"} for n in range(9)]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"prompt": "no answers"}]), encoding="utf-8")
    page = demo.page("data")
    page.imports.begin([path, path])
    demo.settle()
    page.imports.page.questions.answers["coding=one_based"].click()
    demo.settle()
    assert page.imports.page.go.isEnabled()
    wrong = found(demo, QUICK, ("data",))
    assert page.imports.page.isVisible() and not wrong, "\n".join(wrong)


def test_that_the_page_of_a_dataset_version_shows_its_words_whole(demo: Any) -> None:
    page = demo.page("data")
    page.tabs.setCurrentIndex(1)
    demo.settle()
    assert page.datasets.view is not None
    wrong = found(demo, QUICK, ("data",))
    assert page.tabs.currentIndex() == 1 and not wrong, "\n".join(wrong)


def found(
    running: Any,
    combinations: tuple[tuple[tuple[int, int], int], ...],
    places: tuple[str, ...] = tuple(place.id for place in PLACES),
) -> list[str]:
    """Return what is cut or covered on the pages."""
    wrong = []
    for size, zoom in combinations:
        for place in places:
            show(running, place, size, zoom)
            wrong += [f"{place} {size[0]}x{size[1]} {zoom} %: {text}" for text in findings(running.window)]
    return wrong


def test_that_nothing_is_cut_or_covered_on_any_page(demo: Any) -> None:
    wrong = found(demo, QUICK)
    wrong += found(demo, ((LARGE, 100),), ("settings",)) + found(demo, ((SMALL, 150),), ("annotate",))  # while hidden
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["annotate", "data", "inspect"])
def test_that_nothing_is_cut_or_covered_in_any_tab_of_a_page(demo: Any, qtbot: Any, place: str) -> None:
    wrong, page = [], demo.page(place)
    demo.settle()
    bars = [bar for bar in page.findChildren(QTabBar) if bar.isVisible()]
    for bar, tab in [(one, tab) for one in bars for tab in range(one.count()) if one.isTabVisible(tab)]:
        qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(tab).center())
        demo.settle()
        wrong += [f"{bar.tabText(tab)}: {one}" for one in found(demo, QUICK, (place,))]
        demo.context.settings.set("look.zoom", 100)
        demo.settle()
    assert bars and not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_that_nothing_is_cut_or_covered_in_any_window_at_any_text_size(demo: Any) -> None:
    wrong = found(demo, ALL)
    assert not wrong, "\n".join(wrong)


def test_that_the_audit_sees_text_that_is_cut_and_widgets_over_each_other(theme: Any, qtbot: Any) -> None:
    root = QWidget()
    column = QVBoxLayout(root)
    column.addWidget(QLabel("A label with a few words"))
    column.addWidget(QPushButton("Press here to go on"))
    over = QPushButton("over", root)
    theme.style(root)
    qtbot.addWidget(root)
    root.show()
    over.hide()
    assert findings(root) == []
    root.setFixedWidth(60)
    over.show()
    over.setGeometry(5, 5, 40, 40)
    text = "\n".join(findings(root))
    assert "A label with a few words" in text and "Press here to go on" in text and " over " in text
