"""The two commands of the README: what they check, install and repair. Nothing is installed here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.packaging.scripts import load

NO_FILE = "Could not find a version (from versions: 1.0)\nERROR: No matching distribution found for torch==2.13.0"


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module that works in a scratch folder and notes what it would run."""
    module = load("bootstrap")
    (tmp_path / "packaging").mkdir()
    for lock in ("requirements.lock", "requirements-cuda.lock", "starter.lock"):
        (tmp_path / "packaging" / lock).write_text("torch==2.13.0\n")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies=["typer"]\n[project.optional-dependencies]\ntest=["pytest"]\ndev=["ruff"]\n'
    )
    for name, value in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "LOCK": tmp_path / "packaging" / "requirements.lock",
        "CUDA_LOCK": tmp_path / "packaging" / "requirements-cuda.lock",
        "STARTER_LOCK": tmp_path / "packaging" / "starter.lock",
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


def installed(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, refuse: Callable[[tuple[str, ...]], str] = lambda _: ""
) -> list[tuple[str, ...]]:
    """Let the set-up run without installing anything and return what pip was asked for.

    ``refuse`` returns the message with which pip fails for some words, or "".
    """
    asked: list[tuple[str, ...]] = []

    def make() -> None:
        boot.venv_python().parent.mkdir(parents=True, exist_ok=True)
        boot.venv_python().touch()

    def pip(*words: str) -> None:
        asked.append(words)
        if message := refuse(words):
            raise boot.SetupError(message)

    monkeypatch.setattr(boot, "make_venv", make)
    monkeypatch.setattr(boot, "lock_choices", lambda: [["-r", str(boot.LOCK)], ["-r", str(boot.CUDA_LOCK)]])
    monkeypatch.setattr(boot, "pip", pip)
    boot.set_up()
    return asked


def test_that_the_lock_is_installed_by_its_hashes_and_a_second_start_installs_nothing(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installed(boot, monkeypatch) == [("--require-hashes", "-r", str(boot.LOCK))]
    assert installed(boot, monkeypatch) == []
    boot.LOCK.write_text("torch==2.14.0\n")
    assert len(installed(boot, monkeypatch)) == 1


def test_that_the_next_lock_is_tried_where_pips_own_places_lack_the_cpu_build_of_torch(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = installed(boot, monkeypatch, lambda words: "" if str(boot.CUDA_LOCK) in words else NO_FILE)
    assert asked[-1] == ("--require-hashes", "-r", str(boot.CUDA_LOCK))


def test_that_a_platform_without_a_pinned_file_is_installed_within_the_ranges_and_told_so(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = installed(boot, monkeypatch, lambda words: NO_FILE if "--require-hashes" in words else "")
    assert asked[-1] == ("typer", "pytest", "ruff")
    assert "without hashes" in capsys.readouterr().err


@pytest.mark.parametrize(
    "message",
    [
        "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
        "(from versions: none)\nERROR: No matching distribution found for torch==2.13.0",
    ],
)
def test_that_a_wrong_hash_or_an_index_out_of_reach_never_leads_to_an_installation_without_hashes(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    with pytest.raises(boot.SetupError):
        installed(boot, monkeypatch, lambda words: message if "--require-hashes" in words else "")
    assert not boot.is_ready()


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
    ("configured", "choice", "card", "index", "expected"),
    [
        ("", "auto", False, True, ["requirements.lock --extra-index-url"]),
        ("", "auto", False, False, ["requirements-cuda.lock"]),
        ("", "auto", True, True, ["requirements-cuda.lock"]),
        ("global.find-links='/wheels'", "auto", False, False, ["requirements.lock", "requirements-cuda.lock"]),
        ("global.find-links='/wheels'", "cpu", True, True, ["requirements.lock --extra-index-url"]),
        ("", "cuda", False, False, ["requirements-cuda.lock"]),
    ],
)
def test_that_the_card_the_variable_and_pips_own_places_choose_the_build_of_torch(
    boot: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    configured: str,
    choice: str,
    card: bool,
    index: bool,
    expected: list[str],
) -> None:
    monkeypatch.setattr(boot, "cpu_index_answers", lambda: index)
    monkeypatch.setattr(boot, "_quiet", quiet([], {"config list": (0, configured)}))
    monkeypatch.setattr(boot, "has_nvidia", lambda: card)
    monkeypatch.setattr(boot.sys, "platform", "linux")
    monkeypatch.setenv("PAIRWRIGHT_TORCH", choice)
    choices = [" ".join(words[1:3]).removeprefix(f"{boot.ROOT / 'packaging'}/") for words in boot.lock_choices()]
    assert choices == expected


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


def test_that_one_check_can_be_named_and_a_wrong_name_lists_the_checks(
    boot: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(boot, "set_up", lambda: None)
    monkeypatch.setattr(boot, "run", lambda given, **_: ran.append(given) or 0)
    assert boot.main(["checks", "pyright"]) == 0
    assert ran == [["-m", "pyright", "--pythonpath", str(boot.venv_python())]]
    with pytest.raises(boot.SetupError, match="the checks are ruff, ruff-format, import-linter, pyright"):
        boot.main(["checks", "mypy"])
