"""A dialog of lists whose buttons store at once what they say: what is refused is told under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPushButton, QWidget

from app.context import AppContext
from app.widgets.buttons import push_button
from app.widgets.dialog import BaseDialog
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from core.domain.errors import UserError

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.changes import Outcome


class StoringDialog(BaseDialog):
    """Reads again after each change.

    Args:
        parent: a widget of the window.
        context: runs the changes.
        title: of the dialog.
        size: in design pixels.
    """

    def __init__(self, parent: QWidget, context: AppContext, title: str, size: tuple[int, int]) -> None:
        px = context.theme.px
        super().__init__(parent, title, size=QSize(px(size[0]), px(size[1])), settings=context.settings)
        self._context = context
        self.problem = text_label("", "error", wrap=True)
        self.problem.hide()

    def read(self) -> None:
        """Read what is shown. To be written by each dialog."""
        raise NotImplementedError

    def add_row(self, buttons: Sequence[tuple[str, Callable[[], None]]]) -> list[QPushButton]:
        """Put a row of buttons under the content, each with what it does, and return them."""
        row, made = FlowLayout(row_spacing=4), list[QPushButton]()
        for words, run in buttons:
            made.append(push_button(words))
            made[-1].clicked.connect(lambda _=False, run=run: run())
            row.addWidget(made[-1])
        self.column.addLayout(row)
        return made

    def change(self, work: Callable[[], Outcome[Any]]) -> None:
        """Store a change, and read again."""
        self.problem.hide()
        self._context.ops.mutate(work, lambda _: self.read(), self._tell_problem, owner=self)

    def _tell_problem(self, error: Exception) -> None:
        if not isinstance(error, UserError):
            self._context.tasks.unhandled.emit(error)
            return
        self.problem.setText(f"{error.message} {error.hint}".strip())
        self.problem.show()
