"""Exports in the process of the test: a child process that imports torch takes longer than all of them.

The commands of the README export in a child process; see ``tests/packaging/test_readme.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from core.services.models import export
from core.services.models.export_worker import export as work


def export_here(patch: pytest.MonkeyPatch) -> None:
    """Let exports work in this process."""

    def here(_module: str, request: dict[str, Any], *, on_progress: Any = None, **_: Any) -> Any:
        return work(request, on_progress or (lambda *_: None))

    patch.setattr(export, "run_in_subprocess", here)
