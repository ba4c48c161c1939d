"""One item in full: its prompt, and the answers of two arms side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.item_rows import ItemRow, about_answer, verdict
from app.widgets.buttons import action_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.conversation import conversation_text
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.labels import Chip, plain_tip, short, text_label
from app.widgets.safe_text import SafeText

_VOTE_FIRST = "You may still vote on this item. Its answers are shown here once you have, so that you stay blind."
_SEALED = "The texts of a sealed test are in no file of the evaluation; only its numbers are."


class _Pane(Card):
    """The answer of one arm, which is chosen in its head."""

    def __init__(self, context: AppContext, side: str) -> None:
        super().__init__(spacing=4)
        self.arm, self.verdict = ComboBox(outside=True), Chip("")
        self.arm.setAccessibleName(f"Arm on the {side}")
        row = FlowLayout(row_spacing=4, middle=True)
        row.addWidget(self.arm)
        row.addWidget(self.verdict)
        self.about = text_label("", "caption", wrap=True)
        self.text = SafeText(context.theme, f"Answer on the {side}", size=13)
        self.text.setMinimumHeight(context.theme.px(90))
        self.add(row)
        self.add(self.about)
        self.add(self.text, 1)

    def show_row(self, row: ItemRow | None) -> None:
        """Show the answer of the chosen arm to an item."""
        arm = self.arm.currentText()
        answer = row.answers.get(arm) if row is not None else None
        self.verdict.set_chip(*(verdict(row, arm) if row is not None else ("", "neutral")))  # type: ignore[arg-type]
        self.about.setText("" if row is None else _VOTE_FIRST if row.waits_for_vote else about_answer(row, arm))
        if self.text.text_shown != (answer.text if answer else ""):
            self.text.set_text(answer.text if answer else "")


class AnswersPanel(QFrame):
    """Shows an item. ``arms_changed`` fires when another arm was chosen on a side."""

    arms_changed = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.row: ItemRow | None = None
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = ScrollColumn(name="The item")
        outer.addWidget(scroll)
        head = Card()
        self.title, self.expected, self.slices = text_label("No item chosen", "section"), Chip(""), Chip("")
        row = FlowLayout(row_spacing=4)
        for widget in (self.title, self.expected, self.slices):
            row.addWidget(widget)
        row.add_gap()
        row.addWidget(action_button(context.actions, "evaluate.inspect", theme=context.theme))
        self.prompt = SafeText(context.theme, "Prompt", size=13)
        self.prompt.setMinimumHeight(context.theme.px(40))
        self.prompt.setMaximumHeight(context.theme.px(84))
        head.add(row)
        head.add(self.prompt)
        self.left, self.right = _Pane(context, "left"), _Pane(context, "right")
        scroll.column.addWidget(head)
        panes: tuple[QWidget, ...] = (self.left, self.right)
        scroll.column.addWidget(FoldingSplit(panes, (400, 400), least=(13, 13), grows=None), 1)
        for pane in (self.left, self.right):
            pane.arm.activated.connect(lambda _: self._arm_chosen())

    @property
    def arms(self) -> tuple[str, str]:
        """The arms on the left and on the right."""
        return self.left.arm.currentText(), self.right.arm.currentText()

    def set_arms(self, names: Sequence[str], reference: str, aligned: str) -> None:
        """Offer arms, the reference at the left and the policy at the right."""
        for pane, wanted in ((self.left, reference), (self.right, aligned)):
            pane.arm.clear()
            pane.arm.addItems(list(names))
            pane.arm.setCurrentText(wanted)

    def choose_arms(self, left: str, right: str) -> None:
        """Show the answers of these arms."""
        for pane, wanted in ((self.left, left), (self.right, right)):
            pane.arm.setCurrentText(wanted)
        self._arm_chosen()

    def _arm_chosen(self) -> None:
        self.show_row(self.row)
        self.arms_changed.emit()

    def show_row(self, row: ItemRow | None, why: str = "No item chosen") -> None:
        """Show an item; without one ``why`` stands as the title."""
        self.row = row
        self.title.setText(short(row.id, 40) if row is not None else why)
        self.title.setToolTip(plain_tip(row.id) if row is not None else "")
        words = {"preference": "ranked by people", "comply": "should be answered", "refuse": "should be refused"}
        words |= {"check": "has constraints", "open": "judged by people", "neutral": "only read, not answered"}
        self.expected.set_chip(words.get(row.expected, "") if row is not None else "", "neutral")
        slices = ", ".join(f"{name} {value}" for name, value in row.slices.items()) if row is not None else ""
        self.slices.set_chip(short(slices, 36), "neutral")
        if row is not None and row.prompt is not None:
            text, marks = conversation_text(row.prompt.messages)
            self.prompt.set_text(text, mode="source", extra=marks)
        else:
            self.prompt.set_text(_SEALED if row is not None else "", mode="source", extra=())
        self.left.show_row(row)
        self.right.show_row(row)
