"""A window with pairs, a published rubric and a reviewer, ready to label."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from core.services.application import Application


def make_workspace(path: Path, pairs: int = 24, scale: int = 7) -> Path:
    """Make a workspace with unlabelled pairs, a published rubric and a reviewer."""
    with Application.open(path, create=True) as app:
        source = path.parent / "pairs.jsonl"
        rows = ({"prompt": f"Question {i}?", "chosen": f"First {i}.", "rejected": f"Second {i}."} for i in range(pairs))
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        app.imports.run(source)
        body = replace(app.rubrics.templates()[0].body, scale=scale)
        app.rubrics.publish(app.rubrics.create("House rules", body).value.id)
        app.reviewers.add("mira")
    return path


class Hands:
    """What a reviewer does at the keyboard."""

    def __init__(self, running, page, qtbot) -> None:
        self.running, self.page, self.qtbot = running, page, qtbot

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        """Strike a key on the window."""
        self.qtbot.keyClick(self.page.window(), key, modifier)

    def label(self, key):
        """Strike a verdict key and Enter; returns the showing that was answered, once it is stored."""
        shown = self.page.desk.current
        self.press(key)
        self.press(Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: self.page.commits.under_way == 0)
        self.running.settle()
        return shown

    def labels(self):
        """Return the reviewer's labels that count, newest first."""
        return self.running.context.services.annotation.recent(self.running.context.session.reviewer_id, 100)

    def reach(self, condition) -> None:
        """Wait until something is so."""
        self.qtbot.waitUntil(condition)


@pytest.fixture
def sit_down(main_window, tmp_path, qtbot):
    """Return a function that opens the labelling screen: ``sit_down(pairs=24, scale=7)`` -> :class:`Hands`."""

    def sit(pairs: int = 24, scale: int = 7) -> Hands:
        running = main_window(workspace=make_workspace(tmp_path / "ws", pairs, scale))
        mira = next(r for r in running.context.services.reviewers.list() if r.name == "mira")
        running.context.session.set_reviewer(mira.id, mira.name)
        page = running.page("annotate")
        qtbot.waitUntil(lambda: page.desk.current is not None)
        page.first_focus().setFocus()
        return Hands(running, page, qtbot)

    return sit
