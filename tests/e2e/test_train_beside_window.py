"""``pairwright train`` as *Show the command line* prints it, while another process has the workspace open."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.app import main
from core.domain.dataset import FreezePolicy
from core.domain.run_config import RunConfig
from core.services.annotation.service import QueueSettings
from core.services.runs.views import RunRequest
from tests.core.training.golden_runs import GOLDEN
from tests.fakes.workspaces import opened, prefer

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "steps": 2, "batch_size": 2, "lora_r": 2, "template": "none", "eval_every": 0, "kl_every": 0, "sample_every": 0,
    "threads": 1,
}  # fmt: skip

WITHOUT_TORCH = """
from core.cli.app import main
from core.runs.hosting import driver
from tests.fakes.scripted_engine import train
driver.real_engine = lambda probe=None: (train, probe)
raise SystemExit(main())
"""
PROGRAMS = [
    pytest.param(("-c", WITHOUT_TORCH), id="scripted engine"),
    pytest.param(("-m", "core"), id="real engine", marks=pytest.mark.slow),
]
"""How the process is started: what is told apart here is two processes and one workspace, whatever trains."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("program", PROGRAMS)
def test_that_the_printed_command_trains_while_the_workspace_is_open_and_labels_are_saved(
    tmp_path: Path, program: tuple[str, ...]
) -> None:
    with opened(tmp_path / "ws") as app:
        shown = app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)), 6)
        for one in shown[:4]:
            app.annotation.commit(one.presentation_uid, prefer(2))
        version = app.datasets.freeze("set", FreezePolicy(splits=(1.0, 0.0, 0.0))).value
        config = RunConfig().with_values(SMALL)
        request = RunRequest(str(GOLDEN / "model"), dataset_id=version.id, config=config, name="beside")
        words = shlex.split(app.runs.command_line(request))
        assert words[0] == "pairwright"
        with subprocess.Popen(
            [sys.executable, *program, *words[1:]],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            app.annotation.commit(shown[4].presentation_uid, prefer(1))
            out, error = child.communicate()
        assert child.returncode == 0, error
        assert "finished" in out.lower()
        (run,) = app.runs.follow()
        assert (run.name, run.state, run.status.step) == ("beside", "finished", 2)
        assert [item.op for item in app.workspace.activity(2)] == ["run.end", "run.create"]
        assert app.workspace.check().findings == ()
    assert main([*words[1:], "--create-only"]) == 0, "nobody has the workspace open any more"
