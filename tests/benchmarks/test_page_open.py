"""How long the UI thread is held in one piece when a page opens, and when theme or text size change.

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_page_open.py

The window shows a copy of the demo workspace with its finished run. Each page is opened for the first time, then a
second time; then theme and text size change while all pages exist. The bar is 50 ms on the build machine, about six
times the calibration. It prints and does not judge: a number of milliseconds says nothing of another machine.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from app.places import PLACES
from core.paths import resources_dir
from tests.benchmarks.ui_pieces import calibration_ms, measure


@pytest.fixture
def running(main_window: Any, tmp_path: Path) -> Any:
    """Return the window on a copy of the demo workspace, as it is before any page but Home was opened."""
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    return main_window(workspace=folder)


@pytest.mark.benchmark
def test_that_opening_pages_and_restyling_hold_the_ui_thread_for_short_pieces_only(running: Any, capsys: Any) -> None:
    unit = calibration_ms()
    lines = [f"calibration {unit:.1f} ms; longest piece of CPU on the UI thread, and as a multiple of the calibration"]

    for visit in ("first opening", "second opening"):
        for place in PLACES:
            running.page("home" if place.id != "home" else "settings")
            measure(lambda: None, lambda: running.quiet)
            pieces = measure(lambda name=place.id: running.window.navigate(name), lambda: running.quiet)
            lines.append(pieces.line(f"{place.id}, {visit}", unit))
    settings = running.context.settings
    for place in ("home", "runs", "annotate"):
        running.page(place)
        measure(lambda: None, lambda: running.quiet)
        for key, value in (("look.theme", "dark"), ("look.zoom", 150), ("look.zoom", 100), ("look.theme", "light")):
            pieces = measure(lambda k=key, v=value: settings.set(k, v), lambda: running.quiet)
            lines.append(pieces.line(f"{key} {value}, on {place}", unit))
    with capsys.disabled():
        print("\n" + "\n".join(lines))
