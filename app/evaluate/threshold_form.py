"""Two small dialogs: what a new threshold is chosen from, and who opens which sealed test to confirm one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QLineEdit, QWidget

from app.context import AppContext
from app.evaluate.threshold_words import DETECTOR_TITLES, USES, SealedChoice
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.labels import text_label
from app.widgets.paragraph_field import ParagraphField
from core.domain.consent import date_ms
from core.domain.counting import counted
from core.domain.dataset import DatasetVersion
from core.domain.errors import BadInput, UserError
from core.domain.threshold import ErrorCosts
from core.services.thresholds.requests import DETECTORS, Confirmation, NewThreshold

Send = Callable[[NewThreshold, Callable[[], object], Callable[[Exception], None]], None]
"""Makes a threshold in the background; calls back when it is stored, or with the error."""
ConfirmSend = Callable[[Confirmation, Callable[[], object], Callable[[Exception], None]], None]
_RULES_HINT = "0.9 \\bbleach\\b\n0.4 acid"


class NewThresholdDialog(BaseDialog):
    """Asks what gives the scores and on which pairs the threshold is chosen. It stays open until it is stored.

    Args:
        parent: a widget of the window.
        context: theme and settings.
        versions: dataset versions with a dev split, newest first.
        costs: by which the cheapest threshold is taken.
        send: measures and stores it.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, versions: Sequence[DatasetVersion], costs: ErrorCosts, send: Send
    ) -> None:
        super().__init__(parent, "New threshold")
        self._costs, self._send = costs, send
        self.setMinimumWidth(context.theme.px(520))
        about = (
            "Each chosen answer of the dev split should pass, each rejected one should be stopped. The threshold that "
            "costs least is taken; another point of its curve can be stored afterwards."
        )
        self.column.addWidget(text_label(about, "caption", wrap=True))
        self.name, self.until, self.note = QLineEdit("harm"), QLineEdit(), QLineEdit()
        self.dataset, self.detector = ComboBox(outside=True), ComboBox()
        self.read, self.use, self.action = ComboBox(), ComboBox(), ComboBox()
        for version in versions:
            pairs = counted(version.counts.get("dev", 0), "pair")
            self.dataset.addItem(f"{version.title} · {pairs} in dev", version.id)
        for combo, words in (
            (self.detector, DETECTOR_TITLES.items()),
            (self.read, (("answer", "the answer"), ("both", "prompt and answer"))),
            (self.use, USES.items()),
            (self.action, (("refuse", "refuse the answer"), ("flag", "flag it and let it pass"))),
        ):
            for key, label in words:
                combo.addItem(label, key)
        self.until.setPlaceholderText("2027-05-31")
        self.until.setToolTip("Empty: it does not end.")
        self.until.setAccessibleDescription("A day as 2027-05-31; empty: it does not end.")
        self.rules = ParagraphField("Rules", 4, hint=_RULES_HINT)
        self.about, self.rules_about = text_label("", "hint", wrap=True), text_label("", "hint", wrap=True)
        self.rules_about.setText("A weight and a regular expression a line; case does not matter.")
        rows = (
            ("Name", self.name), ("Chosen on", self.dataset), ("Detector", self.detector), ("It reads", self.read),
            ("For", self.use), ("Action", self.action), ("Valid until", self.until), ("Note", self.note),
        )  # fmt: skip
        for label, widget in rows:
            widget.setAccessibleName(label)
        self.column.addWidget(FieldGrid([(text_label(label, "muted"), w) for label, w in rows], most=2))
        self.column.addWidget(self.about)
        self.column.addWidget(self.rules_about)
        self.column.addWidget(self.rules)
        self.error = text_label("", "error", wrap=True)
        self.column.addWidget(self.error)
        self.store = self.add_buttons("Measure and store")
        self.detector.currentIndexChanged.connect(lambda _: self._chosen())
        self.use.currentIndexChanged.connect(lambda _: self._chosen())
        self._chosen()

    def _chosen(self) -> None:
        """Show only what belongs to the detector and the use."""
        detector = self.detector.currentData()
        self.about.setText(f"Detector: {DETECTORS[detector]}.")
        self.rules.setVisible(detector == "rules")
        self.rules_about.setVisible(detector == "rules")
        self.read.setEnabled(detector != "refusal")
        self.action.setEnabled(self.use.currentData() == "guardrail")

    def request(self) -> NewThreshold:
        """Return what the form asks for.

        Raises:
            BadInput: without a dataset version, or for a day that is none.
        """
        if self.dataset.currentData() is None:
            raise BadInput("There is no dataset version with a dev split.", "Freeze one first (Data).")
        until = self.until.text().strip()
        return NewThreshold(
            name=self.name.text().strip(),
            dataset=int(self.dataset.currentData()),
            detector=self.detector.currentData(),
            rules=self.rules.toPlainText(),
            read=self.read.currentData(),
            use=self.use.currentData(),
            action=self.action.currentData(),
            costs=self._costs,
            valid_to_ms=date_ms(until) if until else 0,
            note=self.note.text().strip(),
        )

    def accept(self) -> None:
        """Measure and store; close once that is done."""
        try:
            request = self.request()
        except UserError as error:
            self._refused(error)
            return
        self.error.setText("")
        self.store.setEnabled(False)
        self._send(request, super().accept, self._refused)

    def _refused(self, error: Exception) -> None:
        """Say why it was not stored; what was typed stays."""
        self.store.setEnabled(True)
        self.error.setText(words_of(error))


class ConfirmDialog(BaseDialog):
    """Asks which sealed test is opened, by whom and why.

    Args:
        parent: a widget of the window.
        context: theme, and who is labelling.
        title: of the threshold.
        splits: versions with a test split.
        send: opens and measures.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, title: str, splits: Sequence[SealedChoice], send: ConfirmSend
    ) -> None:
        super().__init__(parent, f"Confirm {title}")
        self._send = send
        self.setMinimumWidth(context.theme.px(460))
        about = (
            "The sealed test is opened in a process of its own, from which only the two error rates come back. It is a "
            "look: who opened it, when and why is noted for good."
        )
        self.column.addWidget(text_label(about, "caption", wrap=True))
        self.dataset = ComboBox(outside=True)
        for split in splits:
            self.dataset.addItem(split.words, split.title)
        self.person, self.reason = QLineEdit(context.session.reviewer_name), QLineEdit()
        self.reason.setPlaceholderText("Guardrail of the release candidate")
        rows = (("Sealed test", self.dataset), ("Opened by", self.person), ("Reason", self.reason))
        for label, widget in rows:
            widget.setAccessibleName(label)
        self.column.addWidget(FieldGrid([(text_label(label, "muted"), w) for label, w in rows], most=1))
        self.error = text_label("", "error", wrap=True)
        self.column.addWidget(self.error)
        self.go = self.add_buttons("Open and measure")

    def accept(self) -> None:
        """Open and measure; close once the confirmed version is stored."""
        if self.dataset.currentData() is None:
            self._refused(BadInput("No dataset version has a test split.", "Freeze one with a share for the test."))
            return
        self.go.setEnabled(False)
        self.error.setText("")
        asked = Confirmation(str(self.dataset.currentData()), self.person.text(), self.reason.text())
        self._send(asked, super().accept, self._refused)

    def _refused(self, error: Exception) -> None:
        self.go.setEnabled(True)
        self.error.setText(words_of(error))


def words_of(error: Exception) -> str:
    """Return an error with what to do."""
    return str(error)
