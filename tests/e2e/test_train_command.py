"""``pairwright train --pairs`` as a user types it, against the golden trajectories of TRL."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.run_events import StepDone, from_plain
from core.runs.run_reader import RunReader
from tests.core.training.golden_runs import FIELDS, GOLDEN, allowed, trajectories

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "steps": "18",
    "lr": "3e-3",
    "scheduler": "constant",
    "warmup": "0",
    "batch_size": "4",
    "shuffle": "false",
    "lora_r": "8",
    "lora_alpha": "16",
    "init_adapter": str(GOLDEN / "adapter_init"),
    "template": "none",
    "max_length": "512",
    "eval_every": "0",
    "kl_every": "0",
    "sample_every": "0",
    "threads": "1",
}


WITHOUT_DATABASE_AND_WINDOW = """
import sys
class Ban:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('sqlmodel', 'sqlalchemy', 'alembic', 'PySide6', 'pyqtgraph', 'pyarrow'):
            raise ImportError(name + ' is not installed')
sys.meta_path.insert(0, Ban())
from core.cli.app import main
raise SystemExit(main())
"""
"""The same command line as ``python -m core`` on a machine that lacks what only a workspace or a window needs."""


def words(out: Path) -> list[str]:
    """Return the command that trains into the folder."""
    settings = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    places = ["--pairs", str(GOLDEN / "pairs.jsonl"), "--model", str(GOLDEN / "model"), "--out", str(out)]
    return ["train", "--json", *places, *settings]


def trained_here(out: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which has imported torch already."""
    said, error = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(error):
        code = main(words(out))
    return subprocess.CompletedProcess([], code, said.getvalue(), error.getvalue())


def trained_elsewhere(out: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own that cannot import what only a workspace or a window needs."""
    program = [sys.executable, "-c", WITHOUT_DATABASE_AND_WINDOW]
    return subprocess.run([*program, *words(out)], capture_output=True, text=True, cwd=ROOT, check=False)


Train = Callable[[Path], "subprocess.CompletedProcess[str]"]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(trained_here, id="here"),
        # "a bare run needs no database library" of tests/core/cli and the import contracts hold this in a moment
        pytest.param(trained_elsewhere, id="elsewhere", marks=pytest.mark.slow),
    ],
)
def train(request: pytest.FixtureRequest) -> Train:
    return request.param


@pytest.fixture(scope="module")
def run(train: Train, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict]]:
    out = tmp_path_factory.mktemp("golden") / "run"
    done = train(out)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return out, [json.loads(line) for line in done.stdout.splitlines()]


def test_that_the_command_line_reproduces_the_golden_trajectory(run: tuple[Path, list[dict]]) -> None:
    steps = [line for line in run[1] if line["event"] == "step"]
    golden = trajectories()["sigmoid"]["steps"]
    assert len(steps) == len(golden) == 18
    for index, (step, logged) in enumerate(zip(steps, golden, strict=True)):
        for field, ours in FIELDS.items():
            limit = allowed("sigmoid", field, 0.1, logged[field], index)
            assert abs(step[ours] - logged[field]) <= limit, (index + 1, field)


def test_that_the_printed_events_are_those_of_the_ledger(run: tuple[Path, list[dict]]) -> None:
    out, lines = run
    assert [from_plain(line) for line in lines] == RunReader(out).poll()
    step = next(line for line in lines if line["event"] == "step")
    assert list(step)[:2] == ["event", "step"]
    assert {"loss", "margin", "accuracy", "reward_chosen", "reward_rejected", "logp_chosen", "logp_rejected"} < set(
        step
    )
    assert {"grad_norm", "lr", "tokens_per_s"} < set(step)
    assert "rows" not in step
    assert (lines[0]["event"], lines[-1]["event"]) == ("started", "finished")


def test_that_every_pair_of_every_step_stands_in_the_ledger(run: tuple[Path, list[dict]]) -> None:
    out, _ = run
    steps = [event for event in RunReader(out).poll(rows=True) if isinstance(event, StepDone)]
    assert all(len(step.rows) == step.pairs == 4 for step in steps)
    assert steps[0].loss == pytest.approx(sum(row.loss for row in steps[0].rows) / 4, abs=1e-12)


def test_that_a_run_folder_is_not_trained_over(run: tuple[Path, list[dict]], train: Train) -> None:
    out, _ = run
    before = (out / "ledger.sqlite").read_bytes()
    done = train(out)
    assert done.returncode == 2
    error = json.loads(done.stderr)
    assert "exists already" in error["error"]
    assert error["hint"]
    assert (out / "ledger.sqlite").read_bytes() == before
