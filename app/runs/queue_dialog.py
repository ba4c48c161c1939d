"""The run queue: what is trained, what waits in which order, what did not go well; every change can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.runs.queue_list import QueueList
from app.runs.queue_presenter import QueueRows, queue_rows
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn, clear_layout
from app.widgets.dialog import BaseDialog
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.messages import EmptyState
from core.domain.changes import Outcome

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.queue import RunQueueService

READ_MS = 1500


class RunQueueDialog(BaseDialog):
    """Shows the queue while it is open, and changes it.

    Args:
        parent: a widget of the window.
        context: services, theme.
        add: adds the run that the page shows; None where that cannot wait. Its name is in ``add_words``.
        add_words: what that button says.
    """

    def __init__(
        self, parent: QWidget, context: AppContext, *, add: Callable[[], str] | None = None, add_words: str = ""
    ) -> None:
        size = QSize(context.theme.px(620), context.theme.px(520))
        super().__init__(parent, "Queue", size=size, settings=context.settings)
        self._context, self._add = context, add
        self._undo: Callable[[], Outcome[Any]] | None = None
        self.summary, self.hint = text_label("", "strong", wrap=True), text_label("", "hint", wrap=True)
        self.pause = push_button("Pause the queue")
        self.list = QueueList(context.theme)
        self.up, self.down = (
            push_button("Up", theme=context.theme, icon="up"),
            push_button("Down", theme=context.theme, icon="down"),
        )
        self.remove, self.add = push_button("Remove", theme=context.theme, icon="trash"), push_button(add_words, "flat")
        self.done_words, self.undo = (
            text_label("", "muted", wrap=True),
            push_button("Undo", "flat", theme=context.theme, icon="undo"),
        )
        self._running, self._told = QVBoxLayout(), ScrollColumn(name="Runs that did not go well", spacing=6)
        self.rows: QueueRows | None = None
        self._build()
        self._bind()
        self._timer = QTimer(self)
        self._timer.setInterval(READ_MS)
        self._timer.timeout.connect(self.refresh)

    @property
    def _queue(self) -> RunQueueService:
        return self._context.services.queue

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.summary, 1)
        head.addWidget(self.pause)
        self.column.addLayout(head)
        self.column.addLayout(self._running)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        words = "Add one under Train, vary one in a sweep, or add a run that is ready or ended early."
        self._stack.addWidget(EmptyState(self._context.theme, "list", "No run waits", words))
        self.column.addWidget(self._stack, 3)
        row = FlowLayout()
        for button in (self.up, self.down, self.remove, self.add):
            row.addWidget(button)
        self.column.addLayout(row)
        self.column.addWidget(self.hint)
        undo = QHBoxLayout()
        undo.addWidget(self.done_words, 1)
        undo.addWidget(self.undo)
        self.column.addLayout(undo)
        self.column.addWidget(self._told, 2)
        self.error = text_label("", "error", wrap=True)
        self.column.addWidget(self.error)
        self.add_buttons(reject="Close")
        self.up.setToolTip("Alt+Up")
        self.down.setToolTip("Alt+Down")
        self.remove.setToolTip("Delete; the run itself stays")
        self.undo.setToolTip("Ctrl+Z")
        for widget in (self.error, self.undo, self._told):
            widget.hide()
        self.add.setVisible(self._add is not None)
        self._allow()

    def _bind(self) -> None:
        self.list.moved.connect(self._move)
        self.list.shifted.connect(self._shift)
        self.list.removed.connect(self._remove)
        self.list.currentRowChanged.connect(lambda _: self._allow())
        self.up.clicked.connect(lambda: self._shift(self.list.current_id, -1))
        self.down.clicked.connect(lambda: self._shift(self.list.current_id, 1))
        self.remove.clicked.connect(lambda: self._remove(self.list.current_id))
        self.add.clicked.connect(self._add_shown)
        self.pause.clicked.connect(self._switch)
        self.undo.clicked.connect(self._take_back)
        QShortcut(QKeySequence.StandardKey.Undo, self).activated.connect(self._take_back)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to read."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()
        self.list.setFocus()

    def done(self, result: int) -> None:
        """Stop reading, and close."""
        self._timer.stop()
        super().done(result)

    # Reading

    def refresh(self, _outcome: object = None) -> None:
        """Read the queue."""
        queue, read_only = self._queue, self._context.services.read_only
        self._context.tasks.query(
            lambda: queue_rows(queue.view(), read_only=read_only), self.show_rows, self._failed, owner=self, key="queue"
        )

    def show_rows(self, rows: QueueRows) -> None:
        """Show the queue."""
        self.error.hide()
        if rows == self.rows:
            return
        self.rows = rows
        self.summary.setText(rows.summary)
        self.hint.setText(rows.hint)
        self.hint.setVisible(bool(rows.hint))
        self.pause.setText("Go on with the queue" if rows.paused else "Pause the queue")
        clear_layout(self._running)
        for line in rows.running:
            self._running.addWidget(text_label(line, "muted", wrap=True))
        self.list.show_rows(rows.waiting)
        self._stack.setCurrentIndex(0 if rows.waiting else 1)
        self._show_told(rows)
        self._allow()

    def _show_told(self, rows: QueueRows) -> None:
        clear_layout(self._told.column)
        self._told.setVisible(bool(rows.told))
        for run_id, words in rows.told:
            line = QHBoxLayout()
            line.addWidget(text_label(words, wrap=True), 1)
            again, forget = push_button("Add again", "flat"), push_button("Forget", "flat")
            again.clicked.connect(partial(self._add_again, run_id))
            forget.clicked.connect(partial(self._change, partial(self._queue.forget, run_id)))
            for button, verb in ((again, "Add again"), (forget, "Forget")):
                button.setAccessibleName(f"{verb}: {words}")
                line.addWidget(button)
            self._told.column.addLayout(line)
        self._told.column.addStretch(1)

    def _failed(self, error: Exception) -> None:
        self.error.setText(str(error))
        self.error.show()

    def _allow(self) -> None:
        row, count = self.list.currentRow(), self.list.count()
        self.up.setEnabled(row > 0)
        self.down.setEnabled(0 <= row < count - 1)
        self.remove.setEnabled(row >= 0)

    # Changing

    def _change(
        self,
        work: Callable[[], Outcome[Any]],
        words: str = "",
        undo: Callable[[Any], Callable[[], Outcome[Any]]] | None = None,
    ) -> None:
        """Change the queue, then offer to take that back; ``undo`` makes the way back from the outcome's value."""

        def done(outcome: Outcome[Any]) -> None:
            self._undo = undo(outcome.value) if undo is not None else None
            self.done_words.setText(words)
            self.undo.setVisible(self._undo is not None)
            self.refresh()

        self._context.ops.mutate(work, done, self._failed, owner=self)

    def _name(self, run_id: str) -> str:
        lines = dict(self.rows.waiting if self.rows is not None else ()).get(run_id, "")
        return lines.partition("\n")[0].partition("  ")[2]

    def _place(self, run_id: str) -> int:
        ids = [one for one, _ in (self.rows.waiting if self.rows is not None else ())]
        return ids.index(run_id) if run_id in ids else 0

    def _move(self, run_id: str, place: int) -> None:
        before = self._place(run_id)
        words = f"Moved {self._name(run_id)}."
        self._change(
            partial(self._queue.move, run_id, place), words, lambda _: partial(self._queue.move, run_id, before)
        )

    def _shift(self, run_id: str, by: int) -> None:
        if run_id and 0 <= self._place(run_id) + by < self.list.count():
            self._move(run_id, self._place(run_id) + by)

    def _remove(self, run_id: str) -> None:
        if run_id:
            words = f"Removed {self._name(run_id)}; the run itself stays."
            self._change(
                partial(self._queue.remove, run_id), words, lambda place: partial(self._queue.put, run_id, place)
            )

    def _add_again(self, run_id: str) -> None:
        self._change(partial(self._queue.put, run_id), "Added again.", lambda _: partial(self._queue.remove, run_id))

    def _add_shown(self) -> None:
        if self._add is not None:
            run_id = self._add()
            self._change(partial(self._queue.put, run_id), "Added.", lambda _: partial(self._queue.remove, run_id))
            self.add.hide()

    def _switch(self) -> None:
        paused = self.rows is not None and self.rows.paused
        self._change(partial(self._queue.pause, not paused))

    def _take_back(self) -> None:
        if self._undo is not None:
            self._change(self._undo, "Taken back.")
