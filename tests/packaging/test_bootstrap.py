"""The two commands of the README: what they check, install and repair. Nothing is installed here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "packaging" / "bootstrap.py"


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module that works in a scratch folder and notes what it would run."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "packaging").mkdir()
    (tmp_path / "packaging" / "requirements.lock").write_text("torch==2.13.0\n")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies=["typer"]\n[project.optional-dependencies]\ntest=["pytest"]\ndev=["ruff"]\n'
    )
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "LOCK": tmp_path / "packaging" / "requirements.lock",
        "STAMP": tmp_path / ".venv" / ".ready",
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "missing_libraries", list)
    return module


def quiet(calls: list[tuple[str, ...]], answers: dict[str, tuple[int, str]]) -> Any:
    """Return a stand-in for running programs: words of the command choose the answer."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        code, text = next((answer for words, answer in answers.items() if words in " ".join(command)), (0, ""))
        return subprocess.CompletedProcess(command, code, text, text)

    return run


def installed(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Let the set-up run without installing anything and return what pip was asked for."""
    asked: list[tuple[str, ...]] = []

    def make() -> None:
        boot.venv_python().parent.mkdir(parents=True, exist_ok=True)
        boot.venv_python().touch()

    monkeypatch.setattr(boot, "make_venv", make)
    monkeypatch.setattr(boot, "index_words", list)
    monkeypatch.setattr(boot, "pip", lambda *words: asked.append(words))
    boot.set_up()
    return asked


def test_that_torch_comes_first_and_pinned_and_a_second_start_installs_nothing(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = installed(boot, monkeypatch)
    assert [words[-1] for words in asked] == ["torch==2.13.0", "ruff"]
    assert all(words[:2] == ("-c", str(boot.LOCK)) for words in asked)
    assert installed(boot, monkeypatch) == []
    boot.LOCK.write_text("torch==2.14.0\n")
    assert len(installed(boot, monkeypatch)) == 2


def test_that_a_failed_step_leaves_no_stamp(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> None:
        raise boot.SetupError("A package could not be installed. Run the same command again.")

    installed(boot, monkeypatch)
    boot.LOCK.write_text("changed\n")
    monkeypatch.setattr(boot, "pip", refuse)
    with pytest.raises(boot.SetupError, match="Run the same command again"):
        boot.set_up()
    assert not boot.is_ready()
    assert not boot.STAMP.exists()


def test_that_an_environment_that_only_lacks_pip_is_given_it(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    boot.venv_python().parent.mkdir(parents=True)
    boot.venv_python().touch()
    (boot.VENV / "mine").touch()
    given: list[bool] = []

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        if "ensurepip" in command:
            given.append(True)
        return subprocess.CompletedProcess(command, 0 if given else 1, "", "No module named pip")

    monkeypatch.setattr(boot, "_quiet", run)
    boot.make_venv()
    assert given == [True]
    assert (boot.VENV / "mine").exists()


def test_that_an_environment_left_without_pip_is_made_again(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    boot.venv_python().parent.mkdir(parents=True)
    boot.venv_python().touch()
    (boot.VENV / "half").touch()
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(boot, "_quiet", quiet(calls, {"pip --version": (1, "No module named pip")}))
    boot.make_venv()
    assert calls[-1] == (sys.executable, "-m", "venv", str(boot.VENV))
    assert not (boot.VENV / "half").exists()


def test_that_a_python_without_venv_names_its_package(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "_quiet", quiet([], {"-m venv": (1, "ensurepip is not available")}))
    monkeypatch.setattr(boot.os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(boot.SetupError, match=rf"apt-get install -y python3\.{sys.version_info.minor}-venv"):
        boot.make_venv()


def test_that_missing_system_libraries_are_named_with_the_line_that_installs_them(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boot, "missing_libraries", lambda: ["libegl1", "libgl1"])
    monkeypatch.setattr(boot.os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(boot.SetupError, match="sudo apt-get install -y libegl1 libgl1"):
        boot.set_up()


@pytest.mark.parametrize(
    ("configured", "choice", "words"),
    [("", "cpu", True), ("global.find-links='/wheels'", "auto", False), ("", "default", False)],
)
def test_that_no_index_is_added_where_pip_has_its_own(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, configured: str, choice: str, words: bool
) -> None:
    monkeypatch.setattr(boot, "_quiet", quiet([], {"config list": (0, configured)}))
    monkeypatch.setenv("PAIRWRIGHT_TORCH", choice)
    assert bool(boot.index_words()) == words


def test_that_an_old_or_narrow_python_is_refused(boot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot.sys, "version_info", (3, 10, 0))
    with pytest.raises(boot.SetupError, match=r"Python 3\.11 or newer"):
        boot.check_interpreter()


@pytest.mark.parametrize(
    ("words", "screen", "expected"),
    [
        ([], True, ["-m", "app", "demo"]),
        ([], False, ["-m", "app", "demo", "--headless", "--out"]),
        (["doctor"], False, ["-m", "app", "doctor"]),
        (["runs", "WS"], False, ["-m", "app", "runs", "WS"]),
        (["test", "-x"], False, ["-m", "pytest", "-n"]),
    ],
)
def test_that_words_are_passed_through(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, words: list[str], screen: bool, expected: list[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(boot, "set_up", lambda: None)
    monkeypatch.setattr(boot, "fetch_starter", lambda: None)
    monkeypatch.setattr(boot, "has_screen", lambda: screen)
    monkeypatch.setattr(boot, "run", lambda given, **_: ran.append(given) or 0)
    assert boot.main(words) == 0
    assert ran[0][: len(expected)] == expected


def test_that_everything_runs_offline(boot: ModuleType) -> None:
    assert boot.environment()["HF_HUB_OFFLINE"] == "1"
