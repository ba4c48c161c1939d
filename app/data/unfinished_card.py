"""Imports that did not reach the end of their file: each can go on, or be given up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QVBoxLayout

from app.widgets.buttons import push_button
from app.widgets.containers import Card, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from core.domain.counting import counted

if TYPE_CHECKING:
    from core.services.importing.service import UnfinishedImport


class UnfinishedCard(Card):
    """Lists them. Each signal carries the import; ``moved`` says that its file lies elsewhere now."""

    resumed = Signal(object)
    moved = Signal(object)
    given_up = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.holds_any = False
        self._rows = QVBoxLayout()
        self.add(self._rows)
        self.hide()

    def show_imports(self, found: Sequence[UnfinishedImport]) -> None:
        """Show the imports that are unfinished; hidden where there is none."""
        self.holds_any = bool(found)
        clear_layout(self._rows)
        for one in found:
            row = FlowLayout()
            row.add(text_label(unfinished_text(one), "", wrap=True), least=20)
            for words, kind, signal in (
                ("Go on", "primary", self.resumed),
                ("The file has moved…", "", self.moved),
                ("Give up…", "", self.given_up),
            ):
                button = push_button(words, kind, name=f"{words} {one.source_name}")  # type: ignore[arg-type]
                button.clicked.connect(partial(self._tell, signal, one))
                row.addWidget(button)
            self._rows.addLayout(row)
        self.setVisible(bool(found))

    @staticmethod
    def _tell(signal: SignalInstance, one: UnfinishedImport, _checked: bool = False) -> None:
        signal.emit(one)


def unfinished_text(one: UnfinishedImport) -> str:
    """Return in a sentence how far an import came."""
    how = "was stopped" if one.state == "stopped" else "was interrupted"
    return (
        f"The import of {one.source_name} {how} after {counted(one.rows, 'row')} of {one.file_name}; "
        f"{counted(one.imported, 'pair')} and {counted(one.judgements, 'label')} of it are stored."
    )
