"""Answers of the compared runs beside each other: the same prompt under the same seed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import clear_layout
from app.widgets.controls import ComboBox
from app.widgets.flow import EvenFlow
from app.widgets.labels import ElideLabel, text_label
from app.widgets.safe_text import SafeText
from core.domain.text_length import text_length
from core.services.runs.compared_samples import ComparedAnswers

NONE = "No prompt was answered by two of these runs with the same seed. Runs of one seed ask the same prompts."
_LEAST, _HEIGHT = 200, 150
"""Design pixels of the least width of an answer, and of its height."""


class CompareAnswers(QWidget):
    """A prompt to choose, and what each run answered to it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: tuple[ComparedAnswers, ...] = ()
        self._names: tuple[str, ...] = ()
        self.views: list[SafeText] = []
        self.none = text_label(NONE, "muted", wrap=True)
        self.prompt = ComboBox(outside=True)
        self.prompt.setAccessibleName("Prompt that the runs answered")
        self._answers = QWidget()
        self._flow = EvenFlow(self._answers, spacing=8, least=lambda: theme.px(_LEAST))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.none, self.prompt, self._answers):
            column.addWidget(part)
        self.prompt.activated.connect(lambda _: self._show())

    def show_answers(self, rows: Sequence[ComparedAnswers], names: Sequence[str]) -> None:
        """Show other answers; ``names`` are those of the runs. The chosen prompt stays chosen."""
        kept = self.prompt.currentText()
        self._rows, self._names = tuple(rows), tuple(names)
        titles = [f"{number}. {' '.join(row.prompt.split())}" for number, row in enumerate(self._rows, 1)]
        self.prompt.clear()
        self.prompt.addItems(titles)
        self.prompt.setCurrentIndex(titles.index(kept) if kept in titles else 0)
        self.none.setVisible(not self._rows)
        for part in (self.prompt, self._answers):
            part.setVisible(bool(self._rows))
        self._show()

    def _show(self) -> None:
        clear_layout(self._flow)
        self.views = []
        place = self.prompt.currentIndex()
        if not 0 <= place < len(self._rows):
            return
        for name, answer in zip(self._names, self._rows[place].answers, strict=True):
            if answer is not None:
                self._flow.addWidget(self._answer(name, answer))

    def _answer(self, name: str, answer: str) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        title = ElideLabel("", kind="caption", outside=True)
        title.setText(f"{name} · {text_length(answer)}")
        view = SafeText(self._theme, f"Answer of {name}", size=13, mode="source")
        view.set_text(answer, mode="source")
        view.setFixedHeight(self._theme.px(_HEIGHT))
        self.views.append(view)
        column.addWidget(title)
        column.addWidget(view)
        return part
