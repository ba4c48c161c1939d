"""Annotate as adjudication: after the first pick of a pair in conflict, its labels and the decision take its place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.annotate.adjudicate_controller import AdjudicateController
from app.annotate.adjudicate_view import AdjudicateView
from app.context import AppContext
from app.widgets.lazy_part import LazyPart

PLACE = "adjudicate"
"""Place of its actions, whose keys are those of the labelling screen with other meanings."""


class AdjudicateMode(QObject):
    """Connects the view of a decision to its controller.

    Attributes:
        place: where the view is, or will be once a decision is shown.

    Signals:
        toggled(bool): a decision is shown now, or the labelling screen again.
        pick_taken_back(): the first pick is to be taken back by the labelling screen.
        stored(str): what was stored, for the labelling screen that comes next.
    """

    toggled = Signal(bool)
    pick_taken_back = Signal()
    stored = Signal(str)

    def __init__(self, context: AppContext, page: QWidget) -> None:
        super().__init__(page)
        self._context, self.on, self._begun = context, False, 0
        self.controller = AdjudicateController(context, page)
        self.place = LazyPart(context.theme, lambda: AdjudicateView(context.actions, context.theme), self._begin)
        self._connect()

    @property
    def view(self) -> AdjudicateView:
        """The screen of a decision, made when it is first asked for."""
        return self.place.part

    def _begin(self, view: AdjudicateView) -> None:
        view.bar.request_changed.connect(self.controller.set_request)
        view.bar.note_changed.connect(self.controller.set_note)

    def _connect(self) -> None:
        controller, actions = self.controller, self._context.actions
        controller.shown_changed.connect(self._show)
        controller.form_changed.connect(lambda: self.view.bar.show_form(controller.form))
        controller.message.connect(lambda said: self.view.bar.show_message(said))
        controller.stored.connect(lambda said: self.view.bar.show_stored(said))
        controller.stored.connect(self.stored)
        controller.emptied.connect(self.leave)
        controller.pick_taken_back.connect(self._take_pick_back)
        self._context.session.reviewer_changed.connect(self._reviewer_changed)
        handlers: dict[str, Callable[..., object]] = controller.handlers() | {
            "adjudicate.panel": lambda on: self.view.show_panel(on),
            "adjudicate.source": lambda on: self.view.set_source(on),
            "adjudicate.whole": lambda: self.view.show_whole(),
            "adjudicate.scroll": lambda: self.view.scroll_pages(1),
            "adjudicate.scroll_back": lambda: self.view.scroll_pages(-1),
        }
        for action_id, handler in handlers.items():
            actions.bind(action_id, handler)
        actions.set_checked("adjudicate.panel", True)
        actions.set_checked("adjudicate.source", False)

    def begin(self, version_id: int) -> None:
        """Show a pair that was picked before an interruption and not decided, if there is one.

        A queue that is only read again brings nothing back that was put off.
        """
        if self.on:
            return
        if version_id != self._begun:
            self._begun = version_id
            self.controller.forget()
        self.controller.go_on(version_id, lambda pair_id: self.enter(pair_id, version_id), lambda: None)

    def restart(self) -> None:
        """Offer the pairs again that were put off."""
        self._begun = 0

    def enter(self, pair_id: int, version_id: int) -> None:
        """Show the labels of a pair that the reviewer just judged first."""
        self.controller.open(pair_id, version_id)

    def undo(self, version_id: int, otherwise: Callable[[], object]) -> None:
        """Take back the newest decision and show its pair again; without any do what is said."""
        self.controller.take_back(version_id, lambda pair_id: self.enter(pair_id, version_id), otherwise)

    def come_back(self) -> None:
        """Give the keys to the decision, when its page is shown again."""
        self._context.actions.set_place(PLACE)
        self.view.first_focus().setFocus()

    def leave(self) -> None:
        """Show the labelling screen again; a first pick without a decision stays and comes again."""
        if self.on:
            self.on = False
            self._context.actions.set_place("annotate")
            self.toggled.emit(False)

    def _show(self) -> None:
        if (shown := self.controller.shown) is None:
            return
        self.view.show_conflict(shown)
        if not self.on:
            self.on = True
            self.toggled.emit(True)
            self.come_back()
        self.view.first_focus().setFocus()

    def _take_pick_back(self) -> None:
        self.leave()
        self.pick_taken_back.emit()

    def _reviewer_changed(self) -> None:
        self.restart()
        self.controller.forget()
        self.leave()
