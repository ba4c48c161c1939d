"""The controllers of the labelling screen and the actions they serve. No widgets.

``LabelingState`` holds what is on the screen, the controllers change it and call the services, ``LabelingSignals``
announces what changed. Each controller knows only those made before it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from app.annotate.draft_saver import DraftSaver
from app.annotate.history_navigation import HistoryNavigation
from app.annotate.judgement_commits import JudgementCommits
from app.annotate.judgement_editor import JudgementEditor
from app.annotate.labeling_part import LabelingContext
from app.annotate.labeling_signals import LabelingSignals
from app.annotate.labeling_state import LabelingState
from app.annotate.presentation_controller import PresentationController
from app.annotate.questions import LabelingQuestions
from app.annotate.queue_controller import QueueController
from app.annotate.reviewer_status import StatusReader
from app.annotate.verdict_scale import VERDICT_POINTS
from app.context import AppContext


class LabelingController(QObject):
    """Makes the state and the controllers, and connects them."""

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self.state, self.signals = LabelingState(), LabelingSignals(self)
        questions = LabelingQuestions(context.dialogs, context.theme)
        shared = LabelingContext(context, self.state, self.signals)
        self.editor = JudgementEditor(shared, DraftSaver(shared), questions)
        self.presentations = PresentationController(shared, self.editor)
        self.history = HistoryNavigation(shared, self.editor, self.presentations)
        self.commits = JudgementCommits(shared, self.editor, self.presentations)
        self.status = StatusReader(shared)
        self.queue = QueueController(shared, self.editor, self.presentations, self.history, questions)
        self.editor.submit_requested.connect(self.commits.submit)
        self.signals.steps_changed.connect(self.status.read)

    def has_made(self, initiator: object | None) -> bool:
        """Whether a change of the workspace came from here, so that the screen shows it already."""
        return initiator is self.signals

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return the handlers of the catalog's actions that change the state, by action id."""
        editor, commits, history = self.editor, self.commits, self.history
        handlers: dict[str, Callable[..., object]] = {
            point.action_id: partial(editor.choose_strength, point.strength) for point in VERDICT_POINTS
        }
        return handlers | {
            "annotate.neither": editor.reject_both,
            "annotate.cannot": editor.ask_cannot_judge,
            "annotate.flag": editor.ask_flag,
            "annotate.edit": editor.ask_edit,
            "annotate.next_criterion": partial(editor.move_focus, 1),
            "annotate.previous_criterion": partial(editor.move_focus, -1),
            "annotate.pause": editor.pause,
            "annotate.submit": commits.submit,
            "annotate.skip": commits.skip,
            "annotate.amend": commits.amend,
            "annotate.older": partial(history.step, 1),
            "annotate.newer": partial(history.step, -1),
            "annotate.bookmark": self.status.bookmark,
            "annotate.queue": self.queue.ask,
        }
