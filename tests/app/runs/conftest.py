"""The demo workspace with its finished run, and a workspace whose run goes on for as long as a test wants."""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.run_config import RunConfig
from core.domain.run_events import Finished
from core.paths import resources_dir
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from tests.core.runs.conftest import make_pairs
from tests.fakes import scripted_engine
from tests.fakes.workspaces import opened


@pytest.fixture
def demo(main_window: Callable[..., Any], tmp_path: Path) -> Any:
    """Return the window on a copy of the demo workspace."""
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    return main_window(workspace=folder, place="runs")


@pytest.fixture(scope="module")
def shared_demo(shared_window: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the window on a copy of the demo workspace that all tests of a module share and leave as it was."""
    folder = tmp_path_factory.mktemp("shared") / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    return shared_window(workspace=folder, place="runs")


def untouched(demo: Any) -> Any:
    """Return the page with the demo's finished run as it is when it was just opened, its pairs listed."""
    page = demo.page("runs")
    demo.window.resize(1280, 800)
    settings = demo.context.settings
    for name in ("smoothing", "raw", "outliers"):
        settings.reset(f"plots.{name}")
    page.monitor.smoothing.set_value(settings.get("plots.smoothing"), tell=True)
    page.monitor.grid.set_range(None)
    page.monitor.grid.pin(math.nan)
    demo.qtbot.waitUntil(lambda: page.monitor.tabs.step_pairs.rows_model.rowCount() > 0)
    demo.settle()
    return page


class Driven:
    """A run that another program drives: here a thread, step by step as the test allows."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._allowed, self._over = threading.Semaphore(0), False
        self._thread = threading.Thread(target=self._drive, daemon=True)
        self._thread.start()

    def _drive(self) -> None:
        drive(self.folder.path, HostOptions(host="terminal", engine=self._train))

    def _train(self, *args: Any, **words: Any) -> Iterator[Any]:
        for event in scripted_engine.train(*args, **words):
            if event.event == "step":
                self._allowed.acquire()
                if self._over:
                    yield Finished("stopped_without_saving", event.step - 1)
                    return
            yield event

    def allow(self, steps: int) -> None:
        """Let so many more steps happen."""
        self._allowed.release(steps)

    def finish(self) -> None:
        """Let the rest happen and wait for it."""
        self._allowed.release(10_000)
        self._thread.join(30)

    def end(self) -> None:
        """End at once, wherever it is."""
        self._over = True
        self.finish()


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[tuple[Path, Driven]]:
    """Return a workspace and the run in it that another program started."""
    workspace = tmp_path / "ws"
    opened(workspace).close()
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "llama"}')
    (model / "model.safetensors").write_bytes(b"weights")
    config = RunConfig().with_values({"steps": 60, "batch_size": 4, "eval_every": 20, "checkpoint_every": 20})
    new = NewRun(config, model, make_pairs(), name="from a server")
    run = Driven(create_run(workspace / "runs" / "r1", new, run_id="r1"))
    yield workspace, run
    run.end()
