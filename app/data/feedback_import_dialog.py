"""Importing feedback: what becomes of each record of a file, the questions that it leaves open, and its consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.context import AppContext
from app.data.consent_fields import ConsentFields
from app.widgets.containers import Card, ScrollColumn, clear_layout
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.labels import ElideLabel, text_label
from core.domain.consent import Consent
from core.domain.counting import counted, verb
from core.domain.errors import BadInput, UserError
from core.services.feedback.columns import FeedbackChoices

if TYPE_CHECKING:
    from core.services.feedback.service import FeedbackForecast
    from core.services.importing.reading import Question


class FeedbackImportDialog(BaseDialog):
    """Shows what an import would do; it can be accepted once every record is accounted for and some are new.

    Args:
        parent: a widget of the window.
        context: reads the file.
        path: the file.
    """

    def __init__(self, parent: QWidget, context: AppContext, path: Path) -> None:
        size = QSize(context.theme.px(680), context.theme.px(620))
        super().__init__(parent, "Import feedback", size=size, settings=context.settings)
        self._context, self.path = context, path
        self.choices = FeedbackChoices()
        self.forecast: FeedbackForecast | None = None
        self._stop = Event()
        self.name, self.licence, self.fields = QLineEdit(path.stem), QLineEdit(), ConsentFields()
        self.summary, self.problem = text_label("", "strong", wrap=True), text_label("", "error", wrap=True)
        self.questions, self.told = QVBoxLayout(), QVBoxLayout()
        self._build()
        self.main = self.add_buttons("Import")
        self.fields.changed.connect(self._read)
        self._read()

    def consent(self) -> Consent:
        """Return the consent of records that say nothing of their own.

        Raises:
            BadInput: when its end is no date.
        """
        return self.fields.consent()

    def done(self, result: int) -> None:
        """Stop reading, and close."""
        self._stop.set()
        super().done(result)

    def _build(self) -> None:
        scroll = ScrollColumn(margin=2, name="How the file is read")
        scroll.column.addWidget(ElideLabel(self.path.name, kind="mono", outside=True))
        for title, field in (("Name of the source", self.name), ("Licence", self.licence)):
            field.setAccessibleName(title)
            label = text_label(title, "caption")
            label.setBuddy(field)
            scroll.column.addWidget(label)
            scroll.column.addWidget(field)
        scroll.column.addWidget(text_label("Consent of records that say nothing of their own", "caption", wrap=True))
        scroll.column.addWidget(self.fields)
        asked, rows = Card("Questions"), Card("What becomes of each record")
        self._asked = asked
        self._last_asked: QWidget = self.fields.end
        asked.add(self.questions)
        rows.add(self.summary)
        rows.add(self.problem)
        rows.add(self.told)
        scroll.column.addWidget(asked)
        scroll.column.addWidget(rows)
        scroll.column.addStretch(1)
        asked.hide()
        self.column.addWidget(scroll, 1)

    def _read(self) -> None:
        """Look at the file as it is read now; a look under way is stopped."""
        self._stop.set()
        self._stop = stop = Event()
        self.forecast = None
        if hasattr(self, "main"):
            self.main.setEnabled(False)
        try:
            consent = self.consent()
        except BadInput as error:
            self._fail(self.choices, error)
            return
        self.summary.setText("The file is being read.")
        service, path, choices = self._context.services.feedback, self.path, self.choices
        self._context.tasks.query(
            lambda: service.forecast(path, choices, consent=consent, cancelled=stop.is_set),
            partial(self._show, choices),
            partial(self._fail, choices),
            owner=self,
            key="forecast",
        )

    def _show(self, choices: FeedbackChoices, found: FeedbackForecast) -> None:
        if choices != self.choices:
            return
        self.forecast = found
        self.problem.setText("")
        self.problem.hide()
        self.summary.setText(
            f"{counted(found.rows, 'record')} = {found.new:,} new + {found.known:,} known + {found.rejected:,} rejected"
        )
        clear_layout(self.told)
        for line in forecast_lines(found):
            self.told.addWidget(text_label(line, "", wrap=True, selectable=True))
        self.main.setEnabled(found.adds_up and found.complete and found.new > 0)
        self.main.setToolTip("" if found.new else "The workspace holds every event of the file.")

    def _fail(self, choices: FeedbackChoices, error: Exception) -> None:
        """Say why the file cannot be read so; ask what it leaves open."""
        if choices != self.choices:
            return
        questions: Sequence[Question] = getattr(error, "questions", ())
        clear_layout(self.told)
        self.summary.setText("Nothing can be imported yet." if questions else "This file cannot be imported.")
        text = f"{error.message} {error.hint}" if isinstance(error, UserError) else "The file cannot be read."
        self.problem.setText("Answer the questions above." if questions else text.strip())
        self.problem.show()
        for question in questions:
            self._ask(question)

    def _ask(self, question: Question) -> None:
        if self.findChild(ComboBox, question.key) is not None:
            return
        box = ComboBox()
        box.setObjectName(question.key)
        box.setAccessibleName(question.sentence)
        box.addItem("Choose…", "")
        for answer in question.answers:
            box.addItem(f"{answer.key}: {answer.meaning}" if answer.meaning != answer.key else answer.key, answer.key)
        box.activated.connect(lambda _: self._answer(question.key, box.currentData()))
        self.questions.addWidget(text_label(question.sentence, "", wrap=True))
        self.questions.addWidget(box)
        self.setTabOrder(self._last_asked, box)
        self._last_asked = box
        self._asked.show()

    def _answer(self, key: str, answer: str) -> None:
        """Take an answer and read the file under it."""
        self.choices = answered(self.choices, key, answer)
        self._read()


def answered(choices: FeedbackChoices, key: str, answer: str) -> FeedbackChoices:
    """Return the choices with the answer to a question; an empty answer takes it back."""
    what, _, word = key.partition(":")
    if what == "kind" and not word:
        return replace(choices, default_kind=answer)
    field = "kinds" if what == "kind" else "thumbs"
    values: dict[str, Any] = {k: v for k, v in getattr(choices, field).items() if k != word}
    return replace(choices, **{field: {**values, word: answer} if answer else values})


def forecast_lines(found: FeedbackForecast) -> list[str]:
    """Return what becomes of the records in sentences."""
    lines = []
    if found.kinds:
        lines.append("New: " + ", ".join(f"{count:,} {kind}" for kind, count in found.kinds.items()))
        lines.append("Their consent: " + ", ".join(f"{count:,} {word}" for word, count in found.consents.items()))
    if attacks := found.kinds.get("attack", 0):
        lines.append(f"{counted(attacks, 'attack')} {verb(attacks, 'stays', 'stay')} apart, never in helpful training.")
    lines += [f"Rejected {count:,}: {reason}" for reason, count in found.reasons.items()]
    lines += [f"Line {one.line}: {one.reason}" for one in found.rejects[:5]]
    columns = ", ".join(f"{' or '.join(names)} as {field}" for field, names in found.columns.items())
    lines.append(f"Columns: {columns}")
    if found.unused:
        lines.append(f"Not used: {', '.join(found.unused)}")
    lines += [f"{one.kind}: {' '.join(one.headline.split())[:160]}" for one in found.first[:5]]
    return lines
