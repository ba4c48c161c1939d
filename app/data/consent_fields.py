"""The fields of a consent: word, scope and end."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from core.domain.consent import Consent, date_ms

WORDS: tuple[tuple[str, str], ...] = (
    ("unknown", "Consent unknown"),
    ("granted", "Consent granted"),
    ("withdrawn", "Consent withdrawn"),
)
SCOPES: tuple[tuple[str, str], ...] = (
    ("all", "for every use"),
    ("training", "for training only"),
    ("evaluation", "for evaluation only"),
)


class ConsentFields(QWidget):
    """Asks for a consent; scope and end belong to a granted one. ``changed()`` fires with each change.

    Args:
        fixed: the word, where only scope and end are asked for; empty asks for the word too.
    """

    changed = Signal()

    def __init__(self, fixed: str = "") -> None:
        super().__init__()
        self.word, self.scope, self.end = ComboBox(), ComboBox(), QLineEdit()
        self._until = text_label("until", "muted")
        for box, options, name in ((self.word, WORDS, "Consent"), (self.scope, SCOPES, "Scope of the consent")):
            for key, words in options:
                box.addItem(words, key)
            box.setAccessibleName(name)
            box.activated.connect(lambda _: self._follow())
        self.end.setAccessibleName("End of the consent")
        self.end.setPlaceholderText("no end, or 2027-05-31")
        self.end.textChanged.connect(lambda _: self.changed.emit())
        row = FlowLayout(self, row_spacing=4)
        for widget in (self.word, self.scope, self._until):
            row.addWidget(widget)
        row.add(self.end, least=9)
        if fixed:
            self.word.setCurrentIndex(self.word.findData(fixed))
            self.word.hide()
        self._follow()

    def consent(self) -> Consent:
        """Return the consent that the fields say.

        Raises:
            BadInput: when the end is no date.
        """
        word, end = self.word.currentData(), self.end.text().strip()
        if word != "granted":
            return Consent(word)
        return Consent(word, self.scope.currentData(), date_ms(end) if end else None)

    def _follow(self) -> None:
        granted = self.word.currentData() == "granted"
        for widget in (self.scope, self._until, self.end):
            widget.setVisible(granted)
        self.changed.emit()
