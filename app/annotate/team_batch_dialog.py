"""The dialog *New batch*: which pairs, who labels, which shares, in which order; what it comes to is told at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QLineEdit, QWidget

from app.annotate import team_batch_form as form
from app.annotate.team_batch_form import BatchChoices, NewBatchWish
from app.context import AppContext
from app.widgets.buttons import push_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox, SpinBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.flow import FlowLayout
from app.widgets.labels import short, text_label
from core.domain.batch import PICKING, RUNS_NEEDED, BatchPolicy
from core.domain.counting import counted
from core.domain.errors import UserError
from core.services.batches.command_words import command_line

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.batches.views import BatchPlan

MOST = 1_000_000
SendBatch = Callable[[str, int, BatchPolicy, Callable[[], object], Callable[[Exception], None]], None]
"""Makes a batch in the background; calls back when it is made, or with the error."""
_ABOUT_SHARES = (
    "Second labels are drawn at random and kept apart, so that agreement is not that of picked pairs. Gold pairs and "
    "retests look like all others; half of the retests have their sides swapped."
)
_ABOUT_ORDER = "A random share stands among what an order picks. The order and its seed are kept with the batch."


class BatchDialog(BaseDialog):
    """Asks what a batch wants. It stays open until the batch is made, and shows what keeps it from that."""

    def __init__(self, parent: QWidget, context: AppContext, choices: BatchChoices, send: SendBatch) -> None:
        theme = context.theme
        super().__init__(parent, "New batch", size=QSize(theme.px(620), theme.px(700)), settings=context.settings)
        self._context, self._choices, self._send = context, choices, send
        self.name, self.text = QLineEdit(form.free_name(choices.names)), QLineEdit()
        self.version, self.source = _filled(choices.versions), _filled([(None, "every source"), *choices.sources])
        tags = [(tag, f"{tag} · {counted(count, 'pair')}") for tag, count in choices.tags.items()]
        self.tag = _filled([("", "every tag and none"), *tags])
        self.labels, self.order = ComboBox(), ComboBox()
        self.runs = [_filled([("", "choose a run"), *choices.runs]) for _ in range(2)]
        self.limit, self.seed = _spin(MOST), _spin(MOST)
        self.second, self.gold, self.retest, self.random = (_spin(100, value, " %") for value in (25, 8, 5, 20))
        self.third, self.relabel = QCheckBox("A third label where two are in conflict"), QCheckBox("Stale labels too")
        self.people = {key: _box(name) for key, name in choices.people}
        self.deciders = {key: _box(name) for key, name in choices.people}
        self.plan, self.error = text_label("", "", wrap=True), text_label("", "error", wrap=True)
        scroll = ScrollColumn(margin=2, spacing=10, name="What the batch wants")
        for card in (self._pairs_card(), self._people_card(), self._shares_card(), self._order_card()):
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.plan)
        self.column.addWidget(self.error)
        self.command = push_button("Show the command line", theme=theme, icon="console")
        self.buttons.addButton(self.command, QDialogButtonBox.ButtonRole.ActionRole)
        self.make = self.add_buttons("Make the batch")
        self._bind()
        self._edited()

    # The parts

    def _pairs_card(self) -> Card:
        card = Card("1  Pairs")
        for key, words in form.LABELS:
            self.labels.addItem(words, key)
        self.limit.setSpecialValueText("all")
        self.text.setPlaceholderText("all of them, whatever their words")
        rows = (("Name", self.name), ("Rubric", self.version), ("Pairs", self.labels), ("Source", self.source),
                ("Tag", self.tag), ("Words", self.text), ("Most pairs", self.limit))  # fmt: skip
        card.add(_fields(rows))
        return card

    def _people_card(self) -> Card:
        card = Card("2  People")
        for words, boxes in (("Label, each with an own queue", self.people), ("Decide conflicts", self.deciders)):
            row = FlowLayout(row_spacing=4, middle=True)
            row.addWidget(text_label(f"{words}:", "muted"))
            for box in boxes.values():
                box.setAccessibleName(f"{words}: {box.text()}")
                row.addWidget(box)
            card.add(row)
        if not self._choices.people:
            card.add(text_label("Nobody is there yet: add reviewers in the Team tab.", "hint", wrap=True))
        for box in self.people.values():
            box.setChecked(True)
        return card

    def _shares_card(self) -> Card:
        card = Card("3  Second labels, gold, retests")
        rows = (("Second label", self.second), ("Gold pairs", self.gold), ("Retests", self.retest))
        card.add(_fields(rows))
        self.third.setChecked(True)
        for box in (self.third, self.relabel):
            box.setAccessibleName(box.text())
            card.add(box)
        card.add(text_label(_ABOUT_SHARES, "hint", wrap=True))
        return card

    def _order_card(self) -> Card:
        card = Card("4  Order")
        for key, words in form.ORDERS:
            self.order.addItem(words, key)
        card.add(_fields((("Order", self.order), ("Seed", self.seed))))
        self.of_runs = _fields((("Run", self.runs[0]), ("Other run", self.runs[1])))
        self.share = _fields((("Random share", self.random),))
        card.add(self.of_runs)
        card.add(self.share)
        card.add(text_label(_ABOUT_ORDER, "hint", wrap=True))
        return card

    def _bind(self) -> None:
        for combo in (self.version, self.source, self.tag, self.labels, self.order, *self.runs):
            combo.currentIndexChanged.connect(lambda _: self._edited())
        for spin in (self.limit, self.seed, self.second, self.gold, self.retest, self.random):
            spin.valueChanged.connect(lambda _: self._edited())
        for box in (self.third, self.relabel, *self.people.values(), *self.deciders.values()):
            box.toggled.connect(lambda _: self._edited())
        for line in (self.name, self.text):
            line.textChanged.connect(lambda _: self._edited())
        self.command.clicked.connect(lambda _=False: self._show_command())

    # What is asked for

    @property
    def wish(self) -> NewBatchWish:
        """What the form asks for now."""
        return NewBatchWish(
            self.name.text().strip(),
            int(self.version.currentData() or 0),
            _checked(self.people),
            _checked(self.deciders),
            self.labels.currentData(),
            self.source.currentData(),
            self.text.text().strip(),
            self.limit.value(),
            self.order.currentData(),
            tuple(str(combo.currentData()) for combo in self.runs),
            self.random.value(),
            self.second.value(),
            self.third.isChecked(),
            self.gold.value(),
            self.retest.value(),
            self.relabel.isChecked(),
            self.seed.value(),
            str(self.tag.currentData()),
        )

    def _edited(self) -> None:
        """Plan what is asked for now; words of an older plan go away."""
        order = self.order.currentData()
        needed = RUNS_NEEDED.get(order, 0)
        self.of_runs.setVisible(needed > 0)
        self.share.setVisible(order in PICKING)
        self.runs[1].setEnabled(needed > 1)
        if order == "suspects" and self.labels.currentData() == "none":
            self.labels.setCurrentIndex(self.labels.findData("any"))
        self._say("")
        wish = self.wish
        if problem := form.problem_of(wish):
            self.plan.setText("")
            self._say(problem)
            return
        service = self._context.services.batches
        self._context.tasks.query(
            lambda: service.plan(wish.version_id, wish.policy()), self._planned, self._failed, owner=self, key="plan"
        )

    def _planned(self, plan: BatchPlan) -> None:
        if not form.problem_of(self.wish):
            self.plan.setText(form.plan_words(plan))

    def _show_command(self) -> None:
        wish = self.wish
        if problem := form.problem_of(wish):
            self._say(problem)
            return
        title, names, policy = self.version.currentText(), dict(self._choices.people), self._policy(wish)
        if policy is None:
            return
        text = command_line(wish.name, title, policy, names, self._choices.workspace)
        words = "The same batch without the window:"
        if self._context.dialogs.ask("Command line", words, ("Copy", "Close"), detail=text) == "Copy":
            QGuiApplication.clipboard().setText(text)
            self._context.notices.post("The command line was copied.")

    def accept(self) -> None:
        """Make the batch; close once it is made."""
        wish = self.wish
        problem = form.problem_of(wish) or ("" if wish.name else "Give the batch a name.")
        if problem:
            self._say(problem)
            self.name.setFocus()
        elif (policy := self._policy(wish)) is not None:
            self.make.setEnabled(False)
            self._send(wish.name, wish.version_id, policy, super().accept, self._failed)

    def _policy(self, wish: NewBatchWish) -> BatchPolicy | None:
        """Return the policy; None where it contradicts itself, which is said."""
        try:
            return wish.policy()
        except UserError as error:
            self._failed(error)
            return None

    def _failed(self, error: Exception) -> None:
        """Say why it cannot be planned or made; what was typed stays."""
        self.make.setEnabled(True)
        self.plan.setText("")
        self._say(f"{error.message} {error.hint}".strip() if isinstance(error, UserError) else str(error))

    def _say(self, words: str) -> None:
        self.error.setText(words)
        self.error.setVisible(bool(words))


def _filled(options: Sequence[tuple[Any, str]]) -> ComboBox:
    combo = ComboBox(outside=True)
    for value, words in options:
        combo.addItem(words, value)
    return combo


def _spin(most: int, value: int = 0, suffix: str = "") -> SpinBox:
    spin = SpinBox()
    spin.setRange(0, most)
    spin.setValue(value)
    spin.setSuffix(suffix)
    return spin


def _box(name: str) -> QCheckBox:
    return QCheckBox(short(name, 40).replace("&", "&&"))


def _fields(rows: Sequence[tuple[str, QWidget]]) -> FieldGrid:
    for words, field in rows:
        field.setAccessibleName(words)
    return FieldGrid([(text_label(words, "muted"), field) for words, field in rows])


def _checked(boxes: dict[int, QCheckBox]) -> tuple[int, ...]:
    return tuple(key for key, box in boxes.items() if box.isChecked())
