"""The rubric at the right: criteria to answer, rationale, flags, marks, confidence, the last ten decisions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPlainTextEdit, QVBoxLayout

from app.annotate.answer import Answer
from app.annotate.criterion_row import CriterionRow, anchor_text
from app.annotate.found import FoundList
from app.theme.theme import Theme
from app.widgets.containers import ScrollColumn, clear_layout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import Chip, plain_tip, text_label
from app.widgets.own_keys import TAKES_ENTER
from core.domain.judgement import Judgement, describe, to_screen
from core.domain.rubric import RubricVersion

_JUDGEMENT = Qt.ItemDataRole.UserRole
RECENT_ROW_PX = 24


class RubricPanel(ScrollColumn):
    """The panel beside the answers.

    Signals:
        rated(str, object): a criterion was answered (screen sides) or taken back (None).
        rationale_changed(str), confidence_changed(object), decision_chosen(int): what their names say.
        focus_moved(object): the clause that takes the keys now, or None.
    """

    rated = Signal(str, object)
    rationale_changed = Signal(str)
    confidence_changed = Signal(object)
    decision_chosen = Signal(int)
    focus_moved = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=12, name="Rubric")
        self._theme = theme
        self.rows: list[CriterionRow] = []
        self.focused = -1
        self.version_id: int | None = None
        self._build_criteria()
        self._build_words()
        self._build_recent()
        self.column.addStretch(1)

    def _build_criteria(self) -> None:
        head = QHBoxLayout()
        self._version = Chip("")
        head.addWidget(text_label("Rubric", "section"))
        head.addWidget(self._version)
        head.addStretch(1)
        self.column.addLayout(head)
        self._hint = text_label("Which answer is better on… (J, K)", "caption")
        self.column.addWidget(self._hint)
        self._criteria = QVBoxLayout()
        self._criteria.setSpacing(6)
        self.column.addLayout(self._criteria)
        self.anchors = text_label("", "caption", wrap=True)
        self.column.addWidget(self.anchors)

    def _build_words(self) -> None:
        self.column.addWidget(text_label("Rationale", "section"))
        self.rationale = QPlainTextEdit()
        self.rationale.setAccessibleName("Rationale")
        self.rationale.setPlaceholderText("Why? (R; Escape leaves the field)")
        self.rationale.setFixedHeight(self._theme.px(66))
        self.rationale.setTabChangesFocus(True)
        self.rationale.textChanged.connect(lambda: self.rationale_changed.emit(self.rationale.toPlainText()))
        self.column.addWidget(self.rationale)
        self.found = FoundList(self._theme)
        self.column.addWidget(self.found)
        row = QHBoxLayout()
        row.addWidget(text_label("Confidence", "muted"))
        row.addStretch(1)
        self.confidence = SegmentedControl("Confidence", ((1, "Low"), (2, "Mid"), (3, "High")), clearable=True)
        self.confidence.changed.connect(self.confidence_changed)
        row.addWidget(self.confidence)
        self.column.addLayout(row)

    def _build_recent(self) -> None:
        self.column.addWidget(text_label("Recent decisions", "section"))
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent decisions")
        self.recent.setProperty(TAKES_ENTER, True)
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.setToolTip("Enter shows a decision again; [ and ] go through them.")
        self.recent.itemActivated.connect(lambda item: self.decision_chosen.emit(int(item.data(_JUDGEMENT))))
        self.column.addWidget(self.recent)
        self._none = text_label("None yet.", "hint")
        self.column.addWidget(self._none)

    def set_rubric(self, version: RubricVersion) -> None:
        """Show the clauses of a published version, in its order."""
        self.version_id = version.id
        self._version.set_chip(f"{version.number} · published")
        self._version.setToolTip(plain_tip(version.body.purpose))
        clear_layout(self._criteria)
        self.rows = []
        for criterion in version.body.criteria:
            row = CriterionRow(criterion)
            row.choice.changed.connect(lambda value, key=criterion.id: self.rated.emit(key, value))
            self._criteria.addWidget(row)
            self.rows.append(row)
        self.focus_criterion(-1)

    def focus_criterion(self, place: int) -> None:
        """Focus a clause by its place; -1 focuses the overall verdict."""
        self.focused = max(-1, min(place, len(self.rows) - 1))
        for i, row in enumerate(self.rows):
            row.set_focused(i == self.focused)
        criterion = self.rows[self.focused].criterion if self.focused >= 0 else None
        self.anchors.setText(anchor_text(criterion) if criterion else "")
        self.anchors.setVisible(criterion is not None)
        if criterion is not None:
            self.ensureWidgetVisible(self.rows[self.focused], 0, 40)
        self.focus_moved.emit(criterion)

    @property
    def focused_id(self) -> str:
        """The focused clause, or an empty text."""
        return self.rows[self.focused].criterion.id if self.focused >= 0 else ""

    def show_answer(self, answer: Answer) -> None:
        """Show what is filled in, without telling anyone."""
        for row in self.rows:
            row.set_strength(answer.criteria.get(row.criterion.id))
        if self.rationale.toPlainText() != answer.rationale:
            self.rationale.blockSignals(True)
            self.rationale.setPlainText(answer.rationale)
            self.rationale.blockSignals(False)
        self.confidence.set_value(answer.confidence)

    def set_recent(self, judgements: Sequence[Judgement]) -> None:
        """List the last decisions, newest first, as the reviewer saw them."""
        kept = self.recent.currentItem().data(_JUDGEMENT) if self.recent.currentItem() else None
        self.recent.clear()
        for judgement in judgements:
            item = QListWidgetItem(f"#{judgement.pair_id}   {seen(judgement)}")
            item.setData(_JUDGEMENT, judgement.id)
            self.recent.addItem(item)
            if judgement.id == kept:
                self.recent.setCurrentItem(item)
        row_px = self.recent.sizeHintForRow(0) if judgements else self._theme.px(RECENT_ROW_PX)
        self.recent.setFixedHeight(max(1, len(judgements)) * row_px + 4)
        self.recent.setVisible(bool(judgements))
        self._none.setVisible(not judgements)


def seen(judgement: Judgement) -> str:
    """Return a verdict with the sides of the screen it was given on."""
    draft = judgement.draft
    words = describe(draft)
    if draft is None or draft.strength is None:
        return words[:1].upper() + words[1:]
    side = "Left" if to_screen(draft.strength, judgement.left_is) < 0 else "Right"
    return f"{side} {words.split(' ', 1)[1]}"
