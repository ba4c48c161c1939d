"""The progress line follows one job at a time."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from app.background.task import BackgroundTask, TaskControl, TaskState
from app.theme.theme import Theme
from app.widgets.messages import ProgressLine
from core.paths import resources_dir


def test_that_cancel_reaches_the_job_that_is_shown_and_no_other(qtbot):
    theme = Theme(QApplication.instance(), resources_dir())
    theme.apply("light", 100)
    line = ProgressLine(theme)
    qtbot.addWidget(line)
    first, second = BackgroundTask("First", TaskControl()), BackgroundTask("Second", TaskControl())
    line.follow(first)
    line.follow(second)
    first.report(1, 2, "early")
    assert line._phase.text() == "Second"
    line.cancelled.emit()
    assert (first.state, second.state) == (TaskState.RUNNING, TaskState.STOPPING)
