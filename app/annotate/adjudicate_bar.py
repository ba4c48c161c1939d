"""The decision on a pair: final verdict, cause, outcome, change request and note, each with its keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from app.actions.adjudicate_rows import CAUSE_ACTIONS, OUTCOME_ACTIONS
from app.actions.registry import ActionRegistry
from app.annotate.adjudicate_state import DecisionForm, ShownConflict
from app.annotate.telling_bar import TellingBar
from app.theme.theme import Theme
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.verdict_button import VerdictButton
from core.domain.adjudication import CHANGE_REQUEST, OUTCOMES
from core.domain.counting import counted
from core.domain.judgement import screen_words

WHOLE_RUBRIC = "The rubric as a whole"
_LOWER = (("adjudicate.undo", "Undo"), ("adjudicate.later", "Later"))


class ChoiceButton(VerdictButton):
    """A choice that is read whole: a row of them breaks rather than cuts their words. Lower than a verdict."""

    def __init__(self, actions: ActionRegistry, action_id: str, *, about: str = "") -> None:
        super().__init__(actions, action_id, about=about)
        self.setProperty("verdict", "choice")

    def sizeHint(self) -> QSize:
        """Ask for the whole label and its key, as high as the style says."""
        wanted = super().sizeHint()
        return QSize(wanted.width(), QPushButton.sizeHint(self).height())

    def minimumSizeHint(self) -> QSize:
        """Ask for the whole label and its key."""
        return self.sizeHint()


class AdjudicateBar(TellingBar):
    """Runs the actions of a decision and shows what is chosen.

    Signals:
        request_changed(str, str): clause and words of the change request.
        note_changed(str): the note.
    """

    request_changed = Signal(str, str)
    note_changed = Signal(str)

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(actions, theme)
        self.verdict, self.first = text_label("", "strong"), text_label("", "caption")
        self.beside = text_label("", "caption")
        self._build_verdict()
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        grid.addWidget(text_label("Cause", "muted"), 0, 0)
        grid.addLayout(self._buttons_of_causes(), 0, 1)
        grid.addWidget(text_label("Outcome", "muted"), 1, 0)
        grid.addLayout(self._buttons_of_outcomes(), 1, 1)
        self._request_label = text_label("Request", "muted")
        grid.addWidget(self._request_label, 2, 0)
        self._request = self._request_row()
        grid.addWidget(self._request, 2, 1)
        grid.addWidget(text_label("Note", "muted"), 3, 0)
        self.note = QLineEdit()
        self.note.setAccessibleName("Note on the decision")
        self.note.setPlaceholderText("For the lead; not needed")
        self.note.textChanged.connect(self.note_changed)
        grid.addWidget(self.note, 3, 1)
        self.add(grid)
        lesser = [self.flat(action_id, words) for action_id, words in _LOWER]
        self.submit = self.add_lower(lesser, "adjudicate.decide", "Decide && next")

    def _build_verdict(self) -> None:
        row = FlowLayout(spacing=8, row_spacing=2, middle=True)
        for widget in (text_label("Final verdict", "muted"), self.verdict, self.first):
            row.addWidget(widget)
        row.addWidget(self.flat("adjudicate.amend", "Amend"))
        row.add_gap()
        row.addWidget(self.beside)
        self.add(row)

    def _buttons_of_causes(self) -> FlowLayout:
        row = FlowLayout(spacing=6, row_spacing=4)
        self.causes = {key: ChoiceButton(self._actions, action) for key, action in CAUSE_ACTIONS.items()}
        for button in self.causes.values():
            row.addWidget(button)
        return row

    def _buttons_of_outcomes(self) -> FlowLayout:
        row = FlowLayout(spacing=6, row_spacing=4)
        self.outcomes = {
            key: ChoiceButton(self._actions, action, about=OUTCOMES[key][1]) for key, action in OUTCOME_ACTIONS.items()
        }
        for button in self.outcomes.values():
            row.addWidget(button)
        self.about = text_label("", "caption")
        row.addWidget(self.about)
        return row

    def _request_row(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        self.clauses, self.request = ComboBox(outside=True), QLineEdit()
        self.clauses.setAccessibleName("Clause of the change request")
        self.request.setAccessibleName("What the clause should say")
        self.request.setPlaceholderText("What should the clause say instead?")
        self.clauses.currentIndexChanged.connect(lambda _: self._emit_request())
        self.request.textChanged.connect(lambda _: self._emit_request())
        row.addWidget(self.clauses)
        row.addWidget(self.request, 1)
        return box

    def show_conflict(self, shown: ShownConflict) -> None:
        """Show the verdict that stands, and the clauses that a request can be about."""
        stands = shown.opened.first_stands
        self.verdict.setText(screen_words(shown.opened.pick.draft, shown.presentation.left_is))
        self.first.setText("your first pick stands" if stands else "amended after you saw the votes")
        self.beside.setText(f"stands beside {counted(len(shown.opened.labels), 'vote')}, never over them")
        blocker = QSignalBlocker(self.clauses)
        self.clauses.clear()
        for clause in shown.version.body.criteria:
            self.clauses.addItem(clause.name, clause.id)
        self.clauses.addItem(WHOLE_RUBRIC, "")
        blocker.unblock()

    def show_form(self, form: DecisionForm) -> None:
        """Show what is chosen; emits nothing."""
        for key, button in self.causes.items():
            button.set_chosen(key == form.cause)
        for key, button in self.outcomes.items():
            button.set_chosen(key == form.outcome)
        self.about.setText(OUTCOMES[form.outcome][1] if form.outcome else "")
        asks = form.outcome == CHANGE_REQUEST
        shown_before = not self._request.isHidden()
        for part in (self._request_label, self._request):
            part.setVisible(asks)
        for field, words in ((self.request, form.request), (self.note, form.note)):
            if field.text() != words:
                blocker = QSignalBlocker(field)
                field.setText(words)
                blocker.unblock()
        if asks and not shown_before:
            self._choose_clause(form.clause)
            self.request.setFocus()
        self.set_message("")

    def suggest(self, clauses: Sequence[str]) -> None:
        """Offer first the clause on which the votes differ."""
        if clauses:
            self._choose_clause(clauses[0])

    def _choose_clause(self, clause: str) -> None:
        place = self.clauses.findData(clause)
        if clause and place >= 0:
            self.clauses.setCurrentIndex(place)
        self._emit_request()

    def _emit_request(self) -> None:
        self.request_changed.emit(str(self.clauses.currentData() or ""), self.request.text())
