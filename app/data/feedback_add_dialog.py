"""Typing an event in: its kind, its texts, consent; the fields that the kind needs are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QWidget

from app.context import AppContext
from app.data.consent_fields import ConsentFields
from app.data.feedback_words import KINDS
from app.widgets.containers import ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.labels import restyle, text_label
from core.domain.consent import Consent
from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.feedback import FeedbackContent, FeedbackKind

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "thumbs": ("thumb", "prompt", "answer", "note"),
    "correction": ("prompt", "answer", "better", "note"),
    "attack": ("prompt", "answer", "note"),
    "complaint": ("note", "prompt", "answer"),
    "text": ("note",),
}
"""Kind -> its fields."""
_TITLES = {
    "prompt": "What was asked",
    "answer": "What the policy answered",
    "better": "The answer that is wanted instead",
    "note": "In the author's words",
}


class FeedbackAddDialog(BaseDialog):
    """Asks for an event.

    Args:
        parent: a widget of the window.
        context: for the theme and the kept size.
        about: parts of an event that are known already, by the names of ``FeedbackContent``: they cannot be changed.
    """

    def __init__(self, parent: QWidget, context: AppContext, about: Mapping[str, Any] | None = None) -> None:
        size = QSize(context.theme.px(620), context.theme.px(600))
        super().__init__(parent, "Add an event", size=size, settings=context.settings)
        self._about = dict(about or {})
        self.kind, self.thumb = ComboBox(), ComboBox()
        self.author, self.release = QLineEdit(), QLineEdit()
        self.consent = ConsentFields()
        self.texts: dict[str, QPlainTextEdit] = {}
        self._labels: dict[str, QLabel] = {}
        self.problem = text_label("", "error", wrap=True)
        self._build()
        self.add = self.add_buttons("Add   Ctrl+⏎", name="Add the event")
        self._follow()

    def content(self) -> FeedbackContent:
        """Return what was typed in.

        Raises:
            BadInput: when a part that the kind needs is missing.
        """
        kind = cast("FeedbackKind", self.kind.currentData())
        said = {name: self.texts[name].toPlainText() for name in _NEEDS[kind] if name != "thumb"}
        prompt = said.pop("prompt", "")
        values: dict[str, Any] = {
            **said,
            "prompt": Prompt.from_text(prompt) if prompt.strip() else None,
            "thumb": self.thumb.currentData() if kind == "thumbs" else None,
            "author": self.author.text().strip(),
            "release": self.release.text().strip(),
            **self._about,
        }
        return FeedbackContent(kind=kind, **values)

    def given(self) -> Consent:
        """Return the consent.

        Raises:
            BadInput: when its end is no date.
        """
        return self.consent.consent()

    def _build(self) -> None:
        scroll = ScrollColumn(margin=2, name="Event")
        column = scroll.column
        for key, words in KINDS:
            self.kind.addItem(words, key)
        for value, words in ((1, "Thumbs up"), (-1, "Thumbs down")):
            self.thumb.addItem(words, value)
        self.kind.setCurrentIndex(self.kind.findData("complaint"))
        for name, box in (("Type", self.kind), ("Thumb", self.thumb)):
            box.setAccessibleName(name)
            box.activated.connect(lambda _: self._follow())
            column.addWidget(box)
        for name, title in _TITLES.items():
            field = self.texts[name] = QPlainTextEdit()
            field.setAccessibleName(title)
            field.setTabChangesFocus(True)
            field.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
            field.textChanged.connect(self._follow)
            self._labels[name] = text_label(title, "caption")
            column.addWidget(self._labels[name])
            column.addWidget(field, 1)
        for title, line in (("Author (a pseudonym)", self.author), ("Release", self.release)):
            line.setAccessibleName(title)
            line.setPlaceholderText(title)
            column.addWidget(line)
        for name in ("prompt", "answer"):
            if name in self._about:
                value = self._about[name]
                self.texts[name].setPlainText(value.last_text if isinstance(value, Prompt) else str(value))
                self.texts[name].setReadOnly(True)
        for name, line in (("release", self.release), ("author", self.author)):
            if name in self._about:
                line.setText(str(self._about[name]))
                line.setReadOnly(True)
        column.addWidget(self.consent)
        self.consent.changed.connect(self._follow)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.problem)

    def _follow(self) -> None:
        """Show the fields of the kind, and what is still missing."""
        needed = _NEEDS[self.kind.currentData()]
        self.thumb.setVisible("thumb" in needed)
        for name, field in self.texts.items():
            field.setVisible(name in needed)
            self._labels[name].setVisible(name in needed)
        told = ""
        try:
            self.content()
            self.given()
        except BadInput as error:
            told = f"{error.message} {error.hint}".strip()
        begun = any(field.toPlainText() and not field.isReadOnly() for field in self.texts.values())
        self.problem.setText(told)
        self.problem.setProperty("type", "error" if begun else "muted")  # nothing is wrong before something is typed
        restyle(self.problem)
        if hasattr(self, "add"):
            self.add.setEnabled(not told)
