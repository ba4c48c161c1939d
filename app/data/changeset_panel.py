"""A changeset: its checks, its entries with their texts, what enters the next freeze, and approving or sending back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.data import changeset_words as words
from app.data.changeset_checks import ChangesetChecks
from app.data.changeset_texts import ChangesetTexts
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.messages import EmptyState
from app.widgets.row_lines import RowLines
from core.domain.changeset import Changeset, ChangesetEntry

if TYPE_CHECKING:
    from core.services.feedback.changesets import ChangesetReview


class ChangesetPanel(QWidget):
    """Shows the changesets. ``wanted(int)``: another one was chosen, by id; the buttons are wired by its owner."""

    wanted = Signal(int)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context, theme = context, context.theme
        self.review: ChangesetReview | None = None
        self._opened: dict[int, set[int]] = {}
        self.choice = ComboBox(outside=True)
        self.choice.setAccessibleName("Changeset")
        self.name, self.state = ElideLabel("", kind="section", outside=True), Chip("")
        self.head, self.next = text_label("", "caption", wrap=True), text_label("", "strong", wrap=True)
        self.adds, self.edits, self.removals = Chip("", "ok"), Chip("", "warn"), Chip("", "bad")
        self.back, self.why = text_label("", "error", wrap=True), text_label("", "caption", wrap=True)
        self.checks, self.texts, self.list = ChangesetChecks(theme), ChangesetTexts(theme), QListWidget()
        self.list.setAccessibleName("Changes of the changeset")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setIconSize(QSize(16, 16))
        self.list.setItemDelegate(RowLines(theme, lines=2))
        self.list.setMinimumHeight(theme.px(120))
        self.new = push_button("New…", theme=theme, icon="plus", name="New changeset")
        self.add = push_button("Add chosen events…", theme=theme, icon="plus")
        self.change = push_button("Remove or replace…", theme=theme, icon="edit", name="Remove or replace a pair")
        self.drop = push_button("Drop", theme=theme, icon="trash", name="Take the change out of the draft")
        self.delete = push_button("Delete", "danger", name="Delete the draft")
        self.send_back = push_button("Send back…", theme=theme, icon="undo")
        self.approve = push_button("Approve", "primary", theme=theme, icon="check")
        self._build()
        self.choice.activated.connect(lambda _: self.wanted.emit(self.choice.currentData()))
        self.list.currentRowChanged.connect(lambda _: self._open_entry())

    @property
    def current(self) -> Changeset | None:
        """The changeset that is shown."""
        return self.review.changeset if self.review is not None else None

    @property
    def entry(self) -> ChangesetEntry | None:
        """The chosen change."""
        place = self.list.currentRow()
        made = self.current
        return made.entries[place] if made is not None and 0 <= place < len(made.entries) else None

    @property
    def opened(self) -> set[int]:
        """The changes of this changeset that were opened here."""
        made = self.current
        return self._opened.setdefault(made.id, set()) if made is not None else set()

    def show_changesets(self, found: Sequence[Changeset]) -> int | None:
        """List the changesets, newest first; return the id of the one to be read, None for none."""
        chosen = self.choice.currentData()
        self.choice.clear()
        for made in reversed(found):
            self.choice.addItem(f"{made.name} ({made.state})", made.id)
        self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)))
        self._stack.setCurrentIndex(1 if found else 0)
        if not found:
            self.review = None
        return self.choice.currentData()

    def choose(self, changeset_id: int) -> None:
        """Choose a changeset by id, now or once it is listed."""
        if self.choice.findData(changeset_id) < 0:
            self.choice.addItem("", changeset_id)
        self.choice.setCurrentIndex(self.choice.findData(changeset_id))

    def show_review(self, review: ChangesetReview) -> None:
        """Show a changeset; the chosen change stays chosen."""
        before, self.review = self.entry, review
        made, reviewer = review.changeset, self._context.session.reviewer_name
        self.name.setText(made.name)
        self.state.set_chip(*words.state_chip(made, reviewer))  # type: ignore[arg-type]
        self.head.setText(words.head_line(made) + (f". {made.note}" if made.note else ""))
        self.next.setText(words.next_line(review))
        for chip, sign, op, what in (
            (self.adds, "+", "add", "added"),
            (self.edits, "~", "edit", "replaced"),
            (self.removals, "−", "remove", "out"),
        ):
            chip.setText(f"{sign} {made.count(op)} {what}")  # type: ignore[arg-type]
        self.checks.show_checks(review.checks, len(made.entries), len(made.entries) - self._missing())
        said = [words.sent_back_line(one) for one in made.sent_back]
        self.back.setText("\n".join(said))
        self.back.setVisible(bool(said))
        self._list_entries(before)
        self.follow()

    def follow(self) -> None:
        """Enable what the present reviewer can do."""
        made, reviewer = self.current, self._context.session.reviewer_name
        draft = made is not None and made.state == "draft"
        why = words.why_not_approve(made, reviewer, self.opened)
        self.why.setText(why if draft else "")
        self.why.setVisible(draft and bool(why))
        self.approve.setEnabled(not why)
        self.approve.setText(f"Approve as {reviewer}" if reviewer else "Approve")
        self.send_back.setEnabled(draft and bool(reviewer) and made is not None and made.author != reviewer)
        for button in (self.add, self.change, self.delete):
            button.setEnabled(draft)
        self.drop.setEnabled(draft and self.entry is not None)
        for button in (self.add, self.change, self.drop, self.delete, self.send_back, self.approve):
            button.setVisible(draft)

    def _missing(self) -> int:
        made = self.current
        return words.not_opened(made, self.opened) if made is not None else 0

    def _list_entries(self, before: ChangesetEntry | None) -> None:
        made, review = self.current, self.review
        if made is None or review is None:
            return
        self.list.blockSignals(True)
        self.list.clear()
        for entry in made.entries:
            item = QListWidgetItem(self._lines(entry))
            item.setIcon(self._context.theme.icons.icon(*words.SIGNS[entry.op]))
            self.list.addItem(item)
        ids = [entry.id for entry in made.entries]
        if before is not None and before.id in ids:
            self.list.setCurrentRow(ids.index(before.id))
        self.list.blockSignals(False)
        self._show_texts()

    def _lines(self, entry: ChangesetEntry) -> str:
        left = self.review.leaves_out.get(entry.enters or 0, "") if self.review is not None else ""
        return words.entry_lines(entry, entry.id in self.opened, f"left out: {left}" if left else "")

    def _open_entry(self) -> None:
        """Show the texts of the chosen change, and note that it was opened."""
        entry, made = self.entry, self.current
        if entry is None or made is None or self.review is None:
            return
        self.opened.add(entry.id)
        self.list.item(self.list.currentRow()).setText(self._lines(entry))
        self.checks.show_checks(self.review.checks, len(made.entries), len(made.entries) - self._missing())
        self._show_texts()
        self.follow()

    def _show_texts(self) -> None:
        entry = self.entry
        self.texts.setVisible(entry is not None)
        if entry is not None and self.review is not None:
            self.texts.show_entry(entry, self.review.texts)

    def _build(self) -> None:
        empty = EmptyState(
            self._context.theme,
            "diff",
            "No changeset yet",
            "Send feedback to labelling, label it, then put it into a changeset. Somebody else approves it, and the "
            "next freeze takes it.",
            main=("New changeset…", self.new.click),
        )
        scroll = ScrollColumn(margin=10, spacing=6, name="Changeset")
        column, top, head = scroll.column, FlowLayout(row_spacing=4), FlowLayout(row_spacing=2)
        top.add(self.choice, least=8)
        top.addWidget(self.new)
        for widget in (self.name, self.state, self.adds, self.edits, self.removals):
            head.addWidget(widget)
        column.addLayout(top)
        column.addLayout(head)
        for widget in (self.head, self.next, self.checks, self.back):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        column.addWidget(self.texts)
        edits, ends = FlowLayout(row_spacing=4), FlowLayout(row_spacing=4)
        for widget in (self.add, self.change, self.drop, self.delete):
            edits.addWidget(widget)
        ends.addWidget(self.send_back)
        ends.add_gap()
        ends.addWidget(self.approve)
        column.addLayout(edits)
        whole = QWidget()
        below = QVBoxLayout(whole)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(scroll, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(10, 0, 10, 6)
        foot.addWidget(self.why)
        foot.addLayout(ends)
        below.addLayout(foot)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(whole)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)
