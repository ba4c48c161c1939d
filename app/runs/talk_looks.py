"""Looks at a talk that the models answer in the background: coloured tokens, and the template as it was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.context import AppContext
from app.runs.talk_settings import TalkSettingsPanel
from core.domain.errors import UserError
from core.domain.prompt_inspection import InspectedAnswer
from core.domain.talk import Exchange
from core.domain.talk_events import RenderedPrompt

if TYPE_CHECKING:  # it loads what a process needs, which the window does not wait for
    from core.services.talks.session import TalkSession


class TalkLooks(QObject):
    """Reads one look after the other while the models are idle; what is known is not read again.

    Args:
        context: tasks, actions, notices.
        page: that it belongs to.
        session: returns the talk.
        settings: returns the panel that shows the template.
        show: shows the talk again.
    """

    def __init__(
        self,
        context: AppContext,
        page: QObject,
        session: Callable[[], TalkSession | None],
        settings: Callable[[], TalkSettingsPanel],
        show: Callable[[], None],
    ) -> None:
        super().__init__(page)
        self._context, self._session_of, self._settings, self._show = context, session, settings, show
        self._coloured: dict[tuple[int, str], InspectedAnswer] = {}
        self._colour_of: dict[tuple[int, str], Exchange] = {}
        self._rendered_of: Exchange | None = None

    @property
    def coloured(self) -> dict[tuple[int, str], InspectedAnswer]:
        """The answers that are to be shown in colours, by number of the exchange and arm."""
        return {key: answer for key, answer in self._coloured.items() if self._is_of(key)} if self._colours else {}

    def forget(self) -> None:
        """Forget the looks at an earlier talk."""
        self._coloured.clear()
        self._colour_of.clear()
        self._rendered_of = None
        self._settings().show_template(None)

    def read(self) -> None:
        """Read what is to be shown and is not known yet, one look after the other."""
        if not self._read_colour():
            self._read_template()

    def set_colour(self, _on: bool) -> None:
        """Show colours, or texts."""
        self._show()
        self.read()

    @property
    def _colours(self) -> bool:
        return self._context.actions.action("try.colour").isChecked()

    def _is_of(self, key: tuple[int, str]) -> bool:
        """Whether a coloured answer is still the one that is shown."""
        session = self._session_of()
        if session is None or key[0] > len(session.talk.exchanges):
            return False
        now, then = session.talk.exchanges[key[0] - 1], self._colour_of.get(key)
        return then is not None and now.names_known and now.replies.get(key[1]) is then.replies.get(key[1])

    def _read_colour(self) -> bool:
        """Read the next answer token by token that is to be coloured and is not yet; return whether there is one."""
        session = self._session_of()
        if session is None or session.is_answering or not self._colours:
            return False
        for number, exchange in enumerate(session.talk.exchanges, 1):
            for arm, reply in exchange.replies.items():
                key = (number, arm)
                if exchange.names_known and reply.token_ids and not self._is_of(key):
                    self._colour(session, key, exchange)
                    return True
        return False

    def _colour(self, session: TalkSession, key: tuple[int, str], exchange: Exchange) -> None:
        def show(answer: InspectedAnswer) -> None:
            self._coloured[key], self._colour_of[key] = answer, exchange
            self._show()
            self.read()

        self._context.tasks.query(lambda: session.shifts(*key), show, self._not_looked, owner=self, key="look")

    def _read_template(self) -> None:
        """Render what the left answer of the newest exchange was read behind."""
        session = self._session_of()
        if session is None or session.is_answering or not self._settings().fold.is_open:
            return
        last = session.talk.last
        if last is None:
            self._settings().show_template(None)
            return
        if last is self._rendered_of:
            return
        arm = last.order[0]

        def show(found: RenderedPrompt) -> None:
            self._rendered_of = last
            self._settings().show_template(found)
            self.read()

        prompt = last.prompts[arm]
        self._context.tasks.query(lambda: session.rendered(arm, prompt), show, self._not_looked, owner=self, key="look")

    def _not_looked(self, error: Exception) -> None:
        """A look that came while the models answer is made again when they have ended."""
        session = self._session_of()
        if session is not None and session.is_answering:
            return
        if isinstance(error, UserError):
            self._context.notices.post(error.message, "error", hint=error.hint)
        else:
            self._context.tasks.unhandled.emit(error)
