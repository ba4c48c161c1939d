"""Keeps what is filled in as a draft, so that it survives a crash, a closed window and another reviewer."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from app.annotate.judgement_form import JudgementForm
from app.annotate.labeling_part import LabelingContext, LabelingPart

DRAFT_AFTER_MS = 800


class DraftSaver(LabelingPart):
    """Saves the form of the pair on the screen a moment after the last change, or at once."""

    def __init__(self, context: LabelingContext) -> None:
        super().__init__(context)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DRAFT_AFTER_MS)
        self._timer.timeout.connect(self._save)

    def save_soon(self) -> None:
        """Save in a moment; further changes until then are saved with it."""
        self._timer.start()

    def save_now(self) -> None:
        """Save at once what :meth:`save_soon` was asked to save."""
        if self._timer.isActive():
            self._timer.stop()
            self._save()

    def cancel(self) -> None:
        """Do not save what :meth:`save_soon` was asked to save."""
        self._timer.stop()

    def save(self, presentation_uid: str, form: JudgementForm) -> None:
        """Save a form as the draft of a presentation."""
        service, values = self._context.services.annotation, dict(form.to_stored())
        self._context.tasks.write(lambda: service.save_draft(presentation_uid, values), owner=self)

    def _save(self) -> None:
        state = self._state
        if state.presentation is not None and state.earlier_id is None and state.touched:
            self.save(state.presentation.presentation_uid, state.form)
