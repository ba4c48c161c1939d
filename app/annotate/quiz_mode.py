"""Annotate as a quiz: after the answer to a gold item, right or wrong and the reason take its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.annotate.labeling_controller import LabelingController
from app.annotate.queue_choice import QueueKind
from app.annotate.quiz_view import QuizView, ShownResult
from app.context import AppContext
from app.widgets.lazy_part import LazyPart

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application

PLACE = "quiz"
"""Place of its actions, whose keys are those of the labelling screen with other meanings."""


class QuizMode(QObject):
    """Shows what became of each answer of a quiz, or of practising.

    Attributes:
        place: where the view is, or will be once a result is shown.

    Signals:
        toggled(bool): a result is shown now, or the labelling screen again.
    """

    toggled = Signal(bool)

    def __init__(self, context: AppContext, page: QWidget, labelling: LabelingController) -> None:
        super().__init__(page)
        self._context, self._labelling, self.on = context, labelling, False
        self.shown: ShownResult | None = None
        self.place = LazyPart(context.theme, lambda: QuizView(context.actions, context.theme))
        labelling.signals.gold_answered.connect(self._answered)
        context.session.reviewer_changed.connect(self.leave)
        handlers: dict[str, Callable[..., object]] = {
            "annotate.quiz": partial(self.begin, "quiz"),
            "annotate.practise": partial(self.begin, "practice"),
            "quiz.next": self.leave,
            "quiz.leave": self._stop,
            "quiz.source": lambda on: self.view.set_source(on),
            "quiz.whole": lambda: self.view.show_whole(),
            "quiz.scroll": lambda: self.view.scroll_pages(1),
            "quiz.scroll_back": lambda: self.view.scroll_pages(-1),
        }
        for action_id, handler in handlers.items():
            context.actions.bind(action_id, handler)
        context.actions.set_checked("quiz.source", False)

    @property
    def view(self) -> QuizView:
        """The screen of a result, made when it is first asked for."""
        return self.place.part

    def begin(self, kind: QueueKind) -> None:
        """Open the gold items of the quiz, or those to practise on, of the rubric that is labelled under."""
        self._labelling.queue.switch(self._labelling.state.choice.of_kind(kind))

    def come_back(self) -> None:
        """Give the keys to the result, when its page is shown again."""
        self._context.actions.set_place(PLACE)
        self.view.first_focus().setFocus()

    def leave(self) -> None:
        """Show the next gold item."""
        if self.on:
            self.on = False
            self._context.actions.set_place("annotate")
            self.toggled.emit(False)

    def _stop(self) -> None:
        """Label pairs again; what was answered stays, and the quiz goes on when it is opened again."""
        self.begin("all")
        self.leave()

    def _answered(self, pair_id: int, version_id: int) -> None:
        reviewer_id = self._context.session.reviewer_id
        if reviewer_id is not None:
            read = partial(read_result, self._context.services, pair_id, version_id, reviewer_id)
            self._context.tasks.query(read, self._show, owner=self, key="result")

    def _show(self, shown: ShownResult) -> None:
        self.shown = shown
        self.view.show_result(shown, practice=self._labelling.state.choice.kind == "practice")
        if not self.on:
            self.on = True
            self.toggled.emit(True)
        self.come_back()


def read_result(services: Application, pair_id: int, version_id: int, reviewer_id: int) -> ShownResult:
    """Return what is shown of a gold item that the reviewer has answered. Reads the database."""
    result = services.qualification.result(version_id, pair_id, reviewer_id)
    title = services.rubrics.version(version_id).title
    return ShownResult(result, services.annotation.presentation_of(result.judgement_id), title)
