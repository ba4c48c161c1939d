"""The charter of a new run: five questions with starting answers, and what the gate will ask for later."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.train import charter_words
from app.train.charter_words import CharterSources
from app.widgets.containers import Card, Collapsible, clear_layout
from app.widgets.controls import ComboBox, DoubleSpinBox, SpinBox
from app.widgets.field_grid import FieldGrid
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import text_label
from core.domain.charter import DIRECTIONS, Charter
from core.domain.charter_start import variables
from core.domain.evaluated_metrics import EVALUATED

FIELD_EMS, HINT_EMS = 12.0, 26.0
"""The least width of a field and of a sentence, in heights of a line."""
MOST = 1_000_000


class CharterCard(Card):
    """The form of a charter. ``changed`` fires after each edit; what its author edited is not filled in again."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__("5  Charter")
        self._loading, self._edited_by_hand = False, False
        self._sources = CharterSources()
        self.target, self.rule = QLineEdit(), QLineEdit()
        self.variable, self.regression = ComboBox(outside=True), ComboBox(outside=True)
        self.test, self.suite, self.benign = ComboBox(outside=True), ComboBox(outside=True), ComboBox(outside=True)
        self.better = SegmentedControl("Better", [("higher", "higher is better"), ("lower", "lower is better")])
        self.margin, self.kl_budget, self.share = DoubleSpinBox(), DoubleSpinBox(), SpinBox()
        self.items, self.judgements = SpinBox(), SpinBox()
        self.seconds, self.memory = DoubleSpinBox(), DoubleSpinBox()
        self.examples: dict[str, QCheckBox] = {}
        self.gaps, self.counts = text_label("", "error", wrap=True), text_label("", "hint", wrap=True)
        self._boxes = QWidget()
        self._flow = FlowLayout(self._boxes, row_spacing=2)
        self._fill_choices()
        self._place(theme)
        self._bind()
        self.set_sources(self._sources)

    def _fill_choices(self) -> None:
        for one in variables():
            self.variable.addItem(f"{one.title} ({one.name})", one.name)
        for combo, found in ((self.regression, charter_words.metrics()), (self.test, charter_words.TEST_WORDS.items())):
            for name, words in found:
                combo.addItem(words, name)
        for spin, top in ((self.items, MOST), (self.judgements, MOST), (self.share, 100)):
            spin.setRange(0, top)
        for number, step in ((self.margin, 0.01), (self.kl_budget, 1.0), (self.seconds, 0.5), (self.memory, 1.0)):
            number.setRange(0.0, MOST)
            number.setSingleStep(step)
            number.setDecimals(3 if number is self.margin else 2 if number is self.seconds else 1)
        for spin, unit in ((self.share, " %"), (self.kl_budget, " nats"), (self.seconds, " s"), (self.memory, " GiB")):
            spin.setSuffix(unit)
        for limit in (self.seconds, self.memory):
            limit.setSpecialValueText("no limit")

    def _place(self, theme: Theme) -> None:
        self.add_to_head(text_label("starting values; change what does not fit", "hint"))
        answers = (self.target, self.variable, self._boxes, self.rule, self._regression_fields())
        for (title, about), widget in zip(charter_words.QUESTIONS, answers, strict=True):
            self.add(_head(title, about))
            self.add(widget)
            name = title.split("  ")[1]
            widget.setAccessibleName(name)
            widget.setAccessibleDescription(about)
        about = "On it over-refusal is measured. A run on many refusals does not start without one."
        self.benign.setAccessibleName("Benign suite")
        self.benign.setAccessibleDescription(about)
        self.add(_head("Benign suite", about))
        self.add(self.benign)
        self.add(self._plan(theme))
        self.add(self.gaps)
        self.add(text_label(charter_words.LOCK, "caption", wrap=True))

    def _regression_fields(self) -> QWidget:
        for widget, name in (
            (self.regression, "Regression metric"),
            (self.suite, "Suite of the regression metric"),
            (self.margin, "Margin"),
            (self.test, "Test"),
        ):
            widget.setAccessibleName(name)
        self.margin.setToolTip("The largest loss that counts as none, in the metric's unit: 0.02 is two points.")
        rows = (("Metric", self.regression), ("On", self.suite), ("Margin", self.margin), ("Test", self.test))
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addWidget(_grid(rows))
        column.addWidget(self.better)
        return inside

    def _plan(self, theme: Theme) -> QWidget:
        rows = (
            ("Items a suite", self.items),
            ("Blind judgements", self.judgements),
            ("KL budget", self.kl_budget),
            ("Refusals allowed", self.share),
            ("Time an answer", self.seconds),
            ("Memory", self.memory),
        )
        for name, widget in rows:
            widget.setAccessibleName(name)
        self.share.setToolTip("Refusals among the chosen answers above which a benign suite must be named.")
        self.seconds.setToolTip("Most seconds that an answer may take where the policy is to work.")
        self.memory.setToolTip("Most memory that answering may need where the policy is to work.")
        return Collapsible("Planned numbers, which the gate asks for", _grid(rows), theme=theme, open_=False)

    def _bind(self) -> None:
        for line in (self.target, self.rule):
            line.textEdited.connect(self._hand)
        for combo in (self.variable, self.suite, self.test, self.benign):
            combo.activated.connect(self._hand)
        self.regression.activated.connect(self._metric_chosen)
        self.better.changed.connect(self._hand)
        for spin in (*self._amounts(), self.items, self.judgements, self.share):
            spin.valueChanged.connect(self._hand)

    def _amounts(self) -> tuple[DoubleSpinBox, ...]:
        return self.margin, self.kl_budget, self.seconds, self.memory

    def _metric_chosen(self, _: int) -> None:
        """Show the direction that the metric's name says."""
        named = EVALUATED[str(self.regression.currentData())][0]
        self.better.set_value(named if named in DIRECTIONS else None)
        self._hand(None)

    def _hand(self, _: object) -> None:
        if not self._loading:
            self._edited_by_hand = True
            self._tell()

    def _tell(self) -> None:
        words = charter_words.gaps_line(self.charter())
        self.gaps.setText(words)
        self.gaps.setVisible(bool(words))
        self.changed.emit()

    # What it shows

    def set_sources(self, sources: CharterSources) -> None:
        """Offer other pairs and suites; a charter that nobody edited begins anew with them."""
        if sources == self._sources and self.examples:
            return
        charter = self.charter() if self._edited_by_hand else sources.start()
        self._sources = sources
        self._show_options()
        self._show(charter)

    def set_charter(self, charter: Charter) -> None:
        """Show the charter of another run; what it names and this workspace lacks is left out."""
        self._edited_by_hand = True
        self._show(charter)

    def set_loss(self, words: str) -> None:
        """Show the run's own loss, which is the rule where none is written."""
        self.rule.setPlaceholderText(words)

    def _show_options(self) -> None:
        self._loading = True
        clear_layout(self._flow)
        self.examples = {}
        for name, words in self._sources.examples():
            box = self.examples[name] = QCheckBox(words.replace("&", "&&"))
            box.setAccessibleName(f"Examples: {words}")
            box.toggled.connect(self._hand)
            self._flow.addWidget(box)
        for combo, found in ((self.suite, self._sources.regression()), (self.benign, self._sources.benign())):
            combo.clear()
            for name, words in found:
                combo.addItem(words, name)
        self._loading = False

    def _show(self, charter: Charter) -> None:
        self._loading = True
        self.target.setText(charter.target_behaviour)
        self.rule.setText(charter.rule)
        for combo, name in (
            (self.variable, charter.variable),
            (self.regression, charter.regression_metric),
            (self.test, charter.test),
        ):
            combo.setCurrentIndex(combo.findData(name))
        for combo, name in ((self.suite, charter.regression_suite), (self.benign, charter.benign_suite)):
            combo.setCurrentIndex(max(0, combo.findData(name)))
        for name, box in self.examples.items():
            box.setChecked(name in charter.examples)
        self.better.set_value(charter.direction or None)
        for spin, value in (
            (self.items, charter.planned_items),
            (self.judgements, charter.planned_judgements),
            (self.share, round(100 * charter.refusal_share)),
        ):
            spin.setValue(value)
        amounts = (charter.margin, charter.kl_budget, charter.answer_seconds, charter.memory_gib)
        for number, amount in zip(self._amounts(), amounts, strict=True):
            number.setValue(amount)
        self._loading = False
        self._tell()

    def charter(self) -> Charter:
        """Return the charter that the form says."""
        metric, better = _value(self.regression), self.better.value or ""
        named = EVALUATED.get(metric, ("neither", ""))[0]
        return Charter(
            target_behaviour=self.target.text().strip(),
            regression_metric=metric,
            variable=_value(self.variable),
            examples=tuple(name for name, box in self.examples.items() if box.isChecked()),
            rule=self.rule.text().strip(),
            regression_suite=_value(self.suite),
            better="" if better == named else better,
            margin=self.margin.value(),
            test=_value(self.test),
            benign_suite=_value(self.benign),
            refusal_share=self.share.value() / 100,
            planned_items=self.items.value(),
            planned_judgements=self.judgements.value(),
            kl_budget=self.kl_budget.value(),
            answer_seconds=self.seconds.value(),
            memory_gib=self.memory.value(),
        )

    def first_gap(self) -> QWidget | None:
        """Return the field of the first question without an answer, None where all are answered."""
        charter = self.charter()
        first_box = next(iter(self.examples.values()), None)
        fields: Sequence[tuple[bool, QWidget | None]] = (
            (bool(charter.target_behaviour), self.target),
            (bool(charter.variable), self.variable),
            (bool(charter.examples), first_box),
            (bool(charter.regression_metric), self.regression),
            (bool(charter.direction), next(iter(self.better.buttons()), None)),
            (bool(charter.test), self.test),
        )
        return next((field for answered, field in fields if not answered), None)


def _head(title: str, about: str) -> FlowLayout:
    """Return a question with the sentence that explains it, beside it where there is room."""
    head = FlowLayout(row_spacing=0, middle=True)
    head.addWidget(text_label(title, "strong"))
    head.add(text_label(about, "hint", wrap=True), least=HINT_EMS)
    return head


def _grid(rows: Sequence[tuple[str, QWidget]]) -> FieldGrid:
    return FieldGrid(
        [(text_label(name, "muted"), widget) for name, widget in rows], most=2, field_ems=FIELD_EMS, above=True
    )


def _value(combo: QComboBox) -> str:
    """Return the name behind what a combo box shows."""
    return str(combo.currentData() or "")
