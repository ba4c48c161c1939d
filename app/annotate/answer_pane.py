"""One answer: a card that shows which side it is, whether it is preferred, its text, its edit and its marks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication

from app.annotate.answer import Stretch
from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.display import Mark
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.safe_text import SafeText

GOOD = "good"
"""The tag that praises; all others find fault."""


class AnswerPane(Card):
    """The left or the right answer. Where it came from is not shown.

    Signals:
        edit_wanted(), mark_wanted(): the buttons of the head were pressed.
    """

    edit_wanted = Signal()
    mark_wanted = Signal()

    def __init__(self, theme: Theme, side: str) -> None:
        super().__init__(margin=14)
        self.side = side
        self.text = SafeText(theme, f"{side} answer")
        self.text.setMinimumSize(160, 80)
        self._preferred = Chip("Preferred", "accent")
        self._edited = Chip("edited", "ok", tooltip="An improved text is stored with your judgement (E).")
        self._hidden = Chip("hidden", "warn", tooltip="Invisible characters are shown as named chips.")
        self._length = ElideLabel("", kind="caption")
        self._length.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.head.addWidget(text_label(side, "title"))
        for chip in (self._preferred, self._edited, self._hidden):
            self.head.addWidget(chip)
        self.head.addWidget(self._length, 1)
        self._edit = icon_button(theme, "edit", f"Edit the {side.lower()} answer (E)", size=16)
        self._edit.clicked.connect(self.edit_wanted)
        mark = icon_button(theme, "pin", f"Mark the selected words of the {side.lower()} answer (H)", size=16)
        mark.clicked.connect(self.mark_wanted)
        copy = icon_button(theme, "copy", f"Copy the {side.lower()} answer", size=16)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.text_shown))
        self._all = icon_button(theme, "expand", f"Show the whole {side.lower()} answer", size=16)
        self._all.clicked.connect(self.text.show_all)
        for button in (self._edit, mark, copy, self._all):
            self.head.addWidget(button)
        self.text.cut_changed.connect(self._all.setVisible)
        self.column.addLayout(self.head)
        self.add(self.text, 1)
        self._all.hide()
        self._edited.hide()
        self.set_preferred(False)

    def set_preferred(self, on: bool) -> None:
        """Draw the accent border and the chip."""
        self.set_selected(on)
        self._preferred.setVisible(on)
        self._edit.setVisible(on)
        state = ", preferred" if on else ""
        self.setAccessibleName(f"{self.side} answer{state}")

    def set_text(self, text: str) -> None:
        """Show an answer."""
        self.text.set_text(text, extra=())
        words = len(text.split())
        self._length.setText(f"{words} word{'s' if words != 1 else ''}")
        self._hidden.setVisible(self.text.has_hidden_characters)

    def set_edited(self, on: bool) -> None:
        """Say that an improved text was written."""
        self._edited.setVisible(on)

    def set_stretches(self, stretches: Sequence[Stretch]) -> None:
        """Show marked stretches; they are drawn in the source and in the word differences."""
        mine = (s for s in stretches if s.side == self.side.lower())
        self.text.set_extra_marks([Mark(s.start, s.end, "good" if s.tag == GOOD else "bad") for s in mine])
