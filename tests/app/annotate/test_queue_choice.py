"""What is opened for a choice, and what is missing for it."""

from __future__ import annotations

import pytest

from app.annotate.empty_states import EMPTY_STATES
from app.annotate.queue_choice import QueueChoice, open_queue
from core.domain.dataset import FreezePolicy
from core.domain.judgement import Task
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.app.annotate.conftest import make_workspace
from tests.fakes.workspaces import prefer


@pytest.fixture
def services(tmp_path):
    """Return an open workspace with pairs, a published rubric and a reviewer."""
    make_workspace(tmp_path / "ws", pairs=6)
    with Application.open(tmp_path / "ws") as made:
        yield made


def mira(services) -> int:
    """Return the id of the reviewer."""
    return next(reviewer.id for reviewer in services.reviewers.list() if reviewer.name == "mira")


def test_that_a_queue_is_opened_with_its_first_pairs_and_every_published_rubric(services):
    opened = open_queue(services, QueueChoice(), mira(services))
    assert opened.missing == "" and len(opened.first) == 4
    assert opened.version.id in opened.rubrics and opened.queue.settings.task is Task.LABEL


def test_that_no_queue_is_opened_without_a_reviewer(services, monkeypatch):
    monkeypatch.setattr(services.annotation, "open_queue", lambda _: pytest.fail("a queue was opened"))
    assert open_queue(services, QueueChoice(), None).missing == "reviewer"


def test_that_pairs_and_a_published_rubric_are_needed(tmp_path):
    with Application.open(tmp_path / "empty", create=True) as empty:
        assert open_queue(empty, QueueChoice(), 1).missing == "pairs"


def test_that_only_the_chosen_pairs_are_handed_out(services):
    pair_ids = tuple(p.pair_id for p in open_queue(services, QueueChoice(), mira(services)).first[1:3])
    opened = open_queue(services, QueueChoice().of_pairs(pair_ids), mira(services))
    assert {p.pair_id for p in opened.first} == set(pair_ids)


def test_that_a_choice_without_pairs_says_that_they_are_labelled(services):
    assert open_queue(services, QueueChoice().of_kind("bookmarks"), mira(services)).missing == "part"


def test_that_a_choice_of_test_items_says_that_they_are_sealed(services):
    pair_ids = tuple(p.pair_id for p in open_queue(services, QueueChoice(), mira(services)).first[:1])
    for shown in services.annotation.next(services.annotation.open_queue(QueueSettings(mira(services), 1)), 1):
        services.annotation.commit(shown.presentation_uid, prefer(2))
    services.datasets.freeze("d", FreezePolicy(splits=(0.0, 0.0, 1.0), require_consent=False))
    other = services.reviewers.add("ben").value.id
    assert open_queue(services, QueueChoice().of_pairs(pair_ids), other).missing == "sealed"
    assert EMPTY_STATES["sealed"].step == "data"


@pytest.mark.parametrize(
    ("kind", "task"),
    [("retest", Task.RETEST), ("gold", Task.GOLD), ("adjudicate", Task.ADJUDICATE), ("stale", Task.RELABEL)],
)
def test_that_each_kind_opens_its_task(services, kind, task):
    assert open_queue(services, QueueChoice().of_kind(kind), mira(services)).queue.settings.task is task


@pytest.mark.parametrize(
    ("choice", "title"),
    [
        (QueueChoice(), ""),
        (QueueChoice("retest"), "a second time"),
        (QueueChoice().of_pairs((4,)), "1 chosen pair"),
        (QueueChoice().of_pairs(tuple(range(1200))), "1,200 chosen pairs"),
    ],
)
def test_that_the_title_says_what_is_labelled(choice, title):
    assert choice.title == title
