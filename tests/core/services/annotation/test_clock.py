"""A clock that jumps: order and what counts follow the log, durations never turn negative, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.rubric import ChangeLevel
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store.sqlite import database
from tests.fakes.workspaces import opened, prefer

YEAR = 365 * 24 * 3600 * 1000
NOW = 1_800_000_000_000


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as application:
        yield application


@pytest.mark.parametrize(
    "times",
    [
        (NOW, NOW - YEAR, NOW + YEAR, NOW),
        (NOW, NOW - 3_600_000, NOW - 3_599_000, NOW - 3_598_000),
        (NOW, 0, 1, 2),
        (NOW,) * 4,
    ],
    ids=["a year", "summer time", "1970", "frozen"],
)
def test_that_order_and_what_counts_do_not_follow_the_clock(
    app: Application, monkeypatch: pytest.MonkeyPatch, times: tuple[int, ...]
) -> None:
    queue = app.annotation.open_queue(QueueSettings(1, 1))
    shown = app.annotation.next(queue, 3)
    for at, one in zip(times[:3], shown, strict=True):
        monkeypatch.setattr(database, "now_ms", lambda at=at: at)
        app.annotation.commit(one.presentation_uid, prefer(2))
    monkeypatch.setattr(database, "now_ms", lambda: times[3])
    newest = app.annotation.recent(1)[0]
    assert newest.pair_id == shown[2].pair_id
    app.annotation.amend(newest.id, prefer(-3))
    assert [j.pair_id for j in app.annotation.recent(1)] == [one.pair_id for one in reversed(shown)]
    current = app.annotation.recent(1, 1)[0].draft
    assert current is not None
    assert current.strength == -3
    pace = app.annotation.progress(queue)
    assert pace.seconds_per_pair is None or pace.seconds_per_pair >= 0
    assert app.annotation.undo(1).value is not None
    restored = app.annotation.recent(1, 1)[0].draft
    assert restored is not None
    assert restored.strength == 2
    assert [item.op for item in app.workspace.activity(2)] == ["label.undo", "label.amend"]
    assert app.workspace.check().findings == ()


@pytest.mark.parametrize("jump", [-YEAR, 0, YEAR], ids=["back", "frozen", "forth"])
def test_that_the_newest_rubric_version_is_the_last_one_whatever_the_clock_says(
    app: Application, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    first = app.rubrics.published()[0]
    for number in (1, 2):
        monkeypatch.setattr(database, "now_ms", lambda number=number: NOW + number * jump)
        draft = app.rubrics.new_draft(first.rubric_id).value
        app.rubrics.save_draft(draft.id, replace(draft.body, purpose=f"Purpose {number}"))
        app.rubrics.publish(draft.id, ChangeLevel.MAJOR, "because")
    assert [v.number for v in app.rubrics.published()] == ["3.0.0", "2.0.0", "1.0.0"]
    again = app.rubrics.new_draft(first.rubric_id).value
    assert again.body.purpose == "Purpose 2"
    assert app.rubrics.list()[0].published == app.rubrics.published()[0]
