"""After a freeze nobody is shown a pair of a test split any more, whatever the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.judgement import JudgementDraft, ReviewerKind, Task
from core.domain.pair_table import PairFilter
from core.services.annotation.service import QueueInfo, QueueSettings
from core.services.application import Application
from tests.fakes import gold_items
from tests.fakes.workspaces import opened, person, prefer

ANN = 1
SECOND = prefer(2)
ALL_TEST = FreezePolicy(splits=(0.0, 0.0, 1.0))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """Six pairs; Ann has labelled the first two."""
    with opened(tmp_path / "ws") as app:
        label(app, ANN, 2)
        yield app


def start(app: Application, reviewer: int, **values: object) -> QueueInfo:
    return app.annotation.open_queue(QueueSettings(reviewer, values.pop("version", 1), **values))  # type: ignore[arg-type]


def label(app: Application, reviewer: int, count: int, draft: JudgementDraft = SECOND, **values: object) -> None:
    for presentation in app.annotation.next(start(app, reviewer, **values), count):
        app.annotation.commit(presentation.presentation_uid, draft)


def bo(app: Application) -> int:
    return person(app.store, "Bo").id


def shown(app: Application, queue: QueueInfo) -> list[int]:
    return [presentation.pair_id for presentation in app.annotation.next(queue, 100)]


def test_that_another_reviewer_is_not_shown_the_test_items(app: Application) -> None:
    app.datasets.freeze("d", ALL_TEST)
    queue = start(app, bo(app))
    assert shown(app, queue) == [3, 4, 5, 6]
    assert (queue.total, queue.done, queue.sealed) == (4, 0, 2)


def test_that_home_counts_the_hidden_test_items_of_a_reviewer(app: Application) -> None:
    app.datasets.freeze("d", ALL_TEST)
    hidden = app.datasets.hidden_test_items
    assert (hidden(), hidden(ANN, 1), hidden(bo(app), 1)) == (0, 0, 2)


def test_that_own_labels_of_test_items_stay_counted_as_done(app: Application) -> None:
    app.datasets.freeze("d", ALL_TEST)
    queue = start(app, ANN)
    assert (queue.total, queue.done, queue.sealed, queue.remaining) == (6, 2, 0, 4)


def test_that_an_open_queue_ends_showing_what_was_sealed_meanwhile(app: Application) -> None:
    queue = start(app, bo(app))
    app.datasets.freeze("d", ALL_TEST)
    progress = app.annotation.progress(queue)
    assert (progress.total, progress.sealed, progress.remaining) == (4, 2, 4)
    (first,) = app.annotation.next(queue)
    assert (first.pair_id, first.total) == (3, 4)


def test_that_the_pair_on_the_screen_at_the_freeze_can_still_be_answered(app: Application) -> None:
    queue = start(app, bo(app))
    first, second = app.annotation.next(queue, 2)
    app.datasets.freeze("d", ALL_TEST)
    app.annotation.commit(first.presentation_uid, prefer(1))
    progress = app.annotation.progress(queue)
    assert (progress.done, progress.total, progress.sealed) == (1, 5, 1)
    assert second.pair_id not in shown(app, queue)


@pytest.mark.parametrize("task", [Task.RETEST, Task.ADJUDICATE, Task.GOLD])
def test_that_retest_gold_and_adjudication_do_not_show_them(app: Application, task: Task) -> None:
    label(app, bo(app), 2, prefer(2, flags=("names_model",)))
    cy = person(app.store, "Cy", ReviewerKind.HUMAN).id
    who = cy if task is Task.ADJUDICATE else ANN
    if task is Task.GOLD:
        label(app, cy, 2, task=Task.ADJUDICATE)
        for pair_id in app.adjudication.picked(cy, 1):
            gold_items.decide(app, pair_id, cy)
    before = start(app, who, task=task)
    assert before.total == 2
    app.datasets.freeze("d", ALL_TEST)
    after = start(app, who, task=task)
    assert (after.total, after.sealed, shown(app, after)) == (0, 2, [])
    assert shown(app, before) == []


def test_that_a_chosen_pair_of_the_test_is_counted_and_not_shown(app: Application) -> None:
    app.datasets.freeze("d", ALL_TEST)
    queue = start(app, bo(app), filter=PairFilter(pair_ids=(1, 3)), revisit_skipped=True)
    assert (shown(app, queue), queue.sealed) == ([3], 1)


def test_that_train_and_dev_items_are_offered_as_before(app: Application) -> None:
    app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0)))
    queue = start(app, bo(app))
    assert (queue.total, queue.sealed) == (6, 0)
    assert len(shown(app, queue)) == 6
