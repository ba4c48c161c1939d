"""kill -9 of the window itself while someone labels by keyboard: whatever it showed as saved is in the file."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from core.services.application import Application
from tests.e2e.test_kill9_labelling import Tally, look
from tests.fakes.workspaces import fill, opened

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")


def kill_once(workspace: Path, reviewer_id: int, rng: random.Random) -> list[int]:
    """Start the window, kill it after a random number of labels, and return the ids it showed as saved."""
    command = [sys.executable, "-m", "tests.e2e.labelling_window", str(workspace), str(reviewer_id)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready", "the window did not open"
        heard = [int(child.stdout.readline()) for _ in range(rng.randrange(1, 20))]
        child.kill()
        rest = child.stdout.read()
    whole = [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return heard + [int(line) for line in whole]


def run(folder: Path, rounds: int) -> Tally:
    """Kill the labelling window so many times and return what was found."""
    app = opened(folder, pairs=50)
    fill(app.store, 40 * rounds, "many")
    reviewer = app.reviewers.list()[0].id
    app.close()
    rng, tally = random.Random(20260102), Tally()
    for _ in range(rounds):
        look(folder, kill_once(folder, reviewer, rng), tally)
    with Application.open(folder) as again:
        assert again.workspace.check().findings == ()
    print(tally)
    return tally


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rounds", [int(os.environ.get("PAIRWRIGHT_KILL_ROUNDS", "150"))])
def test_that_no_label_shown_as_saved_is_lost(tmp_path: Path, rounds: int) -> None:
    tally = run(tmp_path / "ws", rounds)
    assert (tally.rounds, tally.lost, tally.halves, tally.unsound) == (rounds, 0, 0, 0)
    assert tally.acknowledged > 0
