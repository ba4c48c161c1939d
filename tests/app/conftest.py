"""Workspaces of windows do not wait for the disk: what a power cut would leave is tested where it is the subject."""

from __future__ import annotations

import pytest

from core.store.sqlite import connect


@pytest.fixture(autouse=True)
def without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the writer commit without waiting for the disk; ``test_connect`` checks the setting of real use."""
    monkeypatch.setitem(connect._WRITER, "synchronous", 0)
