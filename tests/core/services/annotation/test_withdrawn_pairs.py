"""A pair whose consent is withdrawn or has ended leaves every labelling queue, and comes back with a new consent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.consent import Consent
from core.domain.dataset import FreezePolicy
from core.domain.judgement import Task
from core.domain.pair_table import PairFilter
from core.services.annotation import presentations
from core.services.annotation.service import QueueInfo, QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import fill, opened, person, prefer

ANN, LATER = 1, 4_000_000_000_000


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """Six pairs of source 1 and two of source 2; Ann has labelled the first two."""
    with opened(tmp_path / "ws") as app:
        fill(app.store, 2, "other")
        for shown in app.annotation.next(start(app, ANN), 2):
            app.annotation.commit(shown.presentation_uid, prefer(2))
        yield app


def start(app: Application, reviewer: int, **values: object) -> QueueInfo:
    return app.annotation.open_queue(QueueSettings(reviewer, 1, **values))  # type: ignore[arg-type]


def offered(app: Application, queue: QueueInfo) -> list[int]:
    return [presentation.pair_id for presentation in app.annotation.next(queue, 100)]


def test_that_pairs_of_a_withdrawn_source_are_counted_and_not_shown(app: Application) -> None:
    app.consent.withdraw("source", 2)
    queue = start(app, person(app.store, "Bo").id)
    assert (queue.total, queue.withdrawn, queue.remaining) == (6, 2, 6)
    assert offered(app, queue) == [1, 2, 3, 4, 5, 6]


def test_that_an_open_queue_loses_them_and_gets_them_back_with_a_new_consent(app: Application) -> None:
    queue = start(app, ANN)
    app.consent.withdraw("source", 2)
    app.consent.withdraw("pair", 4)
    progress = app.annotation.progress(queue)
    assert (progress.done, progress.total, progress.withdrawn, progress.remaining) == (2, 5, 3, 3)
    app.consent.state("source", 2, Consent("granted"))
    assert app.annotation.progress(queue).withdrawn == 1
    assert offered(app, queue) == [3, 5, 6, 7, 8]


def test_that_the_pair_on_the_screen_can_still_be_answered_and_its_label_is_kept(app: Application) -> None:
    queue = start(app, ANN)
    (shown,) = app.annotation.next(queue)
    app.consent.withdraw("pair", shown.pair_id)
    app.annotation.commit(shown.presentation_uid, prefer(1))
    progress = app.annotation.progress(queue)
    assert (progress.done, progress.withdrawn) == (3, 0)
    app.consent.state("pair", shown.pair_id, Consent("granted"))
    assert app.datasets.plan(FreezePolicy(splits=(1.0, 0.0, 0.0))).counts["items"] == 3


def test_that_an_end_that_comes_while_the_queue_is_open_counts(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.consent.state("source", 2, Consent("granted", expires_ms=LATER))
    queue = start(app, ANN)
    assert queue.withdrawn == 0
    monkeypatch.setattr(presentations, "now_ms", lambda: LATER - 1)
    assert app.annotation.progress(queue).withdrawn == 0
    monkeypatch.setattr(presentations, "now_ms", lambda: LATER)
    assert app.annotation.progress(queue).withdrawn == 2
    assert offered(app, queue) == [3, 4, 5, 6]


@pytest.mark.parametrize("task", [Task.RETEST, Task.LABEL])
def test_that_retests_and_chosen_pairs_do_not_show_them(app: Application, task: Task) -> None:
    app.consent.withdraw("pair", 1)
    chosen = PairFilter(pair_ids=(1, 3)) if task is Task.LABEL else None
    queue = start(app, ANN, task=task, filter=chosen, revisit_skipped=True)
    assert 1 not in offered(app, queue)
    assert queue.withdrawn == (1 if task is Task.RETEST else 0), "an own label stays counted as done"


def test_that_home_counts_unlabelled_pairs_without_consent_once(app: Application) -> None:
    gone, bo = app.datasets.pairs_without_consent, person(app.store, "Bo").id
    app.consent.withdraw("source", 2)
    app.consent.withdraw("pair", 3)
    assert (gone(), gone(ANN, 1), gone(bo, 1)) == (3, 3, 3)
    app.datasets.freeze("d", FreezePolicy(splits=(0.0, 0.0, 1.0)))  # seals pairs 1 and 2, which Ann has labelled
    app.consent.withdraw("pair", 1)
    assert (gone(), gone(ANN, 1), gone(bo, 1)) == (3, 3, 3)
    assert (app.datasets.hidden_test_items(), app.datasets.hidden_test_items(bo, 1)) == (0, 2)


def test_that_a_pair_is_hidden_once_when_it_is_sealed_and_withdrawn(app: Application) -> None:
    queue = start(app, person(app.store, "Bo").id)
    app.datasets.freeze("d", FreezePolicy(splits=(0.0, 0.0, 1.0)))
    app.consent.withdraw("pair", 1)
    progress = app.annotation.progress(queue)
    assert (progress.total, progress.sealed, progress.withdrawn) == (6, 2, 0)
