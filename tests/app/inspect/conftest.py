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
