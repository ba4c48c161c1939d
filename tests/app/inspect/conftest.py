"""The window on a copy of the demo workspace, whose finished run is there to inspect."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.paths import resources_dir
from tests.app.runs.conftest import driven

__all__ = ["driven"]


@pytest.fixture
def demo(main_window: Callable[..., Any], tmp_path: Path) -> Any:
    folder = tmp_path / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    return main_window(workspace=folder, place="inspect")


@pytest.fixture(scope="module")
def shared_demo(shared_window: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the window on a copy of the demo workspace that tests of a module share and leave on the page."""
    folder = tmp_path_factory.mktemp("shared") / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    return shared_window(workspace=folder, place="inspect")
