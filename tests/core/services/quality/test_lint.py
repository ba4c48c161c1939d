"""What labels say of the clauses of a rubric."""

from __future__ import annotations

from pathlib import Path

from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.quality.clauses import LEAST_LABELS
from tests.fakes.workspaces import opened, person, prefer


def label(app: Application, who: int, marks: list[int | None]) -> None:
    queue = app.annotation.open_queue(QueueSettings(who, 1))
    for mark in marks:
        (shown,) = app.annotation.next(queue)
        app.annotation.commit(shown.presentation_uid, prefer(-1, criteria={} if mark is None else {"help": mark}))


def test_that_a_clause_that_nobody_answers_is_told_once_there_are_labels(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", LEAST_LABELS) as app:
        label(app, 1, [None] * (LEAST_LABELS - 1))
        assert "never_cited" not in [one.rule for one in app.quality.lint(1)]
        label(app, 1, [None])
        found = {one.rule: one for one in app.quality.lint(1)}
        assert found["never_cited"].criterion == "help" and f"{LEAST_LABELS} labels" in found["never_cited"].message


def test_that_a_clause_read_in_two_ways_is_told_with_its_alpha(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 12) as app:
        bo = person(app.store, "Bo")
        label(app, 1, [-1, 1] * 6)
        label(app, bo.id, [-1, 1, 1, -1] * 3)
        found = {one.rule: one for one in app.quality.lint(1)}
        assert "alpha 0.0" in found["low_agreement"].message or "alpha -0.0" in found["low_agreement"].message
        assert "12 items" in found["low_agreement"].message and "never_cited" not in found
