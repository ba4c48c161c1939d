"""Who passed the quiz of each rubric, as a card of the Team tab."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate.team_figures import PairsPlace, percent_words
from app.theme.theme import Theme
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, ChipTone, ElideLabel, text_label
from core.domain.counting import counted
from core.domain.qualification import Qualification, QuizStatus, ReviewerQualification

TONES: dict[QuizStatus, ChipTone] = {
    "passed": "ok",
    "waived": "ok",
    "failed": "bad",
    "under way": "warn",
    "not begun": "warn",
    "nothing to ask": "neutral",
    "no quiz": "neutral",
}
_ABOUT = (
    "A quiz of gold items, each explained after its answer, for one meaning of a rubric. First answers count; nobody "
    "is asked about own labels. A hint: nobody is kept from labelling."
)


class TeamQuizCard(Card):
    """A row for each person. ``opened(PairsPlace)`` fires for the items that somebody answered wrong."""

    opened = Signal(object)

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__("Qualification")
        self.lines: list[str] = []
        self.buttons: list[QWidget] = []
        self.add(text_label(_ABOUT, "caption", wrap=True))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.add(self._rows)
        self.add(QWidget(), 1)
        row = FlowLayout(row_spacing=4)
        row.addWidget(action_button(actions, "team.quiz", theme=theme))
        self.add(row)

    def show_quizzes(self, quizzes: Sequence[Qualification]) -> None:
        """Show how everybody stands in each quiz."""
        clear_layout(self._rows)
        self.lines.clear()
        self.buttons.clear()
        if not quizzes:
            self._add_text("No quiz is set. Adjudicated pairs become gold items, which a quiz is made of.", "muted")
        for one in quizzes:
            items = counted(len(one.quiz.pair_ids), "item") if one.quiz is not None else "no quiz set"
            mark = f", pass mark {100 * one.quiz.pass_mark:.0f} %" if one.quiz is not None else ""
            self._add_text(f"{one.title}: {items}{mark}", "strong")
            for person in one.reviewers:
                self._rows.addWidget(self._row(one, person))

    def _add_text(self, words: str, kind: str) -> None:
        self.lines.append(words)
        self._rows.addWidget(text_label(words, kind, wrap=True))  # type: ignore[arg-type]

    def _row(self, quiz: Qualification, one: ReviewerQualification) -> QWidget:
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(ElideLabel(one.name), 1)
        share = f"{percent_words(one.right)} % right, n {one.right.n:,}" if one.right.n else ""
        row.addWidget(text_label(share, "caption"))
        row.addWidget(Chip(one.status, TONES[one.status], tooltip=one.words()))
        self.lines.append(f"{one.name}: {one.words()}")
        if one.wrong:
            words = f"{len(one.wrong):,} wrong"
            button = push_button(words, "link", name=f"{one.name}: {words} of {quiz.title}")
            place = PairsPlace(f"{one.name}: wrong in the quiz of {quiz.title}", one.wrong)
            button.clicked.connect(lambda _=False, place=place: self.opened.emit(place))
            row.addWidget(button)
            self.buttons.append(button)
        return frame
