from __future__ import annotations

from dataclasses import dataclass

from app.background.run_watch import RunWatch
from app.background.task_runner import TaskRunner
from app.main_window.status_bar import run_text


@dataclass(frozen=True)
class Run:
    run_id: str
    state: str
    name: str = "dpo"
    step: int = 66
    total_steps: int = 100
    eta_s: float | None = 372.0

    @property
    def live(self) -> bool:
        return self.state in ("running", "paused", "stopping")

    @property
    def status(self) -> Run:
        return self

    @property
    def phase(self) -> str:
        return "train"


def test_that_a_new_state_is_told_once(qtbot: object) -> None:
    tasks = TaskRunner()
    watch = RunWatch(tasks)
    found = [[Run("1", "running")], [Run("1", "running")], [Run("1", "completed")]]
    told: list[list[Run]] = []
    watch.changed.connect(told.append)
    watch.start(lambda: found.pop(0))
    for left in (2, 1, 0):
        qtbot.waitUntil(lambda n=left: len(found) == n and not tasks.busy)  # type: ignore[attr-defined]
        if left:
            watch.look()
    assert [runs[0].state for runs in told] == ["running", "completed"]
    assert watch.live == []
    watch.stop()
    tasks.close()


def test_that_a_run_is_told_in_a_few_words() -> None:
    assert run_text([]) == ""
    assert run_text([Run("1", "running")]) == "dpo  66 %  ETA 6 min 10 s"
    assert run_text([Run("1", "paused"), Run("2", "running")]) == "dpo  66 %  paused  +1"
