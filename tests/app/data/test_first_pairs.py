"""A search shows its first pairs while the others are still looked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.data import pairs_tab
from tests.app.data.test_page import filled
from tests.patience import LIMIT_S


def test_that_the_first_pairs_are_shown_before_all_are_counted(
    main_window: Callable[..., Any], tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs_tab, "FIRST", 3)
    running, page = filled(main_window, tmp_path, qtbot)
    service, go_on = running.context.services.pairs, threading.Event()
    whole = service.ids

    def slow(*words: Any) -> list[int]:
        assert go_on.wait(LIMIT_S)
        return whole(*words)

    monkeypatch.setattr(service, "ids", slow)
    page.search.setText("question")
    qtbot.waitUntil(lambda: page.table.count == 3)
    assert page.count.text() == "more than 2 of 6 pairs…"
    page.table.go_to(1)
    chosen = page.table.current_id
    go_on.set()
    qtbot.waitUntil(lambda: page.table.count == 6)
    assert page.count.text() == "6 pairs" and page.table.current_id == chosen
    page.search.setText("question 4")
    qtbot.waitUntil(lambda: page.table.count == 1)
    assert page.count.text() == "1 of 6 pairs"
