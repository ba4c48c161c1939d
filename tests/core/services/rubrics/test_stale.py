"""Labels turn stale by clause: what publishing tells, what it does, what queues and a freeze make of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.judgement import Task
from core.domain.pair_table import PairFilter
from core.domain.rubric import ChangeLevel, Criterion, RubricBody
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import opened, prefer

STEPS, SAFE = Criterion("steps", "Steps", "Which has clearer steps?"), Criterion("safe", "Safe", "Which is safer?")
BODY = RubricBody("Help.", (STEPS, SAFE))
SAFER = replace(BODY, criteria=(STEPS, replace(SAFE, question="Which is safe in every step?")))
ANSWERS = ({"steps": 2}, {"safe": 1}, {"steps": 2, "safe": -1}, {})


@pytest.fixture
def app(tmp_path: Path):
    """Ann labelled pairs 1 to 4 under Rules 1.0.0: steps, safety, both, and no clause; pairs 1 to 4 are frozen."""
    with opened(tmp_path / "ws") as app:
        first = app.rubrics.publish(app.rubrics.create("Rules", BODY).value.id).value
        for shown, criteria in zip(app.annotation.next(queue(app, first.id), 4), ANSWERS, strict=True):
            app.annotation.commit(shown.presentation_uid, prefer(2, criteria=criteria))
        app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0)))
        yield app


def queue(app: Application, version_id: int, task: Task = Task.LABEL):
    return app.annotation.open_queue(QueueSettings(1, version_id, task=task))


def following(app: Application, body: RubricBody, level: ChangeLevel = ChangeLevel.MAJOR) -> int:
    """Publish the next version of Rules and return its id."""
    draft = app.rubrics.new_draft(2).value
    app.rubrics.save_draft(draft.id, body)
    return app.rubrics.publish(draft.id, level, "because").value.id


def stale_pairs(app: Application) -> list[int]:
    return [row.id for row in app.pairs.page(PairFilter(stale=True))]


def test_that_the_effect_of_publishing_is_told_and_changes_nothing(app: Application) -> None:
    draft = app.rubrics.new_draft(2).value
    told = app.rubrics.effect(draft.id, ChangeLevel.MAJOR, SAFER)
    assert (told.number, told.clauses, told.labels, told.stale, told.lost, told.datasets) == (
        "2.0.0",
        ("Safe",),
        4,
        3,
        0,
        1,
    )
    assert told.words == "3 of 4 labels become stale, 1 dataset version stays as it is."
    without = replace(BODY, criteria=(STEPS,))
    assert app.rubrics.effect(draft.id, ChangeLevel.MAJOR, without).words.startswith(
        "2 labels lose a criterion, 3 of 4"
    )
    minor = app.rubrics.effect(draft.id, ChangeLevel.MINOR, SAFER)
    assert minor.words == "4 labels stay valid, 1 dataset version stays as it is."
    assert app.rubrics.version(draft.id).body == BODY and stale_pairs(app) == []


def test_that_a_major_version_marks_exactly_the_labels_of_the_changed_clause(app: Application) -> None:
    major = following(app, SAFER)
    assert app.rubrics.stale(major) == 3 and stale_pairs(app) == [2, 3, 4]
    relabel = queue(app, major, Task.RELABEL)
    assert [shown.pair_id for shown in app.annotation.next(relabel, 9)] == [2, 3, 4]
    again = queue(app, major)
    assert again.done == 1 and [shown.pair_id for shown in app.annotation.next(again, 2)] == [2, 3]
    counts = app.datasets.plan(FreezePolicy(splits=(1.0, 0.0, 0.0))).counts
    assert counts["items"] == 1  # the label on steps alone keeps its meaning
    named = app.datasets.plan(FreezePolicy(rubric_version_ids=(major,)))
    assert named.counts["items"] == 0  # a policy that names a version takes labels of that version only


def test_that_a_clarification_before_a_major_version_makes_no_clause_stale_and_majors_add_up(app: Application) -> None:
    clearer = replace(BODY, criteria=(replace(STEPS, question="Which has steps in a clear order?"), SAFE))
    following(app, clearer, ChangeLevel.MINOR)
    both = replace(clearer, criteria=(clearer.criteria[0], SAFER.criteria[1]))
    second = following(app, both)
    assert app.rubrics.stale(second) == 3
    (shown,) = app.annotation.next(queue(app, second, Task.RELABEL))
    app.annotation.commit(shown.presentation_uid, prefer(1))
    assert app.rubrics.stale(second) == 2
    draft = app.rubrics.new_draft(2).value
    assert app.rubrics.effect(draft.id, ChangeLevel.MAJOR, replace(both, tie_rule="Say tie.")).stale == 2
    third = following(app, replace(both, tie_rule="Say tie."))
    assert stale_pairs(app) == [1, 2, 3, 4] and app.rubrics.stale(third) == 5  # pair 2 under both versions


def test_that_a_pair_comes_again_with_what_changed_and_its_earlier_label_only_afterwards(
    app: Application,
) -> None:
    major = following(app, SAFER)
    shown = app.annotation.next(queue(app, major, Task.RELABEL))[0]
    assert shown.changed is not None and shown.changed.earlier is None
    assert (shown.changed.old_number, shown.changed.new_number, shown.changed.clauses) == ("1.0.0", "2.0.0", 2)
    (clause,) = shown.changed.changed
    assert clause.kind == "changed" and clause.texts == ("Which is safer?", "Which is safe in every step?")
    assert shown.changed.same == ("Steps",) and shown.changed.changed_ids == {"safe"}
    made = app.annotation.commit(shown.presentation_uid, prefer(-1)).value
    told = app.annotation.presentation_of(made.id).changed
    assert told is not None and told.earlier is not None and told.earlier.draft is not None
    assert told.earlier.draft.strength == 2


def test_that_a_minor_version_is_announced_until_a_label_under_it_and_a_patch_never(
    app: Application,
) -> None:
    clearer = replace(BODY, criteria=(replace(STEPS, note="Numbered."), SAFE))
    minor = following(app, clearer, ChangeLevel.MINOR)
    opened_queue = queue(app, minor)
    assert opened_queue.clarified == "1.1.0: because Clauses: Steps."
    app.annotation.commit(app.annotation.next(opened_queue)[0].presentation_uid, prefer(1))
    assert queue(app, minor).clarified == ""
    patch = following(app, replace(clearer, not_checked="Spelling."), ChangeLevel.PATCH)
    assert queue(app, patch).clarified == ""
