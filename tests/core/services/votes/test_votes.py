"""Asking people blind which of two arms answers better, and what keeps their votes apart from training."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace

import pytest

from core.domain.aggregation import FROM_VOTES, NOT_LABELLED
from core.domain.dataset import FreezePolicy
from core.domain.errors import NotFound, UsageError
from core.domain.judgement import JudgementDraft, ReviewerKind, Task, Verdict
from core.domain.pair_table import PairFilter
from core.domain.votes import VoteRequest, VoteRound
from core.services.annotation.views import PresentationView, QueueSettings
from core.services.application import Application
from core.store import quality_labels
from core.store.sqlite.identity import db_path
from tests.core.services.votes.conftest import BETTER, EVALUATION, IN_DATA
from tests.fakes.workspaces import person, prefer, tie

ANN = 1
REQUEST = VoteRequest(EVALUATION, 1)
SEALED_TEST = replace(REQUEST, suites=("sealed:d v1",), person="Ann", reason="the release")


def asked(app: Application, **changes: object) -> VoteRound:
    return app.votes.ask(replace(REQUEST, **changes)).value.round  # type: ignore[arg-type]


def better(view: PresentationView) -> JudgementDraft:
    """Prefer the policy's answer, wherever it stands."""
    wins = "A" if (view.left if view.left_is == "A" else view.right).startswith(BETTER) else "B"
    return prefer(-2 if wins == "A" else 2)


def vote(
    app: Application,
    one: VoteRound,
    reviewer: int,
    answer: Callable[[PresentationView], JudgementDraft],
    most: int = 99,
) -> list[PresentationView]:
    queue = app.annotation.open_queue(app.votes.queue(one.id, reviewer))
    shown = []
    for _ in range(most):
        for view in app.annotation.next(queue, 1):
            app.annotation.commit(view.presentation_uid, answer(view))
            shown.append(view)
    return shown


def test_that_a_plan_says_what_is_asked_and_what_it_can_detect(app: Application) -> None:
    plan = app.votes.plan(replace(REQUEST, votes_per_item=2, margin=0.1))
    assert (plan.first_arm, plan.second_arm, plan.suites) == ("aligned", "reference", ("chains v1",))
    assert (plan.items, plan.identical, plan.repeated, plan.asked, plan.cost) == (12, 2, 1, 10, 20)
    assert plan.planned == 194, "M19: a win rate of .60 against .5"
    told = " ".join(plan.told())
    assert "2 items with identical or empty answers: counted as ties." in told
    assert "1 item left out: the prompt is asked by another item." in told
    assert "10 items of the 194 planned" in told


