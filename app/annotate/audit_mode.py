"""Annotate as an audit: takes the place of the labelling screen while the answers of an evaluation are audited."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.annotate.audit_controller import AuditController
from app.annotate.audit_view import AuditView
from app.context import AppContext
from core.services.evaluations.views import EvaluationInfo

PLACE = "audit"
"""Place of its actions, whose keys are those of the labelling screen with other meanings."""


class AuditMode(QObject):
    """Connects the view of an audit to its controller.

    Signals:
        toggled(bool): an audit is shown now, or the labelling screen again.
    """

    toggled = Signal(bool)

    def __init__(self, context: AppContext, page: QWidget) -> None:
        super().__init__(page)
        self._context, self.on = context, False
        self.controller = AuditController(context, page)
        self.view = AuditView(context.actions, context.theme)
        self._connect()

    def _connect(self) -> None:
        controller, view, actions = self.controller, self.view, self._context.actions
        controller.answer_changed.connect(self._show_answer)
        controller.choice_changed.connect(lambda: view.bar.show_choice(controller.choice))
        controller.flag_changed.connect(lambda: view.bar.show_flag(controller.is_flagged))
        controller.queue_read.connect(self._show_queue)
        controller.saved.connect(view.bar.show_saved)
        controller.message.connect(view.bar.show_message)
        view.step_requested.connect(self._take_step)
        view.prompt.folded.connect(partial(actions.set_checked, "audit.prompt"))
        self._context.session.reviewer_changed.connect(self._reviewer_changed)
        handlers = controller.handlers() | {
            "annotate.audit": self.ask,
            "audit.leave": partial(self._take_step, "leave"),
            "audit.pairs": self.leave,
            "audit.panel": view.show_panel,
            "audit.source": view.set_source,
            "audit.whole": self._show_whole,
            "audit.prompt": view.prompt.set_all_turns,
            "audit.scroll": partial(view.scroll_answer, 1),
            "audit.scroll_back": partial(view.scroll_answer, -1),
        }
        for action_id, handler in handlers.items():
            actions.bind(action_id, handler)
        for action_id in ("audit.panel", "audit.prompt"):
            actions.set_checked(action_id, True)
        actions.set_checked("audit.source", False)

    def enter(self, evaluation_id: str) -> None:
        """Show the audit of an evaluation."""
        self.on = True
        self.controller.open(evaluation_id)
        self.toggled.emit(True)
        self.come_back()

    def ask(self) -> None:
        """Ask which evaluation shall be audited, and show its audit."""
        service = self._context.services.evaluations

        def read() -> list[EvaluationInfo]:
            return [info for info in service.list() if info.state == "finished"]

        self._context.tasks.query(read, self._choose, owner=self, key="audits")

    def _choose(self, infos: list[EvaluationInfo]) -> None:
        if not infos:
            self._context.notices.post("No evaluation is finished yet.", hint="Make one under Evaluate.")
            return
        place = self._context.dialogs.choose("Audit refusals", "Which evaluation?", [info.name for info in infos])
        if place is not None:
            self.enter(infos[place].evaluation_id)

    def come_back(self) -> None:
        """Give the keys to the audit, when its page is shown again."""
        self._context.actions.set_place(PLACE)
        self.controller.refresh()
        self.view.first_focus().setFocus()

    def leave(self) -> None:
        """Show the labelling screen again."""
        if self.on:
            self.on = False
            self._context.actions.set_place("annotate")
            self.toggled.emit(False)

    def _take_step(self, step: str) -> None:
        if step == "draw":
            self.controller.draw()
        elif step == "reviewer":
            self._context.actions.run("global.reviewer")
        else:
            self._context.navigate("evaluate", evaluation_id=self.controller.evaluation_id)

    def _reviewer_changed(self) -> None:
        if self.on:
            self.controller.reviewer_changed()

    def _show_answer(self) -> None:
        if (shown := self.controller.shown) is not None:
            self.view.show_answer(shown)
            self._allow()

    def _show_queue(self) -> None:
        controller, queue = self.controller, self.controller.queue
        if queue is not None:
            self.view.show_progress(queue)
        if controller.shown is None and not controller.waits_for_disk:
            reviewer = self._context.session.reviewer_id is not None
            self.view.show_nothing(queue, reviewer=reviewer, problem=controller.problem)
        self._allow()

    def _allow(self) -> None:
        """Offer what can be done."""
        controller, actions = self.controller, self._context.actions
        labels = ("audit.complied", "audit.partly", "audit.refused", "audit.cannot", "audit.skip", "audit.flag")
        for action_id in labels:
            actions.set_enabled(action_id, controller.shown is not None)
        past = controller.queue is not None and bool(controller.queue.past)
        actions.set_enabled("audit.undo", past or controller.waits_for_disk)

    def _show_whole(self) -> None:
        self.view.prompt.show_whole()
        self.view.answer.show_all()
