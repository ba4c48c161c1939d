"""The dialog *Draw answers*: what is asked, how many answers of whom, and which others come with them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QCheckBox, QPlainTextEdit, QWidget

from app.context import AppContext
from app.inspect.lab_presenter import DrawChoices, LabPrompt
from app.widgets.check_list import CheckList
from app.widgets.containers import ScrollColumn
from app.widgets.controls import ComboBox, DoubleSpinBox, SpinBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import short, text_label

MOST_ANSWERS, MOST_TOKENS, MOST_SEED = 32, 2048, 2**31 - 1
AUTHORS: tuple[tuple[str, str], ...] = (
    ("reference", "The reference"), ("policy", "The policy"), ("both", "Both, as many of each"),
)  # fmt: skip
_ABOUT = (
    "Policy and reference score every answer in a process of its own; nothing is stored. Weighing each answer alike is "
    "importance weighting only where all are drawn from the reference with temperature 1."
)


class DrawDialog(BaseDialog):
    """Asks how answers are got.

    Args:
        parent: a widget of the window.
        context: theme and settings.
        prompt: what is asked now. choices: as they are.
        runs: (id, name) of the runs that can be placed beside.
    """

    def __init__(
        self,
        parent: QWidget,
        context: AppContext,
        prompt: LabPrompt,
        choices: DrawChoices,
        runs: Sequence[tuple[str, str]],
    ) -> None:
        theme = context.theme
        super().__init__(parent, "Draw answers", size=QSize(theme.px(560), theme.px(600)), settings=context.settings)
        self._prompt = prompt
        self.text = QPlainTextEdit(prompt.text)
        self.text.setAccessibleName("Prompt")
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(theme.px(70))
        self.answers, self.tokens, self.seed, self.temperature = SpinBox(), SpinBox(), SpinBox(), DoubleSpinBox()
        self.author = ComboBox()
        for key, words in AUTHORS:
            self.author.addItem(words, key)
        self.pair_answers = QCheckBox("The two answers of the pair come first")
        self.stored = QCheckBox("Samples of the run and answers of its evaluations too")
        self.runs = CheckList("Other runs on the same answers", [(id_, short(name, 60)) for id_, name in runs])
        self.error = text_label("", "error", wrap=True)
        self._build(bool(runs))
        self._fill(choices)

    def _build(self, has_runs: bool) -> None:
        for box, most in ((self.answers, MOST_ANSWERS), (self.tokens, MOST_TOKENS), (self.seed, MOST_SEED)):
            box.setRange(0 if box is not self.tokens else 1, most)
        self.temperature.setRange(0.0, 10.0)
        self.temperature.setSingleStep(0.1)
        fields: tuple[tuple[str, QWidget], ...] = (
            ("Answers", self.answers), ("Drawn from", self.author), ("Temperature", self.temperature),
            ("Seed", self.seed), ("Most tokens", self.tokens),
        )  # fmt: skip
        for name, field in fields:
            field.setAccessibleName(name)
        scroll = ScrollColumn(spacing=8, name="Draw answers")
        scroll.column.addWidget(text_label("Prompt", "muted"))
        scroll.column.addWidget(self.text, 1)
        scroll.column.addWidget(FieldGrid([(text_label(name, "muted"), field) for name, field in fields]))
        for part in (self.pair_answers, self.stored):
            scroll.column.addWidget(part)
        if has_runs:
            scroll.column.addWidget(text_label("Other runs on the same answers", "muted"))
            scroll.column.addWidget(self.runs, 1)
        for part in (text_label(_ABOUT, "hint", wrap=True), self.error):
            scroll.column.addWidget(part)
        self.column.addWidget(scroll, 1)
        self.add_buttons("Draw")
        self.text.textChanged.connect(self._offer_pair)
        self._offer_pair()
        self.error.hide()

    def _fill(self, choices: DrawChoices) -> None:
        self.answers.setValue(choices.answers)
        self.author.setCurrentIndex(max(0, self.author.findData(choices.author)))
        self.temperature.setValue(choices.temperature)
        self.seed.setValue(choices.seed)
        self.tokens.setValue(choices.tokens)
        self.pair_answers.setChecked(choices.pair_answers)
        self.stored.setChecked(choices.stored)
        self.runs.set_checked(choices.others)

    def _offer_pair(self) -> None:
        """Another text than the pair's has no answers of a pair."""
        self.pair_answers.setEnabled(bool(self.prompt.pair_id))

    @property
    def prompt(self) -> LabPrompt:
        """What is asked: the pair that was given, or another text."""
        text = self.text.toPlainText()
        return self._prompt if text == self._prompt.text else LabPrompt(text)

    @property
    def choices(self) -> DrawChoices:
        """What was chosen."""
        return DrawChoices(
            self.answers.value(),
            str(self.author.currentData()),
            self.temperature.value(),
            self.seed.value(),
            self.tokens.value(),
            self.pair_answers.isChecked(),
            self.stored.isChecked(),
            self.runs.checked,
        )

    def accept(self) -> None:
        """Close, unless there is nothing to ask or to choose between."""
        own = self.pair_answers.isChecked() and bool(self.prompt.pair_id)
        if not self.text.toPlainText().strip():
            self._say("Nothing is asked: write a prompt.")
        elif self.answers.value() < 2 and not own and not self.stored.isChecked():
            self._say("The lab needs two different answers: draw at least two, or take those of the pair.")
        else:
            super().accept()

    def _say(self, words: str) -> None:
        self.error.setText(words)
        self.error.show()
