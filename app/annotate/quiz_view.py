"""The screen after the answer to a gold item: right or wrong, the decision and why, with the texts it is about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QVBoxLayout

from app.actions.registry import ActionRegistry
from app.annotate.judged_pair_view import JudgedPairView
from app.theme.theme import Theme
from app.widgets.buttons import ActionButton, action_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.flow import FlowLayout
from app.widgets.height_fit import HeightFit
from app.widgets.labels import Chip, short, text_label
from app.widgets.messages import announce
from app.widgets.safe_text import SafeText
from core.domain.judgement import screen_words
from core.domain.qualification import QuizResult
from core.services.annotation.views import PresentationView

WHY_PX, LEAST_EMS = 170, 14
"""Design pixels of the explanation at most; least width of what was said, in heights of a line."""
NO_REASON = "Nobody wrote down why. The lead can: qualification WS --explain PAIR=TEXT, or Quiz… in the Team tab."


@dataclass(frozen=True, slots=True)
class ShownResult:
    """What the screen shows: the result, the texts as they stood on the screen, and the rubric version."""

    result: QuizResult
    presentation: PresentationView
    title: str


class QuizView(JudgedPairView):
    """Shows one result; the answer that the decision prefers is marked."""

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(actions, theme, "quiz")
        self.kind, self.rubric, self.count = Chip("Quiz", "accent"), Chip(""), text_label("", "caption")
        self.verdict, self.said = Chip(""), text_label("", "strong", wrap=True)
        self.clauses = text_label("", "caption", wrap=True)
        self.why = SafeText(theme, "Why the decision is as it is")
        self._build()

    def _build(self) -> None:
        for widget in (self.kind, self.rubric):
            self.header.add_left(widget)
        self.header.add_right(self.count)
        for action_id in ("quiz.source", "global.cheat_sheet"):
            self.header.add_right(action_button(self._actions, action_id, icon_only=True))
        scroll = ScrollColumn(margin=12, name="Result and texts")
        for widget, grows in ((self._result_card(), 0), (self.prompt, 0), (self.panes, 1)):
            scroll.column.addWidget(widget, grows)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addWidget(scroll, 1)

    def _result_card(self) -> Card:
        card = Card(spacing=6)
        head = FlowLayout(spacing=8, row_spacing=4, middle=True)
        head.addWidget(self.verdict)
        head.add(self.said, least=LEAST_EMS)
        card.add(head)
        card.add(self.why)
        card.add(self.clauses)
        HeightFit([self.why], partial(self._theme.px, WHY_PX))
        row = FlowLayout(spacing=6, row_spacing=4)
        row.addWidget(
            action_button(
                self._actions, "quiz.leave", text="Label pairs", kind="flat", show_key=True, theme=self._theme
            )
        )
        row.add_gap()
        self.next = ActionButton(self._actions, "quiz.next", "Next item", "primary", True, self._theme)
        self.next.setIcon(QIcon())
        row.addWidget(self.next)
        card.add(row)
        return card

    def show_result(self, shown: ShownResult, *, practice: bool) -> None:
        """Show right or wrong with the reason."""
        result, left = shown.result, shown.presentation.left_is
        self.kind.set_chip("Practice" if practice else "Quiz", "accent")
        self.rubric.set_chip(short(shown.title))
        self.count.setText("" if practice else result.words())
        word = "right" if result.is_right else "wrong"
        self.verdict.set_chip(f"✓ {word}" if result.is_right else f"✕ {word}", "ok" if result.is_right else "bad")
        said = f"You said: {screen_words(result.own, left)}. The decision: {screen_words(result.gold, left)}."
        self.said.setText(said)
        self.why.set_text(result.explanation or NO_REASON, mode="rendered" if result.explanation else "source")
        names = ", ".join(result.clauses)
        self.clauses.setText(f"Another side than the decision on: {names}")
        self.clauses.setVisible(bool(names))
        self.prompt.show_prompt(shown.presentation.prompt, result.pair_id)
        self.panes.show_pair(shown.presentation.left, shown.presentation.right)
        gold = result.gold.preferred
        self.panes.set_preferred(None if gold is None else "left" if gold == left else "right")
        announce(self, f"{word}. {said}")
