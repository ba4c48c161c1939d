"""The form of a generation: prompts, what answers, the decoder, and the batch for labelling."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.context import AppContext
from app.data.generate_plan import KINDS, ORIGINS, GenerateChoices, GenerateWish, rules_of
from app.widgets.buttons import push_button
from app.widgets.containers import Card
from app.widgets.controls import ComboBox, DoubleSpinBox, SpinBox
from app.widgets.flow import FlowLayout
from app.widgets.form_parts import labelled_fields, titled_box
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import Chip, text_label
from core.domain.counting import counted
from core.services.generations.requests import GENERATION_CONFIG

MOST = 100_000
_TYPED_LINES = 3
_LEAST_EMS = 9
"""The least width of what expands in a row, in heights of a line."""
_BLIND = (
    "Blind: which side stands left is drawn for each showing. Pairs at random are kept apart and reported apart, so "
    "that agreement is not that of picked pairs."
)


class GenerateForm(QWidget):
    """Asks what is generated; ``changed`` fires after every change.

    Args:
        context: theme, dialogs and who is labelling.
        choices: what there is to choose from.
    """

    changed = Signal()

    def __init__(self, context: AppContext, choices: GenerateChoices) -> None:
        super().__init__()
        self._context, self._choices = context, choices
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for card in (self._prompts_card(), self._answers_card(), self._decoder_card(), self._batch_card()):
            column.addWidget(card)
        self._bind()
        self._show_origin()
        self._show_kind()
        self._show_batch()

    # The parts

    def _prompts_card(self) -> Card:
        card = Card("1  Prompts")
        self.count = text_label("", "caption", wrap=True)
        self.origin = SegmentedControl("Prompts from", ORIGINS)
        self.source, self.file, self.typed = ComboBox(outside=True), QLineEdit(), QPlainTextEdit()
        for one in self._choices.sources:
            self.source.addItem(f"{one.name} · {counted(one.pairs, 'pair')}", one.id)
        self.source.setAccessibleName("Source of the prompts")
        self.origin.set_value("source" if self._choices.sources else "typed")
        self.file.setAccessibleName("File of prompts")
        self.file.setPlaceholderText("A prompt a line, or JSONL, JSON, CSV")
        self.browse = push_button("Choose…", name="Choose a file of prompts")
        self.typed.setAccessibleName("Prompts, one a line")
        self.typed.setPlaceholderText("A prompt a line")
        self.typed.setTabChangesFocus(True)
        self.typed.setFixedHeight(round((_TYPED_LINES + 1) * self.typed.fontMetrics().lineSpacing()))
        card.add(_row("From", self.origin, self.source, self.file, self.browse))
        card.add(self.typed)
        self.choose, self.choose_seed = _spin("Prompts drawn at random", 0, MOST), _spin("Seed of the draw", 0, MOST)
        self.choose.setSpecialValueText("all")
        self.choose.setValue(100)
        self.unlabelled = titled_box("not yet labelled by a person", on=True)
        words = text_label("at random, seed", "muted")
        card.add(_row("Choose", self.choose, words, self.choose_seed, self.unlabelled))
        card.add(self.count)
        return card

    def _answers_card(self) -> Card:
        card = Card("2  Answers")
        self.kind = SegmentedControl("Kind", KINDS)
        self.kind.set_value("reference" if self._choices.runs else "twice")
        self.a, self.b, self.url = ComboBox(outside=True), ComboBox(outside=True), QLineEdit()
        for combo, name in ((self.a, "Side A"), (self.b, "Side B")):
            combo.setAccessibleName(name)
            for one in self._choices.answerers:
                combo.addItem(one.title, one.word)
        if self.b.count() > 1:
            self.b.setCurrentIndex(1)
        self.url.setAccessibleName("URL of the server for side A")
        self.url.setPlaceholderText("http://127.0.0.1:8080/v1#model")
        self.about_b = text_label("", "muted", wrap=True)
        self.samples = _spin("Pairs for each prompt", 1, 64)
        self.about_samples = text_label("", "muted", wrap=True)
        card.add(_row("Kind", self.kind))
        card.add(_row("", Chip("A", "a"), self.a, self.url))
        card.add(_row("", Chip("B", "b"), self.b, self.about_b))
        card.add(_row("Pairs", self.samples, self.about_samples))
        if not self._choices.answerers:
            card.add(text_label("There is no run with weights and no model in this workspace yet.", "hint", wrap=True))
        return card

    def _decoder_card(self) -> Card:
        card = Card("3  Decoder")
        self.temperature, self.top_p, self.penalty = DoubleSpinBox(), DoubleSpinBox(), DoubleSpinBox()
        limits = ((self.temperature, 0.0, 5.0, 0.05), (self.top_p, 0.01, 1.0, 0.05), (self.penalty, 0.5, 3.0, 0.05))
        for field, low, high, step in limits:
            field.setRange(low, high)
            field.setSingleStep(step)
            field.setDecimals(2)
        self.temperature.setValue(GENERATION_CONFIG.temperature)
        self.top_p.setValue(GENERATION_CONFIG.top_p)
        self.penalty.setValue(GENERATION_CONFIG.repetition_penalty)
        self.penalty.setToolTip("Above 1 tokens of the prompt and the answer so far become less likely; 1 is off.")
        self.tokens, self.seed = _spin("Max tokens", 1, MOST), _spin("Seed", 0, MOST)
        self.tokens.setValue(GENERATION_CONFIG.max_new_tokens)
        self.system = QLineEdit()
        self.system.setPlaceholderText("none")
        rows = (("Temperature", self.temperature), ("Top-p", self.top_p), ("Repetition penalty", self.penalty))
        card.add(labelled_fields((*rows, ("Max tokens", self.tokens), ("Seed", self.seed)), most=5))
        card.add(labelled_fields((("System prompt", self.system),), most=1))
        return card

    def _batch_card(self) -> Card:
        card = Card("4  For labelling")
        self.batch = titled_box("make a batch", on=bool(self._choices.rubrics and self._choices.reviewers))
        card.add_to_head(self.batch)
        self.batch_name, self.rubric, self.rule = QLineEdit("round 2"), ComboBox(outside=True), ComboBox()
        self.batch_name.setAccessibleName("Name of the batch")
        self.rubric.setAccessibleName("Rubric version")
        self.rule.setAccessibleName("Rule by which pairs are taken")
        for version in self._choices.rubrics:
            self.rubric.addItem(version.title, version.id)
        self.take, self.random = _spin("Pairs by the rule", 0, MOST), _spin("Pairs at random", 0, MOST)
        self.take.setValue(30)
        self.random.setValue(30)
        self.people: dict[int, QCheckBox] = {}
        now = self._context.session.reviewer_id
        for one in self._choices.reviewers:
            box = self.people[one.id] = titled_box(one.name, on=one.id == now or len(self._choices.reviewers) == 1)
            box.toggled.connect(lambda _: self.changed.emit())
        self.batch_rows = [
            _row("Name", self.batch_name, self.rubric),
            _row("Take", self.random, text_label("at random and", "muted"), self.take, self.rule),
            _row("For", *self.people.values()),
            text_label(_BLIND, "hint", wrap=True),
        ]
        for row in self.batch_rows:
            card.add(row)
        return card

    def _bind(self) -> None:
        self.origin.changed.connect(lambda _: self._show_origin())
        self.kind.changed.connect(lambda _: self._show_kind())
        self.batch.toggled.connect(lambda _: self._show_batch())
        self.browse.clicked.connect(self._browse)
        for combo in (self.source, self.a, self.b, self.rubric, self.rule):
            combo.currentIndexChanged.connect(lambda _: self._edited())
        for spin in (self.choose, self.choose_seed, self.samples, self.tokens, self.seed, self.take, self.random):
            spin.valueChanged.connect(lambda _: self._edited())
        for spin in (self.temperature, self.top_p, self.penalty):
            spin.valueChanged.connect(lambda _: self._edited())
        for field in (self.file, self.url, self.system, self.batch_name):
            field.textChanged.connect(lambda _: self._edited())
        self.typed.textChanged.connect(self._edited)
        self.unlabelled.toggled.connect(lambda _: self._edited())

    # What is chosen

    def wish(self) -> GenerateWish:
        """Return what the form asks for now, without what the panel beside it chooses."""
        return GenerateWish(
            origin=self.origin.value,
            source=self.source.currentData(),
            file=self.file.text(),
            typed=self.typed.toPlainText(),
            choose=self.choose.value(),
            choose_seed=self.choose_seed.value(),
            unlabelled=self.unlabelled.isChecked(),
            kind=self.kind.value,
            a=str(self.a.currentData() or ""),
            b=str(self.b.currentData() or "") if self.kind.value in ("runs", "server") else "",
            url=self.url.text(),
            samples=self.samples.value(),
            temperature=self.temperature.value(),
            top_p=self.top_p.value(),
            repetition_penalty=self.penalty.value(),
            max_new_tokens=self.tokens.value(),
            seed=self.seed.value(),
            system_prompt=self.system.text(),
            batch=self.batch.isChecked(),
            batch_name=self.batch_name.text(),
            take=self.take.value(),
            random=self.random.value(),
            rule=self.rule.currentData() or "random",
            reviewers=tuple(key for key, box in self.people.items() if box.isChecked()),
            rubric=self.rubric.currentData(),
        )

    def _edited(self) -> None:
        pairs = self.samples.value()
        self.about_samples.setText(f"of each prompt: {counted(2 * pairs, 'answer')}")
        self.changed.emit()

    def _show_origin(self) -> None:
        """Show the field of the chosen place."""
        origin = self.origin.value
        self.source.setVisible(origin == "source")
        self.unlabelled.setVisible(origin == "source")
        self.file.setVisible(origin == "file")
        self.browse.setVisible(origin == "file")
        self.typed.setVisible(origin == "typed")
        self._edited()

    def _show_kind(self) -> None:
        """Show the fields of the chosen kind, and the rules that it can answer."""
        kind = self.kind.value
        kept = self.a.currentData()
        self.a.clear()
        for one in self._choices.runs if kind == "reference" else self._choices.answerers:
            self.a.addItem(one.title, one.word)
        self.a.setCurrentIndex(max(0, self.a.findData(kept)) if self.a.count() else -1)
        self.a.setVisible(kind != "server")
        self.url.setVisible(kind == "server")
        self._list_b(kind)
        before = self.rule.currentData()
        self.rule.clear()
        for rule, words in rules_of(kind):
            self.rule.addItem(words, rule)
        self.rule.setCurrentIndex(max(0, self.rule.findData(before)))
        self._edited()

    def _list_b(self, kind: str) -> None:
        """Offer what may answer for side B."""
        told = {"twice": "the same policy again, with seeds of its own", "reference": "the reference of that run"}
        self.about_b.setText(told.get(kind, ""))
        self.about_b.setVisible(kind in told)
        self.b.setVisible(kind not in told)
        same = self.b.findData("")
        if kind == "server" and same < 0:
            self.b.insertItem(0, "the same server again", "")
            self.b.setCurrentIndex(0)
        elif kind != "server" and same >= 0:
            self.b.removeItem(same)

    def _show_batch(self) -> None:
        """Show the rows of the batch where one is made."""
        for row in self.batch_rows:
            row.setVisible(self.batch.isChecked())
        self._edited()

    def _browse(self) -> None:
        filters = "Prompts (*.txt *.jsonl *.json *.csv *.gz);;All files (*)"
        path = self._context.dialogs.open_file("A file of prompts", filters)
        if path is not None:
            self.file.setText(str(path))


def _spin(name: str, low: int, high: int) -> SpinBox:
    field = SpinBox()
    field.setRange(low, high)
    field.setAccessibleName(name)
    return field


def _row(label: str, *widgets: QWidget) -> QWidget:
    """Return a label and fields in a row that breaks where there is no room."""
    row = QWidget()
    flow = FlowLayout(row, spacing=8, row_spacing=5)
    if label:
        flow.addWidget(text_label(label, "muted"))
    for widget in widgets:
        if isinstance(widget, (ComboBox, QLineEdit, QLabel)) and (not isinstance(widget, QLabel) or widget.wordWrap()):
            flow.add(widget, least=_LEAST_EMS)
        else:
            flow.addWidget(widget)
    return row
