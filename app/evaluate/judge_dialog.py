"""The dialog *Ask a judge*: endpoint, model, rubric, arms, suites; what would be sent is shown before anything is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLineEdit, QWidget

from app.context import AppContext
from app.evaluate.judge_choices import JudgeChoices, host_words, plan_words, request_of
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox, SpinBox
from app.widgets.dialog import BaseDialog
from app.widgets.form_parts import labelled_fields, titled_box
from app.widgets.labels import text_label

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.judging.service import JudgePlan, JudgeRequest

MOST = 100_000
AskJudge = Callable[["JudgeRequest"], None]
"""Asks a judge in the background."""
_MARK = (
    "Its numbers are marked uncalibrated until people voted on the same items and a suite on which length and style "
    "mislead was judged too. Votes of a judge are never pooled with those of people."
)


class JudgeDialog(BaseDialog):
    """Asks which judge compares what. Nothing is sent before *Ask*, and to another host only once it is named."""

    def __init__(self, parent: QWidget, context: AppContext, choices: JudgeChoices, ask: AskJudge) -> None:
        theme = context.theme
        super().__init__(parent, "Ask a judge", size=QSize(theme.px(580), theme.px(640)), settings=context.settings)
        self._context, self._choices, self._ask = context, choices, ask
        self._plan: JudgePlan | None = None
        self._problem = ""
        self.url, self.model, self.host = QLineEdit(), QLineEdit(), QLineEdit()
        self.rubric, self.first, self.second = ComboBox(outside=True), ComboBox(outside=True), ComboBox(outside=True)
        self.limit = SpinBox()
        self.suites = {title: titled_box(title, on=True, most=48) for title in choices.suites}
        self.tests = {title: titled_box(title, most=48) for title in choices.tests}
        self.plan, self.error = text_label("", "", wrap=True), text_label("", "error", wrap=True)
        scroll = ScrollColumn(margin=2, spacing=10, name="The judge")
        for card in (self._judge_card(), self._items_card(), self._tests_card()):
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        for part in (scroll, self.plan, self.error):
            self.column.addWidget(part, int(part is scroll))
        self.start = self.add_buttons("Ask the judge")
        self._bind()
        self._edited()

    def _judge_card(self) -> Card:
        card = Card("1  Judge")
        self.url.setText("http://127.0.0.1:8080/v1")
        self.model.setPlaceholderText("the first that it lists")
        for version in self._choices.rubrics:
            self.rubric.addItem(version.title, version.id)
        card.add(labelled_fields((("Endpoint", self.url), ("Model", self.model), ("Rubric", self.rubric))))
        hint = "A server that speaks the OpenAI protocol, such as llama.cpp, vLLM or Ollama. It is shown the rubric."
        card.add(text_label(hint, "hint", wrap=True))
        self.host_about = text_label("", "error", wrap=True)
        self.host_fields = labelled_fields((("Allowed host", self.host),))
        card.add(self.host_about)
        card.add(self.host_fields)
        return card

    def _items_card(self) -> Card:
        card = Card("2  What it compares")
        for combo, wanted in ((self.first, self._choices.first), (self.second, self._choices.second)):
            combo.addItems(list(self._choices.arms))
            combo.setCurrentText(wanted)
        self.limit.setRange(0, MOST)
        self.limit.setSpecialValueText("all")
        for box in self.suites.values():
            card.add(box)
        card.add(text_label("Items of a sealed test are never sent to a judge.", "hint", wrap=True))
        card.add(
            labelled_fields((("First arm", self.first), ("Second arm", self.second), ("Items a suite", self.limit)))
        )
        return card

    def _tests_card(self) -> Card:
        card = Card("3  What tests the judge")
        for box in self.tests.values():
            card.add(box)
        if not self.tests:
            words = "No suite of this workspace has pairs with a better answer; the judge stays uncalibrated."
            card.add(text_label(words, "hint", wrap=True))
        card.add(text_label(_MARK, "hint", wrap=True))
        return card

    def _bind(self) -> None:
        for field in (self.url, self.model, self.host):
            field.textChanged.connect(lambda _: self._edited())
        for combo in (self.rubric, self.first, self.second):
            combo.currentIndexChanged.connect(lambda _: self._edited())
        self.limit.valueChanged.connect(lambda _: self._edited())
        for box in (*self.suites.values(), *self.tests.values()):
            box.toggled.connect(lambda _: self._edited())

    @property
    def request(self) -> JudgeRequest:
        """What the form asks for now."""
        return request_of(
            self._choices,
            (self.first.currentText(), self.second.currentText()),
            self.url.text().strip(),
            self.model.text().strip(),
            int(self.rubric.currentData() or 0),
            [title for title, box in self.suites.items() if box.isChecked()],
            [title for title, box in self.tests.items() if box.isChecked()],
            self.limit.value(),
            self.host.text().strip(),
        )

    @property
    def problem(self) -> str:
        """What keeps the judge from being asked, empty when nothing does."""
        if not self.url.text().strip():
            return "Say where the judge answers, such as http://127.0.0.1:8080/v1."
        if not self.rubric.currentData():
            return "Publish a rubric that says what better means first, under Rubrics."
        if not any(box.isChecked() for box in self.suites.values()):
            return "Choose at least one suite."
        other = self._plan.other_host if self._plan is not None else ""
        if other and self.host.text().strip().casefold() != other.casefold():
            return f"Type {other} to allow that prompts and answers are sent there."
        return self._problem

    def _edited(self) -> None:
        """Work out what would be sent; words about other choices go away."""
        self._say("")
        service, request = self._context.services.judging, self.request
        self._context.tasks.query(
            lambda: service.plan(request), self._planned, self._not_planned, owner=self, key="judge plan"
        )

    def _planned(self, plan: JudgePlan) -> None:
        self._plan, self._problem = plan, ""
        self.plan.setText(plan_words(plan))
        self._show_host(plan.other_host)

    def _not_planned(self, error: Exception) -> None:
        self._plan = None
        self._problem = str(error)
        self.plan.setText(self._problem)
        self._show_host("")

    def _show_host(self, host: str) -> None:
        self.host_about.setText(host_words(host) if host else "")
        for part in (self.host_about, self.host_fields):
            part.setVisible(bool(host))

    def accept(self) -> None:
        """Ask, once it is known what would be sent and where."""
        if problem := self.problem:
            self._say(problem)
            waits = self._plan is not None and bool(self._plan.other_host)
            (self.host if waits else self.url).setFocus()
        elif self._plan is not None:  # a plan that is still worked out comes in a moment
            self._ask(self.request)
            super().accept()

    def _say(self, words: str) -> None:
        self.error.setText(words)
        self.error.setVisible(bool(words))
