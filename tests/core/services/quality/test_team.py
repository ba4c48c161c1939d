"""What the lead sees: clauses by version, drift on gold items, what needs a look, and reading only what is new."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.judgement import Reviewer, ReviewerKind, Task
from core.domain.rubric import ChangeLevel, Criterion, RubricBody, RubricState, RubricVersion
from core.domain.team import GOLD_WINDOW
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.quality.drift import LEAST, drift_findings, drift_of
from core.services.quality.service import QualityService
from core.store.retest_pairs import SecondAnswer
from tests.fakes.workspaces import opened, person, prefer, tie

PAIRS = 12


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws", PAIRS) as app:
        yield app


def label(app: Application, who: int, marks: list[int], version: int = 1, task: Task = Task.LABEL, **process) -> None:
    queue = app.annotation.open_queue(QueueSettings(who, version, task=task))
    for mark in marks:
        (shown,) = app.annotation.next(queue)
        draft = prefer(mark, criteria={"help": mark}, process=process) if mark else tie()
        app.annotation.commit(shown.presentation_uid, draft)


def test_that_a_clause_stands_under_both_versions_with_its_pairs_and_what_was_reworded(app: Application) -> None:
    bo = person(app.store, "Bo")
    label(app, 1, [-1, 1, 1])
    label(app, bo.id, [-1, 1, -1])
    draft = app.rubrics.new_draft(1).value
    body = RubricBody(purpose="p", criteria=(Criterion("help", "Helpful", "Which helps most?"),))
    app.rubrics.save_draft(draft.id, body)
    second = app.rubrics.publish(draft.id, ChangeLevel.MAJOR, "Reworded").value
    label(app, 1, [-1, 1], second.id, Task.RELABEL)
    label(app, bo.id, [-1, 1], second.id, Task.RELABEL)
    report = app.quality.team()
    (board,) = report.boards
    by_version = report.quality.groups["version"]
    assert {title: one.items for title, one in by_version.items()} == {"Helpful 1.0.0": 3, "Helpful 2.0.0": 2}
    assert by_version["Helpful 1.0.0"].measures["percent"].value == pytest.approx(2 / 3), "renewed labels count, too"
    assert board.rubric == "Helpful" and board.versions == ("1.0.0", "2.0.0")
    overall, clause = board.rows
    assert overall.name == "Overall verdict" and clause.note == "reworded in 2.0.0"
    before, now = clause.under("1.0.0"), clause.under("2.0.0")
    assert before is not None and now is not None and overall.under("1.0.0") is not None
    assert (before.agreement.items, before.agreement.split.value) == (3, pytest.approx(1 / 3))
    assert set(before.pairs) == {1, 2, 3} and before.splits == (3,)
    assert now.agreement.measures["percent"].value == 1.0 and now.splits == ()


def test_that_a_later_report_reads_only_what_is_new_and_equals_one_of_a_fresh_start(app: Application) -> None:
    bo = person(app.store, "Bo")
    label(app, 1, [-2, 1, 2])
    first = app.quality.team()
    assert app.quality.team() is first
    label(app, bo.id, [-2, -1, 2, 1])
    app.annotation.undo(bo.id)
    app.annotation.amend(app.annotation.recent(1, 3)[0].id, prefer(-3))
    later, fresh = app.quality.team(), QualityService(app.store).team()
    assert later.to_plain() == fresh.to_plain()
    assert later.quality.everything is not None and later.quality.everything.labels == 6
    assert later.quality.disagreed == (2, 3)
    for mine, other in zip(later.quality.reviewers, fresh.quality.reviewers, strict=True):
        assert mine.to_plain() == other.to_plain()


def test_that_work_that_is_ended_leaves_the_next_report_whole(app: Application) -> None:
    label(app, 1, [-2, 1])

    def stop(step: str) -> None:
        if step == "reviewers":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        app.quality.team(stop)
    assert app.quality.team().quality.reviewers[0].labels == 2


def test_that_a_changed_mind_and_labels_faster_than_reading_are_told_as_shares(app: Application) -> None:
    # Both answers have three words each: six words at 600 a minute take 600 ms.
    label(app, 1, [-1, 1, -2], active_ms=599, changes_of_mind=["-1", "+2"])
    label(app, 1, [-1], active_ms=600, changes_of_mind=["-1", "-1"])
    (ann,) = app.quality.report().reviewers
    assert ann.measures["changed"].value == pytest.approx(3 / 4) and ann.pairs["changed"] == (3, 2, 1)
    assert ann.measures["fast"].value == pytest.approx(3 / 4) and ann.measures["fast"].n == 4
    assert [one.kind for one in app.quality.team().looks] == ["fast"]


def test_that_a_side_is_told_only_where_it_cannot_be_chance(app: Application) -> None:
    def choose(who: int, lefts: int) -> None:
        queue = app.annotation.open_queue(QueueSettings(who, 1))
        for place, shown in enumerate(app.annotation.next(queue, PAIRS)):
            left_first = shown.left_is == "A"
            strength = -2 if left_first == (place < lefts) else 2
            app.annotation.commit(shown.presentation_uid, prefer(strength))

    choose(1, 8)
    assert "side" not in [one.kind for one in app.quality.team().looks]
    choose(person(app.store, "Bo").id, 12)  # exact p = 2 / 4096, times two reviewers by Holm
    (side,) = [one for one in app.quality.team().looks if one.kind == "side"]
    assert side.words.startswith("Bo picks the left answer in 100 %") and "p < 0.001 (Holm)" in side.words
    assert side.total == 12 and len(side.pairs) == 12


def _version(key: int, number: str, based_on: int | None) -> RubricVersion:
    body = RubricBody(purpose="p", criteria=())
    level = ChangeLevel.MAJOR
    return RubricVersion(key, 1, "R", number, RubricState.PUBLISHED, level, "", body, "", based_on, key * 100)


def test_that_drift_looks_back_over_a_window_and_starts_anew_with_a_major_version() -> None:
    versions = [_version(1, "1.0.0", None), _version(2, "2.0.0", 1)]
    right = [True] * 10 + [False] * 10
    anchors = [SecondAnswer(1, n, n, 1, 1 if hit else -1, False, 1, n) for n, hit in enumerate(right, 1)]
    anchors += [SecondAnswer(1, 30 + n, n, 1, 1, False, 2, 300 + n) for n in range(LEAST - 1)]
    drift = drift_of([Reviewer(1, "Ann", ReviewerKind.HUMAN)], versions, anchors)
    (line,) = drift.lines
    assert line.name == "Ann" and line.version == "R 1.0.0" and len(line.points) == 20 - LEAST + 1
    assert line.points[0].share.value == 1.0 and line.points[0].share.n == LEAST
    last = line.points[-1]
    assert last.share.value == pytest.approx(5 / 15) and last.share.n == GOLD_WINDOW and last.at_ms == 20
    assert last.pairs == tuple(range(20, 10, -1))
    assert [(one.at_ms, one.title) for one in drift.breaks] == [(200, "R 2.0.0")]
    assert line.change is not None and (line.change.at_ms, line.change.pairs) == (11, tuple(range(20, 10, -1)))
    (told,) = drift_findings(drift)
    assert "0 % (0–28) of 10 gold items right since 1970-01-01, 100 % (72–100) of 10 before" in told.words
    assert (told.kind, told.total) == ("drift", 10)
    better = [SecondAnswer(1, n, n, 1, -1 if n <= 10 else 1, False, 1, n) for n in range(1, 21)]
    assert not list(drift_findings(drift_of([], versions, better))), "a change for the better is no finding"
    again = [SecondAnswer(1, 40 + n, n, 1, 1, False, 2, 400 + n) for n in range(3)]
    assert len(drift_of([], versions, [*anchors, *again]).lines) == 2


def test_that_a_slow_change_of_all_reviewers_is_told_where_no_reviewer_alone_shows_it() -> None:
    missed = {4, 7, 10, 11}  # of twelve answers: 0, 1, 1 and 2 wrong in four periods
    anchors = [
        SecondAnswer(who, n, n, 1, -1 if n in missed else 1, False, 1, n) for who in (1, 2, 3) for n in range(1, 13)
    ]
    anchors += [SecondAnswer(4, n, n, 1, 1, False, 1, n) for n in range(1, 12)]  # too few answers for four periods
    versions = [_version(1, "1.0.0", None)]
    drift = drift_of([], versions, anchors)
    assert drift.trend is not None and (drift.trend.rho.n, drift.trend.gold) == (3, 36)
    assert drift.trend.rho.value == pytest.approx(-0.9 / math.sqrt(0.9), abs=1e-12)  # of ranks 4, 2.5, 2.5, 1
    assert drift.trend.p == pytest.approx(2 / 12**3)  # one of 12 orders of tied ranks in each of three rows
    (told,) = drift_findings(drift)
    assert told.words.startswith("3 reviewers together get worse on gold items: mean rank correlation with time -0.95")
    assert "p 0.001 (Page's test, exact), 36 answers in 4 periods" in told.words
    assert drift_of([], versions, [one for one in anchors if one.reviewer_id in (1, 4)]).trend is None
