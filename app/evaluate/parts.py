"""The parts of a measured evaluation as tabs: each is read when it is shown, and only once while nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.context import AppContext
from app.evaluate.cycle_part import CyclePart
from app.evaluate.evidence_view import EvidenceView
from app.evaluate.failures_view import TAGS, FailuresView
from app.evaluate.figures import ItemsPlace
from app.evaluate.gate_steps import GateData, read_gate
from app.evaluate.gate_view import GateView
from app.evaluate.item_rows import ItemRow, read_items, withheld
from app.evaluate.items_view import ItemsView
from app.evaluate.matrix_view import MatrixView
from app.evaluate.proxies_part import ProxiesPart
from app.evaluate.votes_figures import ItemOfVotes
from app.evaluate.votes_part import VotesPart
from app.widgets.controls import TabWidget
from core.domain.changes import Outcome
from core.domain.errors import UserError
from core.services.evaluations.views import EvaluationInfo

DESTINATIONS: tuple[tuple[str, str], ...] = (
    ("annotate", "To labelling: people judge it anew"),
    ("dataset", "To the next dataset version, by a changeset"),
    ("rubric", "To a rubric, as an example to decide on"),
)
"""Where a failure can be sent, and what that means."""

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.domain.release_gate import GateCheck
    from core.services.releases.failures import QueuedFailure


class EvaluationParts(TabWidget):
    """Evidence, matrix, items, votes, proxies, failures, gate and cycle of one evaluation."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._id, self._read = "", set[str]()
        self._items: dict[str, list[ItemRow]] = {}
        self._evidence: Mapping[str, Any] = {}
        self.evidence, self.matrix, self.items = EvidenceView(context), MatrixView(context), ItemsView(context)
        self.failures, self.gate = FailuresView(context), GateView(context)
        self.votes, self.proxies, self.cycle = VotesPart(context), ProxiesPart(context), CyclePart(context)
        self.setDocumentMode(True)
        self.setAccessibleName("The evaluation")
        self.tabBar().setAccessibleName("Parts of the evaluation")
        parts = (
            ("Evidence", self.evidence),
            ("Matrix", self.matrix),
            ("Items", self.items),
            ("Votes", self.votes),
            ("Proxies", self.proxies),
            ("Failures", self.failures),
            ("Gate", self.gate),
            ("Cycle", self.cycle),
        )
        for words, part in parts:
            self.addTab(part, words)
        self.evidence.items_wanted.connect(self.show_items)
        self.matrix.items_wanted.connect(self.show_items)
        self.items.suite_wanted.connect(self._read_items)
        self.failures.open_wanted.connect(self._open_failure)
        self.failures.shown_wanted.connect(self._show_failed_item)
        self.gate.place_wanted.connect(self._show_checked)
        self.gate.item_wanted.connect(self._show_voted_item)
        self.votes.items_wanted.connect(self.show_items)
        self.cycle.items_wanted.connect(self.show_items)
        self.votes.item_wanted.connect(self._show_voted_item)
        self.proxies.votes_wanted.connect(lambda: self.setCurrentWidget(self.votes))
        self.proxies.evidence_wanted.connect(lambda: self.setCurrentWidget(self.evidence))
        self.currentChanged.connect(lambda _: self.read())

    def handlers(self) -> Mapping[str, Any]:
        """Return what the actions of the parts do."""
        tags = {f"evaluate.tag_{tag}": lambda tag=tag: self._tag(tag) for tag, _ in TAGS}
        return {
            "evaluate.table": self._set_table,
            "evaluate.ask_people": self._ask_people,
            "evaluate.vote": self.votes.vote_now,
            "evaluate.judge": self._ask_judge,
            "evaluate.find": self._find,
            "evaluate.audit": self._audit,
            "evaluate.next": lambda: self._go_on(1),
            "evaluate.previous": lambda: self._go_on(-1),
            "evaluate.send": self._send,
            **tags,
        }

    def show_evaluation(self, info: EvaluationInfo, evidence: Mapping[str, Any]) -> None:
        """Show a measured evaluation."""
        if info.evaluation_id != self._id:
            self._id = info.evaluation_id
            self._read.clear()
            self._items.clear()
            arms = {arm.name: str(arm.kind) for arm in (*info.record.arms, *info.record.template_arms)}
            self.items.set_evaluation([suite.title for suite in info.record.suites], arms)
            self.failures.panel.set_arms(list(arms), *self.items.panel.arms)
            self.failures.show_queue(())
            self.gate.say("No gate yet", "It is being decided; copies of sealed items are looked for.")
        if evidence is not self._evidence:  # people labelled: the banner of the gate says how much is left
            self._read.discard("gate")
        self._evidence = evidence
        self.evidence.show_evidence(evidence)
        self.matrix.show_evidence(evidence)
        for part in (self.votes, self.proxies, self.cycle):
            part.set_evaluation(info)
        self.read()

    def _set_table(self, on: bool) -> None:
        """Show every chart as a table, or as the chart."""
        self.evidence.set_table(on)
        self.matrix.set_table(on)
        self.votes.set_table(on)
        self.proxies.set_table(on)
        self.gate.set_table(on)
        self.cycle.set_table(on)

    def read(self) -> None:
        """Read what the shown part lacks."""
        part = self.currentWidget()
        if part is self.items and self.items.suite not in self._items:
            self._read_items(self.items.suite)
        elif part is self.failures and "failures" not in self._read:
            self._read_failures()
        elif isinstance(part, VotesPart | ProxiesPart | CyclePart):
            part.read()
        elif part is self.gate and "gate" not in self._read:
            self._read_gate()

    def forget_people(self) -> None:
        """Read again what people decide when it is shown next: somebody may have looked, tagged or voted."""
        self._read.clear()
        self._items.clear()
        self.votes.forget()
        self.proxies.forget()
        self.cycle.forget()
        self.read()

    # Votes

    def show_round(self, round_id: int) -> None:
        """Show the votes of a round of the evaluation."""
        self.setCurrentWidget(self.votes)
        self.votes.show_round(round_id)

    def _ask_people(self) -> None:
        self.setCurrentWidget(self.votes)
        self.votes.ask_people()

    def _ask_judge(self) -> None:
        self.setCurrentWidget(self.proxies)
        self.proxies.ask_judge()

    def _show_voted_item(self, one: ItemOfVotes) -> None:
        self.show_items(ItemsPlace(one.suite))
        self.items.look_for(one.item)

    # Items

    def show_items(self, place: ItemsPlace) -> None:
        """Show the items behind a number."""
        if place.suite:
            self.setCurrentWidget(self.items)
            self.items.go_to(place)
            self.items.table.setFocus()

    def _read_items(self, suite: str) -> None:
        services, id_ = self._context.services, self._id
        reviewer = self._context.session.reviewer_id
        if suite in self._items:
            self.items.show_rows(self._items[suite])
            return

        def show(rows: list[ItemRow]) -> None:
            if id_ == self._id:
                self._items[suite] = rows
                if suite == self.items.suite:
                    self.items.show_rows(rows)
                self._show_failed()

        if id_ and suite:
            self._context.tasks.query(
                lambda: withheld(read_items(services.evaluations, id_, suite), services.votes.hidden(id_, reviewer)),
                show,
                owner=self,
                key=f"items {suite}",
            )

    def _find(self) -> None:
        self.setCurrentWidget(self.items)
        self.items.search.setFocus()

    def _audit(self) -> None:
        """Let people label answers of this evaluation."""
        self._context.navigate("annotate", audit=self._id)

    def _go_on(self, by: int) -> None:
        part = self.currentWidget()
        if isinstance(part, ItemsView | FailuresView):
            part.go_on(by)

    # Failures

    def _read_failures(self) -> None:
        releases, id_ = self._context.services.releases, self._id
        self._read.add("failures")

        def show(queue: Sequence[QueuedFailure]) -> None:
            if id_ == self._id:
                self.failures.show_queue(queue)
                self._show_failed()

        self._context.tasks.query(lambda: releases.failures.queue(releases.find(id_)), show, owner=self, key="failures")

    def _show_failed(self) -> None:
        if self.failures.current is not None:
            self._show_failed_item(self.failures.current.failure.suite, self.failures.current.failure.item)

    def _show_failed_item(self, suite: str, item: str) -> None:
        rows = self._items.get(suite)
        if rows is None:
            self._read_items(suite)
        else:
            self.failures.show_row(next((row for row in rows if row.id == item), None))

    def _open_failure(self, key: str) -> None:
        """Note that somebody looked; the answers are beside the list already."""
        releases, id_ = self._context.services.releases, self._id
        if (reviewer := self._reviewer()) is not None:
            self._context.ops.mutate(
                lambda: releases.failures.open(releases.find(id_), key, reviewer), self._failure_kept, owner=self
            )

    def _tag(self, tag: str) -> None:
        one, releases, id_ = self.failures.current, self._context.services.releases, self._id
        if self.currentWidget() is not self.failures or one is None:
            return
        if (reviewer := self._reviewer()) is None:
            return
        key, is_opened = one.failure.key, bool(one.opened_by)

        def work() -> Any:
            folder = releases.find(id_)
            if not is_opened:
                releases.failures.open(folder, key, reviewer)
            return releases.failures.tag(folder, key, reviewer, tag)

        self._context.ops.mutate(work, lambda _: self._tagged(), owner=self)

    def _send(self) -> None:
        """Ask where the failure shall go, and send it."""
        one, releases, id_ = self.failures.current, self._context.services.releases, self._id
        if self.currentWidget() is not self.failures or one is None or (reviewer := self._reviewer()) is None:
            return
        dialogs, key = self._context.dialogs, one.failure.key
        place = dialogs.choose("Send the failure on", "Where to?", [words for _, words in DESTINATIONS])
        if place is None:
            return
        to = DESTINATIONS[place][0]

        def send(rubric: str = "") -> None:
            self._context.ops.mutate(
                lambda: releases.failures.send(releases.find(id_), key, reviewer, to, rubric), self._sent, owner=self
            )

        if to == "rubric":
            rubrics = self._context.services.rubrics
            self._context.tasks.query(
                lambda: [one.name for one in rubrics.list() if not one.imported],
                lambda names: self._choose_rubric(names, send),
                owner=self,
                key="rubrics",
            )
        else:
            send()

    def _choose_rubric(self, names: Sequence[str], send: Callable[[str], None]) -> None:
        """Ask which rubric takes the failure as an example."""
        if not names:
            self._context.notices.post("There is no rubric yet.", "warn", hint="Write one in Rubrics first.")
            return
        place = 0
        if len(names) > 1:
            chosen = self._context.dialogs.choose("Send the failure on", "To which rubric?", names)
            if chosen is None:
                return
            place = chosen
        send(names[place])

    def _sent(self, outcome: Outcome[Any]) -> None:
        self._context.notices.post("The failure was sent on.", hint=" ".join(outcome.value.notes))
        self._failure_kept(None)

    def _tagged(self) -> None:
        self.failures.go_on(1)
        self._failure_kept(None)

    def _failure_kept(self, _outcome: object) -> None:
        self._read.clear()
        self._read_failures()

    def _reviewer(self) -> int | None:
        """Return who looks, None where nobody was chosen; the window then says how to."""
        reviewer = self._context.session.reviewer_id
        if reviewer is None:
            self._context.notices.post(
                "Nobody is chosen as reviewer.",
                "warn",
                hint="Choose who you are in the status bar; looks are kept by name.",
            )
        return reviewer

    # Gate

    def _show_checked(self, check: GateCheck) -> None:
        """Show what is behind a check: the failures, votes, items, or the evidence."""
        if check.key == "failure_queue":
            self.setCurrentWidget(self.failures)
        elif check.key in ("win_rate", "lc_win_rate"):
            self.setCurrentWidget(self.votes)
        elif check.suite:
            self.show_items(ItemsPlace(check.suite, *check.part))
        else:
            self.setCurrentWidget(self.evidence)

    def _read_gate(self) -> None:
        services, id_, evidence = self._context.services, self._id, self._evidence
        self._read.add("gate")

        def show(data: GateData) -> None:
            if id_ == self._id:
                self.gate.show_gate(data)

        def failed(error: Exception) -> None:
            if not isinstance(error, UserError):
                self._context.tasks.unhandled.emit(error)
            elif id_ == self._id:
                self.gate.say("No gate yet", f"{error.message} {error.hint}".strip())

        self._context.tasks.query(lambda: read_gate(services, id_, evidence), show, failed, owner=self, key="gate")
