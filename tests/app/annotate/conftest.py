"""A window with pairs, a published rubric and a reviewer, ready to label."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor

from app.settings.store import Settings
from core.paths import user_data_dir
from core.services.application import Application
from core.store.sqlite.identity import db_path
from tests.fakes.drafts import stored_draft


def make_workspace(path: Path, pairs: int = 24, scale: int = 7) -> Path:
    """Make a workspace with unlabelled pairs, a published rubric and a reviewer: a copy of one made before."""
    path.mkdir()
    db_path(path).write_bytes(_prepared(pairs, scale).file)
    return path


@dataclass(frozen=True)
class PreparedWorkspace:
    """The file of a workspace, its own id and its reviewer's."""

    file: bytes
    uuid: str
    mira: int


@cache
def _prepared(pairs: int, scale: int) -> PreparedWorkspace:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "ws"
        with Application.open(path, create=True) as app:
            source = path.parent / "pairs.jsonl"
            rows = (
                {"prompt": f"Question {i}?", "chosen": f"First {i}.", "rejected": f"Second {i}."} for i in range(pairs)
            )
            source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            app.imports.run(source)
            body = replace(app.rubrics.templates()[0].body, scale=scale)
            app.rubrics.publish(app.rubrics.create("House rules", body).value.id)
            mira, uuid = app.reviewers.add("mira").value.id, app.workspace.info().uuid
        return PreparedWorkspace(db_path(path).read_bytes(), uuid, mira)


class LabelingSession:
    """A reviewer at the labelling screen of a running window: what they press, and what they see."""

    def __init__(self, running, qtbot) -> None:
        self.running, self.qtbot = running, qtbot
        self.page = running.page("annotate")
        self.view, self.bar, self.panel = self.page.view, self.page.view.bar, self.page.view.panel

    @property
    def context(self):
        """The context of the window."""
        return self.running.context

    @property
    def service(self):
        """The annotation service."""
        return self.running.context.services.annotation

    @property
    def state(self):
        """What the page has on the screen."""
        return self.page.state

    @property
    def shown(self):
        """The presentation on the screen, or None."""
        return self.page.state.presentation

    @property
    def form(self):
        """What is filled in."""
        return self.page.state.form

    @property
    def missing_screen(self):
        """The screen that is shown in place of a pair, or None."""
        return None if self.view.shows_pair else self.view.currentWidget()

    def press(self, *keys, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        """Press keys on the window, one after the other."""
        for key in keys:
            self.qtbot.keyClick(self.page.window(), key, modifier)

    def write(self, text: str) -> None:
        """Type into the rationale, and leave it."""
        self.press(Qt.Key.Key_R)
        self.reach(self.panel.rationale.hasFocus)
        self.qtbot.keyClicks(self.panel.rationale, text)
        self.qtbot.keyClick(self.panel.rationale, Qt.Key.Key_Escape)
        self.reach(lambda: not self.panel.rationale.hasFocus())

    def rate_all(self, key=Qt.Key.Key_4) -> None:
        """Answer every criterion by the same key; the overall verdict takes the keys afterwards."""
        self.press(Qt.Key.Key_J, *(key for _ in self.state.criterion_ids))

    def select(self, side: str, start: int, end: int) -> None:
        """Select characters of an answer, which is shown as source."""
        text = getattr(self.view.panes, side).text
        cursor = text.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        text.setTextCursor(cursor)

    def add_span(self, side: str, start: int, end: int, tag: str) -> None:
        """Select characters of an answer and give them a tag, by its words in the dialog."""
        self.context.settings.set("annotate.view", "source")
        self.select(side, start, end)
        self.running.dialogs.answers.append(tag)
        self.press(Qt.Key.Key_H)

    def label(self, key):
        """Press a verdict key and Enter; return the presentation that was answered, once it is stored."""
        shown = self.shown
        self.press(key, Qt.Key.Key_Return)
        self.stored()
        return shown

    def stored(self) -> None:
        """Wait until every commit is stored and nothing runs in the background."""
        self.reach(lambda: self.state.saving == 0)
        self.running.settle()

    def labels(self):
        """Return the reviewer's labels that count, newest first."""
        return self.service.recent(self.context.session.reviewer_id, 100)

    def draft(self, shown):
        """Return the stored draft of a presentation, or None."""
        return stored_draft(self.context.services.store, shown.presentation_uid)

    def reach(self, condition) -> None:
        """Wait until a condition holds."""
        self.qtbot.waitUntil(condition)

    def reach_pair(self) -> None:
        """Wait until a pair is shown."""
        self.reach(lambda: self.shown is not None)

    def look_back(self) -> None:
        """Go to the earlier decision, and wait until it is shown."""
        before = self.state.earlier_id
        self.press(Qt.Key.Key_BracketLeft)
        self.reach(lambda: self.state.earlier_id not in (None, before))

    def stop_clock(self) -> None:
        """Let no time pass for the double-press guard, so that the speed of the machine decides nothing."""
        self.context.settings.set("annotate.guard_ms", 2000)
        self.state.clock = lambda: 0.0


@pytest.fixture
def labeling(main_window, tmp_path, qtbot):
    """Return a function that opens the labelling screen: ``labeling(pairs=24, scale=7)`` -> LabelingSession."""

    def start(pairs: int = 24, scale: int = 7) -> LabelingSession:
        workspace, prepared = make_workspace(tmp_path / "ws", pairs, scale), _prepared(pairs, scale)
        settings = Settings(user_data_dir())  # the window takes the reviewer who labelled last in this workspace
        settings.set_state(f"reviewer/{prepared.uuid}", prepared.mira)
        settings.sync()
        running = main_window(workspace=workspace, place="annotate")
        assert running.context.session.reviewer_name == "mira"
        session = LabelingSession(running, qtbot)
        session.reach_pair()
        session.page.first_focus().setFocus()
        return session

    return start
