"""Adjudication: only real conflicts, names hidden, own pairs and decided ones left out of the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.judgement import JudgementDraft, Task, Verdict
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import opened, person, prefer, tie

ANN, BEN, CY, DEE = 1, 2, 3, 4
NEITHER = JudgementDraft(Verdict.NEITHER)
SAID = {
    ANN: [prefer(-2), prefer(-1), tie(), prefer(1), prefer(1, flags=("pii",)), NEITHER],
    BEN: [prefer(1, rationale="Warmer."), prefer(-3), prefer(3), prefer(1), prefer(1), prefer(-1)],
}
RULES = {1: ["signs", "apart"], 3: ["apart"], 5: ["flag"], 6: ["neither"]}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """Six pairs that Ann and Ben labelled; they conflict on 1, 3, 5 and 6."""
    with opened(tmp_path / "ws") as app:
        assert [person(app.store, name).id for name in ("Ben", "Cy", "Dee")] == [BEN, CY, DEE]
        for who, drafts in SAID.items():
            queue = app.annotation.open_queue(QueueSettings(who, 1))
            for shown, draft in zip(app.annotation.next(queue, 6), drafts, strict=True):
                app.annotation.commit(shown.presentation_uid, draft)
        yield app


def waiting(app: Application, who: int) -> list[int]:
    queue = app.annotation.open_queue(QueueSettings(who, 1, task=Task.ADJUDICATE))
    return [shown.pair_id for shown in app.annotation.next(queue, 9)]


def test_that_only_real_conflicts_are_listed_with_their_rule_and_without_names(app: Application) -> None:
    found = app.adjudication.conflicts()
    assert {one.pair_id: list(one.conflict.rules) for one in found} == RULES
    assert {one.state for one in found} == {"open"}
    plain = [one.to_plain() for one in found]
    assert sorted(label["who"] for label in plain[0]["votes"]) == ["R1", "R2"]
    assert {label["rationale"] for label in plain[0]["votes"]} == {"", "Warmer."}
    assert "Ann" not in repr(plain) and "Ben" not in repr(plain)


def test_that_numbers_of_reviewers_say_nothing_about_them(app: Application) -> None:
    firsts = {one.labels[0].judgement.reviewer.name for one in app.adjudication.conflicts()}
    again = [one.labels for one in app.adjudication.conflicts()]
    assert again == [one.labels for one in app.adjudication.conflicts()]
    assert firsts <= {"Ann", "Ben"}


def test_that_conflicts_wait_for_who_has_not_labelled_them_until_somebody_decides(app: Application) -> None:
    assert waiting(app, ANN) == [] == waiting(app, BEN)
    assert waiting(app, CY) == [1, 3, 5, 6] == waiting(app, DEE)
    queue = app.annotation.open_queue(QueueSettings(CY, 1, task=Task.ADJUDICATE))
    others = app.annotation.open_queue(QueueSettings(DEE, 1, task=Task.ADJUDICATE))
    (shown,) = app.annotation.next(queue)
    app.annotation.commit(shown.presentation_uid, prefer(-1))
    assert [one.pair_id for one in app.annotation.next(others, 9)] == [3, 5, 6]
    assert waiting(app, DEE) == [3, 5, 6] and waiting(app, CY) == [3, 5, 6]
    assert [one.state for one in app.adjudication.conflicts()] == ["decided", "open", "open", "open"]
    app.annotation.undo(CY)
    assert waiting(app, DEE) == [1, 3, 5, 6]


def test_that_a_reviewer_who_comes_round_ends_the_conflict(app: Application) -> None:
    first = app.annotation.recent(ANN, 9)[-1]
    app.annotation.amend(first.id, prefer(1))
    assert [one.pair_id for one in app.adjudication.conflicts(1)] == [3, 5, 6]