def test_that_asking_again_adds_nothing(app: Application) -> None:
    first = app.votes.ask(REQUEST).value
    again = app.votes.ask(replace(REQUEST, first_arm="reference", second_arm="aligned", reason="once more")).value
    assert (first.is_new, again.is_new, again.round) == (True, False, first.round)
    assert app.pairs.count(PairFilter()) == IN_DATA + 10
    assert len(app.votes.list(EVALUATION)) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"first_arm": "base"}, UsageError),
        ({"first_arm": "reference"}, UsageError),
        ({"suites": ("none",)}, UsageError),
        ({"slices": (("part", "none"),)}, UsageError),
        ({"rubric_version_id": 99}, NotFound),
        ({"evaluation": "f" * 32}, NotFound),
    ],
)
def test_that_a_request_that_names_nothing_asks_nobody(
    app: Application, changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        asked(app, **changes)
    assert app.votes.list() == []


def test_that_slices_and_a_limit_narrow_what_is_asked(app: Application) -> None:
    odd = app.votes.plan(replace(REQUEST, slices=(("part", "odd"),)))
    assert odd.asked == 5
    few = app.votes.plan(replace(REQUEST, limit=3, seed=4))
    assert few.items == 3


def test_that_nothing_that_a_reviewer_can_reach_says_which_arm_is_where(app: Application) -> None:
    one = asked(app)
    pair_ids = [i for i in app.pairs.ids(PairFilter()) if i > IN_DATA]
    queue = app.annotation.open_queue(app.votes.queue(one.id, ANN))
    reachable: Iterable[object] = [
        *(app.pairs.detail(i) for i in pair_ids),
        *app.pairs.rows(pair_ids),
        *app.pairs.page(PairFilter(text="chain")),
        *app.pairs.sources(),
        *app.annotation.next(queue, 10),
        *(event for event in app.workspace.activity() if event.op == "votes.ask"),
        one.name,
    ]
    for view in reachable:
        for word in ("aligned", "reference", "tiny", "r1"):
            assert word not in repr(view), view
    for pair_id in pair_ids:
        pair = app.pairs.detail(pair_id).pair
        assert pair.a.generation is None and pair.b.generation is None
        assert pair.a.sha256 < pair.b.sha256, "the order follows from the texts alone"
    first = [app.pairs.detail(i).pair.a.text.startswith(BETTER) for i in pair_ids]
    assert 0 < sum(first) < len(first)


def test_that_the_pairs_of_votes_are_in_no_other_queue(app: Application) -> None:
    one = asked(app)
    vote(app, one, ANN, better)
    cy = person(app.store, "Cy").id
    for task in (Task.LABEL, Task.ADJUDICATE, Task.GOLD, Task.RETEST, Task.RELABEL):
        shown = app.annotation.next(app.annotation.open_queue(QueueSettings(cy, 1, task=task)), 99)
        assert [view for view in shown if view.pair_id > IN_DATA] == []
    chosen = QueueSettings(cy, 1, PairFilter(pair_ids=(13, 14)))
    assert app.annotation.next(app.annotation.open_queue(chosen), 9) == []
    assert app.annotation.labelled_pairs(ANN, 1) == 0


def test_that_the_counts_of_the_data_leave_votes_out(app: Application) -> None:
    before, kinds = app.workspace.info().counts, app.workspace.labels_by_kind()
    vote(app, asked(app), ANN, better)
    after = app.workspace.info().counts
    assert after == before | {
        "judgements": after["judgements"],
        "sources": after["sources"],
        "prompts": after["prompts"],
    }
    assert (after["pairs"], after["labelled"]) == (IN_DATA, 6)
    assert app.workspace.labels_by_kind() == kinds
    with app.store.read() as session:
        assert {label.pair_id > IN_DATA for label in quality_labels.current(session)} == {False}


def test_that_a_freeze_takes_the_pairs_of_votes_only_by_the_name_of_their_source(app: Application) -> None:
    one = asked(app)
    vote(app, one, ANN, better)
    everything = app.datasets.plan(FreezePolicy(require_consent=False))
    assert everything.counts["items"] == 6
    assert {left.reason: left.count for left in everything.left_out} == {FROM_VOTES: 10, NOT_LABELLED: 6}
    named = app.datasets.plan(FreezePolicy(source_ids=(one.source_id,), require_consent=False))
    assert named.counts["items"] == 10


def test_that_both_orders_are_shown_across_reviewers(app: Application) -> None:
    one = asked(app, votes_per_item=2)
    ann = {view.pair_id: view.left_is for view in vote(app, one, ANN, better)}
    bo = {view.pair_id: view.left_is for view in vote(app, one, person(app.store, "Bo").id, better)}
    assert len(ann) == len(bo) == 10
    assert all(ann[pair_id] != bo[pair_id] for pair_id in ann)
    cy = app.annotation.open_queue(app.votes.queue(one.id, person(app.store, "Cy").id))
    assert cy.total == 0, "every item has its two votes"


def test_that_a_win_counts_for_the_arm_and_not_for_the_side(app: Application) -> None:
    one = asked(app)
    shown = vote(app, one, ANN, better)
    assert {view.left_is for view in shown} == {"A", "B"}
    found = app.votes.results(one.id)
    assert (found.rate.value, found.rate.n, found.votes, found.waiting) == (1.0, 10, 10, 0)
    turned = asked(app, first_arm="reference", second_arm="aligned", limit=12)
    assert app.votes.results(turned.id).rate.value == 0.0, "the same pairs under the same rubric keep their votes"


def test_that_ties_stand_apart_and_identical_answers_are_among_them(app: Application) -> None:
    one = asked(app)
    answers = iter([better, better, lambda _: tie(), lambda _: JudgementDraft(Verdict.NEITHER)])
    vote(app, one, ANN, lambda view: next(answers)(view), most=4)
    found = app.votes.results(one.id)
    assert (found.decisive, found.neither, found.identical, len(found.items)) == (2, 1, 2, 4)
    assert found.ties.value == pytest.approx((2 + 2) / 6)


def test_that_an_undone_vote_counts_no_more_and_the_item_comes_back(app: Application) -> None:
    one = asked(app)
    vote(app, one, ANN, better, most=3)
    app.annotation.undo(ANN)
    assert app.votes.results(one.id).votes == 2
    assert app.votes.list(EVALUATION, ANN)[0].waiting_for_reviewer == 8


def test_that_labels_of_a_judge_are_not_votes_of_people(app: Application) -> None:
    one = asked(app)
    vote(app, one, person(app.store, "judge", ReviewerKind.SCRIPTED).id, better)
    assert app.votes.results(one.id).votes == 0
    assert app.votes.win_rates(EVALUATION) == (None, None)


def test_that_the_gate_reads_the_votes_of_the_policy_against_its_reference(app: Application) -> None:
    assert app.votes.win_rates(EVALUATION) == (None, None)
    one = asked(app, first_arm="reference", second_arm="aligned")
    vote(app, one, ANN, better)
    rate, _ = app.votes.win_rates(EVALUATION)
    assert rate is not None and (rate.value, rate.n) == (1.0, 10)
    check = next(c for c in app.releases.gate(EVALUATION).checks if c.key == "win_rate")
    assert (check.state, check.figures["win_rate"]) == ("passed", rate)


def test_that_answers_are_hidden_from_who_may_still_vote_on_them(app: Application) -> None:
    one = asked(app)
    assert len(app.votes.hidden(EVALUATION, ANN)) == 10
    vote(app, one, ANN, better, most=4)
    assert len(app.votes.hidden(EVALUATION, ANN)) == 6
    assert len(app.votes.hidden(EVALUATION, person(app.store, "Bo").id)) == 6
    assert app.votes.hidden(EVALUATION, None) == set()


def test_that_a_sealed_test_is_shown_only_by_name_and_with_a_reason_that_is_noted(app: Application) -> None:
    assert app.votes.plan(REQUEST).sealed == 0
    before = app.sealed.looks("d")
    with pytest.raises(UsageError, match="counts as a look"):
        app.votes.ask(replace(SEALED_TEST, reason=""))
    assert (app.sealed.looks("d"), app.votes.list()) == (before, [])
    one = app.votes.ask(SEALED_TEST).value.round
    newest = app.sealed.openings("d")[-1]
    assert app.sealed.looks("d") == before + 1
    assert (newest.person, newest.reason, newest.rows) == ("Ann", "the release", 6)
    assert app.votes.plan(replace(SEALED_TEST, limit=2)).sealed == 2
    app.votes.ask(SEALED_TEST)
    assert app.sealed.looks("d") == before + 1, "asking the same again opens nothing"
    vote(app, one, ANN, better)
    named = FreezePolicy(source_ids=(one.source_id,), require_consent=False)
    assert app.datasets.plan(named).counts["items"] == 0, "their prompts never enter a dataset version"
    assert app.sealed.leaks_of("d").items == frozenset()


def test_that_a_round_cannot_be_changed_and_a_change_is_found(app: Application) -> None:
    one = asked(app)
    assert not [f for f in app.workspace.check().findings if f.serious]
    path = db_path(app.folder)
    app.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as bare:
        for hostile in ("UPDATE vote_item SET a_is=3-a_is", "DELETE FROM vote_item", "UPDATE vote_round SET planned=1"):
            with pytest.raises(sqlite3.IntegrityError, match="immutable"):
                bare.execute(hostile)
        bare.execute("DROP TRIGGER vote_item_no_update")
        bare.execute("UPDATE vote_item SET a_is=3-a_is WHERE round_id=?", (one.id,))
    with Application.open(path.parent) as again:
        assert any("round of votes" in f.message.lower() for f in again.workspace.check().findings)
