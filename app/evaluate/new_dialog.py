"""The dialog of a new evaluation: run, suites, arms, size; what it takes is shown before Start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QFrame, QLineEdit, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.evaluate import new_plan
from app.evaluate.new_plan import EvaluationChoices, EvaluationWish
from app.widgets.buttons import push_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox, SpinBox
from app.widgets.dialog import BaseDialog
from app.widgets.form_parts import labelled_fields, titled_box
from app.widgets.labels import short, text_label
from app.widgets.messages import ProgressLine
from core.domain.counting import counted
from core.domain.evaluation_settings import EVALUATION_SETTINGS
from core.services.evaluations.requests import EvaluationRequest

NEWEST, MOST = 0, 100_000
_ABOUT_TEMPLATES = (
    "Suites that ask the same in several languages, such as languages, are answered under these too: does what was "
    "learned depend on the form of a prompt?"
)
_ABOUT_LEAKS = (
    "Without it, a suite with prompts that the run or its thresholds have seen (word for word or nearly) is refused. "
    "With it, those items are left out, and the evaluation says how many."
)
Send = Callable[[EvaluationRequest, Callable[[], object], Callable[[Exception], None]], None]
"""Makes and starts an evaluation in the background; calls back when it is made, or with the error."""


class NewEvaluationDialog(BaseDialog):
    """Asks what is evaluated on what. It stays open until the evaluation is made, and shows what keeps it from that.

    Args:
        parent: a widget of the window.
        context: theme, settings and who is labelling.
        choices: what there is to choose from.
        send: makes the evaluation.
    """

    def __init__(self, parent: QWidget, context: AppContext, choices: EvaluationChoices, send: Send) -> None:
        theme = context.theme
        size = QSize(theme.px(620), theme.px(680))
        super().__init__(parent, "New evaluation", size=size, settings=context.settings)
        self._context, self._choices, self._send = context, choices, send
        self._job: BackgroundTask | None = None
        self.runs, self.steps = ComboBox(outside=True), ComboBox()
        self.limit, self.tokens, self.name = SpinBox(), SpinBox(), QLineEdit()
        self.suites: dict[str, QCheckBox] = {}
        self.arms: dict[str, QCheckBox] = {}
        self.sealed, self.dev = QCheckBox("Sealed test of the run's dataset version"), QCheckBox("Held-out pairs")
        self.templates = titled_box("Other chat templates too: plain text and two others")
        self.templates.setToolTip(_ABOUT_TEMPLATES)
        self.templates.setAccessibleDescription(_ABOUT_TEMPLATES)
        self.leaks = titled_box("Leave out items that stand in what was trained")
        self.leaks.setToolTip(_ABOUT_LEAKS)
        self.leaks.setAccessibleDescription(_ABOUT_LEAKS)
        self.person, self.reason = QLineEdit(context.session.reviewer_name), QLineEdit()
        self.other_run, self.endpoint = ComboBox(outside=True), QLineEdit()
        self.guardrail, self.guarded = ComboBox(outside=True), ComboBox()
        self.errors = {key: text_label("", "error", wrap=True) for key in ("suites", "arms", "sealed", "start")}
        scroll = ScrollColumn(margin=2, spacing=10, name="The new evaluation")
        for card in (self._policy_card(), self._suites_card(), self._arms_card(), self._size_card()):
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.expected, self.cheaper = text_label("", "", wrap=True), text_label("", "caption", wrap=True)
        self.measure = push_button("Measure the time", theme=theme, icon="clock")
        self.measuring = ProgressLine(title="Measuring the time")
        self.measuring.hide()
        for part in (self.expected, self.cheaper, self.measuring, self.errors["start"]):
            self.column.addWidget(part)
        self.buttons.addButton(self.measure, QDialogButtonBox.ButtonRole.ActionRole)
        self.start = self.add_buttons("Start")
        self._bind()
        self._run_chosen()

    # The parts

    def _policy_card(self) -> Card:
        card = Card("1  Policy")
        for run in self._choices.runs:
            self.runs.addItem(run.name, run.run_id)
        card.add(labelled_fields((("Run", self.runs), ("Checkpoint", self.steps)), most=2))
        return card

    def _suites_card(self) -> Card:
        card = Card("2  Suites")
        if not self._choices.suites:
            card.add(
                text_label("There is no suite in this workspace yet; the run's own pairs are below.", "hint", wrap=True)
            )
        for info in self._choices.suites:
            own = "built in" if info.origin == "built-in" else info.origin
            box = self.suites[info.title] = titled_box(f"{short(info.title, 32)} · {counted(info.n, 'item')}, {own}")
            box.setToolTip(info.description)
            card.add(box)
        card.add(self.templates)
        card.add(self.leaks)
        card.add(self.dev)
        self.dev_about = text_label("", "hint", wrap=True)
        card.add(self.dev_about)
        card.add(self.sealed)
        self.sealed_about = text_label("", "hint", wrap=True)
        card.add(self.sealed_about)
        self.look = QFrame()
        inner = QVBoxLayout(self.look)
        inner.setContentsMargins(0, 0, 0, 0)
        self.reason.setPlaceholderText("Release candidate")
        inner.addWidget(labelled_fields((("Opened by", self.person), ("Reason", self.reason)), most=2))
        card.add(self.look)
        card.add(self.errors["sealed"])
        card.add(self.errors["suites"])
        return card

    def _arms_card(self) -> Card:
        card = Card("3  Arms")
        card.add(text_label("The reference always answers; every difference is to it.", "hint", wrap=True))
        for word, label, hint in new_plan.ARMS:
            box = self.arms[word] = titled_box(label)
            box.setAccessibleDescription(hint)
            box.setToolTip(hint)
            card.add(box)
        self.arms["aligned"].setChecked(True)
        self.endpoint.setPlaceholderText("http://localhost:8080/v1")
        card.add(labelled_fields((("Another run", self.other_run), ("Endpoint", self.endpoint)), most=2))
        for words, title in (("none", ""), *((title, title) for title in self._choices.guardrails)):
            self.guardrail.addItem(words, title)
        for base, words in new_plan.GUARDED:
            self.guarded.addItem(words, base)
        card.add(labelled_fields((("Guardrail", self.guardrail), ("On top of", self.guarded)), most=2))
        missing = "No threshold of a guardrail is confirmed; one is made and confirmed under Thresholds."
        card.add(text_label("" if self._choices.guardrails else missing, "hint", wrap=True))
        for combo in (self.guardrail, self.guarded):
            combo.setEnabled(bool(self._choices.guardrails))
        card.add(self.errors["arms"])
        return card

    def _size_card(self) -> Card:
        card = Card("4  Size")
        self.limit.setRange(0, MOST)
        self.limit.setSpecialValueText("all")
        setting = EVALUATION_SETTINGS["max_new_tokens"]
        self.tokens.setRange(1, MOST)
        self.tokens.setValue(int(setting.default))
        self.tokens.setToolTip(setting.hint)
        rows = (("Items a suite", self.limit), ("Max new tokens", self.tokens), ("Name", self.name))
        card.add(labelled_fields(rows, most=2))
        return card

    def _bind(self) -> None:
        self.runs.currentIndexChanged.connect(lambda _: self._run_chosen())
        self.measure.clicked.connect(self._measure)
        for combo in (self.steps, self.other_run, self.guardrail, self.guarded):
            combo.currentIndexChanged.connect(lambda _: self._edited())
        for spin in (self.limit, self.tokens):
            spin.valueChanged.connect(lambda _: self._edited())
        for field in (self.person, self.reason, self.endpoint):
            field.textChanged.connect(lambda _: self._edited())
        for box in (*self.suites.values(), *self.arms.values(), self.sealed, self.dev, self.templates, self.leaks):
            box.toggled.connect(lambda _: self._edited())

    # What is chosen

    @property
    def wish(self) -> EvaluationWish:
        """What the form asks for now."""
        run_id = self.runs.currentData()
        arms = [word for word, box in self.arms.items() if box.isChecked()]
        if other := self.other_run.currentData():
            arms.append(f"run:{other}")
        if url := self.endpoint.text().strip():
            arms.append(f"endpoint:{url}")
        arms += new_plan.guarded_words(str(self.guardrail.currentData() or ""), str(self.guarded.currentData()))
        return EvaluationWish(
            run=next((run for run in self._choices.runs if run.run_id == run_id), None),
            step=int(self.steps.currentData() or NEWEST),
            suites=tuple(title for title, box in self.suites.items() if box.isChecked()),
            sealed=self.sealed.isEnabled() and self.sealed.isChecked(),
            dev=self.dev.isEnabled() and self.dev.isChecked(),
            arms=tuple(arms),
            limit=self.limit.value(),
            max_new_tokens=self.tokens.value(),
            templates=self.templates.isEnabled() and self.templates.isChecked(),
            leave_out_leaks=self.leaks.isChecked(),
            person=self.person.text(),
            reason=self.reason.text(),
            name=self.name.text(),
        )

    def _run_chosen(self) -> None:
        """Offer the checkpoints, the pairs and the other runs of the chosen run."""
        run = self.wish.run
        if run is None:
            return
        self.steps.clear()
        self.steps.addItem("result of the run", NEWEST)
        for step in self._choices.steps.get(run.run_id, ()):
            self.steps.addItem(f"step {step}", step)
        self.other_run.clear()
        self.other_run.addItem("none", "")
        for other in self._choices.runs:
            if other.run_id != run.run_id:
                self.other_run.addItem(other.name, other.run_id)
        self.other_run.setEnabled(self.other_run.count() > 1)
        pairs, (rows, looks) = run.record.n_dev, self._choices.sealed.get(run.run_id, (0, 0))
        self.dev.setEnabled(pairs > 0)
        words = f"{counted(pairs, 'pair')}; settings of the run may have been chosen by them."
        self.dev_about.setText(words if pairs else "This run has no held-out pairs.")
        self.sealed.setEnabled(rows > 0)
        before = f"{counted(looks, 'look')} so far" if looks else "nobody looked so far"
        words = f"{counted(rows, 'pair')}; {before}. Opening them is a look: who, when and why is logged."
        self.sealed_about.setText(words if rows else "No test split stands behind this run.")
        self._edited()

    def _edited(self) -> None:
        """Show what it takes, and take away what was said of other choices."""
        self.templates.setEnabled(new_plan.aligned_of(self.wish, self._choices) > 0)
        wish = self.wish
        self.look.setVisible(wish.sealed)
        self.expected.setText(new_plan.expectation_words(wish, self._choices))
        self.cheaper.setText(new_plan.cheaper_words(wish, self._choices))
        self.cheaper.setVisible(bool(self.cheaper.text()))
        self._say()

    def _say(self, suites: str = "", arms: str = "", sealed: str = "", start: str = "") -> None:
        for key, words in (("suites", suites), ("arms", arms), ("sealed", sealed), ("start", start)):
            self.errors[key].setText(words)
            self.errors[key].setVisible(bool(words))

    # The time

    def _measure(self) -> None:
        """Time the model for some seconds, in a process of its own."""
        wish = self.wish
        found = new_plan.errors_of(wish)
        if found.any or wish.run is None:
            self._say(found.suites, found.arms, found.sealed)
            return
        service, request = self._context.services.evaluations, new_plan.request_of(wish)

        def work(control: TaskControl) -> Any:
            return service.expected(request, on_progress=control.progress, cancelled=lambda: control.cancelled)

        def show(cost: Any) -> None:
            self._timed()
            if wish == self.wish:
                self.expected.setText(new_plan.cost_words(wish, self._choices, cost))
                self.cheaper.setText(new_plan.cheaper_than(cost))
                self.cheaper.setVisible(bool(cost.cheaper))

        def failed(error: Exception) -> None:
            self._timed()
            self._say(start=_words_of(error))

        self._job = self._context.tasks.job("Measuring the time", work, show, failed, owner=self)
        self.measuring.follow(self._job)
        self.measuring.show()
        self.measure.setEnabled(False)

    def _timed(self) -> None:
        self._job = None
        self.measuring.hide()
        self.measure.setEnabled(True)

    def done(self, result: int) -> None:
        """Close; a timing that goes on ends."""
        if self._job is not None:
            self._job.cancel()
        super().done(result)

    # Starting

    def accept(self) -> None:
        """Make the evaluation; close once it is made."""
        wish = self.wish
        found = new_plan.errors_of(wish)
        if found.any or wish.run is None:
            self._say(found.suites, found.arms, found.sealed)
            wrong = self.reason if found.sealed else self.endpoint if found.arms else self.dev
            wrong.setFocus()
            return
        self.start.setEnabled(False)
        self._send(new_plan.request_of(wish), super().accept, self._refused)

    def _refused(self, error: Exception) -> None:
        """Say why it could not be made; what was typed stays."""
        self.start.setEnabled(True)
        self._say(start=_words_of(error))


def _words_of(error: Exception) -> str:
    return str(error)
