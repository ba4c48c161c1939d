"""The failure queue: the worst answers by rule. Each is opened and tagged before the gate can pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QProgressBar, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.answers_panel import AnswersPanel
from app.evaluate.item_rows import ItemRow
from app.widgets.buttons import ActionButton, action_button
from app.widgets.containers import ScrollColumn
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.labels import text_label
from app.widgets.row_lines import RowLines
from core.domain.evaluation_record import suite_words

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.releases.failures import QueuedFailure

TAGS: tuple[tuple[str, str], ...] = (
    ("policy", "Policy"),
    ("label", "Label"),
    ("rubric", "Rubric"),
    ("suite", "Suite"),
    ("detector", "Detector"),
    ("accepted", "Accepted"),
)
"""Tag and its word, in the order of the keys 1 to 6."""
_STATES = {0: ("circle", "text3"), 1: ("eye", "accent"), 2: ("check_circle", "ok")}


class FailuresView(QWidget):
    """Lists failures.

    Signals:
        open_wanted(str): a failure was opened, by Enter or a double click; its key.
        shown_wanted(str, str): another failure is current; its suite and item.
    """

    open_wanted = Signal(str)
    shown_wanted = Signal(str, str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._theme = context.theme
        self.queue: Sequence[QueuedFailure] = ()
        self.list, self.panel, self.bar = QListWidget(), AnswersPanel(context), QProgressBar()
        self.coverage, self.why = text_label("", "strong", wrap=True), text_label("", "muted", wrap=True)
        self.list.setAccessibleName("Failures")
        self.list.setIconSize(QSize(18, 18))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lines = RowLines(context.theme, lines=2)
        self.list.setItemDelegate(self._lines)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Failures that were opened and tagged")
        tags = QFrame()
        row = FlowLayout(tags, row_spacing=4, middle=True)
        row.addWidget(text_label("Cause", "muted"))
        self._actions = context.actions
        self.tags = {
            tag: ActionButton(context.actions, f"evaluate.tag_{tag}", word, "", False, None) for tag, word in TAGS
        }
        context.actions.keys_changed.connect(self._name_keys)
        self._name_keys()
        for button in self.tags.values():
            row.addWidget(button)
        self.send = action_button(context.actions, "evaluate.send", text="Send on…", theme=context.theme)
        row.addWidget(self.send)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.why, tags):
            column.addWidget(part)
        column.addWidget(self.panel, 1)
        self._right = right
        scroll = ScrollColumn(margin=12, name="Failure queue")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        scroll.column.addWidget(self.coverage)
        scroll.column.addWidget(self.bar)
        split = FoldingSplit((self.list, right), (280, 700), heights=(150, 330), least=(14, 26), grows=1)
        scroll.column.addWidget(split, 1)
        context.theme.changed.connect(self._scale)
        self._scale()
        self.list.currentRowChanged.connect(self._moved)
        self.list.itemActivated.connect(lambda _: self._open())
        self.show_queue(())

    def _name_keys(self) -> None:
        """Print the key of each tag before its word."""
        for tag, word in TAGS:
            self.tags[tag].set_label(f"{self._actions.key_text(f'evaluate.tag_{tag}')}  {word}".strip())

    def _scale(self) -> None:
        """Leave room for some rows and for the answers at every text size; a small window scrolls."""
        self.list.setMinimumHeight(self._theme.px(90))
        self._right.setMinimumHeight(self._theme.px(320))

    @property
    def current(self) -> QueuedFailure | None:
        """The failure that is shown."""
        place = self.list.currentRow()
        return self.queue[place] if 0 <= place < len(self.queue) else None

    def show_queue(self, queue: Sequence[QueuedFailure]) -> None:
        """Show the failures; the current one stays current."""
        before = self.current.failure.key if self.current else ""
        self.queue = tuple(queue)
        self.list.blockSignals(True)
        self.list.clear()
        for one in self.queue:
            item = QListWidgetItem(self.list)
            words = one.failure.rule.replace("_", " ")
            state = "not opened" if not one.opened_by else f"tagged {one.tag}" if one.tag else "opened, no tag"
            sent = f" · sent to {', '.join(one.sent)}" if one.sent else ""
            item.setText(f"{one.failure.item}\n{words} · {state}{sent}")
            icon, colour = _STATES[bool(one.opened_by) + one.done]
            item.setIcon(self._theme.icons.icon(icon, colour, colour))
        keys = [one.failure.key for one in self.queue]
        self.list.setCurrentRow(keys.index(before) if before in keys else 0 if keys else -1)
        self.list.blockSignals(False)
        done = sum(one.done for one in self.queue)
        self.bar.setRange(0, max(1, len(self.queue)))
        self.bar.setValue(done)
        words = (
            f"{done} of {len(self.queue)} opened and tagged. Enter opens one; the keys 1 to 6 say where its cause lies."
        )
        self.coverage.setText(words if self.queue else "No failure: no rule found an answer that people must look at.")
        self._show_why()

    def show_row(self, row: ItemRow | None) -> None:
        """Show the item of the current failure."""
        self.panel.show_row(row)

    def _moved(self) -> None:
        self._show_why()
        if self.current is not None:
            self.shown_wanted.emit(self.current.failure.suite, self.current.failure.item)

    def _show_why(self) -> None:
        one = self.current
        self.why.setText(f"{suite_words(one.failure.suite)}: {one.failure.why}" if one else "")
        for button in (*self.tags.values(), self.send):
            button.setVisible(one is not None)
        if one is None:
            self.panel.show_row(None, "")

    def _open(self) -> None:
        if self.current is not None:
            self.open_wanted.emit(self.current.failure.key)

    def go_on(self, by: int) -> None:
        """Go to the next or the previous failure."""
        self.list.setCurrentRow(min(max(0, self.list.currentRow() + by), self.list.count() - 1))
