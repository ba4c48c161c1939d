"""The cards of the import page: what the columns become, how labels are read, one example."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.data.card_row import CardRow
from app.data.import_choices import FIELD_WORDS, READS, answer_of, column_summary
from app.theme.theme import Theme
from app.widgets.buttons import icon_button, push_button
from app.widgets.containers import Card, clear_layout
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.height_fit import HeightFit
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.safe_text import SafeText
from core.domain.counting import counted
from core.services.importing.reading import Choices, ColumnRole, ColumnUse, Question, ValueUse, winner

if TYPE_CHECKING:
    from core.services.importing.report import ImportPreview
    from core.services.importing.rows import ParsedPair

MOST_COLUMNS, MOST_VALUES = 60, 30
ANSWER_PX, PROMPT_PX = 150, 110
LEFT, RIGHT = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ColumnsCard(Card):
    """Every column with what it becomes; ``chosen(column, field or None)`` when the user says otherwise."""

    chosen = Signal(str, object)

    def __init__(self) -> None:
        super().__init__("Columns")
        self._summary = text_label("", "caption", wrap=True)
        self._grid = QGridLayout()
        self._grid.setVerticalSpacing(2)
        for place, share in enumerate((2, 3, 0, 4)):
            self._grid.setColumnStretch(place, share)
        self.combos: dict[str, QComboBox] = {}
        self.add(self._summary)
        self.add(self._grid)
        self.column.addStretch(1)

    def show_preview(self, preview: ImportPreview, choices: Choices) -> None:
        """Show the columns of a reading."""
        clear_layout(self._grid)
        self.combos = {}
        reading = preview.reading
        self._summary.setText(column_summary(reading.columns, reading.unused))
        for place, words in enumerate(("Column", "Becomes", "Holds", "First value", "Filled")):
            self._grid.addWidget(text_label(words, "caption"), 0, place, RIGHT if words == "Filled" else LEFT)
        for row, use in enumerate(reading.columns[:MOST_COLUMNS], 1):
            self._row(row, use, choices)
        if (more := len(reading.columns) - MOST_COLUMNS) > 0:
            self._grid.addWidget(text_label(f"and {more:,} more", "muted"), MOST_COLUMNS + 1, 0)

    def _row(self, row: int, use: ColumnUse, choices: Choices) -> None:
        combo = ComboBox()
        combo.setAccessibleName(f"Column {use.name} becomes")
        recognised = use.role.value[:1].upper() + use.role.value[1:]
        said = choices.columns.get(use.name)
        combo.addItem(f"{recognised}" if said is None else "As recognised", None)
        for key, words in FIELD_WORDS.items():
            combo.addItem(words, key)
        combo.setCurrentIndex(0 if said is None else combo.findData(said))
        combo.activated.connect(lambda _, name=use.name, box=combo: self.chosen.emit(name, box.currentData()))
        self.combos[use.name] = combo
        unused = use.role is ColumnRole.UNUSED
        self._grid.addWidget(ElideLabel(use.name, kind="mono", outside=True), row, 0)
        self._grid.addWidget(combo, row, 1)
        self._grid.addWidget(text_label(use.holds.partition(" with ")[0], "muted"), row, 2)
        self._grid.addWidget(ElideLabel(use.sample, kind="muted" if unused else "", outside=True), row, 3)
        self._grid.addWidget(text_label(f"{use.filled:,}", "muted"), row, 4, RIGHT)


class QuestionsCard(Card):
    """What the file leaves open, each question with its answers; ``answered(question, answer)`` for one."""

    answered = Signal(str, str)

    def __init__(self) -> None:
        super().__init__("How it can be read")
        self._rows = QVBoxLayout()
        self._groups: list[QButtonGroup] = []
        self.answers: dict[str, QRadioButton] = {}
        self.add(self._rows)

    def show_questions(self, questions: dict[str, Question], choices: Choices) -> None:
        """Show every question of the file, those that are answered too, so that an answer can be changed."""
        clear_layout(self._rows)
        self._groups, self.answers = [], {}
        for question in questions.values():
            self._rows.addWidget(text_label(question.sentence, "strong", wrap=True))
            group = QButtonGroup(self)
            given = answer_of(choices, question.key) or question.default
            for answer in question.answers:
                row = _AnswerRow(answer.meaning)
                row.button.setChecked(answer.key == given)
                row.button.clicked.connect(partial(self._answer, question.key, answer.key))
                group.addButton(row.button)
                self.answers[f"{question.key}={answer.key}"] = row.button
                self._rows.addWidget(row)
            self._groups.append(group)
        self.setVisible(bool(questions))

    def _answer(self, question: str, answer: str, _checked: bool = False) -> None:
        self.answered.emit(question, answer)


class _AnswerRow(QWidget):
    """A radio button whose words break into lines; a press on the words chooses it too."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.button = QRadioButton()
        self.button.setAccessibleName(words)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(text_label(words[:1].upper() + words[1:], "", wrap=True), 1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Choose it."""
        self.button.click()


class CodingCard(Card):
    """How each value of the label columns is read; ``chosen(value, reads)`` for another reading, ``swapped()``."""

    chosen = Signal(str, str)
    swapped = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__("Label coding")
        swap = push_button("Swap first and second", theme=theme, icon="compare")
        swap.clicked.connect(self.swapped)
        self.add_to_head(swap)
        self._about = text_label("", "caption", wrap=True)
        self._grid = QGridLayout()
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 2)
        self._grid.setColumnStretch(3, 3)
        self.combos: dict[str, QComboBox] = {}
        self.add(self._about)
        self.add(self._grid)

    def show_preview(self, preview: ImportPreview) -> None:
        """Show the coding of a reading; hidden where the file has no labels."""
        clear_layout(self._grid)
        self.combos = {}
        coding = preview.reading.coding
        self.setVisible(coding is not None)
        if coding is None:
            return
        names = ", ".join(coding.columns[:6]) + (", …" if len(coding.columns) > 6 else "")
        self._about.setText(f"{names}: {coding.meaning}" if coding.meaning else names)
        most = max((use.count for use in coding.values), default=1) or 1
        for place, words in enumerate(("Value", "Share", "Rows", "Read as")):
            self._grid.addWidget(text_label(words, "caption"), 0, place)
        for row, use in enumerate(coding.values[:MOST_VALUES], 1):
            self._row(row, use, most)
        if (more := len(coding.values) - MOST_VALUES) > 0:
            self._grid.addWidget(text_label(f"and {counted(more, 'more value')}", "muted"), MOST_VALUES + 1, 0)

    def _row(self, row: int, use: ValueUse, most: int) -> None:
        bar = QProgressBar()
        bar.setRange(0, most)
        bar.setValue(use.count)
        bar.setTextVisible(False)
        bar.setAccessibleName(f"Rows with {use.value}: {use.count:,}")
        combo = ComboBox()
        combo.setAccessibleName(f"{use.value} is read as")
        if use.reads in ("open", "refused"):
            combo.addItem("Not decided" if use.reads == "open" else "Refused: row is rejected", use.reads)
        strength = f", strength {use.strength}" if use.strength is not None else ""
        for key, words in READS:
            combo.addItem(f"{words}{strength}" if key == use.reads else words, key)
        combo.setCurrentIndex(max(0, combo.findData(use.reads)))
        combo.activated.connect(lambda _, value=use.value, box=combo: self.chosen.emit(value, box.currentData()))
        self.combos[use.value] = combo
        self._grid.addWidget(ElideLabel(use.value, kind="mono", outside=True), row, 0)
        self._grid.addWidget(bar, row, 1)
        self._grid.addWidget(text_label(f"{use.count:,}", "muted"), row, 2)
        self._grid.addWidget(combo, row, 3)


class ImportExample(Card):
    """One pair of the file, whole: all turns, both answers, and which one won."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._pairs: tuple[ParsedPair, ...] = ()
        self._place = 0
        self.title = text_label("Example", "section")
        self.back, self.on = (
            icon_button(theme, "arrow_left", "Row before"),
            icon_button(theme, "arrow_right", "Next row"),
        )
        self.back.clicked.connect(partial(self._step, -1))
        self.on.clicked.connect(partial(self._step, 1))
        head = FlowLayout()
        head.addWidget(self.title)
        head.add_gap()
        head.addWidget(self.back)
        head.addWidget(self.on)
        self.prompt = SafeText(theme, "Prompt of the example", size=13)
        self.sides = {words: _Side(theme, words) for words in ("First answer", "Second answer")}
        self.note = text_label("", "caption", wrap=True)
        self.add(head)
        HeightFit([self.prompt], partial(theme.px, PROMPT_PX))
        HeightFit([side.text for side in self.sides.values()], partial(theme.px, ANSWER_PX))
        self.add(self.prompt)
        self.add(CardRow(list(self.sides.values())))
        self.add(self.note)

    def show_preview(self, preview: ImportPreview) -> None:
        """Show the examples of a reading; hidden where there is none."""
        self._pairs = preview.reading.examples or preview.samples
        self._place = min(self._place, max(0, len(self._pairs) - 1))
        self.setVisible(bool(self._pairs))
        if self._pairs:
            self._show()

    def _step(self, by: int, _checked: bool = False) -> None:
        self._place = (self._place + by) % len(self._pairs)
        self._show()

    def _show(self) -> None:
        pair = self._pairs[self._place]
        turns = pair.prompt.messages
        self.title.setText(f"Pair {self._place + 1} of the first {len(self._pairs)}")
        self.prompt.set_text("\n".join(f"{turn.role.upper()}: {turn.content}" for turn in turns), mode="source")
        won = winner(pair)
        for (_, side), response, key in zip(
            self.sides.items(), (pair.first, pair.second), ("first", "second"), strict=True
        ):
            side.show_answer(response.text, wins=won == key)
        self.note.setText(_said(pair, won, len(turns)))


class _Side(Card):
    """One answer of the example, with a chip on the one that wins."""

    def __init__(self, theme: Theme, words: str) -> None:
        super().__init__(words)
        self.chip = Chip("", "ok")
        self.add_to_head(self.chip)
        self.text = SafeText(theme, f"{words} of the example", size=13)
        self.add(self.text)

    def show_answer(self, text: str, *, wins: bool) -> None:
        """Show a text and whether it wins."""
        self.text.set_text(text, mode="source")
        self.chip.set_chip("✓ wins" if wins else "", "ok")
        self.set_selected(wins)


def _said(pair: ParsedPair, won: str, turns: int) -> str:
    """Return the turns, the verdict and the reviewers of an example."""
    words = {"first": "the first answer wins", "second": "the second answer wins", "": "no label"}.get(won, won)
    names = [label.reviewer for label in pair.labels if label.reviewer]
    parts = [f"{counted(turns, 'turn')} in the prompt", words.replace("_", " ")]
    if len(pair.labels) > 1:
        parts.append(counted(len(pair.labels), "label"))
    if names:
        parts.append(f"by {', '.join(names[:4])}")
    return " · ".join(parts)
