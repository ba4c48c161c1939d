"""Whatever is decided and taken back, in whatever order: every event is open, triaged or rejected; none is lost."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.domain.consent import Consent
from core.domain.conversation import Prompt
from core.domain.errors import UserError
from core.domain.feedback import KINDS, FeedbackContent
from core.services.feedback.service import FeedbackFilter
from tests.fakes.workspaces import opened, person

WORDS = st.sampled_from(["one", "two", "three"])


class Inbox(RuleBasedStateMachine):
    """Events come in, are decided about and undecided; a model of three sets goes along."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.app = opened(Path(self.place.name) / "ws", 0)
        self.bo = person(self.app.store, "Bo").id
        self.state: dict[int, str] = {}
        self.withdrawn: set[int] = set()

    def teardown(self) -> None:
        sound = [one for one in self.app.workspace.check().findings if one.serious]
        self.app.close()
        self.place.cleanup()
        assert sound == []

    @rule(kind=st.sampled_from(KINDS), asked=WORDS, answer=WORDS, better=WORDS)
    def comes_in(self, kind: Any, asked: str, answer: str, better: str) -> None:
        content = FeedbackContent(
            kind, Prompt.from_text(asked), answer, f"{better}!", 1 if kind == "thumbs" else None, note=better
        )
        event = self.app.feedback.add(content, Consent("granted")).value
        self.state.setdefault(event.id, "open")

    @precondition(lambda self: self.state)
    @rule(data=st.data(), to=st.sampled_from(["label", "rubric", "suite", "reject", "undo"]))
    def is_decided(self, data: st.DataObject, to: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.state)))
        before, triage = self.state[key], self.app.triage
        try:
            {
                "label": lambda: triage.to_labelling([key], 1, attacks=True),
                "rubric": lambda: triage.to_rubric([key], self.bo, "Helpful"),
                "suite": lambda: triage.to_suite([key], 1, "red", expected="open"),
                "reject": lambda: triage.reject([key], self.bo, "not for us"),
                "undo": lambda: triage.undo([key], 1),
            }[to]()
        except UserError:
            assert before == "open" if to == "undo" else before != "open" or key in self.withdrawn
            return
        assert (before == "open") == (to != "undo")
        self.state[key] = {"undo": "open", "reject": "rejected"}.get(to, "triaged")

    @precondition(lambda self: self.state)
    @rule(data=st.data(), back=st.booleans())
    def consent_changes(self, data: st.DataObject, back: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.state)))
        if back:
            self.app.consent.state("feedback", key, Consent("granted"))
            self.withdrawn.discard(key)
        else:
            self.app.consent.withdraw("feedback", key)
            self.withdrawn.add(key)

    @invariant()
    def adds_up(self) -> None:
        counts = self.app.feedback.counts()
        said = Counter(self.state.values())
        assert counts.adds_up
        assert (counts.events, counts.open, counts.triaged, counts.rejected) == (
            len(self.state), said["open"], said["triaged"], said["rejected"]
        )  # fmt: skip
        assert counts.withdrawn == len(self.withdrawn)
        listed = {event.id: event for event in self.app.feedback.list(FeedbackFilter())}
        assert {key: event.state for key, event in listed.items()} == self.state
        assert {key for key, event in listed.items() if event.content is None} == self.withdrawn
        assert sum(event.waits for event in listed.values()) == counts.waiting
        rules = self.app.datasets.plan().counts
        assert rules["pairs"] == rules["items"] + rules["left_out"]


Inbox.TestCase.settings = settings(
    max_examples=5, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
TestThatTheInboxAddsUp = Inbox.TestCase
