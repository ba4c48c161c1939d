"""Adjudication: only real conflicts, names hidden, own pairs and decided ones left out of the queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.adjudication import DecisionDraft, adjudicated_words
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput
from core.domain.judgement import JudgementDraft, Task, Verdict
from core.domain.rubric import ChangeLevel
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.store import batches
from tests.fakes.workspaces import opened, person, prefer, tie

ANN, BEN, CY, DEE = 1, 2, 3, 4
SUBJECTIVE = DecisionDraft("truly_subjective", "truly_subjective")
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


def pick(app: Application, who: int, strength: int) -> int:
    """Judge the next conflict first; return its pair."""
    (shown,) = app.annotation.next(app.annotation.open_queue(QueueSettings(who, 1, task=Task.ADJUDICATE)))
    app.annotation.commit(shown.presentation_uid, prefer(strength))
    return shown.pair_id


def test_that_labels_are_seen_only_after_a_first_pick_and_the_decision_stands_beside_them(app: Application) -> None:
    with pytest.raises(BadInput, match="no first pick of this adjudicator"):
        app.adjudication.opened(1, 1, CY)
    assert pick(app, CY, -1) == 1 and app.adjudication.picked(CY, 1) == [1]
    seen = app.adjudication.opened(1, 1, CY)
    assert len(seen.labels) == 2 and seen.first_stands and seen.decision is None
    before = app.pairs.detail(1).judgements
    app.annotation.amend(seen.pick.id, prefer(1))
    made = app.adjudication.decide(1, 1, CY, DecisionDraft("edge_case", "gold", "Rare.")).value
    assert (made.judgement_id, made.inputs) == (seen.first_id, tuple(one.judgement.id for one in seen.labels))
    assert made.final_id != made.judgement_id and not app.adjudication.opened(1, 1, CY).first_stands
    after = app.pairs.detail(1).judgements
    assert [one for one in after if one.task is Task.LABEL] == [one for one in before if one.task is Task.LABEL]
    assert app.adjudication.picked(CY, 1) == [] and app.adjudication.decided(1)["gold"] == 1
    assert app.adjudication.conflicts()[0].to_plain()["decision"]["cause"] == "edge_case"
    assert app.workspace.check().ok


def test_that_a_decision_is_taken_back_before_the_pick_and_a_pair_without_gold_outcome_is_no_gold_item(
    app: Application,
) -> None:
    pick(app, CY, -1)
    gold = QueueSettings(ANN, 1, task=Task.GOLD)
    assert app.annotation.open_queue(gold).total == 0, "the first pick of the workspace waits for its decision"
    app.adjudication.decide(1, 1, CY, DecisionDraft("rubric_gap", "change_request", clause="help", request="Say more."))
    assert app.annotation.open_queue(gold).total == 0
    taken = app.adjudication.take_back(CY).value
    assert taken is not None and taken.pair_id == 1 and app.adjudication.picked(CY, 1) == [1]
    assert [one.state for one in app.rubrics.requests()] == ["rejected"]
    assert app.adjudication.take_back(CY).value is None
    with app.store.read() as session:
        assert batches.gold_pairs(session, [1]) == {}, "the pick stands, its decision was taken back"
    assert app.annotation.open_queue(gold).total == 0
    app.adjudication.decide(1, 1, CY, DecisionDraft("edge_case", "gold"))
    with app.store.read() as session:
        assert batches.gold_pairs(session, [1]) == {1: {CY}}
    assert app.annotation.open_queue(gold).total == 1
    second = pick(app, DEE, 1)
    with app.store.read() as session:
        assert second not in batches.gold_pairs(session, [1]), "it waits for its decision"
    assert app.annotation.open_queue(gold).total == 1
    app.annotation.undo(DEE)
    app.annotation.undo(CY)
    assert app.adjudication.conflicts()[0].state == "open" and app.adjudication.decided(1)["gold"] == 0


def test_that_a_change_request_leads_to_a_draft_and_its_publication_resolves_it(app: Application) -> None:
    pick(app, CY, -1)
    with pytest.raises(BadInput, match="has no clause 'kind'"):
        app.adjudication.decide(1, 1, CY, DecisionDraft("rubric_gap", "change_request", clause="kind", request="x"))
    said = DecisionDraft("rubric_gap", "change_request", clause="help", request="Say that reasons help.")
    app.adjudication.decide(1, 1, CY, said)
    draft = app.rubrics.draft_of_requests(1).value
    assert draft.change_note == "Helpful: Say that reasons help."
    assert [one.state for one in app.rubrics.requests(1)] == ["drafted"]
    with pytest.raises(BadInput, match="No change request"):
        app.rubrics.draft_of_requests(1)
    app.rubrics.save_draft(draft.id, replace(draft.body, purpose="Which answer helps more, and why?"))
    made = app.rubrics.publish(draft.id, ChangeLevel.MINOR).value
    (request,) = app.rubrics.requests(1)
    assert (request.state, request.version_id, request.pair_id) == ("resolved", made.id, 1)


def test_that_a_freeze_tells_the_votes_behind_a_decision_and_leaves_subjective_pairs_out(app: Application) -> None:
    policy = FreezePolicy(splits=(1.0, 0.0, 0.0), drop_flags=())
    for strength, said in ((-2, DecisionDraft("reviewer_slip", "gold")), (3, SUBJECTIVE)):
        app.adjudication.decide(pick(app, CY, strength), 1, CY, said)
    plan = app.datasets.plan(policy)
    assert {one.reason: one.pair_ids for one in plan.left_out}["truly subjective"] == (3,)
    votes = {key: plan.counts[key] for key in ("adjudicated", "votes_for", "votes_against", "votes_other")}
    assert votes == {"adjudicated": 1, "votes_for": 1, "votes_against": 1, "votes_other": 0}
    soft = app.datasets.plan(replace(policy, subjective=True))
    assert soft.root_sha256 != plan.root_sha256 and any("subjective pairs are accepted" in one for one in soft.notes)
    made = app.datasets.freeze("d", replace(policy, subjective=True)).value
    item = next(one for one in app.datasets.items(made.id) if one.pair_id == 3)
    assert (item.chosen, item.target, len(item.judgement_ids)) == ("B", 0.75, 2)  # a tie and a vote for B
    assert "1 item was adjudicated: 1 vote for the chosen answer, 1 for the other" in adjudicated_words(made.counts)
