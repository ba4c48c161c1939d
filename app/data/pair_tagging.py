"""Tags of several pairs at once from the Data page: asks which, changes them in one transaction, offers Undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QObject, QSize
from PySide6.QtWidgets import QFormLayout, QLineEdit, QWidget

from app.context import AppContext
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from core.domain.changes import Outcome
from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.pair_tags import checked_tag, tags_of_text

_NO_REVIEWER = "Choose who you are first: a tag carries a name."
_MOST_NAMED = 20
"""Tags in use that the dialog names."""
_ABOUT = "Words parted by commas. Frozen dataset versions stay as they are."
Tagged = Mapping[int, Sequence[str]]
"""Pair -> its tags; pairs without one are left out."""


class TagsDialog(BaseDialog):
    """Asks which tags some pairs get and which they lose.

    Args:
        pairs: how many they are.
        used: tags in use.
    """

    def __init__(self, parent: QWidget, context: AppContext, pairs: int, used: Sequence[str]) -> None:
        super().__init__(parent, f"Tags of {counted(pairs, 'pair')}", size=QSize(context.theme.px(460), 0))
        self.add, self.remove = QLineEdit(), QLineEdit()
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for words, field in (("Put on", self.add), ("Take off", self.remove)):
            field.setAccessibleName(words)
            field.textChanged.connect(lambda _: self._edited())
            form.addRow(words, field)
        self.column.addLayout(form)
        named = f" In use: {', '.join(used[:_MOST_NAMED])}." if used else ""
        self.column.addWidget(text_label(_ABOUT + named, "hint", wrap=True))
        self.error = text_label("", "error", wrap=True)
        self.column.addWidget(self.error)
        self.main = self.add_buttons("Change the tags")
        self._edited()

    @property
    def wanted(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The tags to put on, and those to take off."""
        return tags_of_text(self.add.text()), tags_of_text(self.remove.text())

    def _edited(self) -> None:
        """Allow what can be done; say what is wrong with a tag."""
        add, remove = self.wanted
        problem = ""
        try:
            for tag in (*add, *remove):
                checked_tag(tag)
        except UserError as error:
            problem = error.message
        both = {tag.casefold() for tag in add} & {tag.casefold() for tag in remove}
        if both:
            problem = f"The tag “{min(both)}” is to be put on and taken off; name it once."
        self.error.setText(problem)
        self.error.setVisible(bool(problem))
        self.main.setEnabled(bool(add or remove) and not problem)


class PairTagging(QObject):
    """Changes the tags of the pairs that are selected in a table.

    Args:
        context: services, dialogs, notices.
        chosen: returns the pairs.
        parent: the page, over which the dialog stands.
    """

    def __init__(self, context: AppContext, chosen: Callable[[], Sequence[int]], parent: QWidget) -> None:
        super().__init__(parent)
        self._context, self._chosen, self._parent = context, chosen, parent

    def ask(self) -> None:
        """Read the tags in use and ask."""
        pairs, session = tuple(self._chosen()), self._context.session
        if session.reviewer_id is None:
            self._context.notices.post(_NO_REVIEWER, "warn")
        elif pairs:
            show = partial(self._show, pairs, session.reviewer_id)
            self._context.tasks.query(self._context.services.pairs.tags.counts, show, owner=self, key="tags")

    def _show(self, pairs: tuple[int, ...], reviewer_id: int, used: Mapping[str, int]) -> None:
        dialog = TagsDialog(self._parent, self._context, len(pairs), tuple(used))
        if self._context.dialogs.run(dialog):
            self._change(pairs, reviewer_id, *dialog.wanted)
        dialog.deleteLater()

    def _change(self, pairs: tuple[int, ...], reviewer_id: int, add: Sequence[str], remove: Sequence[str]) -> None:
        tags, notices = self._context.services.pairs.tags, self._context.notices

        def work() -> Outcome[tuple[int, Tagged, Tagged]]:
            before = tags.of_pairs(pairs)
            made = tags.change(pairs, reviewer_id, add=add, remove=remove)
            return Outcome((made.value, before, tags.of_pairs(pairs)), made.changes)

        def done(outcome: Outcome[tuple[int, Tagged, Tagged]]) -> None:
            count, before, after = outcome.value
            if not count:
                notices.post("No tag changed: every pair had what was put on, and nothing of what was taken off.")
                return
            undo = partial(self._take_back, reviewer_id, before, after)
            notices.post(f"The tags of {counted(count, 'pair')} changed.", "ok", action="Undo", run=undo)

        self._context.ops.mutate(work, done, owner=self)

    def _take_back(self, reviewer_id: int, before: Tagged, after: Tagged) -> None:
        """Undo a change; what was changed since then stays."""
        tags, notices = self._context.services.pairs.tags, self._context.notices
        self._context.ops.mutate(
            lambda: tags.take_back(reviewer_id, before, after),
            lambda _: notices.post("The change of the tags was undone.", "ok"),
            owner=self,
        )
