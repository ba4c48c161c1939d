"""What can be done with the pair that is inspected: leave it out of the next version, a note, tags."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.inspect.inspected import pairs_csv
from app.inspect.pair_panel import PairView
from app.widgets.plots import export
from core.domain.changes import Outcome
from core.domain.counting import counted
from core.domain.pair_dossier import PairDossier
from core.domain.pair_tags import SEPARATOR, tags_of_text

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.lineage import LineageRow

_NO_REVIEWER = "Choose who you are first: a note, a tag and a wish to leave a pair out carry a name."
Tags = tuple[str, ...]
_MOST_NAMED = 20
"""Tags in use that the question names."""
_NO_PAIR = "This run was made from a file: its pairs are not in the workspace."


class PairActs(QObject):
    """Reads the dossier of the pair that is shown, and acts on the pair.

    Signals:
        said(str, tuple): the reviewer's note on it, and its tags.
        found(PairDossier): its loss and its look in every run; None where the run did not measure it.
    """

    said = Signal(str, tuple)
    found = Signal(object)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._shown = ("", "")
        self._pair_id, self._note = 0, ""
        self._tags: Tags = ()

    def read(self, view: PairView, kind: str) -> None:
        """Take another pair and read its dossier, note and tags; one that is shown already keeps them till then."""
        service, reviewer = self._context.services.dossier, self._context.session.reviewer_id
        tags = self._context.services.pairs.tags
        shown = self._shown = (view.run_id, view.pair_id)
        pair_id = int(view.pair_id) if view.letters[0] else 0  # without letters the workspace does not hold it
        if pair_id != self._pair_id:
            self._pair_id = pair_id
            self._say("", ())

        def work() -> tuple[PairDossier | None, str, Tags]:
            note = service.note(pair_id, reviewer) if pair_id and reviewer is not None else None
            return (service.of(*shown, kind) if view.visits else None), note or "", tags.of(pair_id) if pair_id else ()

        def show(result: tuple[PairDossier | None, str, Tags]) -> None:
            if shown == self._shown:
                self.found.emit(result[0])
                self._say(*result[1:])

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
        self._pair_id, self._shown = 0, ("", "")
        self._note, self._tags = "", ()

    def _say(self, note: str, tags: Tags) -> None:
        """Tell the note and the tags of the pair that is shown."""
        self._note, self._tags = note, tags
        self.said.emit(note, tags)

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
                self._say(text.strip(), self._tags)
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
                self._say(text, self._tags)

        self._context.ops.mutate(lambda: service.set_note(pair_id, reviewer_id, text), done, owner=self)

    def tag(self) -> None:
        """Ask for the tags of the pair; the notice gives it those it had before again."""
        person = self._person()
        if person is None:
            return
        pair_id, before, tags = self._pair_id, self._tags, self._context.services.pairs.tags

        def ask(used: dict[str, int]) -> None:
            label = "Words parted by commas; an empty field takes all off."
            known = f" In use: {', '.join(list(used)[:_MOST_NAMED])}." if used else ""
            text = self._context.dialogs.text(f"Tags of pair {pair_id}", label + known, SEPARATOR.join(before))
            if text is not None and tags_of_text(text) != before:
                self._set_tags(pair_id, person[0], tags_of_text(text), before)

        self._context.tasks.query(tags.counts, ask, owner=self, key="tags")

    def _set_tags(self, pair_id: int, reviewer_id: int, wanted: Tags, before: Tags | None) -> None:
        """Give a pair these tags; the notice offers those of ``before``, None where it was an undo."""
        tags, notices = self._context.services.pairs.tags, self._context.notices

        def work() -> Outcome[Tags]:
            made = tags.set_tags(pair_id, reviewer_id, wanted)
            return Outcome(tags.of(pair_id), made.changes)

        def done(outcome: Outcome[Tags]) -> None:
            if pair_id == self._pair_id:
                self._say(self._note, outcome.value)
            words = f"Pair {pair_id}: {SEPARATOR.join(outcome.value) or 'no tag'}"
            if before is None:
                notices.post(words, "ok")
                return
            undo = partial(self._set_tags, pair_id, reviewer_id, before, None)
            notices.post(words, "ok", action="Undo", run=undo)

        self._context.ops.mutate(work, done, owner=self)

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
