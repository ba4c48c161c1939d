"""Taking runs from a queue: exactly one process takes each, and what happened is concluded from the run itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.errors import BadInput, NotFound, UserError
from core.domain.run_events import Failed
from core.domain.run_queue import TakenRun, WaitingRun
from core.file_lock import HeldLock
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from core.runs.queue_file import LOCK, QUEUE, QueueFile, held_machine
from core.runs.queue_runner import QueueRunner, at_work, waiting_run
from core.runs.status import read_status
from tests.fakes.scripted_engine import Scripted, train

Make = Callable[..., RunFolder]
TAKE = "import sys; from pathlib import Path; from core.runs.queue_runner import QueueRunner; \
sys.stdin.readline(); folder = QueueRunner(Path(sys.argv[1])).take(); \
print(folder.path.name if folder else '-', flush=True); sys.stdin.read()"


@pytest.fixture
def queued(make_run: Make) -> Callable[..., QueueFile]:
    """Return a function that makes runs of these names and lets them wait."""

    def add(*names: str) -> QueueFile:
        made = [make_run(f"runs/{name}", steps=2, checkpoint_every=0) for name in names]
        file = QueueFile(made[0].path.parent)
        for folder in made:
            file.change(lambda queue, folder=folder: queue.with_added(waiting_run(folder)))
        return file

    return add


@pytest.fixture
def make_run(tmp_path: Path, make_run: Make) -> Make:
    """Make runs whose id is the name of their folder."""

    def make(name: str, **settings: object) -> RunFolder:
        folder = make_run(name, **settings)
        record = json.loads(folder.run_json.read_text())
        folder.run_json.write_text(json.dumps({**record, "run_id": folder.path.name}))
        return folder

    return make


def waiting(file: QueueFile) -> str:
    return "".join(one.run_id for one in file.read().waiting)


def work(folder: RunFolder, engine: object = train) -> None:
    drive(folder.path, HostOptions(host="thread", engine=engine))  # type: ignore[arg-type]


@pytest.fixture
def unaltered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fixture's run ids stand, which are not those of the manifest."""
    monkeypatch.setattr(RunFolder, "verify_inputs", lambda _: None)


pytestmark = pytest.mark.usefixtures("unaltered")


def test_that_runs_are_taken_in_order_one_after_the_other(queued: Callable[..., QueueFile]) -> None:
    file = queued("a", "b", "c")
    assert [read_status(RunFolder(file.place / name)).state for name in "abc"] == ["queued"] * 3
    runner = QueueRunner(file.place)
    first = runner.take()
    assert first is not None and first.path.name == "a"
    assert (runner.take(), waiting(file)) == (None, "bc"), "one run at a time, also while it only starts"
    work(first)
    assert read_status(first).state == "finished"
    second = runner.take()
    assert second is not None and second.path.name == "b"
    work(second, Scripted([Failed("nan", "Loss is NaN.", "Lower lr.")]))
    third = runner.take()
    assert third is not None and third.path.name == "c", "a failed run does not stop the queue"
    (told,) = file.read().told
    assert (told.run_id, told.kind, told.reason, told.hint) == ("b", "failed", "Loss is NaN.", "Lower lr.")


def test_that_two_processes_never_take_the_same_run(queued: Callable[..., QueueFile]) -> None:
    file = queued("a", "b")
    ends = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(file.place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for process in ends:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found = [process.stdout.readline().strip() for process in ends if process.stdout is not None]
        assert sorted(found) == ["-", "a"]
        assert QueueRunner(file.place).take() is None, "the one that took it lives and may be about to start it"
    finally:
        for process in ends:
            process.kill()
            process.communicate()
    again = QueueRunner(file.place).take()
    assert again is not None and again.path.name == "a", "killed before it began: the run goes first again"


def test_that_the_queue_is_held_by_one_and_freed_by_the_kernel(queued: Callable[..., QueueFile]) -> None:
    file = queued("a")
    code = f"import os; from pathlib import Path; from core.runs.queue_file import QueueFile; \
f = QueueFile(Path({str(file.place)!r})); m = f.locked(); m.__enter__(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with HeldLock(file.place / LOCK):
        pass
    assert file.change(lambda queue: queue.without("a")).waiting == ()


def test_that_a_run_whose_process_died_goes_on_first_but_not_forever(queued: Callable[..., QueueFile]) -> None:
    file = queued("a", "b")

    def died(tries: int) -> None:
        """Write what a process leaves that took the first run and was killed before it began."""
        taken = TakenRun(WaitingRun("a", 1, tries=tries), 2**22 + 1, 1.0, "")
        file.change(lambda queue: type(queue)(False, queue.without("a").waiting, taken))

    died(0)
    runner = QueueRunner(file.place)
    assert [(one.run_id, one.tries) for one in runner.settle().waiting] == [("a", 1), ("b", 0)]
    died(1)
    found = runner.take()
    assert found is not None and found.path.name == "b"
    (told,) = file.read().told
    assert (told.run_id, told.kind) == ("a", "interrupted")
    assert "2 times" in told.reason


def test_that_nothing_is_taken_while_paused_or_while_another_run_is_trained(
    queued: Callable[..., QueueFile], make_run: Make
) -> None:
    file = queued("a")
    runner = QueueRunner(file.place)
    file.change(lambda queue: type(queue)(True, queue.waiting))
    assert runner.take() is None
    file.change(lambda queue: type(queue)(False, queue.waiting))
    other, seen = make_run("runs/x", steps=1), []
    drive(
        other.path,
        HostOptions(
            host="terminal", engine=train, on_event=lambda _: seen.append((at_work(file.place), runner.take()))
        ),
    )
    assert set(seen) == {(other.path, None)}, "a run from the command line counts too"
    assert at_work(file.place) is None
    with held_machine(file.place):
        assert runner.take() is None, "between two runs of a sweep nothing else starts"
        with held_machine(other.path):
            pass
    assert runner.take() is not None


def test_that_runs_that_cannot_start_are_told_and_passed_over(queued: Callable[..., QueueFile], make_run: Make) -> None:
    file = queued("a", "b", "c", "d")
    (file.place / "a" / "run.json").unlink()
    work(RunFolder(file.place / "b"))

    def objection(folder: RunFolder) -> UserError | None:
        return NotFound("The model is gone.", "Move it back.") if folder.path.name == "c" else None

    found = QueueRunner(file.place, objection=objection).take()
    assert found is not None and found.path.name == "d"
    told = {one.run_id: one for one in file.read().told}
    assert told.keys() == {"a", "c"}, "b was trained by hand meanwhile: there is nothing to tell"
    assert (told["c"].kind, told["c"].reason, told["c"].hint) == ("refused", "The model is gone.", "Move it back.")
    assert "deleted or moved" in told["a"].reason
    runner = QueueRunner(file.place)
    assert runner.refuse("d", UserError("No room.")).taken is None
    assert {one.run_id for one in file.read().told} == {"a", "c", "d"}


def test_that_a_damaged_queue_says_so_and_changes_nothing(queued: Callable[..., QueueFile]) -> None:
    file = queued("a")
    (file.place / QUEUE).write_text('{"paused": 1}')
    with pytest.raises(BadInput, match=r"queue\.json is damaged"):
        QueueRunner(file.place).take()
    assert read_status(RunFolder(file.place / "a")).state == "created"
