"""The rubric at the right: criteria to answer, rationale, flags, confidence, the last ten decisions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPlainTextEdit, QVBoxLayout, QWidget

from app.annotate.desk import Answer
from app.theme.theme import Theme
from app.widgets.containers import ScrollColumn, clear_layout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import Chip, ElideLabel, text_label
from core.domain.judgement import FLAGS, Judgement, describe, to_screen
from core.domain.rubric import Criterion, RubricVersion

SEGMENTS = ((-2, "L"), (0, "="), (2, "R"))
_JUDGEMENT = Qt.ItemDataRole.UserRole


class CriterionRow(QWidget):
    """One clause: its name, and which answer is better on it. The focused one takes the keys 1 to 7."""

    def __init__(self, criterion: Criterion) -> None:
        super().__init__()
        self.criterion = criterion
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self.name = ElideLabel(criterion.name)
        self.name.setToolTip(criterion.question)
        self.choice = SegmentedControl(f"{criterion.name}: which answer is better", SEGMENTS, clearable=True)
        row.addWidget(self.name, 1)
        row.addWidget(self.choice)

    def set_strength(self, strength: int | None) -> None:
        """Show a strength -3..3, or none."""
        self.choice.set_value(None if strength is None else (strength > 0) * 2 - (strength < 0) * 2)

    def set_focused(self, on: bool) -> None:
        """Mark the clause whose anchors are shown."""
        font = self.name.font()
        font.setBold(on)
        self.name.setFont(font)


class RubricPanel(ScrollColumn):
    """The panel beside the answers.

    Signals:
        rated(str, object): a criterion was answered (screen sides) or taken back (None).
        rationale_changed(str), confidence_changed(object), decision_chosen(int): what their names say.
    """

    rated = Signal(str, object)
    rationale_changed = Signal(str)
    confidence_changed = Signal(object)
    decision_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=12, name="Rubric")
        self._theme = theme
        self.rows: list[CriterionRow] = []
        self.focused = -1
        head = QHBoxLayout()
        self._title = text_label("Rubric", "section")
        self._version = Chip("")
        head.addWidget(self._title)
        head.addWidget(self._version)
        head.addStretch(1)
        self.column.addLayout(head)
        self.column.addWidget(text_label("Which answer is better on…", "caption"))
        self._criteria = QVBoxLayout()
        self._criteria.setSpacing(6)
        self.column.addLayout(self._criteria)
        self.anchors = text_label("", "hint", wrap=True)
        self.column.addWidget(self.anchors)
        self.column.addWidget(text_label("Rationale", "section"))
        self.rationale = QPlainTextEdit()
        self.rationale.setAccessibleName("Rationale")
        self.rationale.setPlaceholderText("Why? (R)")
        self.rationale.setFixedHeight(theme.px(66))
        self.rationale.setTabChangesFocus(True)
        self.rationale.textChanged.connect(lambda: self.rationale_changed.emit(self.rationale.toPlainText()))
        self.column.addWidget(self.rationale)
        self._flags = QHBoxLayout()
        self._flags.setSpacing(6)
        self.column.addLayout(self._flags)
        row = QHBoxLayout()
        row.addWidget(text_label("Confidence", "muted"))
        row.addStretch(1)
        self.confidence = SegmentedControl("Confidence", ((1, "Low"), (2, "Mid"), (3, "High")), clearable=True)
        self.confidence.changed.connect(self.confidence_changed)
        row.addWidget(self.confidence)
        self.column.addLayout(row)
        self.column.addWidget(text_label("Recent decisions", "section"))
        self.recent = QListWidget()
        self.recent.setAccessibleName("Recent decisions")
        self.recent.setFixedHeight(theme.px(170))
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.itemActivated.connect(lambda item: self.decision_chosen.emit(int(item.data(_JUDGEMENT))))
        self.column.addWidget(self.recent)
        self._none = text_label("None yet.", "hint")
        self.column.addWidget(self._none)
        self.column.addStretch(1)

    def set_rubric(self, version: RubricVersion) -> None:
        """Show the clauses of a published version, in its order."""
        self._version.set_chip(f"{version.number} · published")
        self._version.setToolTip(version.body.purpose)
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
        self.anchors.setText(anchor_text(self.rows[self.focused].criterion) if self.focused >= 0 else "")
        self.anchors.setVisible(self.focused >= 0)

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
        clear_layout(self._flags)
        for flag in sorted(answer.flags):
            self._flags.addWidget(Chip(FLAGS.get(flag, flag), "warn"))
        self._flags.addStretch(1)

    def set_recent(self, judgements: Sequence[Judgement]) -> None:
        """List the last decisions, newest first, as the reviewer saw them."""
        self.recent.clear()
        for judgement in judgements:
            item = QListWidgetItem(f"#{judgement.pair_id}   {seen(judgement)}")
            item.setData(_JUDGEMENT, judgement.id)
            self.recent.addItem(item)
        self.recent.setVisible(bool(judgements))
        self._none.setVisible(not judgements)


def seen(judgement: Judgement) -> str:
    """Return a verdict with the sides of the screen it was given on."""
    draft = judgement.draft
    words = describe(draft)
    if draft is None or draft.strength is None:
        return words
    side = "Left" if to_screen(draft.strength, judgement.left_is) < 0 else "Right"
    return f"{side} {words.split(' ', 1)[1]}"


def anchor_text(criterion: Criterion) -> str:
    """Return the question and the anchors of a clause."""
    lines = [criterion.question]
    for point in sorted(criterion.anchors, key=_point):
        lines.append(f"{point}: {criterion.anchors[point]}")
    lines += [f"Allowed: {text}" for text in criterion.allowed]
    lines += [f"Not allowed: {text}" for text in criterion.disallowed]
    return "\n".join(lines)


def _point(text: str) -> tuple[int, str]:
    try:
        return int(text), text
    except ValueError:
        return 99, text
