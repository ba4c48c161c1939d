"""An action of another place: the place is shown, its reads are waited for, then the action runs, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from app.actions.registry import ActionRegistry
from app.background.task_runner import TaskRunner
from app.main_window import action_elsewhere
from app.main_window.action_elsewhere import ActionElsewhere
from app.notices import Notices
from app.settings.store import Settings
from app.theme.theme import Theme


class _Window:
    """Actions, tasks, notices, and a place that is shown at once; ``done`` lists the actions that ran."""

    def __init__(self, theme: Theme, folder: Path) -> None:
        self.actions, self.tasks, self.notices = ActionRegistry(Settings(folder), theme.icons), TaskRunner(), Notices()
        self.done: list[str] = []
        for action_id in ("runs.fork", "runs.queue", "data.find"):
            self.actions.bind(action_id, self._noted(action_id))
        self.elsewhere = ActionElsewhere(self.actions, self.tasks, self.notices, self.show, self.tasks)
        self.show("data")

    def _noted(self, action_id: str) -> Callable[[], None]:
        return lambda: self.done.append(action_id)

    def show(self, place: str) -> None:
        self.actions.set_place(place)
        if hasattr(self, "elsewhere"):
            self.elsewhere.place_changed(place)


@pytest.fixture
def window(theme: Theme, tmp_path: Path, qtbot: object, monkeypatch: pytest.MonkeyPatch) -> _Window:
    monkeypatch.setattr(action_elsewhere, "LONGEST_MS", 1_000_000_000)  # on a busy machine the wait would end too early
    return _Window(theme, tmp_path)


def test_that_an_action_of_another_place_runs_once_that_place_has_read_what_it_shows(window, qtbot) -> None:
    free = Event()
    window.actions.set_enabled("runs.fork", False, "No run is shown.")
    window.tasks.query(free.wait, lambda _: window.actions.set_enabled("runs.fork", True))
    window.elsewhere.run("runs.fork")
    assert (window.actions.place, window.done) == ("runs", [])
    free.set()
    qtbot.waitUntil(lambda: window.done == ["runs.fork"])
    assert window.elsewhere.wanted == "" and not window.notices.kept


def test_that_another_place_or_another_action_takes_away_what_was_to_come(window) -> None:
    window.actions.set_enabled("runs.fork", False)
    window.elsewhere.run("runs.fork")
    window.show("data")
    assert window.elsewhere.wanted == ""
    window.elsewhere.run("runs.fork")
    window.actions.run("runs.queue")
    assert (window.elsewhere.wanted, window.done) == ("", ["runs.queue"])


def test_that_an_action_that_stays_off_is_told_with_its_reason(window) -> None:
    window.actions.set_enabled("runs.fork", False, "No run is shown.")
    window.elsewhere.run("runs.fork")
    window.elsewhere._latest.timeout.emit()
    (notice,) = window.notices.kept
    assert (notice.text, notice.hint) == ("“Fork the run” cannot be done in Runs now.", "No run is shown.")
    assert (window.elsewhere.wanted, window.done) == ("", [])
