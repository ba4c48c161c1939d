"""The reviewers of the workspace: adding, renaming, who labels at this desk, who leads."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QListWidgetItem, QWidget

from app.annotate.storing_dialog import StoringDialog
from app.context import AppContext
from app.widgets.labels import text_label
from app.widgets.wrapped_list import WrappedList
from core.domain.counting import counted
from core.domain.judgement import Reviewer, ReviewerKind
from core.domain.licence import NOT_STATED

_Read = tuple[list[Reviewer], int | None, dict[int, int], set[int], dict[int, str], bool]
_ID = Qt.ItemDataRole.UserRole
_ABOUT = (
    "Reviewers are pseudonyms. A renamed reviewer keeps all judgements. Only the lead sees the Team tab; without a "
    "lead everybody does. An inactive one gets no slots; open ones are handed over in the Team tab."
)

_LICENCE = "Under which they are passed on, such as CC-BY-4.0. Dataset cards name it, and a freeze can ask for it."


class ReviewersDialog(StoringDialog):
    """Lists the reviewers; each button acts on the chosen one, and what it changes is stored at once."""

    def __init__(self, parent: QWidget, context: AppContext) -> None:
        super().__init__(parent, context, "Reviewers", (520, 420))
        self.people: list[Reviewer] = []
        self.lead: int | None = None
        self._labels: dict[int, int] = {}
        self.list = WrappedList("Reviewers")
        self.inactive: set[int] = set()
        self.licences: dict[int, str] = {}
        self.sign_off = QCheckBox("A freeze needs the name of somebody other than who labelled last")
        self.sign_off.setAccessibleName(self.sign_off.text())
        self.column.addWidget(text_label(_ABOUT, "muted", wrap=True))
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.sign_off)
        self.column.addWidget(self.problem)
        rows = (
            ("&Add…", self._add),
            ("&Rename…", self._rename),
            ("Make &lead", self._make_lead),
            ("&Deactivate", self._deactivate),
            ("&Consent…", self._show_consent),
            ("L&icence…", self._state_licence),
            ("Label as &this reviewer", self._switch),
        )
        made = self.add_row(rows)
        self.add, self.rename, self.make_lead, self.leave, self.consent, self.licence, self.switch = made
        self.add_buttons(reject="Close")
        self.list.currentRowChanged.connect(lambda _: self._follow())
        self.list.itemActivated.connect(lambda _: self._switch())
        self.sign_off.clicked.connect(self._ask_sign_off)
        self._follow()
        self.read()

    @property
    def chosen(self) -> Reviewer | None:
        """The reviewer that the buttons act on."""
        place = self.list.currentRow()
        return self.people[place] if 0 <= place < len(self.people) else None

    def read(self) -> None:
        """Read the reviewers."""
        services = self._context.services

        def work() -> _Read:
            people, labels = services.reviewers, services.workspace.labels_by_reviewer()
            wanted, gone = services.datasets.sign_off().wanted, people.inactive()
            return people.list(), people.lead(), labels, gone, people.licences(), wanted

        self._context.tasks.query(work, self._show, owner=self, key="reviewers")

    def _show(self, found: _Read) -> None:
        kept = self.chosen.id if self.chosen is not None else self._context.session.reviewer_id
        self.people, self.lead, self._labels, self.inactive, self.licences, wanted = found
        self.sign_off.setChecked(wanted)
        self.list.clear()
        for one in self.people:
            item = QListWidgetItem(self._words(one))
            item.setData(_ID, one.id)
            self.list.addItem(item)
        ids = [one.id for one in self.people]
        if ids:
            self.list.setCurrentRow(ids.index(kept) if kept in ids else 0)
        self._follow()

    def _words(self, one: Reviewer) -> str:
        parts = [one.name, counted(self._labels.get(one.id, 0), "label")]
        if one.kind is not ReviewerKind.HUMAN:
            parts.append(one.kind.value)
        if one.id in self.licences:
            parts.append(self.licences[one.id])
        if one.id == self.lead:
            parts.append("lead")
        if one.id in self.inactive:
            parts.append("inactive")
        if one.id == self._context.session.reviewer_id:
            parts.append("labels here")
        return " · ".join(parts)

    def _follow(self) -> None:
        one = self.chosen
        human = one is not None and one.kind is ReviewerKind.HUMAN
        self.rename.setEnabled(one is not None)
        away = one is not None and one.id in self.inactive
        self.switch.setEnabled(human and not away)
        self.licence.setEnabled(one is not None)
        self.leave.setEnabled(human)
        self.consent.setEnabled(human)
        self.leave.setText("Make &active" if away else "&Deactivate")
        self.make_lead.setEnabled(human)
        self.make_lead.setText("No &lead" if one is not None and one.id == self.lead else "Make &lead")

    def _add(self) -> None:
        name = self._context.dialogs.text("New reviewer", "A pseudonym; it is stored with every judgement.")
        if name:
            self.change(lambda: self._context.services.reviewers.add(name))

    def _rename(self) -> None:
        one = self.chosen
        if one is None:
            return
        name = self._context.dialogs.text(f"Rename {one.name}", "The new pseudonym; the judgements stay.")
        if name:
            self.change(lambda: self._context.services.reviewers.rename(one.id, name))

    def _make_lead(self) -> None:
        one = self.chosen
        if one is not None:
            wanted = None if one.id == self.lead else one.id
            self.change(lambda: self._context.services.reviewers.set_lead(wanted))

    def _deactivate(self) -> None:
        """Give the chosen one no new slots, or slots again; open ones are handed over in the Team tab."""
        one = self.chosen
        if one is not None:
            active, by = one.id in self.inactive, self._context.session.reviewer_id
            self.change(lambda: self._context.services.reviewers.set_active(one.id, active, by))

    def _show_consent(self) -> None:
        """Show in Data what the chosen one agreed to, what rests on the labels, and the ways to grant and withdraw."""
        if (one := self.chosen) is not None:
            self.accept()
            self._context.navigate("data", feedback=True, consent_of=("reviewer", one.id, one.name))

    def _state_licence(self) -> None:
        """Ask under which licence the labels of the chosen one may be passed on."""
        if (one := self.chosen) is None:
            return
        said, by = self.licences.get(one.id, NOT_STATED), self._context.session.reviewer_id
        text = self._context.dialogs.text(f"Licence of the labels of {one.name}", _LICENCE, said)
        if text:
            self.change(lambda: self._context.services.reviewers.set_licence(one.id, text, by))

    def _ask_sign_off(self, wanted: bool) -> None:
        by = self._context.session.reviewer_id
        self.change(lambda: self._context.services.datasets.ask_sign_off(wanted, by))

    def _switch(self) -> None:
        one = self.chosen
        if one is not None and self.switch.isEnabled():
            self._context.session.set_reviewer(one.id, one.name)
            self.accept()
