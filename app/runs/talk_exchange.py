"""One exchange of a talk on the screen: the question, and a card for each answer."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.runs.talk_words import reply_words, shift_words, side_title
from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Card
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.safe_text import SafeText
from app.widgets.token_strip import TokenStrip
from core.domain.prompt_inspection import InspectedAnswer
from core.domain.talk import Exchange, Talk
from core.domain.talk_events import TalkToken

_FLUSH_MS = 40
"""Tokens that come within this time are shown together."""
_LEAST_EMS, _LEAST_LINES, _MOST_LINES = 18, 3, 18


class ReplyCard(Card):
    """The answer of one arm: it grows while tokens come; coloured, its tokens stand in its place.

    Signals:
        again_wanted(), copied(): the buttons below it were pressed.
    """

    again_wanted = Signal()

    def __init__(self, theme: Theme, place: int) -> None:
        super().__init__(margin=12, spacing=4)
        self._theme, self._text = theme, ""
        self.title = ElideLabel("", kind="caption", outside=True)
        self.text = SafeText(theme, f"Answer {place + 1}", mode="source")
        self.strip = TokenStrip(theme)
        self.strip.hide()
        self.foot = text_label("", "caption", wrap=True)
        self.on = Chip("goes on from here", "accent")
        self.again = icon_button(theme, "refresh", f"Ask answer {place + 1} again with a new seed", size=16)
        self.copy = icon_button(theme, "copy", f"Copy answer {place + 1}", size=16)
        self.again.clicked.connect(self.again_wanted)
        self.copy.clicked.connect(self.text.copy_all)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_FLUSH_MS)
        self._timer.timeout.connect(self._flush)
        row = QHBoxLayout()
        row.addWidget(self.foot, 1)
        row.addWidget(self.on)
        row.addWidget(self.again)
        row.addWidget(self.copy)
        for part in (self.title, self.text, self.strip):
            self.add(part)
        self.column.addStretch(1)
        self.add(row)
        self.on.hide()
        layout = self.text.document().documentLayout()
        layout.documentSizeChanged.connect(lambda _: self._fit())

    def hear(self, token: TalkToken) -> None:
        """Append what a token adds; what comes together is shown together."""
        self._text += token.text
        if not self._timer.isActive():
            self._timer.start()

    def begin(self) -> None:
        """Wait for a new answer."""
        self._text = ""
        self.text.set_text("", mode="source")
        self.strip.hide()
        self.text.show()

    def show_text(self, text: str) -> None:
        """Show a whole answer."""
        self._timer.stop()
        self._text = text
        if self.text.text_shown != text:
            self.text.set_text(text, mode="source")

    def show_tokens(self, answer: InspectedAnswer | None, reach: float) -> None:
        """Show the coloured tokens in the place of the text; None shows the text."""
        if answer is not self.strip.answer:
            self.strip.show_answer(answer, reach)
        self.strip.setVisible(answer is not None)
        self.text.setVisible(answer is None)

    def _flush(self) -> None:
        self.text.set_text(self._text)
        self.text.verticalScrollBar().setValue(self.text.verticalScrollBar().maximum())

    def _fit(self) -> None:
        """Be as high as the text, within limits; a longer one scrolls."""
        line = self.text.fontMetrics().height()
        wanted = round(self.text.document().size().height()) + 4
        self.text.setFixedHeight(max(_LEAST_LINES * line, min(wanted, _MOST_LINES * line)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the height to the lines of another width."""
        super().resizeEvent(event)
        self._fit()


class ExchangeView(QWidget):
    """The question, and the answers beside each other, or below each other where it is narrow.

    Signals:
        edit_wanted(): the question is to be asked in other words.
        again_wanted(str): one arm is to answer again.
    """

    edit_wanted = Signal()
    again_wanted = Signal(str)

    def __init__(self, theme: Theme, number: int, arms: int) -> None:
        super().__init__()
        self._theme, self._exchange = theme, None
        self._shown: Exchange | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        asked = QFrame()
        asked.setProperty("part", "formula")
        row = QHBoxLayout(asked)
        row.setContentsMargins(12, 4, 8, 4)
        self.question = SafeText(theme, f"Message {number}", size=13, mode="source")
        self.question.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self.edit = icon_button(theme, "edit", f"Ask message {number} in other words", size=16)
        self.edit.clicked.connect(self.edit_wanted)
        you = text_label("You", "strong")
        you.setContentsMargins(0, 2, 0, 0)
        row.addWidget(you, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.question, 1)
        row.addWidget(text_label(f"turn {number}", "caption"))
        row.addWidget(self.edit)
        column.addWidget(asked)
        self.cards = [ReplyCard(theme, place) for place in range(arms)]
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(8)
        for place, card in enumerate(self.cards):
            card.again_wanted.connect(lambda place=place: self._again(place))
            self._row.addWidget(card, 1)
        column.addLayout(self._row)

    def minimumSizeHint(self) -> QSize:
        """Return the width of one card; more stand below each other."""
        return QSize(self._least(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the arrangement."""
        beside = self.width() >= len(self.cards) * (self._least() + 8)
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        super().resizeEvent(event)

    def _least(self) -> int:
        return round(_LEAST_EMS * self.fontMetrics().height())

    def _fit(self) -> None:
        line = self.question.fontMetrics().height()
        wanted = round(self.question.document().size().height()) + 2
        self.question.setFixedHeight(max(line + 6, min(wanted, 6 * line)))

    def _again(self, place: int) -> None:
        if self._shown is not None and place < len(self._shown.order):
            self.again_wanted.emit(self._shown.order[place])

    def begin(self, exchange: Exchange) -> None:
        """Show a question that is being answered; kept answers stay."""
        self._shown = exchange
        self.question.set_text(exchange.user)
        for place, name in enumerate(exchange.order):
            if (reply := exchange.replies.get(name)) is not None:
                self.cards[place].show_text(reply.text)
            else:
                self.cards[place].begin()

    def hear(self, token: TalkToken) -> None:
        """Append a token to its answer."""
        if self._shown is not None and token.arm in self._shown.order:
            self.cards[self._shown.order.index(token.arm)].hear(token)

    def show_exchange(
        self,
        exchange: Exchange,
        talk: Talk,
        run: str,
        *,
        answering: bool,
        is_last: bool,
        coloured: Mapping[str, InspectedAnswer],
    ) -> None:
        """Show the exchange as it stands.

        Args:
            exchange: to be shown.
            talk: it is of.
            run: name of the run.
            answering: whether answers are still coming; texts are left as they are then.
            is_last: whether it is the newest one, which can be asked again.
            coloured: answers token by token, of arms that are shown so.
        """
        self._shown = exchange
        self.question.set_text(exchange.user)
        self.edit.setEnabled(not answering)
        reach = max((abs(t.displacement) for a in coloured.values() for t in a.tokens), default=1.0) or 1.0
        for place, name in enumerate(exchange.order):
            card, reply = self.cards[place], exchange.replies.get(name)
            card.title.setText(side_title(exchange, place, talk, run))
            card.setAccessibleName(side_title(exchange, place, talk, run))
            if not answering:
                card.show_text(reply.text if reply is not None else "")
            tokens = coloured.get(name)
            card.show_tokens(tokens, reach)
            words = reply_words(reply, exchange.names_known, answering)
            card.foot.setText(f"{shift_words(tokens)} · {words}" if tokens is not None else words)
            card.again.setVisible(is_last and not answering)
            card.on.setVisible(talk.history == "one" and not is_last and name == exchange.goes_on)
            preferred = exchange.vote is not None and exchange.vote.strength is not None
            card.set_selected(preferred and name == exchange.goes_on)
