"""Annotate as an audit: takes the place of the labelling screen while the answers of an evaluation are audited."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.annotate.audit_controller import AuditController
from app.annotate.audit_view import AuditView
from app.context import AppContext
from app.widgets.lazy_part import LazyPart
from core.services.evaluations.views import EvaluationInfo

PLACE = "audit"
"""Place of its actions, whose keys are those of the labelling screen with other meanings."""


class AuditMode(QObject):
    """Connects the view of an audit to its controller.

    Attributes:
        place: where the view is, or will be once an audit is shown.

    Signals:
        toggled(bool): an audit is shown now, or the labelling screen again.
        controls_made(QWidget): controls were made that are new under this widget.
    """

    toggled = Signal(bool)
    controls_made = Signal(QWidget)

    def __init__(self, context: AppContext, page: QWidget) -> None:
        super().__init__(page)
        self._context, self.on = context, False
        self.controller = AuditController(context, page)
        self.place = LazyPart(context.theme, lambda: AuditView(context.actions, context.theme), self._begin)
        self._connect()

    @property
    def view(self) -> AuditView:
        """The screen of the audit, made when it is first asked for."""
        return self.place.part

    def _begin(self, view: AuditView) -> None:
        view.step_requested.connect(self._take_step)
        view.prompt.folded.connect(partial(self._context.actions.set_checked, "audit.prompt"))
        view.controls_made.connect(self.controls_made)

    def _connect(self) -> None:
        controller, actions = self.controller, self._context.actions
        controller.answer_changed.connect(self._show_answer)
        controller.choice_changed.connect(lambda: self.view.bar.show_choice(controller.choice))
        controller.flag_changed.connect(lambda: self.view.bar.show_flag(controller.is_flagged))
        controller.queue_read.connect(self._show_queue)
        controller.saved.connect(lambda said: self.view.bar.show_stored(said))
        controller.message.connect(lambda said: self.view.bar.show_message(said))
        self._context.session.reviewer_changed.connect(self._reviewer_changed)
        handlers = controller.handlers() | {
            "annotate.audit": self.ask,
            "audit.leave": partial(self._take_step, "leave"),
            "audit.pairs": self.leave,
            "audit.panel": lambda on: self.view.show_panel(on),
            "audit.source": lambda on: self.view.set_source(on),
            "audit.whole": self._show_whole,
            "audit.prompt": lambda on: self.view.prompt.set_all_turns(on),
            "audit.scroll": lambda: self.view.scroll_answer(1),
            "audit.scroll_back": lambda: self.view.scroll_answer(-1),
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
