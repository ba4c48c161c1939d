"""Importing: how the file is read, every column and label value, one example whole; all of it can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.context import AppContext
from app.data import import_choices as said
from app.data.card_row import CardRow
from app.data.import_cards import CodingCard, ColumnsCard, ImportExample, QuestionsCard
from app.data.import_choices import CONSENT, ImportOptions
from app.data.import_outcome import FlagsCard, RejectsCard, RowsCard
from app.data.import_words import forecast_summary, preview_summary
from app.data.row_forecast import RowForecast
from app.widgets.buttons import push_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.field_grid import FieldGrid
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.own_keys import press_focused
from core.domain.counting import counted, size_words
from core.domain.errors import UserError
from core.services.importing.reading import Choices, Question

if TYPE_CHECKING:
    from core.services.importing.forecast import Forecast
    from core.services.importing.formats.row_format import FormatInfo
    from core.services.importing.report import ImportPreview

REJECTS = "JSON lines (*.jsonl);;All files (*)"
CONSENT_HINT = (
    "Consent of those who wrote the texts. Only pairs of sources with granted consent enter a dataset version, unless "
    "its policy says otherwise."
)


class ImportPage(QWidget):
    """Shows a file and asks how it is read. Enter imports when nothing is open, Escape goes back.

    ``confirmed(ImportOptions, all_files)`` when the user agreed, ``cancelled()``, ``another()`` for another file,
    ``hub_wanted()`` for one of the hub.
    """

    confirmed = Signal(object, bool)
    cancelled = Signal()
    another = Signal()
    hub_wanted = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._path = Path()
        self._choices = Choices()
        self._asked: dict[str, Question] = {}
        self._formats: Sequence[FormatInfo] = ()
        self.preview: ImportPreview | None = None
        theme = context.theme
        self.file, self.bytes, self.place = (
            ElideLabel("", kind="mono", outside=True),
            Chip(""),
            text_label("", "caption"),
        )
        self.kind, self.known = text_label("", "caption", wrap=True), text_label("", "hint", wrap=True)
        self.format, self.consent = ComboBox(outside=True), ComboBox()
        self.name, self.licence = QLineEdit(), QLineEdit()
        self.problem = text_label("", "error", wrap=True)
        self.columns, self.coding, self.questions = ColumnsCard(), CodingCard(theme), QuestionsCard()
        self.example, self.rejects, self.notes = ImportExample(theme), RejectsCard(), Card("Worth knowing")
        self.rows, self.flags, self.forecast = RowsCard(theme), FlagsCard(), RowForecast(context, self)
        self._note_text = text_label("", "", wrap=True)
        self.summary, self.reason = text_label("", "", wrap=True), text_label("", "caption", wrap=True)
        self.go = push_button("Import   ⏎", "primary", theme=theme, icon="import", name="Import")
        self.command = push_button("Copy the command", theme=theme, icon="console")
        self.go_all, self.cancel = push_button("Import all"), push_button("Cancel   Esc", name="Cancel")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Import")
        self._build()
        self._connect()

    @property
    def options(self) -> ImportOptions:
        """What was chosen."""
        return ImportOptions(
            self._choices, self.name.text().strip() or None, self.licence.text().strip(), self.consent.currentData()
        )

    @property
    def choices(self) -> Choices:
        """How the file is read where the user said so."""
        return self._choices

    def show_file(self, path: Path, place: int = 0, files: int = 1) -> None:
        """Read a file and show how it is understood; the ``place``-th of so many."""
        self._path, self._choices, self._asked, self.preview = path, Choices(), {}, None
        self.file.setText(path.name)
        self.bytes.hide()
        self.place.setText(f"{place + 1} of {files} files" if files > 1 else "")
        self.go_all.setText(f"Import all {files - place} the same way")
        self.go_all.setVisible(files - place > 1)
        self.name.clear()
        self._scroll.verticalScrollBar().setValue(0)
        for part in (self.known, *self._cards):
            part.hide()  # they show the file before until this one is read
        self._read()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Import on Enter, go back on Escape; a focused button keeps its Enter."""
        if press_focused(event, self):
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.go.isEnabled():
            self.go.click()
        elif event.key() == Qt.Key.Key_Escape:
            self._cancel()
        else:
            super().keyPressEvent(event)

    @property
    def _cards(self) -> tuple[Card, ...]:
        """What a file fills."""
        return (
            *(self.columns, self.questions, self.coding, self.example),
            *(self.flags, self.rows, self.rejects, self.notes),
        )

    def _confirm(self, all_files: bool) -> None:
        self.forecast.stop()
        self.confirmed.emit(self.options, all_files)

    def _cancel(self) -> None:
        self.forecast.stop()
        self.cancelled.emit()

    def _save_rejects(self) -> None:
        """Ask for a file and list every rejected row in it."""
        name = f"{self._path.stem} rejected.jsonl"
        to = self._context.dialogs.save_file("Save the list of rejected rows", name, REJECTS)
        if to is not None:
            self.forecast.start_long(self._path, self._choices, to)

    def _build(self) -> None:
        self.notes.add(self._note_text)
        left = _stacked(self._recognised(), self.columns, self.flags, self.notes)
        right = _stacked(self.questions, self.coding, self.example, self.rows, self.rejects)
        self._scroll = scroll = ScrollColumn(margin=0, name="How the file is read")
        scroll.column.addWidget(CardRow([left, right]))
        scroll.column.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._head())
        column.addWidget(self.problem)
        column.addWidget(scroll, 1)
        column.addLayout(self._foot())
        self.problem.hide()

    def _head(self) -> FlowLayout:
        row = FlowLayout()
        for widget in (text_label("Import", "section"), self.file, self.bytes, self.place):
            row.addWidget(widget)
        row.add_gap()
        other = push_button("Another file…", theme=self._context.theme, icon="folder")
        other.clicked.connect(self.another)
        row.addWidget(other)
        hub = push_button("From the Hugging Face Hub…", theme=self._context.theme, icon="download")
        hub.clicked.connect(self.hub_wanted)
        row.addWidget(hub)
        return row

    def _recognised(self) -> Card:
        card = Card("Recognised")
        for key, words in CONSENT:
            self.consent.addItem(words, key)
        self.licence.setPlaceholderText("such as MIT")
        rows = (("Format", self.format), ("Name", self.name), ("Licence", self.licence), ("Consent", self.consent))
        for label, widget in rows:
            widget.setAccessibleName(label)
        card.add(self.kind)
        card.add(FieldGrid([(text_label(label, "muted"), widget) for label, widget in rows], most=1))
        card.add(text_label(CONSENT_HINT, "hint", wrap=True))
        card.add(self.known)
        return card

    def _foot(self) -> FlowLayout:
        row, words = FlowLayout(), QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.summary)
        column.addWidget(self.reason)
        row.add(words, least=14)
        row.add_gap()
        for button in (self.command, self.cancel, self.go_all, self.go):
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self.format.activated.connect(lambda _: self._choose(Choices(fmt=self.format.currentData())))
        self.columns.chosen.connect(lambda name, key: self._choose(said.with_column(self._choices, name, key)))
        self.questions.answered.connect(lambda key, answer: self._choose(said.with_answer(self._choices, key, answer)))
        self.coding.chosen.connect(self._read_value_as)
        self.coding.swapped.connect(self._swap)
        self.flags.chosen.connect(lambda flag, act: self._choose(said.with_flag_action(self._choices, flag, act)))
        self.rows.count_wanted.connect(lambda: self.forecast.start_long(self._path, self._choices))
        self.rejects.save_wanted.connect(self._save_rejects)
        self.forecast.counted.connect(self._show_forecast)
        self.forecast.failed.connect(self.rows.wait)
        self.go.clicked.connect(lambda: self._confirm(False))
        self.go_all.clicked.connect(lambda: self._confirm(True))
        self.cancel.clicked.connect(self._cancel)
        self.command.clicked.connect(self._copy_command)

    def _copy_command(self) -> None:
        """Put the command that imports this file this way on the clipboard."""
        words = said.command_line(self._context.services.folder, self._path, self.options)
        QGuiApplication.clipboard().setText(words)
        self._context.notices.post("The command is on the clipboard.", "ok")

    def _read_value_as(self, value: str, reads: str) -> None:
        if self.preview is not None:
            self._choose(said.with_value(self._choices, self.preview, value, reads))

    def _swap(self) -> None:
        if self.preview is not None:
            self._choose(said.swapped(self._choices, self.preview))

    def _choose(self, choices: Choices) -> None:
        """Take another choice and read the file under it."""
        if choices.fmt != self._choices.fmt:
            self._asked = {}
        self._choices = choices
        self._read()

    def _read(self) -> None:
        service, path, choices = self._context.services.imports, self._path, self._choices
        self.forecast.stop()
        self._show_reason("The file is being read.")
        self._context.tasks.query(
            lambda: (service.preview(path, choices=choices), service.formats()),
            partial(self._show, choices),
            self._fail,
            owner=self,
            key="preview",
        )

    def _show(self, choices: Choices, read: tuple[ImportPreview, list[FormatInfo]]) -> None:
        """Show how the file is read."""
        preview, formats = read
        if choices != self._choices:
            return
        self.preview = preview
        self.problem.hide()
        self._fill_formats(formats, preview)
        self.bytes.set_chip(size_words(preview.size))
        more = "" if preview.reading.complete else " looked at, the rest is checked before anything is stored"
        self.kind.setText(f"{preview.kind} · {counted(preview.reading.rows, 'row')}{more}")
        if not self.name.text():
            self.name.setText(preview.name)
        card = f"{preview.licence}, as the dataset's card says"
        self.licence.setPlaceholderText(card if preview.licence else "such as MIT")
        self.known.setText(f"Imported before as {preview.known_as}; pairs that are stored already add nothing.")
        self.known.setVisible(bool(preview.known_as))
        reading = preview.reading
        self._asked.update({question.key: question for question in (*reading.questions, *reading.offers)})
        self.columns.show_preview(preview, choices)
        self.columns.show()
        self.questions.show_questions(self._asked, choices)
        self.coding.show_preview(preview)
        self.example.show_preview(preview)
        self.flags.show_preview(preview, choices)
        self.rejects.show_rejects(preview.bad, preview.reasons, preview.rejects)
        shown_as_flags = {entry.sentence(choices.flag_actions.get(entry.key, "keep")) for entry in preview.flags}
        notes = [note for note in reading.notes if note not in shown_as_flags]
        self._note_text.setText("\n".join(notes))
        self.notes.setVisible(bool(notes))
        self.summary.setText(preview_summary(preview))
        self._show_reason(said.why_not(preview, reading.questions))
        self._count(preview)

    def _count(self, preview: ImportPreview) -> None:
        """Count all rows where that is quick; offer it for a large file."""
        self.rows.show()
        if preview.reading.questions:
            self.rows.wait("They are counted once the questions are answered.")
        elif not self.forecast.is_quick(preview):
            self.rows.wait(
                "The file is large: its rows are counted when you ask for it, or while they are stored.", ask=True
            )
        else:
            self.rows.wait("The rows are being counted.")
            self.forecast.start(self._path, self._choices)

    def _show_forecast(self, forecast: Forecast) -> None:
        """Show what becomes of every row."""
        if self.preview is not None:
            self.rows.show_forecast(forecast)
            self.rejects.show_rejects(forecast.rejected, forecast.reasons, forecast.rejects)
            self.summary.setText(forecast_summary(forecast, self.preview))

    def _fail(self, error: Exception) -> None:
        """Say why the file cannot be read so; another format or another file may help."""
        text = f"{error.message} {error.hint}" if isinstance(error, UserError) else "The file cannot be read."
        self.preview = None
        self.problem.setText(text.strip())
        self.problem.show()
        self.summary.setText("")
        self._show_reason("This file cannot be imported as it is read now.")
        if not self.format.count():
            service = self._context.services.imports
            self._context.tasks.query(service.formats, self._fill_formats, owner=self, key="formats")

    def _fill_formats(self, formats: Sequence[FormatInfo], preview: ImportPreview | None = None) -> None:
        """List the formats; the first entry is the recognised one."""
        self._formats = formats
        self.format.clear()
        recognised = f"Recognised: {preview.title}" if preview and not self._choices.fmt else "As recognised"
        self.format.addItem(recognised, None)
        for info in formats:
            self.format.addItem(info.title, info.key)
        self.format.setCurrentIndex(max(0, self.format.findData(self._choices.fmt)) if self._choices.fmt else 0)

    def _show_reason(self, reason: str) -> None:
        """Allow the import, or say why it cannot start."""
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.go.setEnabled(not reason)
        self.go_all.setEnabled(not reason)


def _stacked(*cards: QWidget) -> QWidget:
    """Return cards one under the other."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for card in cards:
        column.addWidget(card)
    column.addStretch(1)
    return whole
