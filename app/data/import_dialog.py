"""Import: which file, what it was recognised as, what the first rows become, under which terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QPlainTextEdit, QWidget

from app.context import AppContext
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from core.domain.errors import UserError

REJECTS = 20
"""Rejected rows named before the samples."""
CONSENT = (("granted", "Granted"), ("unknown", "Not known"), ("withdrawn", "Withdrawn"))


class ImportDialog(BaseDialog):
    """Shows a preview and asks for confirmation; the import itself runs as a job of the page."""

    def __init__(self, parent: QWidget, context: AppContext, path: Path, preview: Any, formats: list[Any]) -> None:
        size = QSize(context.theme.px(760), context.theme.px(560))
        super().__init__(parent, f"Import {path.name}", size=size, settings=context.settings)
        self._context, self._path = context, path
        form = QFormLayout()
        self.format = QComboBox()
        for info in formats:
            self.format.addItem(info.title, info.key)
        self.name, self.licence, self.consent = QLineEdit(preview.name), QLineEdit(), QComboBox()
        self.licence.setPlaceholderText("e.g. MIT, CC-BY-4.0, internal")
        for key, words in CONSENT:
            self.consent.addItem(words, key)
        for label, widget in (
            ("Format", self.format),
            ("Name of the source", self.name),
            ("Licence", self.licence),
            ("Consent of those who wrote it", self.consent),
        ):
            widget.setAccessibleName(label)
            form.addRow(label, widget)
        self.column.addLayout(form)
        self.summary = text_label("", "muted", wrap=True)
        self.column.addWidget(self.summary)
        self.sample = QPlainTextEdit()
        self.sample.setReadOnly(True)
        self.sample.setAccessibleName("First rows")
        self.column.addWidget(self.sample, 1)
        self.go = self.add_buttons("Import")
        self.format.activated.connect(lambda _: self._look_again())
        self.show_preview(preview)

    @property
    def words(self) -> dict[str, Any]:
        """What the import is to be called with."""
        return {
            "fmt": self.format.currentData(),
            "name": self.name.text().strip() or None,
            "licence": self.licence.text().strip(),
            "consent": self.consent.currentData(),
        }

    def show_preview(self, preview: Any) -> None:
        """Show what the file was recognised as."""
        self.format.setCurrentIndex(max(0, self.format.findData(preview.fmt)))
        known = (
            f" It was imported before as {preview.known_as}; pairs that are there add nothing."
            if preview.known_as
            else ""
        )
        self.summary.setText(" ".join(part for part in (preview_text(preview), known.strip(), *preview.notes) if part))
        self.sample.setPlainText(sample_text(preview))
        self.go.setEnabled(preview.good > 0)

    def _look_again(self) -> None:
        service, fmt, path = self._context.services.imports, self.format.currentData(), self._path
        self._context.tasks.query(
            lambda: service.preview(path, fmt), self.show_preview, self._cannot, owner=self, key="preview"
        )

    def _cannot(self, error: Exception) -> None:
        text = str(error) if isinstance(error, UserError) else "This format does not fit the file."
        self.summary.setText(text)
        self.go.setEnabled(False)


def preview_text(preview: Any) -> str:
    """Return what a file was recognised as and what its first rows become."""
    more = "" if preview.complete else " (the beginning of the file)"
    by = f" by {len(preview.reviewers)} reviewers" if len(preview.reviewers) > 1 else ""
    return (
        f"{preview.kind}, read as {preview.title}. {preview.checked:,} rows looked at{more}: {preview.good:,} good, "
        f"{preview.bad:,} to be rejected, {preview.labels:,} labels{by}."
    )


def sample_text(preview: Any) -> str:
    """Return the first pairs and the first rejected rows as text."""
    blocks = []
    for sample in preview.samples[:5]:
        blocks.append(
            f"PROMPT\n{sample.prompt.last_text[:600]}\n\nFIRST\n{sample.first.text[:400]}\n\nSECOND\n{sample.second.text[:400]}"
        )
    if preview.rejects:
        blocks.insert(0, "\n".join(f"Rejected: row {r.line}: {r.reason}" for r in preview.rejects[:REJECTS]))
    return ("\n" + "─" * 50 + "\n").join(blocks)


def import_text(report: Any) -> str:
    """Return in words how an import ended: rows = imported + there already + rejected."""
    text = (
        f"{report.rows:,} rows: {report.imported:,} imported, {report.duplicates:,} there already, "
        f"{report.rejected:,} rejected. {report.judgements:,} labels came along."
    )
    return f"Stopped. {text} Import the file again to go on." if report.cancelled else text
