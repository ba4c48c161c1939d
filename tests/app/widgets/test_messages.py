"""The progress line follows one job at a time."""

from __future__ import annotations

from app.background.task import BackgroundTask, TaskControl, TaskState
from app.widgets.messages import ProgressLine


def test_that_cancel_reaches_the_job_that_is_shown_and_no_other(qtbot):
    line = ProgressLine()
    qtbot.addWidget(line)
    first, second = BackgroundTask("First", TaskControl()), BackgroundTask("Second", TaskControl())
    line.follow(first)
    line.follow(second)
    first.report(1, 2, "early")
    assert line._phase.text() == "Second"
    line.cancelled.emit()
    assert (first.state, second.state) == (TaskState.RUNNING, TaskState.STOPPING)
