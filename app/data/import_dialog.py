"""Import: which file, how it is read, what its first rows become, under which terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QWidget

from app.context import AppContext
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import text_label
from core.domain.errors import UserError

if TYPE_CHECKING:
    from core.services.importing.formats.row_format import FormatInfo
    from core.services.importing.report import ImportPreview, ImportReport

REJECTS = 20
"""Rejected rows listed before the samples."""
SAMPLES = 5
CONSENT = (("granted", "Granted"), ("unknown", "Not known"), ("withdrawn", "Withdrawn"))


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the dialog asks for; the names are those of ``ImportService.run``.

    Attributes:
        fmt: key of the format, None for the detected one.
        name: of the source, None for a name made from the file's.
        licence: of the source, free text.
        consent: of the people who wrote it: granted, unknown or withdrawn.
    """

    fmt: str | None = None
    name: str | None = None
    licence: str = ""
    consent: str = "granted"


class ImportDialog(BaseDialog):
    """Shows a preview and asks for confirmation; the caller runs the import."""

    def __init__(
        self,
        parent: QWidget,
        context: AppContext,
        path: Path,
        preview: ImportPreview,
        formats: Sequence[FormatInfo],
    ) -> None:
        size = QSize(context.theme.px(760), context.theme.px(560))
        super().__init__(parent, f"Import {path.name}", size=size, settings=context.settings)
        self._context, self._path = context, path
        self.format, self.consent = ComboBox(outside=True), ComboBox()
        for info in formats:
            self.format.addItem(info.title, info.key)
        for key, words in CONSENT:
            self.consent.addItem(words, key)
        self.name, self.licence = QLineEdit(preview.name), QLineEdit()
        self.licence.setPlaceholderText("MIT, CC-BY-4.0 …")
        self.summary = text_label("", "muted", wrap=True)
        self.sample = QPlainTextEdit()
        self.sample.setReadOnly(True)
        self.sample.setAccessibleName("First rows")
        self.column.addWidget(self._form())
        self.column.addWidget(self.summary)
        self.column.addWidget(self.sample, 1)
        self.go = self.add_buttons("Import")
        self.format.activated.connect(lambda _: self._read_preview())
        self.show_preview(preview)

    @property
    def options(self) -> ImportOptions:
        """What was chosen."""
        return ImportOptions(
            self.format.currentData(),
            self.name.text().strip() or None,
            self.licence.text().strip(),
            self.consent.currentData(),
        )

    def show_preview(self, preview: ImportPreview) -> None:
        """Show how the file is read and what its first rows become."""
        self.format.setCurrentIndex(max(0, self.format.findData(preview.fmt)))
        known = f"It was imported before as {preview.known_as}; pairs that are stored already add nothing."
        parts = (preview_text(preview), known if preview.known_as else "", *preview.notes)
        self.summary.setText(" ".join(part for part in parts if part))
        self.sample.setPlainText(sample_text(preview))
        self.go.setEnabled(preview.good > 0)

    def _form(self) -> FieldGrid:
        rows: list[tuple[QLabel, QWidget]] = []
        for label, widget in (
            ("Format", self.format),
            ("Name of the source", self.name),
            ("Licence", self.licence),
            ("Consent of those who wrote it", self.consent),
        ):
            widget.setAccessibleName(label)
            rows.append((text_label(label), widget))
        return FieldGrid(rows, most=1)

    def _read_preview(self) -> None:
        service, fmt, path = self._context.services.imports, self.format.currentData(), self._path
        self._context.tasks.query(
            lambda: service.preview(path, fmt), self.show_preview, self._show_problem, owner=self, key="preview"
        )

    def _show_problem(self, error: Exception) -> None:
        text = str(error) if isinstance(error, UserError) else "The file cannot be read in this format."
        self.summary.setText(text)
        self.go.setEnabled(False)


def preview_text(preview: ImportPreview) -> str:
    """Return how a file is read and what its first rows become."""
    more = "" if preview.complete else " (the beginning of the file)"
    by = f" by {len(preview.reviewers)} reviewers" if len(preview.reviewers) > 1 else ""
    return (
        f"{preview.kind}, read as {preview.title}. {preview.checked:,} rows checked{more}: {preview.good:,} good, "
        f"{preview.bad:,} to be rejected, {preview.labels:,} labels{by}."
    )


def sample_text(preview: ImportPreview) -> str:
    """Return the first pairs and the first rejected rows as text."""
    blocks = [
        f"PROMPT\n{sample.prompt.last_text[:600]}\n\nFIRST\n{sample.first.text[:400]}\n\n"
        f"SECOND\n{sample.second.text[:400]}"
        for sample in preview.samples[:SAMPLES]
    ]
    if preview.rejects:
        blocks.insert(0, "\n".join(f"Rejected: row {r.line}: {r.reason}" for r in preview.rejects[:REJECTS]))
    return ("\n" + "─" * 50 + "\n").join(blocks)


def import_text(report: ImportReport) -> str:
    """Return in words how an import ended: rows = imported + already stored + rejected."""
    text = (
        f"{report.rows:,} rows: {report.imported:,} imported, {report.duplicates:,} stored already, "
        f"{report.rejected:,} rejected. {report.judgements:,} labels were imported with them."
    )
    return f"Stopped. {text} Import the file again to continue." if report.cancelled else text
