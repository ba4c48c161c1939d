"""The screen after the answer to a gold item: right or wrong, the decision and why, with the texts it is about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate.answer_panes import AnswerPanes
from app.annotate.prompt_card import PromptCard
from app.theme.theme import Theme
from app.widgets.buttons import ActionButton, action_button
from app.widgets.containers import Card, ScrollColumn
from app.widgets.flow import FlowLayout
from app.widgets.header import PageHeader
from app.widgets.height_fit import HeightFit
from app.widgets.labels import Chip, short, text_label
from app.widgets.messages import announce
from app.widgets.safe_text import SafeText
from core.domain.judgement import screen_words
from core.domain.qualification import QuizResult
from core.services.annotation.views import PresentationView

SCROLL_PAGES, LEAST_TEXT_PX, WHY_PX = 0.85, 84, 170
"""Share of the height that one key scrolls; least height of an answer, and most of the explanation."""
NO_REASON = "Nobody wrote down why. The lead can: qualification WS --explain PAIR=TEXT, or Quiz… in the Team tab."


@dataclass(frozen=True, slots=True)
class ShownResult:
    """What the screen shows: the result, the texts as they stood on the screen, and the rubric version."""

    result: QuizResult
    presentation: PresentationView
    title: str


class QuizView(QWidget):
    """Shows one result; the answer that the decision prefers is marked."""

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__()
        self._actions, self._theme = actions, theme
        self.header, self.kind, self.rubric = PageHeader("Annotate"), Chip("Quiz", "accent"), Chip("")
        self.count = text_label("", "caption")
        self.verdict, self.said = Chip(""), text_label("", "strong", wrap=True)
        self.clauses = text_label("", "caption", wrap=True)
        self.why = SafeText(theme, "Why the decision is as it is")
        self.prompt, self.panes = PromptCard(theme), AnswerPanes(theme)
        self._build()

    def _build(self) -> None:
        for widget in (self.kind, self.rubric):
            self.header.add_left(widget)
        self.header.add_right(self.count)
        for action_id in ("quiz.source", "global.cheat_sheet"):
            self.header.add_right(action_button(self._actions, action_id, icon_only=True))
        scroll = ScrollColumn(margin=12, name="Result and texts")
        self.panes.only_show(LEAST_TEXT_PX)
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
        head.addWidget(self.said)
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

    def first_focus(self) -> QWidget:
        """Start at the answers, where every single key acts."""
        return self.panes

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

    def set_source(self, on: bool) -> None:
        """Show the texts as they are stored, or as Markdown."""
        self._actions.set_checked("quiz.source", on)
        self.panes.set_source(on)
        self.prompt.set_source(on)

    def show_whole(self) -> None:
        """Show the whole of prompt and answers that are too long to be shown at once."""
        self.prompt.show_whole()
        self.panes.show_all()

    def scroll_pages(self, pages: int) -> None:
        """Scroll both answers by pages."""
        self.panes.scroll_pages(pages * SCROLL_PAGES)
