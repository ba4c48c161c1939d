"""Qualification: a quiz of gold items, right and wrong, waivers, and what a reviewer should practise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.batch import BatchPolicy
from core.domain.errors import BadInput
from core.domain.judgement import Task
from core.domain.rubric import ChangeLevel
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.fakes.gold_items import answer, make_gold
from tests.fakes.workspaces import opened, person, prefer, tie


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws", 12) as app:
        yield app


def take(app: Application, who: int, marks: list[int]) -> list[int]:
    """Answer the next items of the quiz; 0 is a tie."""
    queue, pairs = app.annotation.open_queue(app.qualification.queue(1, who)), []
    for mark in marks:
        (shown,) = app.annotation.next(queue)
        app.annotation.commit(shown.presentation_uid, prefer(mark, criteria={"help": mark}) if mark else tie())
        pairs.append(shown.pair_id)
    return pairs


def stands(app: Application, who: int) -> str:
    one = app.qualification.of_version(1).of(who)
    assert one is not None
    return one.words()


def test_that_a_reviewer_passes_by_the_mark_that_the_lead_set_and_is_told_why_after_each_answer(app) -> None:
    make_gold(app, 5)
    dee = person(app.store, "Dee").id
    assert stands(app, dee) == "no quiz"
    quiz = app.qualification.set_quiz(1, pass_mark=0.8, by=1).value
    assert quiz.pair_ids == (1, 2, 3, 4, 5) and stands(app, dee) == "not begun"
    with pytest.raises(BadInput, match="stays hidden"):
        app.qualification.result(1, 1, dee)
    (first,) = take(app, dee, [1])
    told = app.qualification.result(1, first, dee)
    assert told.is_right and told.explanation == f"Pair {first} is plain." and told.clauses == ()
    assert (told.answered, told.asked, told.right) == (1, 5, 1) and stands(app, dee) == "under way, 1 of 1 right"
    pairs = take(app, dee, [-3, 2, 2, 2])
    wrong = app.qualification.result(1, pairs[0], dee)
    assert not wrong.is_right and wrong.clauses == ("Helpful",) and wrong.gold.strength == 2
    one = app.qualification.of_version(1).of(dee)
    assert one.words() == "passed, 4 of 5 right" and one.qualified and one.wrong == (pairs[0],)
    assert (one.right.value, one.right.n, one.right.unit) == (0.8, 5, "") and "Wilson 95 %" in one.right.estimator
    assert app.annotation.next(app.annotation.open_queue(app.qualification.queue(1, dee))) == []


def test_that_an_answer_given_after_the_explanation_counts_nowhere(app) -> None:
    make_gold(app, 2)
    dee = person(app.store, "Dee").id
    app.qualification.set_quiz(1)
    (pair_id,) = take(app, dee, [-2])
    app.annotation.amend(app.annotation.recent(dee)[0].id, prefer(2))
    assert stands(app, dee) == "under way, 0 of 1 right"
    app.annotation.undo(dee)
    app.annotation.undo(dee)
    assert set(take(app, dee, [2, 2])) == {1, 2}
    assert stands(app, dee) == "failed, 1 of 2 right" and app.qualification.of_version(1).of(dee).wrong == (pair_id,)


def test_that_ties_and_no_answer_of_a_side_are_wrong_where_the_decision_names_one(app) -> None:
    make_gold(app, 1)
    dee = person(app.store, "Dee").id
    app.qualification.set_quiz(1)
    take(app, dee, [0])
    assert stands(app, dee) == "failed, 0 of 1 right"


def test_that_own_labels_and_own_decisions_are_never_asked(app) -> None:
    people = make_gold(app, 3)
    app.qualification.set_quiz(1)
    found = {one.name: one for one in app.qualification.of_version(1).reviewers}
    assert {name: one.status for name, one in found.items()} == dict.fromkeys(("Ann", "Bo", "Cy"), "nothing to ask")
    assert app.annotation.next(app.annotation.open_queue(app.qualification.queue(1, people["Cy"]))) == []
    assert not found["Bo"].qualified


def test_that_the_lead_waives_a_quiz_with_a_reason_and_requires_it_again(app) -> None:
    bo = make_gold(app, 2)["Bo"]
    app.qualification.set_quiz(1)
    app.qualification.waive(1, bo, reason="Wrote the rubric", by=1)
    one = app.qualification.of_version(1).of(bo)
    assert one.qualified and one.words() == "waived by Ann" and one.waiver.reason == "Wrote the rubric"
    app.qualification.waive(1, bo, waived=False, by=1)
    assert stands(app, bo) == "nothing to ask"
    assert [e.op for e in app.workspace.activity(9) if e.op.startswith("qualification")] == [
        "qualification.waive", "qualification.waive", "qualification.quiz",
    ]  # fmt: skip


def test_that_a_quiz_holds_for_a_minor_version_and_not_for_a_major_one(app) -> None:
    make_gold(app, 1)
    dee = person(app.store, "Dee").id
    app.qualification.set_quiz(1)
    take(app, dee, [1])

    def publish(level: ChangeLevel, purpose: str) -> int:
        draft = app.rubrics.new_draft(1).value
        app.rubrics.save_draft(draft.id, type(draft.body)(purpose, draft.body.criteria))
        return app.rubrics.publish(draft.id, level, "Said anew").value.id

    minor = publish(ChangeLevel.MINOR, "Which one helps?")
    assert app.qualification.of_version(minor).of(dee).status == "passed"
    major = publish(ChangeLevel.MAJOR, "Which one harms less?")
    assert app.qualification.of_version(major).of(dee).status == "no quiz"
    assert app.qualification.newest() == []
    assert app.annotation.open_queue(app.qualification.queue(major, dee)).total == 0
    with pytest.raises(BadInput, match="needs gold items"):
        app.qualification.set_quiz(major)


def test_that_a_new_quiz_of_other_items_counts_anew_and_explained_items_come_first(app) -> None:
    make_gold(app, 6)
    dee = person(app.store, "Dee").id
    app.qualification.set_quiz(1, pair_ids=(1,))
    take(app, dee, [-1])
    assert stands(app, dee) == "failed, 0 of 1 right"
    app.qualification.explain(1, 4, "It answers the question.", by=1)
    quiz = app.qualification.set_quiz(1, pair_ids=(4, 5)).value
    assert quiz.explanations == {4: "It answers the question."} and stands(app, dee) == "not begun"
    answered = take(app, dee, [1, 1])
    assert {app.qualification.result(1, key, dee).explanation for key in answered} == {
        "It answers the question.", "Pair 5 is plain.",
    }  # fmt: skip
    with pytest.raises(BadInput, match="Pair 9 is no gold item"):
        app.qualification.set_quiz(1, pair_ids=(9,))
    with pytest.raises(BadInput, match="Pair 9 is no gold item"):
        app.qualification.explain(1, 9, "Why?")
    for mark in (0.0, 1.5):
        with pytest.raises(BadInput, match="pass mark"):
            app.qualification.set_quiz(1, pass_mark=mark)


def test_that_gold_items_whose_answer_was_told_are_no_hidden_gold_of_a_batch(app) -> None:
    make_gold(app, 4)
    dee = person(app.store, "Dee").id
    app.qualification.set_quiz(1, pair_ids=(1, 2, 3))
    take(app, dee, [1, 1])
    plan = app.batches.plan(1, BatchPolicy((dee,), gold_share=0.5))
    assert plan.by_kind["gold"] == 2  # 3 and 4: their answer was not told yet
    assert plan.told[-1] == "1 reviewer not qualified for Helpful 1.0.0: Dee (under way, 2 of 2 right)."


def test_that_practice_names_the_clause_with_most_disagreement_and_offers_unseen_gold_that_splits_on_it(app) -> None:
    people = make_gold(app, 3)
    dee = person(app.store, "Dee").id
    for shown, mark in zip(
        app.annotation.next(app.annotation.open_queue(QueueSettings(dee, 1, order="newest")), 4), (1,) * 4, strict=True
    ):
        app.annotation.commit(shown.presentation_uid, prefer(mark, criteria={"help": mark}))
    assert app.qualification.disagreements(1, dee) == ()  # nobody else labelled these pairs
    for who, mark in ((1, -1), (people["Bo"], 1)):
        queue = app.annotation.open_queue(QueueSettings(who, 1, order="newest"))
        for shown in app.annotation.next(queue, 4):
            app.annotation.commit(shown.presentation_uid, prefer(mark, criteria={"help": mark}))
    (clause,) = app.qualification.disagreements(1, dee)
    assert (clause.key, clause.share.value, clause.share.n, clause.share.groups) == ("help", 0.5, 8, 4)
    assert set(clause.pairs) == {9, 10, 11, 12} and clause.practice == (1, 2, 3)
    assert clause.words() == "Helpful: another side in 50 % of 8 comparisons, 3 gold pairs to practise"
    queue = app.annotation.open_queue(app.qualification.practice_queue(1, dee, "help"))
    assert queue.total == 3 and queue.settings.task is Task.GOLD
    (shown,) = app.annotation.next(queue)
    app.annotation.commit(shown.presentation_uid, prefer(2))
    assert app.qualification.result(1, shown.pair_id, dee).is_right
    assert len(app.qualification.disagreements(1, dee)[0].practice) == 2
    assert answer(app, dee, [1]) != [shown.pair_id]
