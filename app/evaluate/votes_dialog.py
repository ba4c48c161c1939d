"""The dialog *Ask people*: arms, suites, number, votes an item, rubric; what it costs and detects is shown at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLineEdit, QWidget

from app.context import AppContext
from app.evaluate.votes_figures import DETECTS, VoteChoices, plan_words
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox, SpinBox
from app.widgets.dialog import BaseDialog
from app.widgets.form_parts import labelled_fields, titled_box
from app.widgets.labels import text_label
from core.domain.evaluation_record import suite_words
from core.domain.votes import MARGIN, MOST_VOTES, VotePlan, VoteRequest

MOST = 100_000
SendRequest = Callable[[VoteRequest, Callable[[], object], Callable[[Exception], None]], None]
"""Asks people in the background; calls back when it is done, or with the error."""


class VotesDialog(BaseDialog):
    """Asks what people are asked. It stays open until they are, and shows what keeps it from that."""

    def __init__(self, parent: QWidget, context: AppContext, choices: VoteChoices, send: SendRequest) -> None:
        theme = context.theme
        super().__init__(parent, "Ask people", size=QSize(theme.px(560), theme.px(620)), settings=context.settings)
        self._context, self._choices, self._send = context, choices, send
        self.first, self.second, self.part = ComboBox(outside=True), ComboBox(outside=True), ComboBox(outside=True)
        self.rubric, self.detects = ComboBox(outside=True), ComboBox()
        self.limit, self.votes = SpinBox(), SpinBox()
        self.person, self.reason = QLineEdit(context.session.reviewer_name), QLineEdit()
        self.suites = {
            title: titled_box(suite_words(title), on=not is_sealed, most=48)
            for title, is_sealed in choices.suites.items()
        }
        self.plan, self.error = text_label("", "", wrap=True), text_label("", "error", wrap=True)
        scroll = ScrollColumn(margin=2, spacing=10, name="What people are asked")
        for card in (self._arms_card(), self._items_card(), self._votes_card()):
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.plan)
        self.column.addWidget(self.error)
        self.start = self.add_buttons("Ask people")
        self._bind()
        self._edited()

    def _arms_card(self) -> Card:
        card = Card("1  Arms")
        for combo, wanted in ((self.first, self._choices.first), (self.second, self._choices.second)):
            combo.addItems(list(self._choices.arms))
            combo.setCurrentText(wanted)
        card.add(labelled_fields((("First arm", self.first), ("Second arm", self.second))))
        hint = "Nobody who votes is told which answer is whose. The win rate is that of the first arm."
        card.add(text_label(hint, "hint", wrap=True))
        return card

    def _items_card(self) -> Card:
        card = Card("2  Items")
        for box in self.suites.values():
            card.add(box)
        self.sealed_fields = labelled_fields((("Shown by", self.person), ("Reason", self.reason)))
        hint = "Its prompts are shown to people: an opening, which is noted with who and why and counts as a look."
        self.sealed_hint = text_label(hint, "hint", wrap=True)
        card.add(self.sealed_hint)
        card.add(self.sealed_fields)
        self.part.addItem("all", None)
        for name, value in self._choices.slices:
            self.part.addItem(f"{name}: {value}", (name, value))
        self.limit.setRange(0, MOST)
        self.limit.setSpecialValueText("all")
        card.add(labelled_fields((("Slice", self.part), ("Most items", self.limit))))
        return card

    def _votes_card(self) -> Card:
        card = Card("3  Votes")
        for version in self._choices.rubrics:
            self.rubric.addItem(version.title, version.id)
        for distance in DETECTS:
            self.detects.addItem(f"{50 + 100 * distance:.0f} % or more", distance)
        self.detects.setCurrentIndex(DETECTS.index(MARGIN))
        self.votes.setRange(1, MOST_VOTES)
        card.add(
            labelled_fields(
                (("Rubric", self.rubric), ("Votes an item", self.votes), ("Detect a win rate of", self.detects))
            )
        )
        hint = "2 or 3 votes an item show how far people agree; each vote of an item comes from another person."
        card.add(text_label(hint, "hint", wrap=True))
        return card

    def _bind(self) -> None:
        for combo in (self.first, self.second, self.part, self.rubric, self.detects):
            combo.currentIndexChanged.connect(lambda _: self._edited())
        for spin in (self.limit, self.votes):
            spin.valueChanged.connect(lambda _: self._edited())
        for box in self.suites.values():
            box.toggled.connect(lambda _: self._edited())

    @property
    def request(self) -> VoteRequest:
        """What the form asks for now."""
        part = self.part.currentData()
        return VoteRequest(
            self._choices.evaluation_id,
            int(self.rubric.currentData() or 0),
            self.first.currentText(),
            self.second.currentText(),
            tuple(title for title, box in self.suites.items() if box.isChecked()),
            (tuple(part),) if part else (),
            self.limit.value(),
            0,
            self.votes.value(),
            float(self.detects.currentData()),
            self.person.text(),
            self.reason.text(),
        )

    @property
    def problem(self) -> str:
        """What keeps people from being asked, empty when nothing does."""
        request = self.request
        if not request.suites:
            return "Choose at least one suite."
        if request.first_arm == request.second_arm:
            return "Choose two different arms."
        if not request.rubric_version_id:
            return "Publish a rubric that says what better means first, under Rubrics."
        if self._shows_sealed and not (request.person.strip() and request.reason.strip()):
            return "Say who shows items of the sealed test, and why."
        return ""

    @property
    def _shows_sealed(self) -> bool:
        return any(box.isChecked() and self._choices.suites[title] for title, box in self.suites.items())

    def _edited(self) -> None:
        """Work out what it costs; words of an older choice go away."""
        for part in (self.sealed_fields, self.sealed_hint):
            part.setVisible(self._shows_sealed)
        self._say("")
        request, service = self.request, self._context.services.votes
        if not request.suites or request.first_arm == request.second_arm:
            self._planned(None)
            return
        self._context.tasks.query(
            lambda: service.plan(request), self._planned, self._not_planned, owner=self, key="plan"
        )

    def _planned(self, plan: VotePlan | None) -> None:
        self.plan.setText("\n".join(plan_words(plan)) if plan is not None else self.problem)

    def _not_planned(self, error: Exception) -> None:
        self.plan.setText("")
        self._refused(error)

    def accept(self) -> None:
        """Ask; close once it is done."""
        if problem := self.problem:
            self._say(problem)
            (self.reason if self._shows_sealed else self.first).setFocus()
            return
        self.start.setEnabled(False)
        self._send(self.request, super().accept, self._refused)

    def _refused(self, error: Exception) -> None:
        self.start.setEnabled(True)
        self._say(str(error))

    def _say(self, words: str) -> None:
        self.error.setText(words)
        self.error.setVisible(bool(words))
