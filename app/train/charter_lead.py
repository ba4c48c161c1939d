"""Between the Train page and its charter card: what can be named, what is missing, and the way to its field."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QWidget

from app.context import AppContext
from app.train import charter_words
from app.train.charter_card import CharterCard
from app.train.charter_words import CharterSources
from app.train.preflight_panel import BENIGN_LEAD
from core.domain.charter import BenignSuiteNeeded
from core.domain.dataset import DatasetVersion
from core.domain.run_config import RunConfig
from core.domain.suite import SuiteInfo


class CharterLead:
    """Feeds the card, and leads to the field that is missing."""

    def __init__(self, context: AppContext, card: CharterCard, scroll: QScrollArea) -> None:
        self._context, self._card, self._scroll = context, card, scroll

    def offer(self, version: DatasetVersion | None, suites: Sequence[SuiteInfo], config: RunConfig | None) -> None:
        """Offer what a charter can name: pairs of the chosen version, suites, and the run's own loss."""
        if version is not None:
            found = CharterSources(version.counts, suites, version.rubric_titles, version.title)
            self._card.set_sources(found)
        elif suites:
            self._card.set_sources(CharterSources(suites=suites))
        if config is not None:
            self._card.set_loss(f"loss {config.loss}, beta {config.beta:g}")

    def is_whole(self) -> bool:
        """Return whether all five questions are answered; where not, say so and lead to the first that is not."""
        gap = self._card.first_gap()
        if gap is None:
            return True
        self._to(gap)
        hint = "Answer on the card Charter; the first field has the keyboard now. Nothing was started."
        self._context.notices.post(charter_words.gaps_line(self._card.charter()), "warn", hint=hint)
        return False

    def to_benign(self) -> None:
        """Lead to the benign suite."""
        self._to(self._card.benign)

    def not_started(self, error: Exception) -> None:
        """Say why a run was not made; where it lacks a benign suite, the notice leads to that field."""
        if isinstance(error, BenignSuiteNeeded):
            self._context.notices.post(error.message, "error", hint=error.hint, action=BENIGN_LEAD, run=self.to_benign)
        else:
            self._context.tasks.unhandled.emit(error)

    def _to(self, field: QWidget) -> None:
        self._scroll.ensureWidgetVisible(field)
        field.setFocus(Qt.FocusReason.OtherFocusReason)
