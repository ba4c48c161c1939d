"""Any order of commits, skips, undos and redos: the counts add up, and undo restores the state before."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.domain.judgement import JudgementDraft, Verdict
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import opened, person

DRAFTS = st.one_of(
    st.sampled_from([-3, -2, -1, 1, 2, 3]).map(lambda s: JudgementDraft(Verdict.PREFER, s)),
    st.sampled_from([JudgementDraft(Verdict.TIE), JudgementDraft(Verdict.NEITHER, flags=("pii",))]),
    st.just(JudgementDraft(Verdict.CANNOT_JUDGE, reason="language")),
)
WHO = st.sampled_from([1, 2])


class Labelling(RuleBasedStateMachine):
    """Two reviewers at one workspace, and a plain model of what should count."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.app = opened(Path(self.place.name) / "ws", pairs=4)
        person(self.app.store, "Bo")
        self.labels: dict[int, dict[int, JudgementDraft]] = {1: {}, 2: {}}
        self.done: dict[int, list[dict[int, JudgementDraft]]] = {1: [], 2: []}
        self.undone: dict[int, list[dict[int, JudgementDraft]]] = {1: [], 2: []}

    def teardown(self) -> None:
        """Check the whole workspace at the end of every sequence."""
        assert self.app.workspace.check().findings == ()
        self.app.close()
        self.place.cleanup()

    def step(self, who: int) -> None:
        """Remember the state before a step, as undo will need it."""
        self.done[who].append(dict(self.labels[who]))
        self.undone[who].clear()

    @rule(who=WHO, draft=DRAFTS)
    def label(self, who: int, draft: JudgementDraft) -> None:
        """Label the next pair, twice in a row."""
        shown = self.app.annotation.next(self.app.annotation.open_queue(QueueSettings(who, 1)))
        if not shown:
            return
        self.step(who)
        for _ in range(2):
            self.app.annotation.commit(shown[0].presentation_uid, draft)
        self.labels[who][shown[0].pair_id] = draft

    @rule(who=WHO)
    def skip(self, who: int) -> None:
        """Put the next pair aside."""
        shown = self.app.annotation.next(self.app.annotation.open_queue(QueueSettings(who, 1)))
        if shown:
            self.step(who)
            self.app.annotation.skip(shown[0].presentation_uid)

    @rule(who=WHO, draft=DRAFTS)
    def amend(self, who: int, draft: JudgementDraft) -> None:
        """Change the newest label."""
        newest = self.app.annotation.recent(who, 1)
        if newest and newest[0].draft != draft:
            self.step(who)
            self.app.annotation.amend(newest[0].id, draft)
            self.labels[who][newest[0].pair_id] = draft

    @rule(who=WHO)
    def undo(self, who: int) -> None:
        """Take the last step back."""
        taken = self.app.annotation.undo(who).value
        assert (taken is not None) == bool(self.done[who])
        if taken is not None:
            self.undone[who].append(dict(self.labels[who]))
            self.labels[who] = self.done[who].pop()

    @rule(who=WHO)
    def redo(self, who: int) -> None:
        """Do the undone step again."""
        again = self.app.annotation.redo(who).value
        assert (again is not None) == bool(self.undone[who])
        if again is not None:
            self.done[who].append(dict(self.labels[who]))
            self.labels[who] = self.undone[who].pop()

    @precondition(lambda self: any(self.labels.values()))
    @rule()
    def reopen(self) -> None:
        """Close the workspace and open it again."""
        self.app.close()
        self.app = Application.open(self.app.folder)

    @invariant()
    def what_counts_is_what_was_said(self) -> None:
        """Compare with the model, and add up the books."""
        for who, expected in self.labels.items():
            found = {j.pair_id: j.draft for j in self.app.annotation.recent(who, 100)}
            assert found == expected
        books = self.app.workspace.accounting()
        assert books.adds_up
        for account in books.reviewers:
            who = 1 if account.reviewer == "Ann" else 2
            assert account.labelled == len(self.labels[who])
            assert account.labelled + account.skipped + account.open == 4


Labelling.TestCase.settings = settings(
    max_examples=6, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestLabelling = Labelling.TestCase
