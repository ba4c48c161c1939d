"""What the parts of a measured evaluation show: each is read when it is shown, once while nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.evaluate.cycle_part import CyclePart
from app.evaluate.evidence_view import EvidenceView
from app.evaluate.failures_part import FailuresPart
from app.evaluate.failures_view import TAGS
from app.evaluate.figures import ItemsPlace
from app.evaluate.gate_steps import GateData, read_gate
from app.evaluate.gate_view import GateView
from app.evaluate.item_rows import ItemRow, first_sides, inspect_refusal, inspection_of, read_items, withheld
from app.evaluate.items_view import ItemsView
from app.evaluate.matrix_view import MatrixView
from app.evaluate.part_tabs import PartTabs
from app.evaluate.prompt_dialog import PromptDialog
from app.evaluate.proxies_part import ProxiesPart
from app.evaluate.votes_figures import ItemOfVotes
from app.evaluate.votes_part import VotesPart
from core.domain.errors import UserError
from core.services.evaluations.views import EvaluationInfo

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.domain.release_gate import GateCheck


_UNDECIDED = ("No gate yet", "It is being decided; copies of sealed items are looked for.")


class EvaluationParts(PartTabs):
    """Evidence, matrix, items, votes, proxies, failures, gate and cycle of one evaluation.

    A part is made when it is first shown or asked for; it is told of the evaluation then.
    """

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._id, self._read = "", set[str]()
        self._info: EvaluationInfo | None = None
        self._items: dict[str, list[ItemRow]] = {}
        self._evidence: Mapping[str, Any] = {}
        self._as_table = False
        self._no_asking = ""
        self.begun.connect(self._begin)
        self.currentChanged.connect(lambda _: self.read())

    def _begin(self, part: QWidget) -> None:
        """Connect a part that was just made, tell it of the evaluation, and read what it lacks if it is in front."""
        if isinstance(part, EvidenceView | MatrixView):
            self._begin_evidence(part)
        elif isinstance(part, ItemsView):
            self._begin_items(part)
        elif isinstance(part, FailuresPart):
            self._begin_failures(part)
        elif isinstance(part, GateView):
            self._begin_gate(part)
        elif isinstance(part, VotesPart | ProxiesPart | CyclePart):
            self._begin_people(part)
        if self.currentWidget() is part:
            self.read()

    def _begin_evidence(self, part: EvidenceView | MatrixView) -> None:
        part.items_wanted.connect(self.show_items)
        part.set_table(self._as_table)
        if self._info is not None:
            part.show_evidence(self._evidence)

    def _begin_items(self, items: ItemsView) -> None:
        items.suite_wanted.connect(self._read_items)
        if self._info is not None:
            items.set_evaluation(_suites(self._info), _arms(self._info))

    def _begin_people(self, part: VotesPart | ProxiesPart | CyclePart) -> None:
        if isinstance(part, ProxiesPart):
            part.votes_wanted.connect(lambda: self.setCurrentWidget(self.votes))
            part.evidence_wanted.connect(lambda: self.setCurrentWidget(self.evidence))
        else:
            part.items_wanted.connect(self.show_items)
        if isinstance(part, VotesPart):
            part.item_wanted.connect(self._show_voted_item)
            part.nobody.set_refusal(self._no_asking)
        part.set_table(self._as_table)
        if self._info is not None:
            part.set_evaluation(self._info)

    def _begin_failures(self, failures: FailuresPart) -> None:
        failures.queue_read.connect(self._show_failed)
        failures.shown_wanted.connect(self._show_failed_item)
        if self._info is not None:
            self._give_failures(failures, self._info)

    def _begin_gate(self, gate: GateView) -> None:
        gate.place_wanted.connect(self._show_checked)
        gate.item_wanted.connect(self._show_voted_item)
        gate.set_table(self._as_table)
        if self._info is not None:
            gate.say(*_UNDECIDED)

    def _give_failures(self, failures: FailuresPart, info: EvaluationInfo) -> None:
        arms = _arms(info)
        failures.panel.set_arms(list(arms), *first_sides(arms))
        failures.set_evaluation(info.evaluation_id)

    def handlers(self) -> Mapping[str, Any]:
        """Return what the actions of the parts do."""
        tags = {
            f"evaluate.tag_{tag}": lambda tag=tag: self._if_shown(lambda: self.failures.tag_current(tag))
            for tag, _ in TAGS
        }
        return {
            "evaluate.table": self._set_table,
            "evaluate.ask_people": self._ask_people,
            "evaluate.vote": lambda: self.votes.vote_now(),
            "evaluate.judge": self._ask_judge,
            "evaluate.find": self._find,
            "evaluate.audit": self._audit,
            "evaluate.next": lambda: self._go_on(1),
            "evaluate.previous": lambda: self._go_on(-1),
            "evaluate.send": lambda: self._if_shown(lambda: self.failures.send_current()),
            "evaluate.inspect": self._inspect,
            **tags,
        }

    def show_evaluation(self, info: EvaluationInfo, evidence: Mapping[str, Any]) -> None:
        """Show a measured evaluation."""
        self._info = info
        places, is_other = self.places, info.evaluation_id != self._id
        if is_other:
            self._id = info.evaluation_id
            self._read.clear()
            self._items.clear()
        if evidence is not self._evidence:  # people labelled: the banner of the gate says how much is left
            self._read.discard("gate")
        self._evidence = evidence
        if is_other and (items := places.items.made) is not None:
            items.set_evaluation(_suites(info), _arms(info))
        if is_other and (failures := places.failures.made) is not None:
            self._give_failures(failures, info)
        if is_other and (gate := places.gate.made) is not None:
            gate.say(*_UNDECIDED)
        for shown in (places.evidence.made, places.matrix.made):
            if shown is not None:
                shown.show_evidence(evidence)
        for part in (places.votes.made, places.proxies.made, places.cycle.made):
            if part is not None:
                part.set_evaluation(info)
        self.read()

    def _set_table(self, on: bool) -> None:
        """Show every chart as a table, or as the chart."""
        self._as_table, places = on, self.places
        parts = (places.evidence, places.matrix, places.votes, places.proxies, places.gate, places.cycle)
        for place in parts:
            if (part := place.made) is not None:
                part.set_table(on)

    def read(self) -> None:
        """Read what the shown part lacks."""
        part = self.currentWidget()
        if isinstance(part, ItemsView):
            if part.suite not in self._items:
                self._read_items(part.suite)
        elif isinstance(part, VotesPart | ProxiesPart | FailuresPart | CyclePart):
            part.read()
        elif isinstance(part, GateView) and "gate" not in self._read:
            self._read_gate(part)

    def forget_people(self) -> None:
        """Read again what people decide when it is shown next: somebody may have looked, tagged or voted."""
        self._read.clear()
        self._items.clear()
        places = self.places
        for part in (places.votes.made, places.proxies.made, places.failures.made, places.cycle.made):
            if part is not None:
                part.forget()
        self.read()

    def forget_failures(self) -> None:
        """Read failures and gate again when they are shown next: somebody looked, tagged or sent one on."""
        self._read.discard("gate")
        if (failures := self.places.failures.made) is not None:
            failures.forget()
        self.read()

    def forget_evaluations(self) -> None:
        """Read again what several evaluations give when it is shown next."""
        for part in (self.places.proxies.made, self.places.cycle.made):
            if part is not None:
                part.forget()

    # Votes

    def refuse_asking(self, why: str) -> None:
        """Say before the press why people cannot be asked; "" where they can."""
        self._no_asking = why
        if (votes := self.places.votes.made) is not None:
            votes.nobody.set_refusal(why)

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
                if (items := self.places.items.made) is not None and suite == items.suite:
                    items.show_rows(rows)
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
        failures = self.places.failures.made
        if failures is not None and failures.current is not None:
            self._show_failed_item(failures.current.failure.suite, failures.current.failure.item)

    def _show_failed_item(self, suite: str, item: str) -> None:
        rows = self._items.get(suite)
        if rows is None:
            self._read_items(suite)
        else:
            self.failures.show_row(next((row for row in rows if row.id == item), None))

    def _if_shown(self, act: Callable[[], None]) -> None:
        """Do what a key of the failures says where these are shown."""
        if isinstance(self.currentWidget(), FailuresPart):
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

    def _read_gate(self, gate: GateView) -> None:
        services, id_, evidence = self._context.services, self._id, self._evidence
        self._read.add("gate")

        def show(data: GateData) -> None:
            if id_ == self._id:
                gate.show_gate(data)

        def failed(error: Exception) -> None:
            if not isinstance(error, UserError):
                self._context.tasks.unhandled.emit(error)
            elif id_ == self._id:
                gate.say("No gate yet", f"{error.message} {error.hint}".strip())

        self._context.tasks.query(lambda: read_gate(services, id_, evidence), show, failed, owner=self, key="gate")


def _suites(info: EvaluationInfo) -> list[str]:
    return [suite.title for suite in info.record.suites]


def _arms(info: EvaluationInfo) -> dict[str, str]:
    """Return the kinds of the arms, those of other templates too, by name."""
    return {arm.name: str(arm.kind) for arm in (*info.record.arms, *info.record.template_arms)}
