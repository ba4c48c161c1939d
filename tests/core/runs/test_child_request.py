"""Requests to short-lived child processes: they end with the process that asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PARENT = """
import os, sys
from core.runs.child_processes.request import run_in_subprocess
say = lambda *_: print("working", flush=True)
run_in_subprocess("tests.fakes.waiting_program", {"file": sys.argv[1]}, environment=dict(os.environ), on_progress=say)
"""


def test_that_a_child_ends_when_the_process_that_asked_is_killed(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    file = tmp_path / "locked"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(file)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env=dict(os.environ),
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "working\n"
        parent.kill()
    with file.open("w") as own:
        fcntl.flock(own, fcntl.LOCK_EX)  # comes only when the child has ended
