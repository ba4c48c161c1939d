"""Shows what a run would train: of some pairs the tokens, which are scored, and what differs from the answers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.settings.store import Settings
from app.theme.theme import Theme
from app.train.proof_texts import difference_marks, line_of, pair_line, said_of, token_marks
from app.widgets.controls import ComboBox
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label
from app.widgets.safe_text import SafeText
from core.domain.token_proof import RowProof, TokenProof
from core.services.runs.views import RunRequest

LEGEND = (
    "Marked tokens are scored; two shades tell neighbours apart, the last one ends the answer. What stands before them "
    "is the prompt."
)
SIDES = ("Chosen", "Rejected")


class TokenProofs:
    """Shows the proof of the form's settings: the one that a preflight brought, else one that is made now."""

    def __init__(self, page: QWidget, context: AppContext) -> None:
        self._page, self._context = page, context
        self._proof: TokenProof | None = None
        self._asked = 0

    def take(self, proof: TokenProof | None) -> None:
        """Keep the proof of the settings in the form; None when they have changed."""
        self._proof = proof
        self._asked += 1

    def show(self, request: RunRequest, on_error: Callable[[Exception], None]) -> None:
        """Open the proof; one that must be made first is dropped when the settings change meanwhile."""
        if self._proof is not None:
            self._open(self._proof)
            return
        service, self._asked = self._context.services.runs, self._asked + 1
        asked = self._asked
        self._context.tasks.job(
            "Tokens",
            lambda control: service.token_proof(
                request, on_progress=control.progress, cancelled=lambda: control.cancelled
            ),
            lambda proof: self._made(proof) if asked == self._asked else None,
            lambda error: on_error(error) if asked == self._asked else None,
            owner=self._page,
        )

    def _made(self, proof: TokenProof) -> None:
        self.take(proof)
        self._open(proof)

    def _open(self, proof: TokenProof) -> None:
        TokenProofDialog(self._page, self._context.theme, self._context.settings, proof).open()


class TokenProofDialog(BaseDialog):
    """A choice of pairs, and both rows of the chosen one as tokens."""

    def __init__(self, parent: QWidget, theme: Theme, settings: Settings, proof: TokenProof) -> None:
        size = QSize(theme.px(860), theme.px(640))
        super().__init__(parent, "Tokens and what is scored", size=size, settings=settings)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._proof = proof
        self.pairs = ComboBox(outside=True)
        self.pairs.setAccessibleName("Pair")
        for pair in proof.pairs:
            self.pairs.addItem(pair_line(pair))
        self.pairs.currentIndexChanged.connect(self.show_pair)
        self.column.addWidget(text_label(line_of(proof), "strong", wrap=True))
        self.column.addWidget(self.pairs)
        self.said = text_label("", "muted", wrap=True)
        self.column.addWidget(self.said)
        self.column.addWidget(text_label(LEGEND, "hint", wrap=True))
        self.titles, self.rows, self.changes = [], [], []
        for side in SIDES:
            title = text_label(side, "strong", wrap=True)
            row = SafeText(theme, f"Tokens of the {side.lower()} answer", size=13, mode="source")
            change = SafeText(theme, f"What differs in the {side.lower()} answer", size=13, mode="source")
            change.setMaximumHeight(theme.px(96))
            for widget, share in ((title, 0), (row, 2), (change, 1)):
                self.column.addWidget(widget, share)
            self.titles.append(title)
            self.rows.append(row)
            self.changes.append(change)
        self.add_buttons(reject="Close")
        self.show_pair(0)

    def show_pair(self, index: int) -> None:
        """Show the rows of a pair."""
        if not 0 <= index < len(self._proof.pairs):
            return
        pair = self._proof.pairs[index]
        self.said.setText(said_of(pair))
        self.said.setVisible(bool(pair.notes))
        for place, row in enumerate(pair.rows):
            self._show_row(place, row)

    def _show_row(self, place: int, row: RowProof) -> None:
        scored = len(row.tokens) - row.scored_from
        self.titles[place].setText(f"{SIDES[place]}: {row.scored_from:,} tokens of prompt, {scored:,} scored")
        self.rows[place].set_text("".join(row.tokens), extra=token_marks(row))
        self._show_scored(place, row)
        text, marks = difference_marks(row)
        self.changes[place].setVisible(bool(row.differences))
        self.changes[place].set_text(text, extra=marks)

    def showEvent(self, event: QShowEvent) -> None:
        """Bring what is scored into view, now that the texts have their size."""
        super().showEvent(event)
        if 0 <= (index := self.pairs.currentIndex()) < len(self._proof.pairs):
            for place, row in enumerate(self._proof.pairs[index].rows):
                self._show_scored(place, row)

    def _show_scored(self, place: int, row: RowProof) -> None:
        """Scroll to the end of a row: what is scored stands there, behind the prompt."""
        self.rows[place].scroll_to(len("".join(row.tokens[: row.scored_from + 1])))
