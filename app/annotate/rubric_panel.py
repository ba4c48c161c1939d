"""The panel beside the answers: criteria, rationale, flags, spans, confidence, the last ten decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout

from app.annotate.change_card import ChangeCard
from app.annotate.criterion_row import CriterionRow
from app.annotate.flags_and_spans import FlagsAndSpans
from app.annotate.judgement_form import JudgementForm, ScreenSide
from app.theme.theme import Theme
from app.widgets.containers import ScrollColumn, clear_layout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import Chip, plain_tip, text_label
from app.widgets.own_keys import OPENS_BY_SPACE
from app.widgets.paragraph_field import ParagraphField
from core.domain.judgement import Judgement, screen_words
from core.domain.pair import Side
from core.domain.rubric import Criterion, RubricVersion
from core.domain.rubric_clauses import ChangedSince
from core.domain.rubric_text import clause_text

_JUDGEMENT = Qt.ItemDataRole.UserRole
RECENT_ROW_PX = 24


class RubricPanel(ScrollColumn):
    """Shows the form but the verdict, and takes what is filled in.

    Signals:
        rated(str, object): a criterion was answered by an int in screen sides, or its answer removed by None.
        rationale_changed(str): the text of the field.
        confidence_changed(object): 1 low, 2 middle, 3 high, or None.
        decision_chosen(int): the judgement of the list that is to be shown.
    """

    rated = Signal(str, object)
    rationale_changed = Signal(str)
    confidence_changed = Signal(object)
    decision_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=12, name="Rubric")
        self._theme = theme
        self.rows: list[CriterionRow] = []
        self.version_id: int | None = None
        self.focused_criterion: Criterion | None = None
        self.changes = ChangeCard(theme)
        self.column.addWidget(self.changes)
        self._build_criteria()
        self._build_words()
        self._build_recent()
        self.column.addStretch(1)
        theme.follow(self._fit_recent)

    def _build_criteria(self) -> None:
        head = QHBoxLayout()
        self._version = Chip("")
        head.addWidget(text_label("Rubric", "section"))
        head.addWidget(self._version)
        head.addStretch(1)
        self.column.addLayout(head)
        self._clarified, self._clarified_box = text_label("", "caption", wrap=True), QFrame()
        self._clarified_box.setProperty("banner", "insight")
        inside = QVBoxLayout(self._clarified_box)
        inside.setContentsMargins(10, 6, 10, 6)
        inside.addWidget(self._clarified)
        self._clarified_box.hide()
        self.column.addWidget(self._clarified_box)
        self._hint = text_label("Which answer is better on… (J, K)", "caption")
        self.column.addWidget(self._hint)
        self._criteria = QVBoxLayout()
        self._criteria.setSpacing(6)
        self.column.addLayout(self._criteria)

    def _build_words(self) -> None:
        self.column.addWidget(text_label("Rationale", "section"))
        self.rationale = ParagraphField("Rationale", 3, hint="Why? (R; Escape leaves the field)")
        self.rationale.textChanged.connect(lambda: self.rationale_changed.emit(self.rationale.toPlainText()))
        self.column.addWidget(self.rationale)
        self.flags_and_spans = FlagsAndSpans(self._theme)
        self.column.addWidget(self.flags_and_spans)
        row = QHBoxLayout()
        row.addWidget(text_label("Confidence", "muted"))
        row.addStretch(1)
        self.confidence = SegmentedControl("Confidence", ((1, "Low"), (2, "Mid"), (3, "High")), clearable=True)
        self.confidence.changed.connect(self.confidence_changed)
        row.addWidget(self.confidence)
        self.column.addLayout(row)
        self.anchors = text_label("", "", wrap=True)
        self.anchors.hide()
        self.column.addWidget(self.anchors)  # under the fields: its length differs, and they must stay where they are

    def _build_recent(self) -> None:
        self.column.addWidget(text_label("Recent decisions", "section"))
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent decisions")
        self.recent.setProperty(OPENS_BY_SPACE, True)
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.setToolTip("Space or a double click shows a decision again; [ and ] go through them.")
        self.recent.itemActivated.connect(lambda item: self.decision_chosen.emit(int(item.data(_JUDGEMENT))))
        self.column.addWidget(self.recent)
        self._no_recent = text_label("None yet.", "hint")
        self.column.addWidget(self._no_recent)

    def set_rubric(self, version: RubricVersion) -> None:
        """Show the criteria of a published version, in its order."""
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
        self.show_focus(-1)

    def show_clarified(self, words: str) -> None:
        """Say what minor versions clarified since the reviewer's newest label; "" says nothing."""
        self._clarified.setText(f"Clarified since your last label. {words}")
        self._clarified_box.setVisible(bool(words))

    def show_changes(self, changed: ChangedSince | None, left_is: Side) -> None:
        """Show what changed since the reviewer's earlier label of the pair; None where there is none."""
        self.changes.show_changes(changed, left_is)
        ids = frozenset[str]() if changed is None else changed.changed_ids
        for row in self.rows:
            row.set_changed(row.criterion.id in ids)

    def show_focus(self, place: int) -> None:
        """Show which criterion takes the verdict keys, and its anchors; -1 for none."""
        for i, row in enumerate(self.rows):
            row.set_focused(i == place)
        focused = self.rows[place] if place >= 0 else None
        self.focused_criterion = focused.criterion if focused is not None else None
        self.anchors.setText(clause_text(focused.criterion) if focused is not None else "")
        self.anchors.setVisible(focused is not None)
        if focused is not None:
            self.ensureWidgetVisible(focused, 0, 40)

    def show_form(self, form: JudgementForm, texts: Mapping[ScreenSide, str]) -> None:
        """Show what is filled in; emits nothing. ``texts`` are the answers by side."""
        for row in self.rows:
            row.set_strength(form.criteria.get(row.criterion.id))
        if self.rationale.toPlainText() != form.rationale:
            blocker = QSignalBlocker(self.rationale)
            self.rationale.setPlainText(form.rationale)
            blocker.unblock()
        self.confidence.set_value(form.confidence)
        self.flags_and_spans.show_rows(sorted(form.flags), form.spans, texts)

    def set_recent(self, judgements: Sequence[Judgement]) -> None:
        """List the last decisions, newest first, in the sides of the screen."""
        kept = self.recent.currentItem().data(_JUDGEMENT) if self.recent.currentItem() else None
        self.recent.clear()
        for judgement in judgements:
            item = QListWidgetItem(f"#{judgement.pair_id}   {_screen_words(judgement)}")
            item.setData(_JUDGEMENT, judgement.id)
            self.recent.addItem(item)
            if judgement.id == kept:
                self.recent.setCurrentItem(item)
        self._fit_recent()
        self.recent.setVisible(bool(judgements))
        self._no_recent.setVisible(not judgements)

    def _fit_recent(self) -> None:
        """Give the list the height of its rows at the present text size."""
        rows = self.recent.count()
        row_px = self.recent.sizeHintForRow(0) if rows else self._theme.px(RECENT_ROW_PX)
        self.recent.setFixedHeight(max(1, rows) * row_px + 4)

    def select_recent(self, judgement_id: int | None) -> None:
        """Select a decision in the list; None, or one that is not listed, selects none."""
        rows = [row for row in range(self.recent.count()) if self.recent.item(row).data(_JUDGEMENT) == judgement_id]
        self.recent.setCurrentRow(rows[0] if rows else -1)


def _screen_words(judgement: Judgement) -> str:
    return screen_words(judgement.draft, judgement.left_is)
