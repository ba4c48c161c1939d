"""Consent: what sources, reviewers, events and pairs agreed to, how it counts now, and what a withdrawal touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.context import AppContext
from app.data.consent_affected import AffectedView
from app.data.consent_subject import ConsentSubject
from app.data.feedback_words import TONES, consent_sentence
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.row_lines import RowLines

if TYPE_CHECKING:
    from core.services.feedback.consent import Affected, StatedConsent

ICONS = {"ok": "check_circle", "warn": "help", "bad": "close"}
ABOUT = (
    "Only pairs with granted consent enter a dataset version unless the freeze policy says otherwise; a withdrawn "
    "consent keeps them out whatever it says."
)


class ConsentPanel(QWidget):
    """Lists statements. ``grant_wanted(ConsentSubject)`` and ``withdraw_wanted(ConsentSubject)`` for the chosen one."""

    grant_wanted = Signal(object)
    withdraw_wanted = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._stated: Sequence[StatedConsent] = ()
        self.list, self.affected = QListWidget(), AffectedView(context, links=True)
        self.list.setAccessibleName("Consents")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setIconSize(QSize(18, 18))
        self.list.setItemDelegate(RowLines(context.theme, lines=2))
        self.list.setMinimumHeight(context.theme.px(130))
        self.grant, self.withdraw = push_button("Grant…"), push_button("Withdraw…", "danger")
        scroll = ScrollColumn(margin=10, name="Consent")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        scroll.column.addWidget(text_label("Consent", "section"))
        scroll.column.addWidget(text_label(ABOUT, "caption", wrap=True))
        scroll.column.addWidget(self.list, 1)
        row = FlowLayout(row_spacing=4)
        row.addWidget(self.grant)
        row.addWidget(self.withdraw)
        scroll.column.addLayout(row)
        scroll.column.addWidget(text_label("What holds it", "caption"))
        scroll.column.addWidget(self.affected)
        self.grant.clicked.connect(lambda: self._want(self.grant_wanted))
        self.withdraw.clicked.connect(lambda: self._want(self.withdraw_wanted))
        self.list.currentRowChanged.connect(lambda _: self._read_affected())

    @property
    def chosen(self) -> ConsentSubject | None:
        """Whose consent is chosen."""
        place = self.list.currentRow()
        if not 0 <= place < len(self._stated):
            return None
        one = self._stated[place]
        return ConsentSubject(one.subject, one.subject_id, one.name)

    def show_stated(self, stated: Sequence[StatedConsent]) -> None:
        """Show other statements; the chosen subject stays chosen."""
        before, self._stated = self.chosen, stated
        self.list.blockSignals(True)
        self.list.clear()
        for one in stated:
            tone = TONES[one.effective]
            licence = f" · licence {one.licence}" if one.licence else ""
            item = QListWidgetItem(f"{one.name}\n{one.subject}: {consent_sentence(one.consent)}{licence}")
            item.setIcon(self._context.theme.icons.icon(ICONS[tone], tone))
            self.list.addItem(item)
        keys = [(one.subject, one.subject_id) for one in stated]
        place = keys.index((before.kind, before.key)) if before and (before.kind, before.key) in keys else 0
        self.list.blockSignals(False)
        self.list.setCurrentRow(place if stated else -1)
        for button in (self.grant, self.withdraw):
            button.setEnabled(bool(stated))
        self._read_affected()

    def choose(self, subject: ConsentSubject) -> None:
        """Choose a subject that is in the list."""
        for place, one in enumerate(self._stated):
            if (one.subject, one.subject_id) == (subject.kind, subject.key):
                self.list.setCurrentRow(place)

    def _read_affected(self) -> None:
        chosen, service = self.chosen, self._context.services.consent
        self.affected.clear()
        if chosen is None:
            return

        def show(found: Affected) -> None:
            if self.chosen == chosen:
                self.affected.show_affected(found)

        self._context.tasks.query(lambda: service.affected(chosen.kind, chosen.key), show, owner=self, key="affected")

    def _want(self, signal: object) -> None:
        if (chosen := self.chosen) is not None:
            signal.emit(chosen)  # type: ignore[attr-defined]
