"""The answer that is audited: its text and how long it is. Which policy gave it is not shown."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.safe_text import SafeText

SCROLL_PAGES = 0.85
"""Share of the height that one key scrolls, so that the last lines stay in sight."""


class AuditAnswer(Card):
    """One answer."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=14)
        self.text = SafeText(theme, "Answer")
        self.text.setMinimumSize(160, 44)
        self._cut = Chip("cut; X shows all", "warn", tooltip="The answer is too long to be shown at once.")
        self._hidden = Chip("hidden", "warn", tooltip="Invisible characters are shown as named chips.")
        self._length = ElideLabel("", kind="caption")
        self.head.addWidget(text_label("Answer", "title"))
        self.head.addWidget(self._cut)
        self.head.addWidget(self._hidden)
        self.head.addStretch(1)
        self.head.addWidget(self._length)
        copy = icon_button(theme, "copy", "Copy the answer", size=16)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.text_shown))
        self.head.addWidget(copy)
        self.column.addLayout(self.head)
        self.note = text_label("", "caption", wrap=True)
        self.add(self.text, 1)
        self.add(self.note)
        self._source, self._words = False, ""
        self._cut.hide()
        self._hidden.hide()
        self.text.rendered.connect(self._print_note)

    def show_answer(self, text: str, about: str) -> None:
        """Show an answer from its beginning; ``about`` says how long it is and how it ended."""
        self._words = text
        self._length.setText(about)
        self._render()

    def set_source(self, on: bool) -> None:
        """Show the text as it is stored, or as Markdown."""
        self._source = on
        self._render()

    def show_all(self) -> None:
        """Show the whole of an answer that is too long to be shown at once."""
        if self.text.cut_off:
            self.text.show_all()

    def scroll_pages(self, pages: float) -> None:
        """Scroll by a share of the height."""
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.value() + round(pages * bar.pageStep()))

    def _render(self) -> None:
        self.text.set_text(self._words, mode="source" if self._source else "rendered")
        self._hidden.setVisible(self.text.has_hidden_characters)

    def _print_note(self) -> None:
        self._cut.setVisible(bool(self.text.cut_off))
        self.note.setText(self.text.note)
        self.note.setVisible(bool(self.text.note))
