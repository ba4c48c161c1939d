"""Modules that are imported after the window is shown are imported by one thread at a time."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from app.main_window.page_factory import preload


def test_that_two_threads_never_import_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "first_module.py").write_text("import gates\ngates.entered.append(1)\ngates.open.wait()\n")
    (tmp_path / "second_module.py").write_text("import gates\ngates.entered.append(2)\n")
    (tmp_path / "gates.py").write_text("import threading\nentered, open = [], threading.Event()\n")
    monkeypatch.syspath_prepend(tmp_path)
    import gates  # type: ignore[import-not-found]  # made by this test

    threads = [threading.Thread(target=preload, args=((name,),)) for name in ("first_module", "second_module")]
    threads[0].start()
    while not gates.entered:
        threads[0].join(0.001)
    threads[1].start()
    threads[1].join(0.05)
    assert gates.entered == [1]
    gates.open.set()
    for thread in threads:
        thread.join()
    assert gates.entered == [1, 2]
    for name in ("gates", "first_module", "second_module"):
        sys.modules.pop(name, None)


def test_that_a_module_that_is_missing_is_left_out() -> None:
    preload(("no_such_module_anywhere", "json"))
