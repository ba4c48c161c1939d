"""The programs that are started by name: all are known to the packager, and a frozen application can start them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.cli.child_programs import PROGRAMS, program_of
from core.runs.evaluations.control import WORKER
from core.runs.folder import WorkFolder
from core.runs.hosting.hosts import RUN_WORKER, ProcessHost, worker_command
from tests.architecture.imports import modules
from tests.patience import LIMIT_S

_MAIN = 'if __name__ == "__main__":'


def test_that_every_module_that_is_a_program_is_listed() -> None:
    programs = {name for name, path in modules("core").items() if _MAIN in path.read_text(encoding="utf-8")}
    assert programs - {"core.__main__", "core"} == set(PROGRAMS)


def test_that_a_frozen_application_understands_the_words_it_starts_itself_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    for module in PROGRAMS:
        executable, *words = worker_command(module)
        assert executable == sys.executable
        assert program_of([*words, "folder", "--keep-control"]) == (module, ["folder", "--keep-control"])
    assert program_of(["child", "http.server"]) is None
    assert program_of(["runs", "ws"]) is None


@pytest.mark.parametrize(("module", "noun"), [(RUN_WORKER, "run"), (WORKER, "evaluation")])
def test_that_a_frozen_application_runs_the_workers_of_runs_and_evaluations(
    module: str, noun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = tmp_path / "pairwright"
    code = "import sys; sys.frozen = True; from core.cli.app import main; sys.exit(main())"
    frozen.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n', encoding="utf-8")
    frozen.chmod(0o700)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(frozen))
    folder = tmp_path / "empty"
    folder.mkdir()
    host = ProcessHost(folder, module=module)
    assert host.wait(LIMIT_S) == 1
    assert f"holds no {noun}" in WorkFolder(folder).worker_output.read_text(encoding="utf-8")
