"""The workspace lock is in the sentence that refuses a second window."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.domain.errors import WorkspaceInUse
from core.store.workspace_lock import lock_workspace


def test_that_a_second_window_is_refused_with_the_first_ones_name(tmp_path: Path) -> None:
    with lock_workspace(tmp_path):
        with pytest.raises(WorkspaceInUse, match=rf"open in \w+, process {os.getpid()} \(this one\) since") as caught:
            lock_workspace(tmp_path)
        assert caught.value.exit_code == 3
    lock_workspace(tmp_path).release()
