"""Batches at work: a queue for each reviewer, items that look alike, what becomes due, and accounts that add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.cli.app import main
from core.domain.batch import BatchPolicy, SlotKind
from core.domain.errors import BadInput
from core.domain.judgement import Task
from core.domain.pair_table import PairFilter
from core.services.annotation.views import PresentationView, QueueInfo, QueueSettings
from core.services.application import Application
from core.store import slot_links
from tests.fakes import gold_items
from tests.fakes.workspaces import opened, person, prefer

ANN = 1


@pytest.fixture
def app(tmp_path: Path) -> Any:
    with opened(tmp_path / "ws", 20) as app:
        person(app.store, "Bo")
        person(app.store, "Cy")
        yield app


def open_for(app: Application, batch: int, reviewer: int, **options: Any) -> QueueInfo:
    return app.annotation.open_queue(app.batches.queue(batch, reviewer, **options))


def label_all(app: Application, batch: int, reviewer: int, strength: int = 2) -> list[PresentationView]:
    queue, shown = open_for(app, batch, reviewer), []
    while views := app.annotation.next(queue):
        shown += views
        app.annotation.commit(views[0].presentation_uid, prefer(strength))
    return shown


def made(app: Application, **changes: Any) -> int:
    policy = BatchPolicy(**{"reviewers": (1, 2), "gold_share": 0, "retest_share": 0, "second_share": 0, **changes})
    return app.batches.create(f"batch {len(app.batches.list())}", 1, policy, ANN).value.id


def test_that_everybody_has_an_own_queue_and_every_slot_is_accounted_for(app: Application) -> None:
    batch = made(app, second_share=0.25, retest_share=0.2)
    assert app.batches.plan(1, BatchPolicy((1, 2))).pairs == 0, "a pair that a batch waits for is in no second one"
    with pytest.raises(BadInput, match="No pair is left") as told:
        made(app)
    assert "that no other batch waits for" in told.value.hint
    shown = {who: label_all(app, batch, who) for who in (1, 2)}
    assert {view.task for views in shown.values() for view in views} == {Task.LABEL}, "items look alike"
    state = app.batches.state(batch)
    assert (state.slots.slots, state.slots.labelled, state.slots.open) == (30, 30, 0)
    assert {kind: one.slots for kind, one in state.by_kind.items()} == {"first": 20, "second": 5, "retest": 5}
    assert sum(one.slots for one in state.by_reviewer.values()) == 30
    assert (state.pairs.slots, state.pairs.labelled, state.needs) == (20, 20, ())
    assert not [one for one in app.workspace.check().findings if one.serious]


def test_that_a_retest_waits_for_its_first_showing_and_shows_the_sides_as_told(app: Application) -> None:
    batch = made(app, reviewers=(1,), limit=4, retest_share=1.0)
    slots = {one.id: one for one in app.batches.slots(batch)}
    assert app.batches.state(batch).waiting == 4
    label_all(app, batch, ANN)
    with app.store.read() as session:
        run = session.connection().exec_driver_sql
        rows = run("SELECT slot_id, left_is FROM slot_presentation s JOIN presentation p ON p.id=s.presentation_id")
        sides = dict(map(tuple, rows))
    swapped = [slot.swapped for slot in slots.values() if slot.kind is SlotKind.RETEST]
    assert sorted(swapped) == [False, False, True, True], "half of them with sides swapped"
    for slot in slots.values():
        if slot.after_id is not None:
            assert (sides[slot.id] != sides[slot.after_id]) == slot.swapped
    assert app.batches.state(batch).slots.labelled == 8


def test_that_two_windows_never_get_the_same_slot(app: Application) -> None:
    batch = made(app, reviewers=(1,), limit=6)
    one, other = open_for(app, batch, ANN), open_for(app, batch, ANN)
    pairs = [view.pair_id for queue in (one, other, one, other) for view in app.annotation.next(queue, 2)]
    assert sorted(pairs) == sorted(set(pairs)) and len(pairs) == 6


def test_that_a_skip_is_told_and_comes_back(app: Application) -> None:
    batch = made(app, second_share=1.0, limit=1)
    (view,) = app.annotation.next(open_for(app, batch, 2))
    app.annotation.skip(view.presentation_uid, "tired")
    label_all(app, batch, ANN)
    state = app.batches.state(batch)
    assert [one.words() for one in state.needs] == ["needs 2, has 1 + 1 skip"]
    assert (state.slots.labelled, state.slots.skipped, state.slots.open) == (1, 1, 0)
    assert app.annotation.next(open_for(app, batch, 2)) == []
    (again,) = app.annotation.next(open_for(app, batch, 2, revisit_skipped=True))
    assert (again.pair_id, again.left_is) == (view.pair_id, view.left_is)
    app.annotation.commit(again.presentation_uid, prefer(1))
    assert app.batches.state(batch).needs == ()
    assert app.annotation.undo(2).value is not None
    assert [one.words() for one in app.batches.state(batch).needs] == ["needs 2, has 1 + 1 skip"]


def test_that_a_conflict_gets_a_third_label_and_then_a_decision(app: Application) -> None:
    dee = person(app.store, "Dee").id
    batch = made(app, reviewers=(1, 2, 3), second_share=1.0, limit=2, order="import", adjudicators=(dee,))
    pair = app.batches.slots(batch)[0].pair_id
    for slot in app.batches.slots(batch):
        other = slot.pair_id == pair and slot.kind is SlotKind.SECOND
        queue = open_for(app, batch, slot.reviewer_id or 0)
        for view in app.annotation.next(queue, 9):
            if view.pair_id == slot.pair_id:
                app.annotation.commit(view.presentation_uid, prefer(-1 if other else 1))
        app.annotation.close_queue(queue)
    assert app.batches.draw_due(batch).value == 1
    assert app.batches.draw_due(batch).value == 0, "what is there already is not due again"
    third = app.batches.slots(batch)[-1]
    assert (third.pair_id, third.kind, third.picked) == (pair, SlotKind.THIRD, "rule")
    assert third.reviewer_id not in {one.reviewer_id for one in app.batches.slots(batch)[:-1] if one.pair_id == pair}
    label_all(app, batch, third.reviewer_id or 0, 1)
    assert app.batches.draw_due(batch).value == 1
    last = app.batches.slots(batch)[-1]
    assert (last.kind, last.reviewer_id, last.pair_id) == (SlotKind.ADJUDICATE, dee, pair)
    (view,) = app.annotation.next(open_for(app, batch, dee))
    assert view.task is Task.ADJUDICATE
    app.annotation.commit(view.presentation_uid, prefer(1))
    assert app.batches.state(batch).slots.open == 0
    assert app.batches.state(batch).random.slots == 4, "third labels and decisions are not part of the random share"


def test_that_slots_go_to_others_and_nobody_inactive_gets_any(app: Application) -> None:
    batch = made(app, limit=4, retest_share=0.5)
    assert app.batches.hand_over(batch, 1, 2, reason="ill").value == 2, "retests stay with the one whom they measure"
    assert len(label_all(app, batch, 2)) == 5
    assert app.batches.hand_over(batch, 1, None).value == 0
    app.reviewers.set_active(2, False, reason="left")
    with pytest.raises(BadInput, match="inactive"):
        made(app)
    assert app.reviewers.inactive() == {2}
    app.reviewers.set_active(2, True)
    other = made(app, limit=2)
    app.batches.hand_over(other, 1, None)
    (view,) = app.annotation.next(open_for(app, other, 3))
    app.annotation.commit(view.presentation_uid, prefer(1))
    assert app.batches.state(other).by_reviewer["Cy"].labelled == 1, "an open slot is of the one who takes it"


def test_that_gold_pairs_look_like_others_and_stale_labels_come_back(app: Application) -> None:
    for task, who in ((Task.LABEL, 2), (Task.LABEL, 3), (Task.ADJUDICATE, ANN)):
        queue = app.annotation.open_queue(QueueSettings(who, 1, PairFilter(pair_ids=(5,)), task=task))
        (view,) = app.annotation.next(queue)
        app.annotation.commit(view.presentation_uid, prefer(-2 if who == 2 else 2))
    gold_items.decide(app, 5, ANN)
    dee = person(app.store, "Dee").id
    batch = made(app, reviewers=(dee,), limit=10, gold_share=0.1)
    shown = label_all(app, batch, dee)
    assert 5 in {view.pair_id for view in shown} and {view.task for view in shown} == {Task.LABEL}
    with app.store.read() as session:
        tasks = session.connection().exec_driver_sql(
            "SELECT task FROM judgement WHERE pair_id=5 AND reviewer_id=?", (dee,)
        )
        assert tasks.fetchall() == [("gold",)]
        assert slot_links.slot_of(session, 1) is None, "what is labelled outside a batch has no slot"


def test_that_the_command_makes_shows_and_hands_over(app: Application, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(app.folder)
    app.close()
    create = ["batch", "create", place, "--name", "June", "--reviewer", "Ann", "--reviewer", "Bo"]
    assert main([*create, "--limit", "8", "--gold", "0", "--plan"]) == 0
    assert "8 pairs, 10 slots" in capsys.readouterr().out
    assert main([*create, "--limit", "8", "--gold", "0", "--by", "Ann", "--json"]) == 0
    assert '"slots": 10, "labelled": 0, "skipped": 0, "open": 10, "adds_up": true' in capsys.readouterr().out
    assert main(["batch", "hand-over", place, "June", "--from", "Ann", "--to", "Bo", "--by", "Ann"]) == 0
    assert main(["batch", "due", place, "June"]) == 0
    assert main(["batch", "show", place, "June"]) == 0
    said = capsys.readouterr().out
    assert "Nothing is due in June." in said and "June: Helpful 1.0.0, at random, seed 0" in said
    assert main(["batch", "list", place]) == 0
    assert main(["reviewers", place, "--deactivate", "Bo"]) == 0
    assert "Bo        human  inactive  0" in capsys.readouterr().out
    assert main(["reviewers", place, "--activate", "Bo", "--json"]) == 0
    assert main([*create, "--limit", "8"]) == 1
    assert "already a batch called June" in capsys.readouterr().err
