"""The votes of a talk: the scale with its keys, clause and reason, and what is saved."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit

from app.actions.registry import ActionRegistry
from app.actions.talk_rows import VOTES
from app.theme.theme import Theme
from app.widgets.buttons import action_button
from app.widgets.containers import Card
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.verdict_button import SMALLEST, VerdictButton, Wording
from core.domain.judgement import Verdict
from core.domain.rubric import RubricVersion
from core.domain.talk import TalkVote

_GAP_PX = 8
NO_CLAUSE = "Clause: none"


class TalkVoteBar(Card):
    """Buttons that run actions of the catalog; clause and reason go with the vote.

    Signals:
        said(): clause or reason was changed.
    """

    said = Signal()

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(spacing=6)
        self.versions: list[RubricVersion] = []
        scale = QGridLayout()
        scale.setHorizontalSpacing(_GAP_PX)
        self.buttons: dict[int, VerdictButton] = {}
        for column, (action_id, strength) in enumerate(VOTES.items()):
            button = self.buttons[strength] = VerdictButton(actions, action_id)
            scale.addWidget(button, 1, column)
            scale.setColumnStretch(column, 1)
        self.captions = text_label("Left is", "caption"), text_label("Right is", "caption")
        for caption, column in zip(self.captions, (0, 4), strict=True):
            caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            caption.hide()
            scale.addWidget(caption, 0, column, 1, 3)
        self.rubric, self.clause = ComboBox(outside=True), ComboBox(outside=True)
        self.rubric.setAccessibleName("Rubric version of the vote")
        self.clause.setAccessibleName("Clause that decides")
        self.why = QLineEdit()
        self.why.setAccessibleName("Why")
        self.why.setPlaceholderText("Why? One sentence, saved with the label")
        words, lower = FlowLayout(spacing=8, row_spacing=4), FlowLayout(spacing=6, row_spacing=4)
        words.addWidget(self.rubric)
        words.addWidget(self.clause)
        words.add(self.why, least=16)
        for action_id in ("try.neither", "try.no_vote", "try.names"):
            lower.addWidget(action_button(actions, action_id, kind="flat", show_key=True, theme=theme))
        self.line = text_label("", "caption", wrap=True)
        lower.add(self.line, least=8)
        lower.add_gap()
        lower.addWidget(action_button(actions, "try.failure", show_key=True, theme=theme))
        lower.addWidget(action_button(actions, "try.pair", kind="primary", show_key=True, theme=theme))
        for part in (scale, words, lower):
            self.add(part)
        self.rubric.currentIndexChanged.connect(lambda _: self._fill_clauses())
        self.clause.activated.connect(lambda _: self.said.emit())
        self.why.editingFinished.connect(self.said)

    @property
    def version(self) -> RubricVersion | None:
        """The rubric version that votes are given under."""
        place = self.rubric.currentIndex()
        return self.versions[place] if 0 <= place < len(self.versions) else None

    def set_versions(self, versions: Sequence[RubricVersion]) -> None:
        """Offer published rubric versions, the newest first; the chosen one stays."""
        if [one.id for one in versions] == [one.id for one in self.versions]:
            return
        chosen = self.version
        self.versions = list(versions)
        self.rubric.blockSignals(True)
        self.rubric.clear()
        self.rubric.addItems([one.title for one in versions])
        place = next((n for n, one in enumerate(versions) if chosen and one.id == chosen.id), 0)
        self.rubric.setCurrentIndex(place if versions else -1)
        self.rubric.blockSignals(False)
        self.rubric.setVisible(len(versions) != 1)
        self.rubric.setPlaceholderText("" if versions else "No published rubric")
        self.rubric.setEnabled(bool(versions))
        self._fill_clauses()

    def _fill_clauses(self) -> None:
        version = self.version
        self.clause.clear()
        self.clause.addItem(NO_CLAUSE, "")
        for criterion in version.body.criteria if version is not None else ():
            self.clause.addItem(f"Clause: {criterion.name}", criterion.id)

    def vote(self, verdict: Verdict, strength: int | None) -> TalkVote:
        """Return a vote with the clause and the reason that are filled in."""
        return TalkVote(verdict, strength, str(self.clause.currentData() or ""), self.why.text().strip())

    def show_vote(self, vote: TalkVote | None, words: str, *, enabled: bool) -> None:
        """Show the vote of the newest exchange."""
        chosen = None if vote is None else vote.strength if vote.strength is not None else 0
        chosen = None if vote is not None and vote.verdict is Verdict.NEITHER else chosen
        for strength, button in self.buttons.items():
            button.set_chosen(strength == chosen)
            button.setEnabled(enabled)
        self.line.setText(words)

    def forget(self) -> None:
        """Empty clause and reason for the next exchange."""
        self.why.clear()
        self.clause.setCurrentIndex(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write the verdicts in two lines where one of them does not fit in one."""
        super().resizeEvent(event)
        shown = list(self.buttons.values())
        margins = self.contentsMargins() + self.column.contentsMargins()
        width = (self.width() - margins.left() - margins.right() - _GAP_PX * (len(shown) - 1)) // len(shown)
        shares = {wording: min(button.share_for(wording, width) for button in shown) for wording in Wording}
        wording = next((one for one in Wording if shares[one] >= 1), Wording.UNDER_CAPTION)
        for button in shown:
            button.show_as(wording, max(SMALLEST, shares[wording]))
        for caption in self.captions:
            caption.setVisible(wording is Wording.UNDER_CAPTION)
