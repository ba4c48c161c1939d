"""Fixtures for everyone: no screen, no network, a home of its own, and the real window built by ``bootstrap``."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

LONGEST_STALL_S = 0.25
LONGEST_WAIT_S = 2.0
"""Computing is counted by the processor's clock; waiting for a lock takes longer where other tests hold the machine."""


@pytest.fixture(autouse=True)
def pairwright_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a data folder of its own; settings and logs lie in it too."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(home))
    return home


@pytest.fixture
def theme(qapp: object) -> object:
    """Return the light theme, applied."""
    from app.theme.theme import Theme
    from core.paths import resources_dir

    made = Theme(qapp, resources_dir())  # type: ignore[arg-type]
    made.apply("light", 100)
    return made


@pytest.fixture
def main_window(qtbot: object, qapp: object, request: pytest.FixtureRequest) -> Iterator[Callable[..., object]]:
    """Return a function that builds the window: ``main_window(workspace=path, show=True)`` -> ``TestDesk``.

    After the test: no thread or window may be left, no error may have met nobody, and the window's thread may not have
    stood still for longer than 250 ms (mark a test ``stalls`` to leave that out).
    """
    from tests.app.desk import TestDesk, open_desk

    made: list[TestDesk] = []
    threads = set(threading.enumerate())

    def build(**wishes: object) -> TestDesk:
        desk = open_desk(qtbot, **wishes)  # type: ignore[arg-type]
        made.append(desk)
        return desk

    yield build
    for desk in made:
        desk.shut()
    gc.collect()
    left = [t for t in threading.enumerate() if t not in threads and not t.daemon and t.is_alive()]
    assert not left, f"threads left behind: {left}"
    for desk in made:
        assert not desk.unexpected, f"an error met nobody: {desk.unexpected}"
        if "stalls" not in request.keywords:
            slow = [s for s in desk.stalls if s.cpu > LONGEST_STALL_S or s.seconds > LONGEST_WAIT_S]
            assert not slow, f"the window stood still: {slow}"
