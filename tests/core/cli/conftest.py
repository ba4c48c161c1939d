"""The command line in this process, with the scripted engine in place of the real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from core.cli.app import build_app, main
from core.store.sqlite import connect
from tests.fakes.scripted_engine import train


@pytest.fixture(autouse=True)
def without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the writer commit without waiting for the disk; ``test_connect`` checks the setting of real use."""
    monkeypatch.setitem(connect._WRITER, "synchronous", 0)


@dataclass(frozen=True)
class Said:
    """What a command returned and printed."""

    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """The printed JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def json(self) -> Any:
        """The printed JSON value."""
        return json.loads(self.out)

    def error(self) -> dict[str, str]:
        """The error as printed with --json."""
        return json.loads(self.err)


@cache
def _command() -> Any:
    """Return all commands, made once: making them for each call takes longer than most calls."""
    return typer.main.get_command(build_app())


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Return a function that runs one command."""
    command = _command()
    monkeypatch.setattr("core.runs.hosting.driver.real_engine", lambda probe=None: (train, probe))
    monkeypatch.setattr("core.cli.app.typer.main.get_command", lambda _: command)

    def run(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    rows = [{"prompt": f"Q{i}", "chosen": "yes", "rejected": "no"} for i in range(8)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
