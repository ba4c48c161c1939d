"""Try: a talk with a policy beside its reference or another run. The view; :mod:`app.runs.talk_part` does the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.runs.talk_exchange import ExchangeView
from app.runs.talk_settings import TalkSettingsPanel
from app.runs.talk_vote_bar import TalkVoteBar
from app.runs.talk_words import column_titles, tally_words, vote_words
from app.widgets.buttons import action_button, show_keys_whole
from app.widgets.containers import Card, ScrollColumn, WholeColumn, side_panel
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.header import PageHeader
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.messages import Button, EmptyState
from core.domain.prompt_inspection import InspectedAnswer
from core.domain.talk import Exchange, Talk
from core.domain.talk_events import TalkToken
from core.services.talks.tally import TalkTally

_SIDE_PX, _LINES, _LEAST_TALK_PX = 268, 2, 150
WRITE = "Write to all who answer; Ctrl+Enter sends"


class TalkView(QWidget):
    """Header, exchanges, field to write in, votes, and the settings at the side.

    Signals:
        edit_wanted(int): a message is to be asked in other words, counted from 1.
        again_wanted(str): one arm is to answer the last message again.
        beside_chosen(str): who answers beside the policy; a key of :meth:`offer`.
    """

    edit_wanted = Signal(int)
    again_wanted = Signal(str)
    beside_chosen = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context, self._theme = context, context.theme
        self._views: list[ExchangeView] = []
        self._empty: EmptyState | None = None
        self._follows = True
        self.count, self.blind_chip = Chip(""), Chip("", "accent")
        self.beside = ComboBox(outside=True)
        self.beside.setAccessibleName("Who answers beside the policy")
        self.field = QPlainTextEdit()
        self.field.setAccessibleName("Message")
        self.field.setPlaceholderText(WRITE)
        self.field.setTabChangesFocus(True)
        self.phase = text_label("", "caption", wrap=True)
        self.votes = TalkVoteBar(context.actions, self._theme)
        self.settings = TalkSettingsPanel(self._theme)
        self.titles = QHBoxLayout()
        self.titles.setSpacing(8)
        self.exchanges = ScrollColumn(margin=0, spacing=10, name="The talk")
        self.exchanges.column.addStretch(1)
        self._build()
        self._scale()
        self._theme.changed.connect(self._scale)
        bar = self.exchanges.verticalScrollBar()
        bar.rangeChanged.connect(lambda *_: self._scroll_down())
        bar.actionTriggered.connect(lambda _: self._let_go())
        self.beside.activated.connect(lambda _: self.beside_chosen.emit(str(self.beside.currentData())))

    def _build(self) -> None:
        actions, theme = self._context.actions, self._theme
        self.header = PageHeader("Try")
        self.header.add_before(action_button(actions, "try.back", icon_only=True, theme=theme))
        self.header.add_left(self.count)
        self.header.add_left(self.blind_chip)
        self.header.add_right(text_label("beside", "caption"))
        self.header.add_right(self.beside)
        for action_id in ("try.blind", "try.colour", "try.new"):
            self.header.add_right(action_button(actions, action_id, theme=theme))
        talk = WholeColumn(spacing=8)
        talk.column.setContentsMargins(12, 8, 12, 10)
        talk.column.addLayout(self.titles)
        talk.column.addWidget(self.exchanges, 1)
        talk.column.addWidget(self._composer())
        talk.column.addWidget(self.votes)
        panel, column = side_panel(_SIDE_PX)
        panel.setMinimumWidth(0)  # what its content needs, which grows with the text
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.settings)
        whole = ScrollColumn(name="The talk, the message and the votes")
        whole.column.addWidget(talk)
        self.split = FoldingSplit((whole, panel), (1000, _SIDE_PX), heights=(600, 200), least=(24, 17))
        self.body = QStackedWidget()
        self.body.addWidget(self.split)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addWidget(self.body, 1)

    def _scale(self) -> None:
        """Give message and talk heights that follow the size of the text."""
        self.field.setFixedHeight(self._theme.px(24 * _LINES))
        self.exchanges.setMinimumHeight(self._theme.px(_LEAST_TALK_PX))

    def _composer(self) -> Card:
        actions, theme = self._context.actions, self._theme
        card = Card(spacing=6)
        row = FlowLayout(spacing=8, row_spacing=4, middle=True)
        row.add(self.field, least=14)
        self.stop = action_button(actions, "try.stop", text="Stop", show_key=True, theme=theme)
        again = action_button(actions, "try.again", theme=theme)
        send = action_button(actions, "try.send", kind="primary", show_key=True, theme=theme)
        self._asking = (again, send)
        for button in (self.stop, *self._asking):
            row.addWidget(button)
        self.stop.hide()
        card.add(row)
        card.add(self.phase)
        self.phase.hide()
        return card

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the keys on the buttons whole."""
        super().resizeEvent(event)
        show_keys_whole(self)

    def changeEvent(self, event: QEvent) -> None:
        """Do so for another text size too."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            show_keys_whole(self)

    # What stands in the place of a talk

    def show_nothing(self, title: str, text: str, *, main: Button | None = None) -> None:
        """Show why there is no talk, and what helps."""
        if self._empty is not None:
            self.body.removeWidget(self._empty)
            self._empty.deleteLater()
        self._empty = EmptyState(self._theme, "text", title, text, main=main)
        self.body.addWidget(self._empty)
        self.body.setCurrentWidget(self._empty)

    def show_part(self) -> None:
        """Show the talk."""
        self.body.setCurrentWidget(self.split)
        self.split.fit()

    # The talk

    def offer(self, besides: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer who answers beside the policy: (key, words)."""
        self.beside.clear()
        for key, words in besides:
            self.beside.addItem(words, key)
        self.beside.setCurrentIndex(max(0, self.beside.findData(chosen)))

    def begin(self, exchange: Exchange, number: int) -> None:
        """Show a question that is being answered in the place ``number``, counted from 1."""
        self._keep(number - 1)
        self._view(number, len(exchange.order)).begin(exchange)
        self.follow()

    def hear(self, token: TalkToken) -> None:
        """Append a token to the newest exchange."""
        if self._views:
            self._views[-1].hear(token)

    def show_talk(
        self,
        talk: Talk,
        run: str,
        *,
        answering: bool,
        coloured: Mapping[tuple[int, str], InspectedAnswer],
        tally: TalkTally | None,
    ) -> None:
        """Show the talk as it stands.

        Args:
            talk: to be shown.
            run: name of the run.
            answering: whether the newest exchange is being answered and not yet part of the talk.
            coloured: (number, arm) to an answer token by token.
            tally: what the saved votes come to.
        """
        shown = len(talk.exchanges)
        if not answering:
            self._keep(shown)
        for number, exchange in enumerate(talk.exchanges[:shown], 1):
            view = self._view(number, len(exchange.order))
            own = {arm: answer for (at, arm), answer in coloured.items() if at == number}
            view.show_exchange(exchange, talk, run, answering=answering, is_last=number == shown, coloured=own)
        self._show_titles(talk, run)
        last = talk.last
        hidden = last is not None and not last.names_known
        self.count.set_chip(f"exchange {shown}" if shown else "")
        self.blind_chip.set_chip("blind until it is saved" if hidden else "")
        whole = last is not None and last.is_complete and len(last.order) == 2
        words = "The answers come." if answering else vote_words(last)
        self.votes.show_vote(None if last is None else last.vote, words, enabled=whole and not answering)
        self.settings.votes.setText(tally_words(tally, hidden))

    def follow(self) -> None:
        """Keep the end of the talk in view until the user scrolls."""
        self._follows = True
        self._scroll_down()

    def _let_go(self) -> None:
        self._follows = False

    def _scroll_down(self) -> None:
        bar = self.exchanges.verticalScrollBar()
        if self._follows:
            bar.setValue(bar.maximum())

    def set_answering(self, on: bool) -> None:
        """Offer to stop while answers come, else to send."""
        self.stop.setVisible(on)
        for button in self._asking:
            button.setVisible(not on)

    def set_phase(self, words: str) -> None:
        """Say what is going on."""
        self.phase.setText(words)
        self.phase.setVisible(bool(words))

    def _show_titles(self, talk: Talk, run: str) -> None:
        titles = [] if talk.exchanges else column_titles(talk, run)  # each answer has its own name
        while (item := self.titles.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for title in titles:
            self.titles.addWidget(ElideLabel(title, kind="strong", outside=True), 1)

    def _view(self, number: int, arms: int) -> ExchangeView:
        """Return the view of an exchange; another number of answers makes another one."""
        if number <= len(self._views) and len(self._views[number - 1].cards) != arms:
            self._keep(number - 1)
        while len(self._views) < number:
            at = len(self._views) + 1
            view = ExchangeView(self._theme, at, arms)
            view.edit_wanted.connect(lambda at=at: self.edit_wanted.emit(at))
            view.again_wanted.connect(self.again_wanted)
            self._views.append(view)
            self.exchanges.column.insertWidget(self.exchanges.column.count() - 1, view)
        return self._views[number - 1]

    def _keep(self, count: int) -> None:
        """Remove the views behind the first ``count``."""
        for view in self._views[count:]:
            self.exchanges.column.removeWidget(view)
            view.hide()
            view.deleteLater()
        del self._views[count:]
