"""Granting a consent; withdrawing one, with everything that holds it shown before it is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLineEdit, QWidget

from app.context import AppContext
from app.data.consent_affected import AffectedView
from app.data.consent_fields import ConsentFields
from app.data.consent_subject import ConsentSubject
from app.widgets.containers import ScrollColumn
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from core.domain.consent import Consent
from core.domain.errors import BadInput, UserError

if TYPE_CHECKING:
    from core.services.feedback.consent import Affected


class GrantDialog(BaseDialog):
    """Asks for scope, end and reason of a granted consent."""

    def __init__(self, parent: QWidget, context: AppContext, subject: ConsentSubject) -> None:
        super().__init__(parent, "Grant a consent")
        self.setMinimumWidth(context.theme.px(430))
        self.fields, self.reason = ConsentFields("granted"), QLineEdit()
        self.problem = text_label("", "error", wrap=True)
        self.column.addWidget(text_label(f"{subject.name} agreed to a use", "strong", wrap=True))
        self.column.addWidget(
            text_label("From the day of its end on a consent counts as withdrawn. What was stated before stays in the "
                       "log.", "muted", wrap=True)
        )  # fmt: skip
        self.column.addWidget(self.fields)
        self.reason.setAccessibleName("Where it is written")
        self.reason.setPlaceholderText("Where it is written, or why")
        self.column.addWidget(self.reason)
        self.column.addWidget(self.problem)
        self.main = self.add_buttons("Grant")
        self.fields.changed.connect(self._follow)
        self._follow()

    def consent(self) -> Consent:
        """Return the consent.

        Raises:
            BadInput: when its end is no date.
        """
        return self.fields.consent()

    def _follow(self) -> None:
        told = ""
        try:
            self.consent()
        except BadInput as error:
            told = f"{error.message} {error.hint}"
        self.problem.setText(told)
        self.main.setEnabled(not told)


class WithdrawDialog(BaseDialog):
    """Shows what a withdrawal touches, and asks for the reason; the button waits until that was read.

    Args:
        parent: a widget of the window.
        context: reads what is affected.
        subject: whose consent is withdrawn.
    """

    def __init__(self, parent: QWidget, context: AppContext, subject: ConsentSubject) -> None:
        size = QSize(context.theme.px(620), context.theme.px(520))
        super().__init__(parent, "Withdraw a consent", size=size, settings=context.settings)
        self.affected, self.reason = AffectedView(context), QLineEdit()
        self.problem = text_label("What holds it is being looked for.", "muted", wrap=True)
        self.column.addWidget(text_label(f"Withdraw the consent for {subject.name}?", "section", wrap=True))
        self.column.addWidget(
            text_label("Frozen versions, runs and releases stay as they are. The next freeze leaves out exactly the "
                       "pairs below, whatever its policy says, and labelling queues show them no more.", "", wrap=True)
        )  # fmt: skip
        scroll = ScrollColumn(margin=2, name="What is affected")
        scroll.column.addWidget(self.problem)
        scroll.column.addWidget(self.affected)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.reason.setAccessibleName("Reason")
        self.reason.setPlaceholderText("Reason, or where it is written")
        self.column.addWidget(self.reason)
        self.main = self.add_buttons("Withdraw")
        self.main.setEnabled(False)
        service = context.services.consent
        context.tasks.query(
            lambda: service.affected(subject.kind, subject.key), self._show, self._fail, owner=self, key="affected"
        )

    def _show(self, found: Affected) -> None:
        self.problem.hide()
        self.affected.show_affected(found)
        self.main.setEnabled(True)

    def _fail(self, error: Exception) -> None:
        self.problem.setText(f"{error.message} {error.hint}" if isinstance(error, UserError) else str(error))
