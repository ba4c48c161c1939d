"""What changed in the rubric since the reviewer's earlier label of the pair on the screen, clause by clause."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import Card, clear_layout
from app.widgets.display import Mark
from app.widgets.height_fit import HeightFit
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.messages import IconLabel
from app.widgets.safe_text import SafeText
from app.widgets.word_diff import merged
from core.domain.judgement import screen_words
from core.domain.pair import Side
from core.domain.rubric_clauses import ChangedSince, ClauseChange

CLAUSE_PX = 260
"""Most design pixels of height that the text of a clause takes; a longer one scrolls."""


class ChangeCard(QWidget):
    """Shown only while a pair is labelled again under a rubric that changed in meaning.

    The earlier label itself is shown only once the new one is given.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.texts: list[SafeText] = []
        self._shown: tuple[ChangedSince, Side] | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        head = QHBoxLayout()
        self._count = text_label("", "caption")
        head.addWidget(text_label("What changed since your label", "section"), 1)
        head.addWidget(self._count)
        column.addLayout(head)
        self._clauses = QVBoxLayout()
        self._clauses.setSpacing(8)
        column.addLayout(self._clauses)
        self._same = text_label("", "caption", wrap=True)
        column.addWidget(self._same)
        self.earlier = Card(margin=10)
        row = QHBoxLayout()
        row.addWidget(IconLabel(theme, "eye_off", "text2", 18))
        words = QVBoxLayout()
        self._earlier_title = text_label("", "strong", wrap=True)
        self._earlier_words = text_label("", "caption", wrap=True)
        words.addWidget(self._earlier_title)
        words.addWidget(self._earlier_words)
        row.addLayout(words, 1)
        self.earlier.add(row)
        column.addWidget(self.earlier)
        self.hide()

    @property
    def words(self) -> str:
        """What is said of the earlier label."""
        return f"{self._earlier_title.text()}. {self._earlier_words.text()}"

    def show_changes(self, changed: ChangedSince | None, left_is: Side) -> None:
        """Show what changed; None hides the card. ``left_is`` is the response that stands on the left now."""
        self.setVisible(changed is not None)
        if changed is None or self._shown == (changed, left_is):
            return
        self._shown = changed, left_is
        concerned = sum(one.new is not None for one in changed.changed)
        self._count.setText(f"{concerned:,} of {changed.clauses:,} clauses")
        clear_layout(self._clauses)
        self.texts = []
        for clause in changed.changed:
            self._clauses.addWidget(self._card(clause, f"{changed.old_number} → {changed.new_number}"))
        names = ", ".join(changed.same)
        self._same.setText(f"✓ {names}: as they were" if len(changed.same) > 1 else f"✓ {names}: as it was")
        self._same.setVisible(bool(names))
        self._show_earlier(changed, left_is)

    def _card(self, clause: ClauseChange, numbers: str) -> Card:
        card = Card(margin=10)
        head = QHBoxLayout()
        head.addWidget(ElideLabel(clause.name, kind="strong"), 1)
        head.addWidget(Chip(clause.kind, "warn"))
        head.addWidget(text_label(numbers, "caption"))
        card.add(head)
        text, marks = merged(*clause.texts)
        shown = SafeText(self._theme, f"{clause.name}: what changed", size=13, mode="source")
        HeightFit([shown], partial(self._theme.px, CLAUSE_PX))
        shown.set_text(text, extra=[Mark(start, end, kind) for start, end, kind in marks])
        card.add(shown)
        card.add(text_label("Underlined: added. Struck through: taken out.", "caption", wrap=True))
        self.texts.append(shown)
        return card

    def _show_earlier(self, changed: ChangedSince, left_is: Side) -> None:
        made = datetime.fromtimestamp(changed.at_ms / 1000, UTC).astimezone()
        day = f"Your label of {made.day} {made:%b}"
        if changed.earlier is None:
            self._earlier_title.setText(f"{day} is hidden")
            self._earlier_words.setText("It is shown beside the new one after you submit, so that it cannot lead you.")
        else:
            self._earlier_title.setText(f"{day}: {screen_words(changed.earlier.draft, left_is)}")
            self._earlier_words.setText(f"Made under {changed.old_number}, before the rubric changed.")
