"""Fixtures for everyone: no screen, no network, a home of its own, and the real window built by ``bootstrap``."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("PAIRWRIGHT_NICENESS", "0")  # beside other programs a run at low priority would hardly move
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the models are tiny, and each core has a test process of its own
for cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(cache, "1024")  # tiny products of many shapes: compiling them is most of the arithmetic
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each child process would compile the whole program from source
sys.dont_write_bytecode = False
gc.set_threshold(50_000, 20, 20)  # a test that parses all files is not looked through again and again
gc.disable()  # until everything is imported and collected: nothing of that is garbage
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Leave the libraries and all collected tests out of later collections: a full one then takes a moment."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def home_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep fixtures that several tests share away from the data folder of this machine's user, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIRWRIGHT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def numbered_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return an iterator of new folders; pytest lists all folders of the session each time that it makes one."""
    root = tmp_path_factory.mktemp("tests")

    def made(number: int) -> Path:
        folder = root / str(number)
        folder.mkdir()
        return folder

    return map(made, count())


@pytest.fixture
def tmp_path(numbered_folders: Iterator[Path]) -> Path:
    """Return an empty folder, as pytest's own fixture does."""
    return next(numbered_folders)


@pytest.fixture(autouse=True)
def pairwright_home(numbered_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a data folder of its own; settings and logs lie in it too."""
    home = next(numbered_folders)
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file wait for the disk: where that is the subject, the tests watch for the calls themselves.

    Child processes wait for it, as in real use.
    """
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> object:
    """Return the ``qtbot`` of pytest-qt with waits that no slow or busy machine ends."""
    from tests.patience import PatientQtBot

    return PatientQtBot(request)


@pytest.fixture
def theme(qapp: object) -> object:
    """Return the light theme, applied."""
    from app.theme.theme import Theme
    from core.paths import resources_dir

    made = Theme(qapp, resources_dir())  # type: ignore[arg-type]
    made.apply("light", 100)
    return made


@contextmanager
def windows(qtbot: object) -> Iterator[Callable[..., object]]:
    """Yield a function that builds the window; look at the end whether the program behaved.

    No thread or window may be left, no error may be unhandled, and the program may not have made a call that can block
    (file, database, child process, wait) on the UI thread.
    """
    from tests.app.blocking_calls import Guard, guarded
    from tests.app.running import RunningTestApp, open_app

    made: list[RunningTestApp] = []
    threads = set(threading.enumerate())

    def build(**options: object) -> RunningTestApp:
        running = open_app(qtbot, **options)  # type: ignore[arg-type]
        made.append(running)
        return running

    gc.freeze()  # so that the collection below walks what this test made, not what was there before
    with guarded(Guard()) as guard:
        yield build
        for running in made:
            running.shut()
    gc.collect()
    left = [t for t in threading.enumerate() if t not in threads and not t.daemon and t.is_alive()]
    assert not left, f"threads left behind: {left}"
    for running in made:
        assert not running.unexpected, f"an error was not handled: {running.unexpected}"
    assert not guard.calls, "the program blocked the UI thread:\n" + "\n".join(map(str, guard.calls))


@pytest.fixture
def main_window(qtbot: object, qapp: object) -> Iterator[Callable[..., object]]:
    """Return a function that builds the window: ``main_window(workspace=path, show=True)`` -> ``RunningTestApp``."""
    with windows(qtbot) as build:
        yield build


@pytest.fixture(scope="module")
def shared_window(
    qapp: object, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., object]]:
    """Return the function of ``main_window`` for a window that all tests of a module share and leave as it was."""
    from tests.patience import PatientQtBot

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIRWRIGHT_HOME", str(tmp_path_factory.mktemp("home")))
        with windows(PatientQtBot(request)) as build:
            yield build
