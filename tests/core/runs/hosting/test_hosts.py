"""The process host and the thread host behave the same; with the scripted engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.domain.errors import WorkspaceInUse
from core.runs.control_file import request, request_checkpoint
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import Host, HostKind, ProcessHost, start, worker_environment
from core.runs.priority import VARIABLE
from core.runs.run_reader import RunReader
from tests.fakes.scripted_engine import STEP_SECONDS_VARIABLE, train
from tests.patience import LIMIT_S, wait_until

Make = Callable[..., RunFolder]
FAKE = "tests.fakes.scripted_engine:train"


@pytest.fixture(params=["process", "thread"])
def kind(request: pytest.FixtureRequest) -> HostKind:
    return request.param


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STEP_SECONDS_VARIABLE, "0.02")


@pytest.fixture
def begin() -> Iterator[Callable[..., Host]]:
    begun: list[tuple[Host, RunFolder]] = []

    def go(folder: RunFolder, kind: HostKind, **options: object) -> Host:
        host = start(folder.path, kind, engine=FAKE if kind == "process" else train, **options)  # type: ignore[arg-type]
        begun.append((host, folder))
        return host

    yield go
    for host, folder in begun:
        if host.alive():
            request(folder.control, "stop_now")
            host.wait(LIMIT_S)
        if isinstance(host, ProcessHost) and host.alive():
            host.kill()


def at_step(reader: RunReader, step: int) -> Callable[[], bool]:
    return lambda: reader.status().step >= step


def test_that_a_run_ends_with_code_0_and_a_full_ledger(
    make_run: Make, begin: Callable[..., Host], kind: HostKind
) -> None:
    folder = make_run()
    assert begin(folder, kind).wait(LIMIT_S) == 0
    reader = RunReader(folder.path)
    assert reader.status().state == "finished"
    assert reader.status().host == kind
    assert len(reader.series("loss")[0]) == 20


@pytest.mark.usefixtures("slow_steps")
def test_that_a_run_is_watched_paused_resumed_and_stopped_through_its_folder(
    make_run: Make, begin: Callable[..., Host], kind: HostKind
) -> None:
    folder = make_run(steps=1000, eval_every=0, checkpoint_every=0)
    host = begin(folder, kind)
    reader = RunReader(folder.path)
    wait_until(at_step(reader, 2))
    request(folder.control, "pause")
    wait_until(lambda: reader.status().state == "paused")
    held = reader.status().step
    request(folder.control, "run")
    wait_until(at_step(reader, held + 1))
    request_checkpoint(folder.control)
    wait_until(lambda: any(folder.checkpoints.glob("step-*")))
    request(folder.control, "stop_and_save")
    assert host.wait(LIMIT_S) == 0
    status = reader.status()
    assert status.state == "stopped"
    assert (folder.checkpoints / f"step-{status.step}").is_dir()


@pytest.mark.usefixtures("slow_steps")
def test_that_a_second_start_is_refused_while_the_run_is_on(
    make_run: Make, begin: Callable[..., Host], kind: HostKind
) -> None:
    folder = make_run(steps=1000)
    begin(folder, kind)
    wait_until(lambda: RunReader(folder.path).status().state == "running")
    with pytest.raises(WorkspaceInUse):
        start(folder.path, kind, engine=FAKE)


def test_that_a_failed_run_returns_code_1(make_run: Make, begin: Callable[..., Host], kind: HostKind) -> None:
    folder = make_run()
    folder.pairs_file.write_text("")
    assert begin(folder, kind).wait(LIMIT_S) == 1
    assert RunReader(folder.path).status().state == "failed"


@pytest.mark.usefixtures("slow_steps")
def test_that_a_killed_worker_leaves_an_interrupted_run_that_resumes_to_the_same_end(
    make_run: Make, begin: Callable[..., Host]
) -> None:
    folder, whole = make_run("run"), make_run("whole")
    host = begin(folder, "process")
    reader = RunReader(folder.path)
    wait_until(at_step(reader, 7))
    assert isinstance(host, ProcessHost)
    host.kill()
    status = reader.status()
    assert status.state == "interrupted"
    assert status.step >= 7
    assert begin(folder, "process").wait(LIMIT_S) == 0
    assert begin(whole, "thread").wait(LIMIT_S) == 0
    other = RunReader(whole.path)
    assert reader.status().attempt == 2
    for name in other.series_names():
        assert reader.series(name) == other.series(name), name
    assert [v.row for v in reader.pair_history("p3")] == [v.row for v in other.pair_history("p3")]


@pytest.mark.usefixtures("slow_steps")
def test_that_the_worker_is_polite_and_on_its_own(
    make_run: Make, begin: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    folder = make_run(steps=1000)
    host = begin(folder, "process")
    assert isinstance(host, ProcessHost)
    wait_until(at_step(RunReader(folder.path), 1))
    assert psutil.Process(host.pid).nice() >= 10 or sys.platform == "win32"
    assert os.getpgid(host.pid) == host.pid != os.getpgid(0)


@pytest.mark.usefixtures("slow_steps")
def test_that_sigterm_means_stop_and_save(make_run: Make, begin: Callable[..., Host]) -> None:
    folder = make_run(steps=1000, checkpoint_every=0)
    host = begin(folder, "process")
    assert isinstance(host, ProcessHost)
    reader = RunReader(folder.path)
    wait_until(at_step(reader, 1))
    os.kill(host.pid, signal.SIGTERM)
    assert host.wait(LIMIT_S) == 0
    assert reader.status().state == "stopped"
    assert any(folder.checkpoints.glob("step-*"))


PARENT = """
import sys
from pathlib import Path
from core.runs.hosting.hosts import start
start(Path(sys.argv[1]), "process", survive=sys.argv[2] == "survive", engine=sys.argv[3])
sys.stdin.readline()
"""


@pytest.mark.usefixtures("slow_steps")
@pytest.mark.parametrize("fate", ["survive", "stop"])
def test_that_a_worker_outlives_the_window_only_when_it_should(make_run: Make, fate: str) -> None:
    folder = make_run(steps=60 if fate == "survive" else 5000, checkpoint_every=0)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder.path), fate, FAKE], stdin=subprocess.PIPE, cwd=Path.cwd()
    )
    reader = RunReader(folder.path)
    wait_until(at_step(reader, 1))
    parent.kill()
    parent.wait()
    wait_until(lambda: reader.status().state in ("finished", "stopped"))
    assert reader.status().state == ("finished" if fate == "survive" else "stopped")


def test_that_neither_starting_nor_reading_a_run_imports_torch() -> None:
    code = "import core.runs.hosting.hosts, core.runs.run_reader, core.runs.worker, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_that_a_folder_named_core_where_the_user_works_does_not_shadow_ours(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    command = [sys.executable, "-m", "core.version"]
    done = subprocess.run(command, cwd=tmp_path, env=worker_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_that_a_worker_that_ends_with_its_parent_exits_cleanly_while_the_parent_lives(make_run: Make) -> None:
    host = start(make_run(steps=2).path, "process", survive=False, engine=FAKE)
    assert host.wait(LIMIT_S) == 0
