"""What a screen of a judged pair has in common: header, prompt and both answers, where nothing is tagged or edited."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.actions.registry import ActionRegistry
from app.annotate.answer_panes import AnswerPanes
from app.annotate.prompt_card import PromptCard
from app.theme.theme import Theme
from app.widgets.header import PageHeader

SCROLL_PAGES, LEAST_TEXT_PX, LOW_PX = 0.85, 84, 520
"""Share of the height that one key scrolls; design pixels of an answer that stay in sight; height of the page below
which the prompt is one line."""


class JudgedPairView(QWidget):
    """The base of such screens; each lays out its parts.

    Args:
        actions: of the window.
        theme: for sizes.
        place: of its actions; ``<place>.source`` is the one that shows the texts as they are stored.
    """

    def __init__(self, actions: ActionRegistry, theme: Theme, place: str) -> None:
        super().__init__()
        self._actions, self._theme, self._source_action = actions, theme, f"{place}.source"
        self.header, self.prompt, self.panes = PageHeader("Annotate"), PromptCard(theme), AnswerPanes(theme)
        self.panes.only_show(LEAST_TEXT_PX)
        theme.changed.connect(self._fit_later)

    def first_focus(self) -> QWidget:
        """Start at the answers, where every single key acts."""
        return self.panes

    def set_source(self, on: bool) -> None:
        """Show the texts as they are stored, or as Markdown."""
        self._actions.set_checked(self._source_action, on)
        self.panes.set_source(on)
        self.prompt.set_source(on)

    def show_whole(self) -> None:
        """Show the whole of prompt and answers that are too long to be shown at once."""
        self.prompt.show_whole()
        self.panes.show_all()

    def scroll_pages(self, pages: int) -> None:
        """Scroll both answers by pages."""
        self.panes.scroll_pages(pages * SCROLL_PAGES)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what a low or narrow page has no room for."""
        super().resizeEvent(event)
        self.fit()

    def _fit_later(self) -> None:
        QTimer.singleShot(0, self, self.fit)

    def fit(self) -> None:
        """Leave out what a low page has no room for."""
        self.prompt.set_low(self.height() < self._theme.px(LOW_PX))
