"""The texts behind one change: the prompt and both answers with their differences, of what leaves and what enters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from app.theme.theme import Theme
from app.widgets.conversation import conversation_text
from app.widgets.height_fit import HeightFit
from app.widgets.labels import text_label
from app.widgets.safe_text import SafeText
from app.widgets.word_diff import compare
from core.domain.changeset import ChangesetEntry
from core.domain.pair import Pair

PARTS: tuple[tuple[str, int], ...] = (("Prompt", 90), ("Answer A", 120), ("Answer B", 120))
GONE = "The texts are not shown: consent for the pair is withdrawn, or has ended."


class ChangesetTexts(QFrame):
    """Shows one change."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("part", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(3)
        self.words = text_label("", "caption", wrap=True)
        column.addWidget(self.words)
        self._texts: dict[str, SafeText] = {}
        self._labels: dict[str, QLabel] = {}
        for part, height in PARTS:
            self._labels[part] = text_label(part, "caption")
            view = self._texts[part] = SafeText(theme, f"{part} of the change", size=13)
            HeightFit([view], partial(theme.px, height))
            column.addWidget(self._labels[part])
            column.addWidget(view)
        self.hide()

    def show_entry(self, entry: ChangesetEntry, texts: Mapping[int, Pair]) -> None:
        """Show the pair that enters; of a removal the one that leaves."""
        shown = entry.enters if entry.enters is not None else entry.pair_id
        pair = texts.get(shown)
        said = {
            "add": f"Pair {entry.pair_id} may enter the next dataset version.",
            "remove": f"Pair {entry.pair_id} is left out from the next freeze on.",
            "edit": f"Pair {entry.pair_id} leaves, and pair {entry.new_pair_id} may enter in its place.",
        }[entry.op]
        self.words.setText(f"{said} Reason: {entry.reason}" if pair is not None else f"{said} {GONE}")
        for widget in (*self._texts.values(), *self._labels.values()):
            widget.setVisible(pair is not None)
        if pair is None:
            return
        prompt, roles = conversation_text(pair.prompt.messages)
        self._texts["Prompt"].set_text(prompt, mode="formulas", extra=roles)
        found = compare(pair.a.text, pair.b.text)
        for part, text, marks in (("Answer A", pair.a.text, found.left), ("Answer B", pair.b.text, found.right)):
            if found.mostly:
                self._texts[part].set_text(text, mode="rendered")
            else:
                self._texts[part].set_text(text, mode="diff", marks=marks)
