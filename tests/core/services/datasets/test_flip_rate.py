"""Retest, adjudication and gold queues, and the flip rate that is measured from their answers, up to the loss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.errors import UsageError
from core.domain.judgement import Task
from core.domain.label_noise import NoiseCounts
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from tests.fakes import gold_items
from tests.fakes.workspaces import opened, person, prefer, tie

ANN, BEN, CY, VERSION = 1, 2, 3, 1


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as application:
        assert person(application.store, "Ben").id == BEN
        assert person(application.store, "Cy").id == CY
        yield application


def answer(app: Application, reviewer: int, task: Task, strengths: list[int]) -> None:
    """Judge the next pairs of a queue with these canonical strengths; 0 is a tie."""
    queue = app.annotation.open_queue(QueueSettings(reviewer, VERSION, task=task))
    for strength in strengths:
        (shown,) = app.annotation.next(queue)
        assert shown.task is task
        app.annotation.commit(shown.presentation_uid, prefer(strength) if strength else tie())


def left(app: Application, reviewer: int, task: Task) -> list[int]:
    """Return the pairs that a new queue still hands out."""
    queue = app.annotation.open_queue(QueueSettings(reviewer, VERSION, task=task))
    return [shown.pair_id for shown in app.annotation.next(queue, 10)]


def test_that_a_retest_queue_shows_what_the_reviewer_labelled_once_more(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2, 2, -2])
    assert left(app, ANN, Task.RETEST) == [1, 2, 3]
    assert left(app, BEN, Task.RETEST) == []
    answer(app, ANN, Task.RETEST, [2, -1])
    assert left(app, ANN, Task.RETEST) == [3]
    assert left(app, ANN, Task.LABEL) == [4, 5, 6]
    assert {len(app.pairs.detail(pair_id).judgements) for pair_id in (1, 2)} == {2}


def test_that_a_retest_can_be_undone_and_comes_back(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2])
    answer(app, ANN, Task.RETEST, [-2])
    assert app.annotation.undo(ANN).value is not None
    assert left(app, ANN, Task.RETEST) == [1]
    assert app.datasets.label_noise().counts == NoiseCounts()


def test_that_pairs_in_conflict_are_adjudicated_by_somebody_else_and_then_serve_as_gold(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2, 2, 2])
    answer(app, BEN, Task.LABEL, [-2, -1, 1])
    assert left(app, BEN, Task.GOLD) == [] == left(app, ANN, Task.ADJUDICATE)
    answer(app, CY, Task.ADJUDICATE, [-3])
    assert left(app, CY, Task.ADJUDICATE) == [2] and left(app, BEN, Task.GOLD) == []
    gold_items.decide(app, 1, CY, VERSION)
    assert left(app, BEN, Task.GOLD) == [1]
    answer(app, BEN, Task.GOLD, [-1])
    assert app.datasets.label_noise().counts == NoiseCounts(golds=1)


def test_that_who_adjudicated_a_pair_is_not_measured_by_it(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2])
    answer(app, BEN, Task.LABEL, [-2])
    answer(app, CY, Task.ADJUDICATE, [-3])
    gold_items.decide(app, 1, CY, VERSION)
    assert left(app, CY, Task.GOLD) == []
    answer(app, BEN, Task.GOLD, [1])
    assert app.datasets.label_noise().counts == NoiseCounts(golds=1, missed=1)


def test_that_a_retest_is_held_against_the_label_it_repeated_not_against_a_later_one(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2, 2])
    answer(app, ANN, Task.RETEST, [-2, 2])
    first = [j.id for j in app.pairs.detail(1).judgements if j.task is Task.LABEL]
    app.annotation.amend(first[0], prefer(-1))
    assert app.datasets.label_noise().counts == NoiseCounts(retests=2, changed=1)
    again = [j.id for j in app.pairs.detail(2).judgements if j.task is Task.RETEST]
    app.annotation.amend(again[0], prefer(-1))
    assert app.datasets.label_noise().counts == NoiseCounts(retests=2, changed=2)


def test_that_the_flip_rate_counts_changed_sides_and_passes_ties_over(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2, 2, -2, 1, 3])
    answer(app, ANN, Task.RETEST, [1, -1, -3, 0, 3])
    report = app.datasets.label_noise()
    assert report.counts == NoiseCounts(retests=4, changed=1, undecided=1)
    assert report.flip is not None
    assert report.flip.rate == pytest.approx(0.1464, abs=1e-3)  # 2 e (1 - e) = 1/4
    assert [one.name for one in report.reviewers] == ["Ann"]
    assert "1 of 4 retests changed side" in report.sentence()


def test_that_only_reviewers_behind_a_version_count_for_it(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2, 2])
    answer(app, ANN, Task.RETEST, [2, 2])
    answer(app, BEN, Task.LABEL, [2, 2])
    answer(app, BEN, Task.RETEST, [-2, -2])
    version = app.datasets.freeze("ann", FreezePolicy(reviewer_ids=(ANN,), splits=(1.0, 0.0, 0.0))).value
    assert app.datasets.label_noise(version.id).counts == NoiseCounts(retests=2)
    assert app.datasets.measured_smoothing("ann")[0] == 0.0
    ben = app.datasets.freeze("ben", FreezePolicy(reviewer_ids=(BEN,), splits=(1.0, 0.0, 0.0))).value
    with pytest.raises(UsageError, match="no better than chance"):
        app.datasets.measured_smoothing(ben.id)


def test_that_an_unmeasured_flip_rate_is_refused_with_what_to_do(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2])
    app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0)))
    with pytest.raises(UsageError, match="not measured") as refused:
        app.datasets.measured_smoothing("d")
    assert "judged a second time" in refused.value.hint


def test_that_retests_and_golds_add_no_labels_to_a_frozen_item(app: Application) -> None:
    answer(app, ANN, Task.LABEL, [2])
    answer(app, ANN, Task.RETEST, [-3])
    version = app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0))).value
    (item,) = app.datasets.items(version.id)
    assert (item.chosen, item.strength, len(item.judgement_ids)) == ("B", 2.0, 1)
