"""Whatever people do, every slot of a batch is labelled, skipped or open: an independent count says the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.domain.batch import LABEL_KINDS, BatchPolicy, Slot
from tests.fakes.workspaces import opened, person, prefer

WHO = st.sampled_from((1, 2, 3))
Done = tuple[str, int]
"""What a reviewer did, "label" or "skip", and the slot."""


class Desk(RuleBasedStateMachine):
    """Three people at work on a batch. ``done`` and ``undone`` are what each one's undo and redo must find."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="pairwright-batch-"))
        self.app = opened(self.place / "ws", 8)
        person(self.app.store, "Bo")
        person(self.app.store, "Cy")
        policy = BatchPolicy((1, 2, 3), second_share=0.5, retest_share=0.4, gold_share=0, seed=1)
        self.batch = self.app.batches.create("June", 1, policy).value.id
        self.done: dict[int, list[Done]] = {1: [], 2: [], 3: []}
        self.undone: dict[int, list[Done]] = {1: [], 2: [], 3: []}

    def _next(self, who: int, again: bool) -> str:
        queue = self.app.annotation.open_queue(self.app.batches.queue(self.batch, who, revisit_skipped=again))
        views = self.app.annotation.next(queue)
        return views[0].presentation_uid if views else ""

    def _did(self, who: int, what: str, uid: str) -> None:
        slot = self.app.annotation._queues.find(uid).slot_id
        assert slot is not None
        if (what, slot) not in self.done[who]:
            self.done[who].append((what, slot))
        self.undone[who] = []

    @rule(who=WHO, strength=st.sampled_from((-3, -1, 1, 3)), flagged=st.booleans(), again=st.booleans())
    def label(self, who: int, strength: int, flagged: bool, again: bool) -> None:
        if uid := self._next(who, again):
            self.app.annotation.commit(uid, prefer(strength, flags=("pii",) if flagged else ()))
            self._did(who, "label", uid)

    @rule(who=WHO)
    def skip(self, who: int) -> None:
        if uid := self._next(who, False):
            self.app.annotation.skip(uid, "later")
            self._did(who, "skip", uid)

    @rule(who=WHO)
    def undo(self, who: int) -> None:
        assert (self.app.annotation.undo(who).value is not None) == bool(self.done[who])
        if self.done[who]:
            self.undone[who].append(self.done[who].pop())

    @rule(who=WHO)
    def redo(self, who: int) -> None:
        assert (self.app.annotation.redo(who).value is not None) == bool(self.undone[who])
        if self.undone[who]:
            self.done[who].append(self.undone[who].pop())

    @rule()
    def due(self) -> None:
        self.app.batches.draw_due(self.batch)
        assert self.app.batches.draw_due(self.batch).value == 0

    @rule(who=WHO, to=st.sampled_from((1, 2, 3, None)))
    def hand_over(self, who: int, to: int | None) -> None:
        if who != to:
            self.app.batches.hand_over(self.batch, who, to)

    def _expected(self, slot: Slot, slots: dict[int, Slot]) -> str:
        own = self.done.get(slot.reviewer_id or 0, [])
        labelled = {key for what, key in own if what == "label"}
        if slot.kind in LABEL_KINDS:  # one label of a reviewer is the label of the pair, whatever slot it was given for
            labelled = {
                slot.id for key in labelled if slots[key].pair_id == slot.pair_id and slots[key].kind in LABEL_KINDS
            }
        return "labelled" if slot.id in labelled else "skipped" if ("skip", slot.id) in own else "open"

    @invariant()
    def it_adds_up(self) -> None:
        state, slots = self.app.batches.state(self.batch), self.app.batches.slots(self.batch)
        assert [one.state for one in slots] == [self._expected(one, {one.id: one for one in slots}) for one in slots]
        for part in (state.by_kind, state.by_reviewer):
            assert all(one.adds_up for one in part.values())
            for name in ("slots", "labelled", "skipped", "open"):
                assert sum(getattr(one, name) for one in part.values()) == getattr(state.slots, name)
        assert state.slots.adds_up and state.pairs.adds_up and state.pairs.slots == 8
        own = [(one.pair_id, one.reviewer_id) for one in slots if one.kind in LABEL_KINDS and one.reviewer_id]
        assert len(set(own)) == len(own), "nobody is asked twice for a label of one pair"

    def teardown(self) -> None:
        self.app.close()
        shutil.rmtree(self.place)


_FEW = settings(max_examples=4, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
Desk.TestCase.settings = _FEW
TestThatBatchesAddUp = Desk.TestCase


@pytest.mark.slow
def test_that_batches_add_up_after_many_doings() -> None:
    run_state_machine_as_test(Desk, settings=settings(_FEW, max_examples=2000, stateful_step_count=50))
