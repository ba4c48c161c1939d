"""The dialog *One prompt under both models*: samples of each, tokens, likeliest tokens, nearest training pairs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.evaluate import prompt_figures as figures
from app.widgets.containers import Card, ScrollColumn, WholeColumn
from app.widgets.controls import ComboBox, SpinBox
from app.widgets.dialog import BaseDialog
from app.widgets.folding_split import FoldingSplit
from app.widgets.form_parts import labelled_fields
from app.widgets.labels import text_label
from app.widgets.messages import ProgressLine
from app.widgets.plots.chart_card import ChartCard, FigureTable
from app.widgets.safe_text import SafeText
from app.widgets.token_strip import TokenStrip
from app.widgets.token_texts import LIKELY_HEADS, likely_rows, token_sentence
from core.domain.prompt_inspection import InspectedAnswer, InspectionRequest, PromptInspection

SAMPLES, MOST_SAMPLES, TOKENS, MOST_TOKENS = 2, 32, 64, 4096
_ABOUT = (
    "Both models read the prompt in a process of its own: answers that are given and samples of each, token by token. "
    "Nothing is stored."
)


class PromptDialog(BaseDialog):
    """Looks at one prompt; answers are shown as they come.

    Args:
        parent: a widget of the window.
        context: services, theme, tasks.
        request: run, prompt and given answers.
        title: of the item.

    Signals:
        answer_come(InspectedAnswer): sent from the thread that looks.
        pair_wanted(str): a training pair was opened.
    """

    answer_come = Signal(object)
    pair_wanted = Signal(str)

    def __init__(self, parent: QWidget, context: AppContext, request: InspectionRequest, title: str) -> None:
        theme = context.theme
        super().__init__(
            parent, "One prompt under both models", size=QSize(theme.px(920), theme.px(720)), settings=context.settings
        )
        self._context, self._request = context, request
        self._job: BackgroundTask | None = None
        self.answers: list[InspectedAnswer] = []
        self.found: PromptInspection | None = None
        self.samples, self.tokens, self.answer = SpinBox(), SpinBox(), ComboBox(outside=True)
        self.prompt = SafeText(theme, "Prompt", size=13)
        self.strip = TokenStrip(theme)
        self.card = ChartCard(context, "Token by token", self.strip, figures.TOKEN_HEADS)
        self.card.head.enlarge.setEnabled(False)
        self.as_table = QCheckBox("Tokens as a table")
        self.token = text_label("", "", wrap=True, selectable=True)
        self.likely = FigureTable(context, "Likeliest tokens at this place", LIKELY_HEADS, most=8)
        self.nearest = FigureTable(context, "Nearest training pairs", figures.NEAR_HEADS, most=6)
        self.near_about, self.notes = text_label("", "hint", wrap=True), text_label("", "caption", wrap=True)
        self.line, self.error = ProgressLine(title="Looking at the prompt"), text_label("", "error", wrap=True)
        self._build(title)
        self._connect()
        self._show_answer()

    def _build(self, title: str) -> None:
        head, one = Card(title, spacing=4), Card(spacing=4)
        if self._request.prompt is not None:
            self.prompt.set_text(self._request.prompt.last_text, mode="source")
        self.prompt.setMaximumHeight(self._context.theme.px(70))
        self.samples.setRange(0, MOST_SAMPLES)
        self.samples.setValue(SAMPLES)
        self.tokens.setRange(1, MOST_TOKENS)
        self.tokens.setValue(TOKENS)
        head.add(self.prompt)
        head.add(labelled_fields((("Samples of each", self.samples), ("Tokens of a sample", self.tokens))))
        head.add(text_label(_ABOUT, "hint", wrap=True))
        one.add(labelled_fields((("Answer", self.answer),)))
        one.add(self.token)
        one.add(self.likely)
        self._near_card = Card("Nearest training pairs", spacing=4)
        self._near_card.add(self.near_about)
        self._near_card.add(self.nearest)
        self._one = one
        scroll = ScrollColumn(margin=2, spacing=10, name="The prompt")
        parts = [WholeColumn(spacing=0), WholeColumn(spacing=0)]
        for part, card in zip(parts, (self.card, one), strict=True):
            part.column.addWidget(card)
            part.column.addStretch(1)
        split = FoldingSplit(parts, (520, 360), heights=(260, 200), least=(22, 20), grows=0)
        for part in (head, self.line, self.error, split, self._near_card, self.notes):
            scroll.column.addWidget(part)
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        self.buttons.addButton(self.as_table, QDialogButtonBox.ButtonRole.ActionRole)
        self.start = self.add_buttons("Look", "Close")

    def _connect(self) -> None:
        self.answer_come.connect(self._take)
        self.answer.currentIndexChanged.connect(lambda _: self._show_answer())
        self.strip.moved.connect(self._show_token)
        self.card.table.currentCellChanged.connect(lambda row, *_: self.strip.go(row))
        self.as_table.toggled.connect(self.card.set_table)
        self.nearest.opened.connect(lambda row: self.pair_wanted.emit(row.cells[0]))
        self._near_card.hide()
        self.line.hide()
        self._say("")

    # Looking

    def accept(self) -> None:
        """Look at the prompt; the dialog stays open, and what was found before goes away."""
        if self._job is not None or not self.isVisible():
            return
        request = self._wish()
        service = self._context.services.prompts
        self.answers, self.found = [], None
        self.answer.clear()
        self._near_card.hide()
        self.notes.setText("")
        self._say("")

        def work(control: TaskControl) -> PromptInspection:
            return service.inspect(
                request,
                on_progress=control.progress,
                on_answer=lambda answer: None if control.cancelled else self.answer_come.emit(answer),
                cancelled=lambda: control.cancelled,
            )

        self._job = self._context.tasks.job("Looking at the prompt", work, self._done, self._failed, owner=self)
        self._job.ended.connect(self._ended)
        self.line.follow(self._job)
        self.line.show()
        self.start.setEnabled(False)

    def _wish(self) -> InspectionRequest:
        changes = {**self._request.settings, "max_new_tokens": self.tokens.value()}
        return InspectionRequest(
            self._request.run,
            self._request.prompt,
            given=self._request.given,
            samples=self.samples.value(),
            step=self._request.step,
            settings=changes,
        )

    def _take(self, answer: InspectedAnswer) -> None:
        """Show an answer beside those that came before."""
        if self.found is not None:
            return
        self.answers.append(answer)
        self.answer.addItem(figures.answer_title(answer))
        if len(self.answers) == 1:
            self._show_answer()

    def _done(self, found: PromptInspection) -> None:
        self.found = found
        self._ended()
        if len(found.answers) != len(self.answers):  # a part was lost on the way; what is returned has all
            self.answers, place = list(found.answers), max(0, self.answer.currentIndex())
            self.answer.clear()
            for answer in self.answers:
                self.answer.addItem(figures.answer_title(answer))
            self.answer.setCurrentIndex(min(place, len(self.answers) - 1))
        self._show_answer()
        self.near_about.setText(figures.near_words(found))
        self.nearest.show_rows(figures.near_rows(found))
        self.nearest.setVisible(bool(found.nearest))
        self._near_card.show()
        self.notes.setText("\n".join(figures.about_words(found)))

    def _failed(self, error: Exception) -> None:
        self._ended()
        self._say(str(error))

    def _ended(self) -> None:
        self._job = None
        self.start.setEnabled(True)

    def done(self, result: int) -> None:
        """Close; a look that goes on ends."""
        if self._job is not None:
            self._job.cancel()
        super().done(result)

    # What is shown

    @property
    def shown(self) -> InspectedAnswer | None:
        """The chosen answer."""
        place = self.answer.currentIndex()
        return self.answers[place] if 0 <= place < len(self.answers) else None

    def _show_answer(self) -> None:
        answer = self.shown
        self.strip.show_answer(answer, figures.largest(self.answers))
        rows: Sequence[figures.TableRow] = figures.token_rows(answer) if answer is not None else ()
        beta = self.found.beta if self.found is not None else None
        about = figures.answer_words(answer, beta) if answer is not None else ""
        missing = "Press Look: both models read this prompt then." if self._job is None else "The models are loaded."
        self.card.show_figures(rows, about=about, missing=missing)
        self._one.setVisible(bool(self.answers))
        if answer is not None and answer.tokens:
            place, _ = answer.most_changed(1)[0]
            self.strip.go(place)

    def _show_token(self, place: int) -> None:
        answer = self.shown
        if answer is not None and 0 <= place < len(answer.tokens):
            token = answer.tokens[place]
            self.token.setText(token_sentence(place, token))
            self.likely.show_rows(likely_rows(token))

    def _say(self, words: str) -> None:
        self.error.setText(words)
        self.error.setVisible(bool(words))
