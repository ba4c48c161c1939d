"""What is done on the Feedback tab beside triage and changesets: adding and importing events, and consent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.background.task import TaskControl
from app.context import AppContext
from app.data.consent_dialogs import GrantDialog, WithdrawDialog
from app.data.consent_subject import ConsentSubject
from app.data.feedback_add_dialog import FeedbackAddDialog
from app.data.feedback_answers_dialog import AnswerSource, FeedbackAnswersDialog, read_sources
from app.data.feedback_import_dialog import FeedbackImportDialog
from app.data.feedback_tab import FeedbackTab
from core.domain.changes import Outcome
from core.domain.counting import counted
from core.domain.feedback import FeedbackEvent, FeedbackReport

if TYPE_CHECKING:
    from core.services.feedback.answers import PolicyAnswer
    from core.services.feedback.consent import StatedConsent, Withdrawal

FILES = "Feedback (*.jsonl *.json *.csv *.tsv *.gz *.zip);;All files (*)"


class FeedbackActions(QObject):
    """Works on the tab.

    Args:
        context: runs the changes.
        tab: the inbox.
        parent: owner of the work and parent of the dialogs.
    """

    def __init__(self, context: AppContext, tab: FeedbackTab, parent: QWidget) -> None:
        super().__init__(parent)
        self._context, self._tab, self._parent = context, tab, parent
        tab.consent.grant_wanted.connect(self.grant)
        tab.consent.withdraw_wanted.connect(self.withdraw)

    def add(self) -> None:
        """Ask for an event and store it."""
        self._add({})

    def add_about_answer(self) -> None:
        """Ask for an answer of a policy, then for what is said of it."""
        self._context.tasks.query(lambda: read_sources(self._context), self._choose_answer, owner=self)

    def import_file(self) -> None:
        """Ask for a file, show what becomes of its records, and import it as a job."""
        path = self._context.dialogs.open_file("Import feedback", FILES)
        if path is None:
            return
        dialog = FeedbackImportDialog(self._parent, self._context, path)
        if self._context.dialogs.run(dialog):
            self._import(path, dialog)
        dialog.deleteLater()

    def consent_of_chosen(self) -> None:
        """Ask whether the consent of the chosen event is granted or withdrawn."""
        event = self._tab.current
        if event is None:
            return
        subject = ConsentSubject("feedback", event.id, f"event {event.id}")
        source = ConsentSubject("source", event.source_id, event.source)
        names = [f"Withdraw it for {subject.name}", f"Grant it for {subject.name}"]
        names += [f"Withdraw it for all of {source.name}", f"Grant it for all of {source.name}"]
        place = self._context.dialogs.choose("Consent", f"Event {event.id} is of {source.name}.", names)
        if place is not None:
            (self.withdraw, self.grant)[place % 2](subject if place < 2 else source)

    def grant(self, subject: ConsentSubject) -> None:
        """Ask for scope and end, and state a granted consent."""
        dialog, service = GrantDialog(self._parent, self._context, subject), self._context.services.consent
        if self._context.dialogs.run(dialog):
            consent, reason = dialog.consent(), dialog.reason.text().strip()
            by = self._context.session.reviewer_id
            self._context.ops.mutate(
                lambda: service.state(subject.kind, subject.key, consent, by=by, reason=reason),
                partial(self._tell_granted, subject),
                owner=self,
            )
        dialog.deleteLater()

    def withdraw(self, subject: ConsentSubject) -> None:
        """Show what a withdrawal touches, and withdraw when that is confirmed."""
        dialog, service = WithdrawDialog(self._parent, self._context, subject), self._context.services.consent
        if self._context.dialogs.run(dialog):
            reason, by = dialog.reason.text().strip(), self._context.session.reviewer_id
            self._context.ops.mutate(
                lambda: service.withdraw(subject.kind, subject.key, by=by, reason=reason),
                partial(self._tell_withdrawn, subject),
                owner=self,
            )
        dialog.deleteLater()

    def read_consents(self) -> None:
        """Read the statements of consent."""
        self._context.tasks.query(
            self._context.services.consent.list, self._tab.consent.show_stated, owner=self, key="consents"
        )

    def _add(self, about: dict[str, Any]) -> None:
        dialog, service = FeedbackAddDialog(self._parent, self._context, about), self._context.services.feedback
        if self._context.dialogs.run(dialog):
            content, consent = dialog.content(), dialog.given()
            self._context.ops.mutate(lambda: service.add(content, consent), self._tell_added, owner=self)
        dialog.deleteLater()

    def _choose_answer(self, sources: Sequence[AnswerSource]) -> None:
        if not sources:
            self._context.notices.post(
                "No policy has answered yet.", hint="Train a run with samples, or evaluate one, then say what you see."
            )
            return
        dialog = FeedbackAnswersDialog(self._parent, self._context, sources)
        if self._context.dialogs.run(dialog) and (answer := dialog.chosen) is not None:
            self._add(_about(answer))
        dialog.deleteLater()

    def _import(self, path: Path, dialog: FeedbackImportDialog) -> None:
        service, choices, consent = self._context.services.feedback, dialog.choices, dialog.consent()
        name, licence = dialog.name.text().strip(), dialog.licence.text().strip()

        def work(control: TaskControl) -> Outcome[FeedbackReport]:
            return service.import_file(
                path, choices, name=name, licence=licence, consent=consent, cancelled=lambda: control.cancelled
            )

        self._context.ops.job(f"Import feedback from {path.name}", work, self._tell_imported, owner=self)

    def _tell_imported(self, outcome: Outcome[FeedbackReport]) -> None:
        report = outcome.value
        told = (
            f"{counted(report.rows, 'record')}: {report.imported:,} imported, {report.known:,} known, "
            f"{report.rejected:,} rejected."
        )
        hint = f"Rejected records: {report.rejects_path}" if report.rejects_path else ""
        self._context.notices.post(told, "ok", hint=hint)

    def _tell_added(self, outcome: Outcome[FeedbackEvent]) -> None:
        self._context.notices.post(f"Event {outcome.value.id} is stored.", "ok")
        self._tab.show_event(outcome.value.id)

    def _tell_granted(self, subject: ConsentSubject, _outcome: Outcome[StatedConsent]) -> None:
        self._context.notices.post(f"Consent for {subject.name} is granted.", "ok")

    def _tell_withdrawn(self, subject: ConsentSubject, outcome: Outcome[Withdrawal]) -> None:
        affected = outcome.value.affected
        self._context.notices.post(
            f"Consent for {subject.name} is withdrawn.", "ok", hint=f"Affected: {affected.sentence()}",
            action="Show all", run=lambda: self.show_consent(subject),
        )  # fmt: skip
        self.show_consent(subject)

    def show_consent(self, subject: ConsentSubject) -> None:
        """Show what a subject agreed to and what holds it."""
        service, panel = self._context.services.consent, self._tab.consent

        def show(stated: Sequence[StatedConsent]) -> None:
            panel.show_stated(stated)
            panel.choose(subject)

        self._tab.show_panel("consent")
        self._context.tasks.query(service.list, show, owner=self, key="consents")


def _about(answer: PolicyAnswer) -> dict[str, Any]:
    """Return what an event about an answer says by itself."""
    known = {
        "prompt": answer.prompt, "answer": answer.answer, "run": answer.run, "release": answer.release,
        "generation": answer.generation, "category": answer.category, "language": answer.language,
    }  # fmt: skip
    return {key: value for key, value in known.items() if value}
