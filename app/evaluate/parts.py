"""The parts of a measured evaluation as tabs: each is read when it is shown, and only once while nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.context import AppContext
from app.evaluate.cycle_part import CyclePart
from app.evaluate.evidence_view import EvidenceView
from app.evaluate.failures_part import FailuresPart
from app.evaluate.failures_view import TAGS
from app.evaluate.figures import ItemsPlace
from app.evaluate.gate_steps import GateData, read_gate
from app.evaluate.gate_view import GateView
from app.evaluate.item_rows import ItemRow, inspect_refusal, inspection_of, read_items, withheld
from app.evaluate.items_view import ItemsView
from app.evaluate.matrix_view import MatrixView
from app.evaluate.prompt_dialog import PromptDialog
from app.evaluate.proxies_part import ProxiesPart
from app.evaluate.votes_figures import ItemOfVotes
from app.evaluate.votes_part import VotesPart
from app.widgets.controls import TabWidget
from app.widgets.labels import restyle
from core.domain.errors import UserError
from core.services.evaluations.views import EvaluationInfo

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.domain.release_gate import GateCheck


_LARGE = 1.5
"""Text zoom above which the titles of the tabs stand closer."""


class EvaluationParts(TabWidget):
    """Evidence, matrix, items, votes, proxies, failures, gate and cycle of one evaluation."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._id, self._read = "", set[str]()
        self._info: EvaluationInfo | None = None
        self._items: dict[str, list[ItemRow]] = {}
        self._evidence: Mapping[str, Any] = {}
        self.evidence, self.matrix, self.items = EvidenceView(context), MatrixView(context), ItemsView(context)
        self.failures, self.gate = FailuresPart(context), GateView(context)
        self.votes, self.proxies, self.cycle = VotesPart(context), ProxiesPart(context), CyclePart(context)
        self.setDocumentMode(True)
        self.setAccessibleName("The evaluation")
        self.tabBar().setAccessibleName("Parts of the evaluation")
        context.theme.changed.connect(self._fit_tabs)
        self._fit_tabs()
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
        self.failures.queue_read.connect(self._show_failed)
        self.failures.shown_wanted.connect(self._show_failed_item)
        self.gate.place_wanted.connect(self._show_checked)
        self.gate.item_wanted.connect(self._show_voted_item)
        self.votes.items_wanted.connect(self.show_items)
        self.cycle.items_wanted.connect(self.show_items)
        self.votes.item_wanted.connect(self._show_voted_item)
        self.proxies.votes_wanted.connect(lambda: self.setCurrentWidget(self.votes))
        self.proxies.evidence_wanted.connect(lambda: self.setCurrentWidget(self.evidence))
        self.currentChanged.connect(lambda _: self.read())

    def _fit_tabs(self) -> None:
        """Stand the titles closer where the text is large, so that a small window shows all of them."""
        tight = "true" if self._context.theme.zoom > _LARGE else "false"
        if self.tabBar().property("tight") != tight:
            self.tabBar().setProperty("tight", tight)
            restyle(self.tabBar())

    def handlers(self) -> Mapping[str, Any]:
        """Return what the actions of the parts do."""
        failures = self.failures
        tags = {
            f"evaluate.tag_{tag}": lambda tag=tag: self._if_shown(lambda: failures.tag_current(tag)) for tag, _ in TAGS
        }
        return {
            "evaluate.table": self._set_table,
            "evaluate.ask_people": self._ask_people,
            "evaluate.vote": self.votes.vote_now,
            "evaluate.judge": self._ask_judge,
            "evaluate.find": self._find,
            "evaluate.audit": self._audit,
            "evaluate.next": lambda: self._go_on(1),
            "evaluate.previous": lambda: self._go_on(-1),
            "evaluate.send": lambda: self._if_shown(failures.send_current),
            "evaluate.inspect": self._inspect,
            **tags,
        }

    def show_evaluation(self, info: EvaluationInfo, evidence: Mapping[str, Any]) -> None:
        """Show a measured evaluation."""
        self._info = info
        if info.evaluation_id != self._id:
            self._id = info.evaluation_id
            self._read.clear()
            self._items.clear()
            arms = {arm.name: str(arm.kind) for arm in (*info.record.arms, *info.record.template_arms)}
            self.items.set_evaluation([suite.title for suite in info.record.suites], arms)
            self.failures.panel.set_arms(list(arms), *self.items.panel.arms)
            self.failures.set_evaluation(info.evaluation_id)
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
        elif isinstance(part, VotesPart | ProxiesPart | FailuresPart | CyclePart):
            part.read()
        elif part is self.gate and "gate" not in self._read:
            self._read_gate()

    def forget_people(self) -> None:
        """Read again what people decide when it is shown next: somebody may have looked, tagged or voted."""
        self._read.clear()
        self._items.clear()
        for part in (self.votes, self.proxies, self.failures, self.cycle):
            part.forget()
        self.read()

    def forget_failures(self) -> None:
        """Read failures and gate again when they are shown next: somebody looked, tagged or sent one on."""
        self._read.discard("gate")
        self.failures.forget()
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

    def _inspect(self) -> None:
        """Show the current item under policy and reference, token by token."""
        part, info = self.currentWidget(), self._info
        panel = part.panel if isinstance(part, ItemsView | FailuresPart) else None
        row = panel.row if panel is not None else None
        if panel is None or row is None or info is None:
            self._context.notices.post("No item is chosen.", "warn", hint="Choose one under Items or Failures.")
        elif (why := inspect_refusal(row)) is not None:
            self._context.notices.post(why, "warn")
        else:
            request = inspection_of(row, info.record.run, panel.arms)
            dialog = PromptDialog(self, self._context, request, row.id)
            wanted: list[str] = []
            dialog.pair_wanted.connect(wanted.append)
            dialog.pair_wanted.connect(dialog.reject)
            self._context.dialogs.run(dialog)
            dialog.deleteLater()
            for pair in wanted:
                self._context.navigate("data", pair_id=int(pair))

    def _go_on(self, by: int) -> None:
        part = self.currentWidget()
        if isinstance(part, ItemsView | FailuresPart):
            part.go_on(by)

    # Failures

    def _show_failed(self) -> None:
        if self.failures.current is not None:
            self._show_failed_item(self.failures.current.failure.suite, self.failures.current.failure.item)

    def _show_failed_item(self, suite: str, item: str) -> None:
        rows = self._items.get(suite)
        if rows is None:
            self._read_items(suite)
        else:
            self.failures.show_row(next((row for row in rows if row.id == item), None))

    def _if_shown(self, act: Callable[[], None]) -> None:
        """Do what a key of the failures says where these are shown."""
        if self.currentWidget() is self.failures:
            act()

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
