"""The conversation that the answers belong to. Earlier turns can be hidden, the last one always shows."""

from __future__ import annotations

from PySide6.QtCore import Signal

from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.conversation import conversation_text
from app.widgets.height_fit import HeightFit
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.safe_text import SafeText
from core.domain.conversation import Prompt
from core.domain.counting import counted

MAX_HEIGHT_PX = 150
"""Design pixels; a longer conversation scrolls, so that the answers keep their room."""


class PromptCard(Card):
    """All turns as text, each after the name of its role, with formulas as pictures.

    Signals:
        folded(bool): the button was pressed; True when all turns are shown now, False for the last one only.
    """

    folded = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._all_turns = theme, True
        self._low = self._opened = self._source = False
        self._prompt: Prompt | None = None
        self._fold = icon_button(theme, "down", "Show or hide the earlier turns", size=16)
        self._fold.clicked.connect(self._toggle)
        self._turns, self._name = Chip(""), text_label("", "caption")
        self._cut = Chip("cut; X shows all", "warn", tooltip="The prompt is too long to be shown at once.")
        self._bookmark = Chip("bookmarked", "accent", tooltip="M removes the bookmark.")
        self.head.addWidget(self._fold)
        self.head.addWidget(text_label("Prompt", "section"))
        self.head.addWidget(self._turns)
        self.head.addWidget(self._cut)
        self._first_line = ElideLabel("", outside=True)
        self.head.addWidget(self._first_line, 1)
        self.head.addStretch(0)
        self.head.addWidget(self._bookmark)
        self.head.addWidget(self._name)
        self.column.addLayout(self.head)
        self.text = SafeText(theme, "Prompt")
        self.add(self.text)
        self._bookmark.hide()
        self._cut.hide()
        self.text.cut_changed.connect(self._cut.setVisible)
        HeightFit([self.text], lambda: theme.px(MAX_HEIGHT_PX))
        theme.changed.connect(self._render)

    def set_low(self, low: bool) -> None:
        """Show the beginning of the last turn in the head and nothing below it, where the page is low."""
        if low != self._low:
            self._low, self._opened = low, False
            self._render()

    def set_bookmarked(self, on: bool) -> None:
        """Show whether the pair is bookmarked."""
        self._bookmark.setVisible(on)

    def show_prompt(self, prompt: Prompt, pair_id: int = 0, *, name: str = "") -> None:
        """Show a conversation; ``name`` says what it belongs to where that is no pair."""
        self._prompt = prompt
        turns = len(prompt.messages)
        self._turns.set_chip(counted(turns, "turn"))
        self._name.setText(name or f"pair #{pair_id}")
        self._render()

    def set_size(self, size: int) -> None:
        """Take another text size, in design pixels."""
        self.text.set_size(size)
        self._render()

    def set_all_turns(self, on: bool) -> None:
        """Show all turns, or the last one only."""
        self._all_turns = on
        self._render()

    def set_source(self, on: bool) -> None:
        """Show formulas as they are written, or as pictures."""
        if on != self._source:
            self._source = on
            self._render()

    def expect(self, prompt: Prompt) -> None:
        """Draw the formulas of a prompt that will be shown soon."""
        self.text.expect(conversation_text(prompt.messages)[0])

    def show_whole(self) -> None:
        """Show the whole of a prompt that is too long to be shown at once."""
        if self.text.cut_off:
            self.text.show_all()

    def _toggle(self) -> None:
        if self._low and not self._opened:
            self._opened = True
            self._render()
            return
        self._opened = False
        self.set_all_turns(not self._all_turns)
        self.folded.emit(self._all_turns)

    def _render(self) -> None:
        """Show the turns, as high as they need to be."""
        if self._prompt is None:
            return
        folded = self._low and not self._opened
        self.text.setVisible(not folded)
        self._turns.setVisible(not folded)
        self._first_line.setText(self._prompt.messages[-1].content.strip().split("\n")[0] if folded else "")
        messages = self._prompt.messages if self._all_turns else self._prompt.messages[-1:]
        text, roles = conversation_text(messages)
        self.text.set_text(text, mode="source" if self._source else "formulas", extra=roles)
        self.text.scroll_to(roles[-1].start)  # the last turn is what is answered; it is read from its beginning
