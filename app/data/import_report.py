"""The report of the last import, above the table until it is dismissed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices

from app.data.import_words import import_text, left_text
from app.theme.theme import Theme
from app.widgets.buttons import icon_button, push_button
from app.widgets.containers import Card
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label

if TYPE_CHECKING:
    from core.services.importing.report import ImportReport

MOST_REASONS = 3


class ImportReportCard(Card):
    """Says what became of every row; ``source_wanted(id, name)`` to show the pairs of the source."""

    source_wanted = Signal(int, str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.title, self.text = text_label("", "section"), text_label("", "", wrap=True, selectable=True)
        self.pairs = push_button("Show its pairs", "link")
        self.rejects = push_button("Open the rejected rows", "link")
        self._source = (0, "")
        self._path = ""
        close = icon_button(theme, "close", "Dismiss the report", size=16)
        close.clicked.connect(self.hide)
        head = FlowLayout()
        head.addWidget(self.title)
        head.add_gap()
        for widget in (self.pairs, self.rejects, close):
            head.addWidget(widget)
        self.add(head)
        self.add(self.text)
        self.pairs.clicked.connect(lambda: self.source_wanted.emit(*self._source))
        self.rejects.clicked.connect(partial(self._open_rejects))
        self.hide()

    def show_report(self, report: ImportReport) -> None:
        """Show how an import ended."""
        self._source, self._path = (report.source_id, report.source_name), report.rejects_path
        self.title.setText(f"{'Stopped' if report.cancelled else 'Imported'}: {report.source_name}")
        lines = [import_text(report), *_reasons(report), *left_text(report)]
        self.text.setText("\n".join(lines))
        self.rejects.setVisible(bool(report.rejects_path))
        self.pairs.setVisible(report.imported + report.duplicates > 0)
        self.show()

    def _open_rejects(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._path))


def _reasons(report: ImportReport) -> list[str]:
    """Return the commonest reasons of the rejected rows as one sentence."""
    some = [f"{reason} ({count:,})" for reason, count in list(report.reasons.items())[:MOST_REASONS]]
    return [f"Rejected because: {'; '.join(some)}."] if some else []
