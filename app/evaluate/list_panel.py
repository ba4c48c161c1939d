"""What the page chooses from: evaluations and releases, at the left, or folded to a line above the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.evaluation_list import EvaluationList
from app.evaluate.release_list import ReleaseList
from app.widgets.buttons import action_button
from app.widgets.labels import text_label
from core.services.evaluations.views import EvaluationInfo

_TITLE = "Evaluations and releases"


class ListPanel(QFrame):
    """Both lists with what is done with them.

    Where the window is narrow the lists are folded to a line, so that the chosen evaluation has the room; its button
    opens them, and a choice folds them again.

    Signals:
        opened(bool): the folded lists are open now, or take a line; also when that line has another height.
    """

    opened = Signal(bool)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.setProperty("part", "list")
        self._theme = theme = context.theme
        self.list, self.releases = EvaluationList(theme), ReleaseList(theme)
        self._is_folded = False
        self._title = text_label("Evaluations", "section")
        self.fold = QToolButton()
        self.fold.setProperty("fold", "true")
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setText(_TITLE)
        self.fold.setCheckable(True)
        self.fold.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fold.toggled.connect(self._open)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.fold)
        head.addStretch(0)
        self.new = action_button(context.actions, "evaluate.new", icon_only=True)
        head.addWidget(self.new)
        self._content = QWidget()
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(8)
        self.none = text_label("", "hint", wrap=True)
        content.addWidget(self.none)
        content.addWidget(self.list, 3)
        content.addWidget(self.releases, 2)
        content.addStretch(0)
        for action_id, words in (("evaluate.compare", "Compare…"), ("evaluate.thresholds", "Thresholds…")):
            content.addWidget(action_button(context.actions, action_id, text=words, theme=theme))
        self._column = column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._content, 1)
        theme.changed.connect(self._scale)
        self._scale()
        self.set_folded(False)

    def _scale(self) -> None:
        """Keep room for the names in the list at every text size."""
        self.setMinimumWidth(self._theme.px(170))
        if self._is_folded:
            self.opened.emit(self.fold.isChecked())

    def show_evaluations(self, infos: Sequence[EvaluationInfo], chosen: str, *, has_run: bool) -> None:
        """List evaluations with one of them chosen, or say which step brings the first one."""
        self.list.set_infos(infos, chosen)
        self.list.setVisible(bool(infos))
        self.none.setVisible(not infos)
        step = "New evaluation… (+) makes the first one." if has_run else "One is made of a run: train one first."
        self.none.setText(f"No evaluation yet. {step}")

    def set_folded(self, on: bool) -> None:
        """Show a line that opens the lists, or the lists."""
        self._is_folded = on
        self._title.setVisible(not on)
        self.fold.setVisible(on)
        self.fold.setChecked(False)
        self._show()
        if on:
            self.opened.emit(False)

    def close_lists(self) -> None:
        """Fold the lists again, once something was chosen."""
        self.fold.setChecked(False)

    def first_focus(self) -> QWidget:
        """Return the list, or what opens it."""
        if self._content.isHidden():
            return self.fold
        return self.list if self.list.count() else self.new

    def _open(self, on: bool) -> None:
        self._show()
        self.opened.emit(on)
        if on:
            self.first_focus().setFocus()

    def _show(self) -> None:
        is_open = not self._is_folded or self.fold.isChecked()
        self._content.setVisible(is_open)
        self.fold.setIcon(self._theme.icons.icon("down" if is_open else "right", on="text2"))
        self.fold.setAccessibleName(f"{_TITLE}, {'open' if is_open else 'closed'}")
        margin = 12 if is_open else 4
        self._column.setContentsMargins(12, margin, 12, margin)
