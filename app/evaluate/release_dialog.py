"""The dialog of a new release: what the gate says, who approves, in which forms, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QWidget

from app.background.task import BackgroundTask, TaskState
from app.context import AppContext
from app.widgets.buttons import push_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.field_grid import FieldGrid
from app.widgets.form_parts import labelled_fields
from app.widgets.labels import text_label
from app.widgets.messages import ProgressLine
from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.release_gate import STATE_WORDS

if TYPE_CHECKING:  # these load the model exports, which the window does not wait for
    from core.services.releases.draft import ReleaseDraft
    from core.services.releases.views import ReleaseRequest

FORMS: tuple[tuple[str, str, str], ...] = (
    ("adapter", "Adapter (PEFT)", "Small; loaded on top of the base model."),
    ("merged", "Merged weights (safetensors)", "A complete model folder."),
    ("gguf", "GGUF", "One file for llama.cpp, Ollama and LM Studio."),
)
_UNSAFE = '/\\:*?"<>|'
Send = Callable[["ReleaseRequest", bool, Callable[[], object], Callable[[Exception], None]], BackgroundTask]
"""Makes a release in the background, and measures it again if asked to; calls back when it is made, or could not be."""


class ReleaseDialog(BaseDialog):
    """Asks how a release is made. It stays open until it is made, and shows what keeps it from that.

    Args:
        parent: a widget of the window.
        context: theme, settings, the folder chooser.
        evaluation: id of the evaluation.
        draft: what is known of the release.
        send: makes it.
    """

    def __init__(self, parent: QWidget, context: AppContext, evaluation: str, draft: ReleaseDraft, send: Send) -> None:
        theme = context.theme
        super().__init__(parent, "Make a release", size=QSize(theme.px(600), theme.px(640)), settings=context.settings)
        self._context, self._evaluation, self._draft, self._send = context, evaluation, draft, send
        self._job: BackgroundTask | None = None
        self.approver, self.other, self.name = ComboBox(outside=True), QLineEdit(), QLineEdit(draft.name)
        self.folder = QLineEdit(str(Path.home()))
        self.choose = push_button("Choose…", name="Choose the folder")
        self.forms = {form: QCheckBox(title) for form, title, _ in FORMS}
        self.thresholds = {title: QCheckBox(title.replace("&", "&&")) for title in draft.thresholds}
        self.despite, self.why = QCheckBox("Release it despite the gate"), QLineEdit()
        self.verify = QCheckBox("Measure it again from its contract afterwards")
        scroll = ScrollColumn(margin=2, spacing=10, name="The new release")
        for card in (self._gate_card(), self._people_card(), self._content_card(), self._place_card()):
            scroll.column.addWidget(card)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.progress, self.error = ProgressLine(title="Making the release"), text_label("", "error", wrap=True)
        self.progress.hide()
        for part in (self.progress, self.error):
            self.column.addWidget(part)
        self.make = self.add_buttons("Make the release")
        self._bind()
        self._check()

    # The parts

    def _gate_card(self) -> Card:
        outcome, missing = self._draft.decision.outcome, self._draft.missing
        card = Card("1  Gate")
        card.setAccessibleName("What the gate says")
        if self._draft.refusal:
            card.add(text_label(self._draft.refusal, "error", wrap=True))
        if not missing:
            card.add(text_label("Every check holds; what is left is who approves.", "", wrap=True))
        else:
            words = f"{STATE_WORDS[outcome]}: {counted(len(missing), 'check does', 'checks do')} not hold."
            card.add(text_label(words, "strong", wrap=True))
            for reason in missing:
                card.add(text_label(f"· {reason}", "caption", wrap=True))
            about = "Report, cards and contract then say so in their first line, with the reason."
            card.add(self.despite)
            card.add(text_label(about, "hint", wrap=True))
            card.add(self.why)
        for widget in (self.despite, self.why):
            widget.setVisible(bool(missing))
        self.why.setPlaceholderText("Why it is released all the same")
        self.why.setAccessibleName("Why it is released despite the gate")
        return card

    def _people_card(self) -> Card:
        card = Card("2  Who approves")
        able = [person for person in self._draft.approvers if not person.against]
        for person in able:
            self.approver.addItem(person.name, person.name)
        self.approver.addItem("somebody else", "")
        own = self.approver.findData(self._context.session.reviewer_name)
        self.approver.setCurrentIndex(max(0, own))
        ran = f"{self._draft.runner} ran the evaluation and cannot approve." if self._draft.runner else _NO_RUNNER
        card.add(text_label(ran, "hint", wrap=True))
        self.other.setPlaceholderText("Name")
        card.add(labelled_fields((("Approver", self.approver), ("Somebody else", self.other))))
        return card

    def _content_card(self) -> Card:
        card = Card("3  What it holds")
        for what, value in self._draft.of.items():
            card.add(text_label(f"{what}: {value or '–'}", "caption", wrap=True))
        for form, title, hint in FORMS:
            box, refused = self.forms[form], self._draft.refused_forms.get(form, "")  # type: ignore[call-overload]
            box.setEnabled(not refused)
            box.setAccessibleName(title)
            box.setAccessibleDescription(refused or hint)
            card.add(box)
            card.add(text_label(refused or hint, "hint", wrap=True))
        first = next((form for form, _, _ in FORMS if form not in self._draft.refused_forms), "adapter")
        self.forms[first].setChecked(True)
        for title, box in self.thresholds.items():
            box.setAccessibleName(f"Threshold {title}")
            card.add(box)
        about = "Contract, model card, dataset card, report and evidence are always in it."
        card.add(text_label(about, "hint", wrap=True))
        return card

    def _place_card(self) -> Card:
        card = Card("4  Where")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        place = QWidget()
        place.setLayout(row)
        self.folder.setAccessibleName("Folder")
        card.add(FieldGrid([(text_label("Name", "muted"), self.name), (text_label("Folder", "muted"), place)], most=1))
        self.name.setAccessibleName("Name")
        self.where = text_label("", "hint", wrap=True)
        card.add(self.where)
        card.add(self.verify)
        return card

    def _bind(self) -> None:
        self.choose.clicked.connect(self._choose_folder)
        self.approver.currentIndexChanged.connect(lambda _: self._check())
        for field in (self.other, self.name, self.folder, self.why):
            field.textChanged.connect(lambda _: self._check())
        for box in (*self.forms.values(), *self.thresholds.values(), self.despite):
            box.toggled.connect(lambda _: self._check())

    # What is chosen

    @property
    def target(self) -> Path:
        """The folder that will be made."""
        stem = "".join("-" if c in _UNSAFE or c.isspace() else c for c in self.name.text().strip()).strip("-.")
        return Path(self.folder.text().strip()).expanduser() / (stem or "release")

    @property
    def approved_by(self) -> str:
        """Who approves."""
        return str(self.approver.currentData() or "") or self.other.text().strip()

    def request(self) -> ReleaseRequest:
        """Return what was chosen."""
        # It loads the model exports, which the window does not wait for.
        from core.services.releases.views import ReleaseRequest

        return ReleaseRequest(
            self._evaluation,
            self.target,
            self.approved_by,
            self.name.text().strip(),
            tuple(form for form, box in self.forms.items() if box.isChecked()),  # type: ignore[arg-type]
            tuple(title for title, box in self.thresholds.items() if box.isChecked()),
            self.why.text().strip() if self.despite.isChecked() else "",
        )

    def _choose_folder(self) -> None:
        if folder := self._context.dialogs.open_folder("Folder of the release", Path(self.folder.text())):
            self.folder.setText(str(folder))

    def _check(self) -> None:
        """Say what is missing, and enable the button once nothing is."""
        self.other.setEnabled(not self.approver.currentData())
        self.why.setEnabled(self.despite.isChecked())
        self.where.setText(f"It is written to the new folder {self.target}.")
        words = self._missing()
        self.error.setText(words)
        self.error.setVisible(bool(words))
        self.make.setEnabled(not words and self._job is None)

    def _missing(self) -> str:
        draft = self._draft
        if draft.refusal:
            return draft.refusal
        if draft.missing and not self.despite.isChecked():
            return f"{STATE_WORDS[draft.decision.outcome]}: the checks above keep this policy from being released."
        if draft.missing and not self.why.text().strip():
            return "Say why it is released despite the gate."
        if not self.approved_by:
            return "Name who approves it."
        if draft.runner and self.approved_by.casefold() == draft.runner.strip().casefold():
            return f"{self.approved_by} ran this evaluation and cannot approve its release."
        if not any(box.isChecked() for box in self.forms.values()):
            return "Choose at least one form of the policy."
        return "" if self.folder.text().strip() and self.name.text().strip() else "Choose a folder and a name."

    # Making

    def accept(self) -> None:
        """Make the release; close once it is made."""
        if self._missing() or self._job is not None:
            return
        self._job = self._send(self.request(), self.verify.isChecked(), super().accept, self._refused)
        self._job.changed.connect(self._followed)
        self.progress.follow(self._job)
        self.progress.show()
        self.make.setEnabled(False)

    def _followed(self) -> None:
        """Offer the button again once the job was cancelled; nothing was written then."""
        if self._job is not None and self._job.state is TaskState.CANCELLED:
            self._refused(UserError("Cancelled; nothing was released."))

    def _refused(self, error: Exception) -> None:
        """Say why it could not be made; what was chosen stays."""
        self._job = None
        self.progress.hide()
        self._check()
        self.error.setText(str(error))
        self.error.setVisible(True)

    def done(self, result: int) -> None:
        """Close; a release that is being made is cancelled, and nothing of it is left behind."""
        if self._job is not None and result != self.DialogCode.Accepted:
            self._job.cancel()
        super().done(result)


_NO_RUNNER = "Who ran this evaluation is not known: its sealed test was opened by nobody by name."
