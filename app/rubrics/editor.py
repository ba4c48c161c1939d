"""The draft editor: a form over one rubric body, with the problems that keep it from being published."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.rubrics.criterion_card import CriterionCard
from app.rubrics.example_card import ExampleCard
from app.rubrics.presenter import new_criterion_id
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import Card, ScrollColumn, clear_layout
from app.widgets.inputs import SegmentedControl
from app.widgets.labels import text_label
from app.widgets.messages import announce
from app.widgets.paragraph_field import ParagraphField
from core.domain.rubric import Criterion, Example, RubricBody, problems

SAVE_AFTER_MS = 1200
EMPTY_EXAMPLE = Example("", "", "")


class RubricEditor(ScrollColumn):
    """The form of a draft; ``save_requested()`` fires a moment after the last edit."""

    save_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(margin=12, spacing=10, name="Draft of the rubric")
        self._theme = theme
        self._loading = False
        self._body: RubricBody | None = None
        self.cards: list[CriterionCard] = []
        self.examples: list[ExampleCard] = []
        self.purpose, self.tie_rule = self._box("Purpose", 3), self._box("Tie rule", 2)
        self.not_checked = self._box("Not to be checked", 2)
        self.scale = SegmentedControl("Points of the scale", ((3, "3"), (5, "5"), (7, "7")))
        self.scale.changed.connect(lambda _: self._changed())
        self._cards, self._examples = QVBoxLayout(), QVBoxLayout()
        self.problems = text_label("", "error", wrap=True)
        self.column.addWidget(self.problems)
        self.column.addWidget(self._general_card())
        self._add_list("Criteria, most important first", self._cards, "Add a criterion", self.add_criterion)
        self._add_list("Worked examples", self._examples, "Add an example", self.add_example)
        self.column.addStretch(1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER_MS)
        self._timer.timeout.connect(self.save_requested)

    def _general_card(self) -> Card:
        general = Card("What the rubric is for")
        for label, box in (
            ("Purpose", self.purpose),
            ("When is it a tie?", self.tie_rule),
            ("What reviewers need not check", self.not_checked),
        ):
            general.add(text_label(label, "muted"))
            general.add(box)
        row = QHBoxLayout()
        row.addWidget(text_label("Points of the scale", "muted"))
        row.addWidget(self.scale)
        row.addStretch(1)
        general.add(row)
        return general

    def _add_list(self, title: str, cards: QVBoxLayout, label: str, add: Callable[[], None]) -> None:
        """Append a title, a list of cards and the button that adds one."""
        cards.setSpacing(10)
        button = push_button(label, theme=self._theme, icon="plus")
        button.clicked.connect(add)
        self.column.addWidget(text_label(title, "section"))
        self.column.addLayout(cards)
        self.column.addWidget(button)

    def _box(self, name: str, rows: int) -> ParagraphField:
        box = ParagraphField(name, rows)
        box.textChanged.connect(self._changed)
        return box

    def set_body(self, body: RubricBody) -> None:
        """Fill the form with a body."""
        self._loading = True
        self._body = body
        self.purpose.setPlainText(body.purpose)
        self.tie_rule.setPlainText(body.tie_rule)
        self.not_checked.setPlainText(body.not_checked)
        self.scale.set_value(body.scale)
        order = [*body.priority] + [c.id for c in body.criteria if c.id not in body.priority]
        self._set_criteria(sorted(body.criteria, key=lambda c: order.index(c.id)))
        self._set_examples(list(body.examples))
        self._loading = False
        self._show_problems()

    def body(self) -> RubricBody:
        """Return what the form says; the order of the cards is the priority order."""
        criteria = tuple(card.criterion() for card in self.cards)
        return RubricBody(
            purpose=self.purpose.toPlainText().strip(),
            criteria=criteria,
            priority=tuple(c.id for c in criteria),
            tie_rule=self.tie_rule.toPlainText().strip(),
            scale=self.scale.value or 7,
            examples=tuple(e for e in (card.example() for card in self.examples) if e != EMPTY_EXAMPLE),
            not_checked=self.not_checked.toPlainText().strip(),
        )

    @property
    def dirty(self) -> bool:
        """Whether the form differs from what was loaded or saved."""
        return self._body is not None and self.body() != self._body

    @property
    def saved(self) -> RubricBody | None:
        """The body that was loaded or saved last."""
        return self._body

    def mark_saved(self, body: RubricBody) -> None:
        """Note that ``body`` is stored."""
        self._body = body

    def cancel_save(self) -> None:
        """Drop a pending request to save: the draft is being saved, published or discarded."""
        self._timer.stop()

    def add_criterion(self) -> None:
        """Append an empty criterion and put the cursor in it."""
        key = new_criterion_id([card.id for card in self.cards])
        self._set_criteria([*(card.criterion() for card in self.cards), Criterion(key, "", "")])
        self.cards[-1].name.setFocus()
        self._changed()

    def add_example(self) -> None:
        """Append an empty example and put the cursor in it."""
        self._set_examples([*(card.example() for card in self.examples), EMPTY_EXAMPLE])
        self.examples[-1].first_field.setFocus()
        self._changed()

    def _set_examples(self, examples: list[Example]) -> None:
        clear_layout(self._examples)
        self.examples = []
        for place, example in enumerate(examples, 1):
            card = ExampleCard(self._theme, place, example)
            card.changed.connect(self._changed)
            card.removed.connect(lambda card=card: self._remove_example(card))
            self._examples.addWidget(card)
            self.examples.append(card)

    def _remove_example(self, card: ExampleCard) -> None:
        self._set_examples([e.example() for e in self.examples if e is not card])
        self._changed()

    def _set_criteria(self, criteria: list[Criterion]) -> None:
        clear_layout(self._cards)
        self.cards = []
        for criterion in criteria:
            card = CriterionCard(self._theme, criterion)
            card.changed.connect(self._changed)
            card.removed.connect(lambda card=card: self._remove(card))
            card.moved.connect(lambda by, card=card: self._move(card, by))
            self._cards.addWidget(card)
            self.cards.append(card)

    def _remove(self, card: CriterionCard) -> None:
        self._set_criteria([c.criterion() for c in self.cards if c is not card])
        self._changed()

    def _move(self, card: CriterionCard, by: int) -> None:
        place = self.cards.index(card)
        target = min(len(self.cards) - 1, max(0, place + by))
        criteria = [c.criterion() for c in self.cards]
        criteria.insert(target, criteria.pop(place))
        self._set_criteria(criteria)
        self._changed()

    def _changed(self) -> None:
        if not self._loading:
            self._show_problems()
            self._timer.start()

    def reveal_problem(self) -> bool:
        """Put the cursor into the first field that keeps the draft from being published; returns whether there is one.

        The field is scrolled into sight; the problems stand in words at the top of the form.
        """
        if not problems(self.body()):
            return False
        empty = [field for card in self.cards for field in (card.name, card.question) if not field.text().strip()]
        fields: list[QWidget] = [self.purpose] if not self.purpose.toPlainText().strip() else []
        field = next(iter([*fields, *empty]), self.problems)
        self.ensureWidgetVisible(self.problems)
        self.ensureWidgetVisible(field, 0, 60)
        field.setFocus()
        announce(self, self.problems.text())
        return True

    def _show_problems(self) -> None:
        found = problems(self.body())
        self.problems.setText("\n".join(found))
        self.problems.setVisible(bool(found))
