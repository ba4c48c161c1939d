"""Notices and what lies under them: no notice covers a main button or the verdicts, whatever the size."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QWidget

from app.places import PLACES
from core.paths import resources_dir

SMALL = (1024, 700)
LONG = "10 files and folders of this workspace could be read by other users of this computer; now only you can."
LAYOUT_TURNS = 8


def _on_screen(widget: QWidget) -> QRect:
    return QRect(widget.mapToGlobal(widget.rect().topLeft()), widget.size())


def _covered(running: Any, place: str) -> list[str]:
    """Return which kept controls of a page lie under a notice, and whether the newest notice is hidden."""
    page, toasts = running.page(place), running.window.toasts.toasts
    shown = [_on_screen(toast) for toast in toasts if toast.isVisible()]
    wrong = [
        f"{place}: {kept.accessibleName() or type(kept).__name__}"
        for kept in page.kept_clear()
        if not kept.visibleRegion().isEmpty() and any(_on_screen(kept).intersects(toast) for toast in shown)
    ]
    return wrong + ([] if toasts[-1].isVisible() else [f"{place}: the newest notice is hidden"])


def test_that_no_notice_covers_a_main_button_or_the_verdicts(main_window: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    running = main_window(workspace=folder, size=SMALL)
    reviewer = running.context.services.reviewers.add("mira").value
    running.context.session.set_reviewer(reviewer.id, reviewer.name)
    for _ in range(2):
        running.context.notices.post(LONG, "warn", hint="Look at the rights of the folder.")
    for zoom in (100, 200):
        running.context.settings.set("look.zoom", zoom)
        wrong, kept = [], 0
        for place in PLACES:
            page = running.page(place.id)
            running.settle()
            for _ in range(LAYOUT_TURNS):
                QApplication.processEvents()
            wrong += _covered(running, place.id)
            kept += len(page.kept_clear())
        assert wrong == [] and kept > len(PLACES) // 2, zoom
    assert running.page("annotate").view.bar in running.page("annotate").kept_clear()
