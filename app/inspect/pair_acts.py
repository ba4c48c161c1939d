"""What can be done with the pair that is inspected: leave it out of the next version, and a note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.inspect.inspected import pairs_csv
from app.inspect.pair_panel import PairView
from app.widgets.plots import export
from core.domain.changes import Outcome
from core.domain.counting import counted
from core.domain.pair_dossier import PairDossier

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.lineage import LineageRow

_NO_REVIEWER = "Choose who you are first: a note and a wish to leave a pair out carry a name."
_NO_PAIR = "This run was made from a file: its pairs are not in the workspace."


class PairActs(QObject):
    """Reads the dossier of the pair that is shown, and acts on the pair.

    Signals:
        noted(str): the reviewer's note on it.
        found(PairDossier): its loss and its look in every run; None where the run did not measure it.
    """

    noted = Signal(str)
    found = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._pair_id, self._note, self._shown = 0, "", ("", "")

    def read(self, view: PairView, kind: str) -> None:
        """Take another pair and read its dossier and note; one that is shown already keeps its note till then."""
        service, reviewer = self._context.services.dossier, self._context.session.reviewer_id
        shown = self._shown = (view.run_id, view.pair_id)
        pair_id = int(view.pair_id) if view.letters[0] else 0  # without letters the workspace does not hold it
        if pair_id != self._pair_id:
            self._pair_id, self._note = pair_id, ""
            self.noted.emit("")

        def work() -> tuple[PairDossier | None, str]:
            note = service.note(pair_id, reviewer) if pair_id and reviewer is not None else None
            return (service.of(*shown, kind) if view.visits else None), note or ""

        def show(result: tuple[PairDossier | None, str]) -> None:
            if shown == self._shown:
                self._note = result[1]
                self.found.emit(result[0])
                self.noted.emit(result[1])

        self._context.tasks.query(work, show, owner=self, key="dossier")

    def export(self, rows: Sequence[LineageRow]) -> None:
        """Ask where to, and write the pairs that are listed as CSV."""
        path = self._context.dialogs.save_file("Export the list", "pairs.csv", "CSV (*.csv)")
        if path is not None and rows:
            words = f"{counted(len(rows), 'row')} written to {path}"
            done = lambda _: self._context.notices.post(words, "ok")  # noqa: E731
            self._context.tasks.query(lambda: export.save(path, pairs_csv(rows)), done, owner=self)

    def forget(self) -> None:
        """Show no pair."""
        self._pair_id, self._note, self._shown = 0, "", ("", "")

    def leave_out(self) -> None:
        """Ask why, and put the pair into a draft changeset."""
        person = self._person()
        if person is None:
            return
        pair_id, service = self._pair_id, self._context.services.dossier
        label = "Why? Another person approves the draft; frozen versions stay as they are."
        reason = self._context.dialogs.text(
            f"Leave pair {pair_id} out of the next version", label, accept="Leave out", needed=True
        )
        if reason is None:
            return

        def done(outcome: Outcome[str]) -> None:
            title = outcome.value
            self._context.notices.post(
                f"Pair {pair_id} stands in the draft “{title}”. Once another person approves it, the next version "
                "leaves the pair out.",
                "ok",
                action="Take back",
                run=lambda: self._take_back(pair_id, title),
            )

        self._context.ops.mutate(lambda: service.leave_out(pair_id, *person, reason), done, owner=self)

    def _take_back(self, pair_id: int, title: str) -> None:
        service, notices = self._context.services.dossier, self._context.notices
        words = f"Pair {pair_id} is out of the draft again."
        self._context.ops.mutate(
            lambda: service.take_back(pair_id, title), lambda _: notices.post(words, "ok"), owner=self
        )

    def note(self) -> None:
        """Ask for the note of the pair; an empty one removes it."""
        person = self._person()
        if person is None:
            return
        pair_id, before, service = self._pair_id, self._note, self._context.services.dossier
        label = "Kept as your bookmark of the pair; an empty note removes it."
        text = self._context.dialogs.text(f"Note on pair {pair_id}", label, before, lines=5, accept="Keep")
        if text is None or text.strip() == before:
            return

        def done(_: Outcome[None]) -> None:
            if pair_id == self._pair_id:
                self._note = text.strip()
                self.noted.emit(self._note)
            self._context.notices.post(
                f"Note on pair {pair_id} kept" if text.strip() else f"Note on pair {pair_id} removed",
                "ok",
                action="Undo",
                run=lambda: self._put_back(pair_id, person[0], before),
            )

        self._context.ops.mutate(lambda: service.set_note(pair_id, person[0], text), done, owner=self)

    def _put_back(self, pair_id: int, reviewer_id: int, text: str) -> None:
        service = self._context.services.dossier

        def done(_: Outcome[None]) -> None:
            if pair_id == self._pair_id:
                self._note = text
                self.noted.emit(text)

        self._context.ops.mutate(lambda: service.set_note(pair_id, reviewer_id, text), done, owner=self)

    def _person(self) -> tuple[int, str] | None:
        """Return who acts; say what is missing where nothing can be done."""
        session = self._context.session
        if not self._pair_id:
            self._context.notices.post(_NO_PAIR, "warn")
            return None
        if session.reviewer_id is None:
            self._context.notices.post(_NO_REVIEWER, "warn")
            return None
        return session.reviewer_id, session.reviewer_name
