"""Choosing an answer of a policy that somebody says something of: of an evaluation, or a sample of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.inputs import SearchField
from app.widgets.labels import text_label
from app.widgets.safe_text import SafeText
from app.widgets.table import TableColumn, VirtualTable
from core.domain.counting import counted
from core.domain.errors import UserError

if TYPE_CHECKING:
    from core.services.feedback.answers import PolicyAnswer


@dataclass(frozen=True, slots=True)
class AnswerSource:
    """An evaluation or a run whose answers can be chosen."""

    words: str
    evaluation: str = ""
    run: str = ""


class FeedbackAnswersDialog(BaseDialog):
    """Lists answers; ``chosen`` is the one with the cursor.

    Args:
        parent: a widget of the window.
        context: reads the answers.
        sources: where they can come from; at least one.
    """

    def __init__(self, parent: QWidget, context: AppContext, sources: Sequence[AnswerSource]) -> None:
        size = QSize(context.theme.px(820), context.theme.px(600))
        super().__init__(parent, "An answer of a policy", size=size, settings=context.settings)
        self._context = context
        self._found: Sequence[PolicyAnswer] = ()
        self.source, self.suite = ComboBox(outside=True), ComboBox(outside=True)
        self.search, self.count = SearchField(context.theme, "Find in answers"), text_label("", "caption", wrap=True)
        columns = (
            TableColumn("item", "Item", lambda one: one.item, 90),
            TableColumn("prompt", "Prompt", lambda one: " ".join(one.prompt.last_text.split())),
            TableColumn("answer", "Answer", lambda one: " ".join(one.answer.split())),
        )
        self.table = VirtualTable(context.tasks, context.theme, columns, name="Answers", multi=False)
        self.text = SafeText(context.theme, "Answer", size=13)
        for one in sources:
            self.source.addItem(one.words, one)
        for name, widget in (("Evaluation or run", self.source), ("Suite", self.suite)):
            widget.setAccessibleName(name)
            self.column.addWidget(widget)
        self.column.addWidget(self.search)
        self.column.addWidget(self.count)
        self.column.addWidget(self.table, 2)
        self.column.addWidget(self.text, 1)
        self.main = self.add_buttons("Say something of it…")
        self.main.setEnabled(False)
        self.source.activated.connect(lambda _: self._read())
        self.suite.activated.connect(lambda _: self._read_answers())
        self.search.searched.connect(lambda _: self._list())
        self.table.current_changed.connect(self._show)
        self.table.opened.connect(lambda _: self.accept())
        self._read()

    @property
    def chosen(self) -> PolicyAnswer | None:
        """The answer with the cursor."""
        key = self.table.current_id
        return self._found[key] if key is not None else None

    def _read(self) -> None:
        """Read the suites of the source, then its answers."""
        source, service = self.source.currentData(), self._context.services.policy_answers
        if not source.evaluation:
            self.suite.hide()
            self._read_answers()
            return
        self._context.tasks.query(
            lambda: service.suites(source.evaluation), self._show_suites, self._fail, owner=self, key="suites"
        )

    def _show_suites(self, titles: Sequence[str]) -> None:
        self.suite.clear()
        for title in titles:
            self.suite.addItem(title, title)
        self.suite.setVisible(bool(titles))
        if titles:
            self._read_answers()
        else:
            self._take([])
            self.count.setText("Every suite of this evaluation is a sealed test, whose texts nobody sees.")

    def _read_answers(self) -> None:
        source, service, suite = self.source.currentData(), self._context.services.policy_answers, self.suite
        title = suite.currentData() or ""

        def read() -> list[PolicyAnswer]:
            if source.evaluation:
                return service.of_evaluation(source.evaluation, title)
            return service.of_run(source.run)

        self._context.tasks.query(read, self._take, self._fail, owner=self, key="answers")

    def _take(self, found: Sequence[PolicyAnswer]) -> None:
        self._found = found
        self._list()

    def _list(self) -> None:
        words, found = self.search.text().casefold().split(), self._found
        texts = [f"{one.item} {one.prompt.last_text} {one.answer}".casefold() for one in found]
        ids = [place for place, text in enumerate(texts) if all(word in text for word in words)]
        self.count.setText(counted(len(ids), "answer") + (f" of {found[0].arm}, {found[0].place}" if found else ""))
        self.table.show_ids(ids, lambda keys: [found[key] for key in keys], keep=False)
        self.table.go_to(0)
        self.main.setEnabled(bool(ids))
        if not ids:
            self.text.set_text("")

    def _show(self, key: int | None) -> None:
        if key is not None and key < len(self._found):
            self.text.set_text(self._found[key].answer)

    def _fail(self, error: Exception) -> None:
        self._take([])
        self.count.setText(f"{error.message} {error.hint}" if isinstance(error, UserError) else "Nothing can be read.")


def read_sources(context: AppContext) -> list[AnswerSource]:
    """Return the evaluations and runs of the workspace, newest first. Reads folders."""
    services = context.services
    found = [
        AnswerSource(f"Evaluation {one.name}", evaluation=one.evaluation_id) for one in services.evaluations.list()
    ]
    return [*found, *(AnswerSource(f"Samples of run {one.name}", run=one.run_id) for one in services.runs.list())]
