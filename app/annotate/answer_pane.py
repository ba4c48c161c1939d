"""One answer: a card that shows which side it is, whether it is preferred, its text, its edit and its spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.annotate.judgement_form import AnswerSpan, ScreenSide
from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.display import Mark, MarkNote
from app.widgets.labels import Chip, plain_tip, text_label
from app.widgets.rendering import Mode
from app.widgets.safe_text import SafeText
from app.widgets.word_diff import Marks
from core.domain.text_length import text_length

SpanNotes = Mapping[AnswerSpan, Sequence[tuple[str, str]]]
"""Span -> (tag, words) of the chips behind it."""
GOOD = "good"
"""The one tag that praises; all others find fault."""


class AnswerPane(Card):
    """The left or the right answer. Where it came from is not shown.

    Signals:
        edit_requested(), span_requested(): the buttons of the head were pressed.
    """

    edit_requested = Signal()
    span_requested = Signal()

    def __init__(self, theme: Theme, side: ScreenSide) -> None:
        super().__init__(margin=14)
        self.side: ScreenSide = side
        self._title = side.title()
        self.text = SafeText(theme, f"{self._title} answer")
        self.text.setMinimumSize(160, 80)
        self._preferred = Chip("Preferred", "accent")
        self._edited = Chip("edited", "ok", tooltip="An improved text is stored with your judgement (E).")
        self._hidden = Chip("hidden", "warn", tooltip="Invisible characters are shown as named chips.")
        self._length = text_label("", "caption")
        self.head.addWidget(text_label(self._title, "title"))
        self._brief = Chip("", "warn")
        for chip in (self._preferred, self._edited, self._hidden, self._brief):
            self.head.addWidget(chip)
        self.head.addStretch(1)
        self.head.addWidget(self._length)
        self._edit = icon_button(theme, "edit", f"Edit the {side} answer (E)", size=16)
        self._edit.clicked.connect(self.edit_requested)
        add_span = icon_button(theme, "pin", f"Tag the selected words of the {side} answer (H)", size=16)
        add_span.clicked.connect(self.span_requested)
        copy = icon_button(theme, "copy", f"Copy the {side} answer", size=16)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.text_shown))
        self._tools, self._low = (add_span, copy), False
        for button in (self._edit, *self._tools):
            self.head.addWidget(button)
        self.column.addLayout(self.head)
        self.add(self.text, 1)
        self.note = QFrame()
        self.note.setProperty("banner", "warn")
        self._note_words = text_label("", "caption", wrap=True)
        inside = QVBoxLayout(self.note)
        inside.setContentsMargins(10, 4, 10, 4)
        inside.addWidget(self._note_words)
        self.add(self.note)
        self._diff_note = ""
        self.text.rendered.connect(self._print_note)
        self.note.hide()
        self._edited.hide()
        self.set_preferred(False)

    def set_preferred(self, on: bool) -> None:
        """Draw the accent border and the chip."""
        self.set_selected(on)
        self._preferred.setVisible(on)
        self._edit.setVisible(on and not self._low)
        self._fit_head()
        state = ", preferred" if on else ""
        self.setAccessibleName(f"{self._title} answer{state}")

    def set_text(self, text: str, mode: Mode, marks: Marks | None = None) -> None:
        """Show an answer; ``marks`` are the words that only it has."""
        self.text.set_text(text, mode=mode, marks=marks, extra=())
        self.set_diff_note("")
        self._length.setText(str(text_length(text)))
        self._hidden.setVisible(self.text.has_hidden_characters)

    @property
    def length_words(self) -> str:
        """How long the answer is, in the unit of its script."""
        return self._length.text()

    @property
    def note_words(self) -> str:
        """What is said under the text of what is not seen, or empty."""
        return self._note_words.text()

    def set_diff_note(self, words: str) -> None:
        """Say what the marks of word differences cannot say."""
        self._diff_note = words
        self._print_note()

    def _print_note(self) -> None:
        """Say under the text what is not seen of it, and which key shows it."""
        cut, whole = self.text.cut_off, len(self.text.text_shown)
        parts = [f"Cut here: {cut:,} of {whole:,} characters are not shown. X shows all."] if cut else []
        parts += [note for note in (self.text.note, self._diff_note) if note]
        self._note_words.setText(" ".join(parts))
        self.note.setVisible(bool(parts) and not self._low)
        self._brief.set_chip(("cut: X" if cut else "note") if parts and self._low else "", "warn")
        self._brief.setToolTip(plain_tip(" ".join(parts)))

    def set_low(self, low: bool) -> None:
        """Say in the head what the note says, and leave the tools to keys and menus, where the page is low."""
        if low != self._low:
            self._low = low
            for tool in self._tools:
                tool.setVisible(not low)
            self._edit.setVisible(not low and not self._preferred.isHidden())
            self._print_note()
            self._fit_head()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the length out where the head has no room for it."""
        super().resizeEvent(event)
        self._fit_head()

    def _fit_head(self) -> None:
        self._length.setVisible(True)
        margins = self.contentsMargins() + self.column.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        self._length.setVisible(self.head.minimumSize().width() <= room)

    def set_edited(self, on: bool) -> None:
        """Show whether an improved text was written."""
        self._edited.setVisible(on)
        self._fit_head()

    def set_spans(self, spans: Sequence[AnswerSpan], notes: SpanNotes | None = None) -> None:
        """Show the spans of this answer; behind those of ``notes`` chips say whose they are."""
        said = notes or {}
        own = dict.fromkeys(span for span in spans if span.side == self.side)
        self.text.set_extra_marks(
            [
                Mark(
                    *(span.start, span.end, kind_of(span.tag)),
                    notes=tuple(MarkNote(words, kind_of(tag)) for tag, words in said.get(span, ())),
                )
                for span in own
            ]
        )


def kind_of(tag: str) -> Literal["good", "bad"]:
    """Return how a span is marked: praise, or a fault."""
    return "good" if tag == GOOD else "bad"
