"""What the lead does beside the figures: the quiz, asking for a change of a clause, the draft of the next version."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.annotate.team_figures import value_words
from app.annotate.team_quiz_dialog import QuizSetDialog
from app.context import AppContext
from core.domain.quality import TENTATIVE
from core.domain.rubric import RubricVersion
from core.domain.team import ClauseBoard, ClauseRow

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.adjudication import ChangeRequest
    from core.domain.changes import Outcome


class TeamLeadTools(QObject):
    """Runs the actions; ``board`` gives the clauses that are shown, None without any."""

    def __init__(
        self, context: AppContext, page: QWidget, board: Callable[[], ClauseBoard | None], read: Callable[[], None]
    ) -> None:
        super().__init__(page)
        self._context, self._page, self._board, self._read = context, page, board, read
        for action_id, handler in {"team.quiz": self._ask_quiz, "team.ask": self._ask_change}.items():
            context.actions.bind(action_id, handler)

    def _ask_quiz(self) -> None:
        service = self._context.services.rubrics
        self._context.tasks.query(service.published, self._show_quiz, owner=self, key="versions")

    def _show_quiz(self, versions: list[RubricVersion]) -> None:
        if not versions:
            self._context.notices.post("There is no published rubric version yet.", hint="Publish one under Rubrics.")
            return
        self._context.dialogs.run(QuizSetDialog(self._page, self._context, versions))
        self._read()

    def _ask_change(self) -> None:
        """Ask which clause should say something else, and what; the one with the lowest agreement is offered first."""
        board, by = self._board(), self._context.session.reviewer_id
        if board is None or by is None:
            hint = "Choose who sits here with Reviewers…" if by is None else "Labels of two reviewers bring clauses."
            self._context.notices.post("A change cannot be asked for yet.", hint=hint)
            return
        rows = [*sorted((one for one in board.rows if one.key), key=partial(_alpha, board)), None]
        words = [_row_words(board, one) for one in rows]
        place = self._context.dialogs.choose("Ask for a change", f"Which clause of {board.rubric}?", words)
        if place is None:
            return
        row = rows[place]
        name = row.name if row is not None else board.rubric
        text = self._context.dialogs.text(name, "What should it say instead?", lines=5, accept="Ask", needed=True)
        if text:
            self._store(board, row, text, by)

    def _store(self, board: ClauseBoard, row: ClauseRow | None, text: str, by: int) -> None:
        service, clause = self._context.services.rubrics, row.key if row is not None else ""
        splits = _splits(board, row) if row is not None else ()
        pair_id = splits[0] if splits else None

        def told(outcome: Outcome[ChangeRequest]) -> None:
            self._context.notices.post(
                f"Change request {outcome.value.id} of {board.rubric} is open.",
                "ok",
                hint="The draft of the next version takes it as its note.",
                action="Draft the next version",
                run=partial(self._draft, board.rubric_id),
            )

        self._context.ops.mutate(
            lambda: service.ask_change(board.rubric_id, text, by, clause=clause, pair_id=pair_id), told, owner=self
        )

    def _draft(self, rubric_id: int) -> None:
        """Take the open requests into a draft, and show it."""
        service = self._context.services.rubrics

        def show(outcome: Outcome[RubricVersion]) -> None:
            self._context.navigate("rubrics", version_id=outcome.value.id)

        self._context.ops.mutate(lambda: service.draft_of_requests(rubric_id), show, owner=self)


def _alpha(board: ClauseBoard, row: ClauseRow) -> float:
    now = row.under(board.versions[-1])
    value = now.agreement.measures["alpha_ordinal"].value if now is not None else 2.0
    return value if value == value else 2.0


def _splits(board: ClauseBoard, row: ClauseRow) -> tuple[int, ...]:
    now = row.under(board.versions[-1])
    return now.splits if now is not None else ()


def _row_words(board: ClauseBoard, row: ClauseRow | None) -> str:
    """Return a clause with its agreement, as the choice shows it."""
    if row is None:
        return "The rubric as a whole"
    now = row.under(board.versions[-1])
    if now is None:
        return row.name
    alpha = now.agreement.measures["alpha_ordinal"]
    low = " · low" if alpha.value < TENTATIVE else ""
    return f"{row.name}: alpha {value_words(alpha)}, n {alpha.n:,}{low}"
