"""The quality report on labels given by hand: which labels count, what each number is, and what opens from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.judgement import JudgementDraft, Reviewer, Task, Verdict, from_screen
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.fakes import gold_items
from tests.fakes.workspaces import opened, person, prefer, tie

PAIRS = 8


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws", PAIRS) as app:
        yield app


def label(app: Application, who: int, strengths: list[int | None], task: Task = Task.LABEL) -> None:
    """Label the pairs in the order of import; 0 is a tie, None skips the pair's label."""
    queue = app.annotation.open_queue(QueueSettings(who, 1, task=task))
    for strength in strengths:
        (shown,) = app.annotation.next(queue)
        app.annotation.mark_presented(shown.presentation_uid)
        if strength is None:
            app.annotation.commit(shown.presentation_uid, JudgementDraft(Verdict.CANNOT_JUDGE, reason="language"))
        else:
            app.annotation.commit(shown.presentation_uid, prefer(strength) if strength else tie())


def test_that_a_workspace_without_labels_has_no_agreement(app: Application) -> None:
    report = app.quality.report()
    assert report.everything is None and report.reviewers == () and report.disagreed == ()


def test_that_agreement_counts_the_items_of_two_labels_and_names_the_pairs_that_differ(app: Application) -> None:
    bo = person(app.store, "Bo")
    label(app, 1, [-2, -1, 2, 1, -3, 0, 2, None])
    label(app, bo.id, [-1, -1, 2, -1, -3, 0])
    report = app.quality.report()
    assert report.everything is not None
    found = report.everything.measures
    assert found["percent"].value == pytest.approx(5 / 6) and found["percent"].n == 6
    # Kappa of two reviewers by hand: sides A A B B A tie against A A B A A tie.
    chance = (3 * 4 + 1 * 1 + 2 * 1) / 36
    between = report.groups["pair"]["Ann / Bo"].measures
    assert between["kappa"].value == pytest.approx((5 / 6 - chance) / (1 - chance))
    assert report.everything.split.value == pytest.approx(1 / 6)
    assert report.disagreed == (4,)
    assert report.groups["version"]["Helpful 1.0.0"].items == 6 and report.groups["source"]["made up"].items == 6


def test_that_an_amended_label_counts_once_with_its_newest_verdict(app: Application) -> None:
    bo = person(app.store, "Bo")
    label(app, 1, [-2, -2, -2])
    label(app, bo.id, [2, -2, -2])
    wrong = app.annotation.recent(bo.id, 3)[-1]
    app.annotation.amend(wrong.id, prefer(-1))
    report = app.quality.report()
    assert report.everything is not None and report.everything.measures["percent"].value == 1.0
    figures = {one.name: one for one in report.reviewers}
    assert figures["Bo"].measures["amended"].value == pytest.approx(1 / 3)
    assert figures["Bo"].pairs["amended"] == (1,) and figures["Bo"].labels == 3


def test_that_criteria_have_an_agreement_of_their_own(app: Application) -> None:
    bo = person(app.store, "Bo")
    for who, marks in ((1, [-1, 1, 0]), (bo.id, [-1, -1, 0])):
        queue = app.annotation.open_queue(QueueSettings(who, 1))
        for mark in marks:
            (shown,) = app.annotation.next(queue)
            app.annotation.commit(shown.presentation_uid, prefer(-1, criteria={"help": mark}))
    report = app.quality.report()
    assert report.groups["criterion"]["help"].measures["percent"].value == pytest.approx(2 / 3)
    assert report.everything is not None and math.isnan(report.everything.measures["alpha_nominal"].value)
    assert "only one verdict occurs" in report.everything.measures["alpha_nominal"].estimator


def test_that_the_side_shown_decides_the_left_share(app: Application) -> None:
    queue = app.annotation.open_queue(QueueSettings(1, 1))
    for _ in range(6):
        (shown,) = app.annotation.next(queue)
        app.annotation.commit(shown.presentation_uid, prefer(from_screen(-2, shown.left_is)))
    (ann,) = app.quality.report().reviewers
    assert ann.measures["left"].value == 1.0 and ann.measures["left"].n == 6
    assert len(ann.pairs["left"]) == 6 and ann.strengths == {"2": 6}


def test_that_retests_and_gold_answers_are_counted_apart_from_labels(app: Application) -> None:
    bo: Reviewer = person(app.store, "Bo")
    label(app, 1, [-2, -2, 2, 2])
    label(app, bo.id, [2, 2, -2, -2])
    cleo = person(app.store, "Cleo")
    label(app, cleo.id, [-1, -1, 1, 1], Task.ADJUDICATE)
    for pair_id in app.adjudication.picked(cleo.id, 1):
        gold_items.decide(app, pair_id, cleo.id)
    label(app, bo.id, [-2, 2, 2, 2], Task.GOLD)
    label(app, 1, [-2, 2, 2, 2], Task.RETEST)
    report = app.quality.report()
    figures = {one.name: one for one in report.reviewers}
    assert figures["Bo"].measures["gold"].value == pytest.approx(3 / 4) and figures["Bo"].pairs["gold"] == (2,)
    again = [
        figures["Ann"].measures[key] for key in ("retest_same", "retest_swapped") if key in figures["Ann"].measures
    ]
    assert sum(one.n for one in again) == 4
    assert sum(one.value * one.n for one in again) == pytest.approx(3)
    assert "Cleo" not in figures  # who only adjudicated has no label that counts here
    assert report.everything is not None and report.everything.labels == 8


def test_that_a_retest_is_compared_with_the_label_of_its_time_also_after_both_were_amended(app: Application) -> None:
    label(app, 1, [-2])
    label(app, 1, [2], Task.RETEST)
    retest, first = app.annotation.recent(1, 2)
    app.annotation.amend(first.id, prefer(3))
    app.annotation.amend(retest.id, prefer(1))
    (ann,) = app.quality.report().reviewers
    (again,) = [ann.measures[key] for key in ("retest_same", "retest_swapped") if key in ann.measures]
    assert again.n == 1 and again.value == 0.0  # the retest says the second answer; the label said the first then
