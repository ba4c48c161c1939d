"""The lead's quiz: pass mark and gold items of a rubric version, what is told of each, and who is spared it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.annotate.storing_dialog import StoringDialog
from app.context import AppContext
from app.widgets.controls import ComboBox, SpinBox
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import short, text_label
from app.widgets.wrapped_list import WrappedList
from core.domain.qualification import QUIZ_ITEMS, Qualification
from core.domain.rubric import RubricVersion
from core.domain.team import PASS_MARK

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application

_ABOUT = (
    "Items are drawn from the adjudicated pairs, explained ones first; the same pairs give the same quiz. First "
    "answers count for good. What is told of an item is the reason of its decision, or what you write."
)
_SHORT = 60


@dataclass(frozen=True, slots=True)
class QuizChoices:
    """What the dialog shows of one version: how everybody stands, and every gold item with what is told of it."""

    stands: Qualification
    gold: dict[int, str]


class QuizSetDialog(StoringDialog):
    """Each button stores at once what it says; the lists are read again afterwards."""

    def __init__(self, parent: QWidget, context: AppContext, versions: list[RubricVersion]) -> None:
        super().__init__(parent, context, "Quiz of a rubric", (560, 600))
        self.choices: QuizChoices | None = None
        self.versions, self.mark, self.items = ComboBox(outside=True), SpinBox(), SpinBox()
        self.gold, self.people = WrappedList("Gold items"), WrappedList("Reviewers")
        for version in versions:
            self.versions.addItem(version.title, version.id)
        for box, low, high, value, unit, name in (
            (self.mark, 1, 100, round(100 * PASS_MARK), " %", "Pass mark"),
            (self.items, 1, 999, QUIZ_ITEMS, "", "Items"),
        ):
            box.setRange(low, high)
            box.setValue(value)
            box.setSuffix(unit)
            box.setAccessibleName(name)
        self.versions.setAccessibleName("Rubric version")
        rows = [("Rubric version", self.versions), ("Pass mark", self.mark), ("Items", self.items)]
        self.column.addWidget(text_label(_ABOUT, "muted", wrap=True))
        self.column.addWidget(FieldGrid([(text_label(words), box) for words, box in rows], most=3))
        self._add_list(
            "Gold items; ● in the quiz", self.gold, (("&Set the quiz", self._set), ("&Explain…", self._explain))
        )
        self._add_list("Reviewers", self.people, (("&Waive…", self._waive), ("&Require", self._require)))
        self.column.addWidget(self.problem)
        self.add_buttons(reject="Close")
        self.versions.currentIndexChanged.connect(lambda _: self.read())
        self.gold.itemActivated.connect(lambda _: self._explain())
        self.read()

    def _add_list(self, title: str, shown: WrappedList, buttons: Sequence[tuple[str, Callable[[], None]]]) -> None:
        self.column.addWidget(text_label(title, "section"))
        self.column.addWidget(shown, 1)
        self.add_row(buttons)

    @property
    def version_id(self) -> int:
        """The chosen rubric version."""
        return int(self.versions.currentData())

    def read(self) -> None:
        """Read how everybody stands under the chosen version."""
        services, version_id = self._context.services, self.version_id
        self._context.tasks.query(lambda: read_quiz(services, version_id), self._show, owner=self, key="quiz")

    def _show(self, found: QuizChoices) -> None:
        self.choices = found
        quiz = found.stands.quiz
        if quiz is not None:
            self.mark.setValue(round(100 * quiz.pass_mark))
            self.items.setValue(len(quiz.pair_ids))
        inside = set(quiz.pair_ids) if quiz is not None else set[int]()
        places = (self.gold.currentRow(), self.people.currentRow())
        self.gold.clear()
        for pair_id, why in found.gold.items():
            sign = "●" if pair_id in inside else "○"
            self.gold.addItem(f"{sign} pair {pair_id}: {short(' '.join(why.split()), _SHORT) or 'no reason written'}")
        self.people.clear()
        for one in found.stands.reviewers:
            self.people.addItem(f"{one.name}: {one.words()}")
        for shown, place in zip((self.gold, self.people), places, strict=True):
            shown.setCurrentRow(max(0, place) if shown.count() else -1)

    def _set(self) -> None:
        service, by = self._context.services.qualification, self._context.session.reviewer_id
        version_id, mark, items = self.version_id, self.mark.value() / 100, self.items.value()
        self.change(lambda: service.set_quiz(version_id, pass_mark=mark, items=items, by=by))

    def _explain(self) -> None:
        place = self.gold.currentRow()
        if self.choices is None or place < 0:
            return
        pair_id, why = list(self.choices.gold.items())[place]
        words = self._context.dialogs.text(f"Pair {pair_id}", "What is told after an answer", why, lines=5)
        if words is not None:
            service, by, version_id = (
                self._context.services.qualification,
                self._context.session.reviewer_id,
                self.version_id,
            )
            self.change(lambda: service.explain(version_id, pair_id, words, by))

    def _waive(self) -> None:
        reason = self._context.dialogs.text("Waive the quiz", "Why this reviewer needs no quiz", accept="Waive")
        if reason is not None:
            self._say(waived=True, reason=reason)

    def _require(self) -> None:
        self._say(waived=False, reason="")

    def _say(self, *, waived: bool, reason: str) -> None:
        place = self.people.currentRow()
        if self.choices is None or place < 0:
            return
        one, version_id = self.choices.stands.reviewers[place], self.version_id
        service, by = self._context.services.qualification, self._context.session.reviewer_id
        self.change(lambda: service.waive(version_id, one.reviewer_id, waived=waived, reason=reason, by=by))


def read_quiz(services: Application, version_id: int) -> QuizChoices:
    """Return what the dialog shows. Reads the database."""
    return QuizChoices(services.qualification.of_version(version_id), services.qualification.gold_items(version_id))
