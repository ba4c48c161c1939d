"""The answers of a talk as lines on a terminal: one streams, those beside it follow as far as they are."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core.cli.output import printable, say, say_note
from core.domain.counting import counted
from core.domain.talk import Exchange
from core.domain.talk_events import TalkAsked, TalkEvent, TalkProgress, TalkToken

_SIDES = ("left", "right", "third")


class AnswerLines:
    """Prints the answers of one exchange while they come.

    Args:
        quiet: print nothing but notes on standard error.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._names: list[tuple[str, str]] = []
        self._waiting: dict[str, list[TalkToken]] = {}
        self._at = 0

    def hear(self, event: TalkEvent) -> None:
        """Take an event of the talk."""
        match event:
            case TalkProgress():
                say_note(f"{event.text}…")
            case TalkAsked():
                exchange = event.exchange
                asked = [name for name in exchange.order if name not in exchange.replies]
                self._names = list(zip(asked, _names(exchange, asked), strict=True))
                self._waiting = {name: [] for name in asked}
            case TalkToken():
                self._waiting[event.arm].append(event)
                self._print()

    def end(self, exchange: Exchange) -> None:
        """Print what is left, and how each answer ended where that may be known."""
        self._print()
        if not self._quiet and self._at < len(self._names):
            say("")  # the answer that was stopped
        if self._quiet or not exchange.names_known:
            return
        for name in exchange.order:
            reply = exchange.replies[name]
            first = "" if reply.first_token_s is None else f", first token after {reply.first_token_s:.2f} s"
            end = {"EOS": "", "cut": ", cut at the limit", "stopped": ", stopped"}[reply.end]
            say_note(f"{name}: {counted(len(reply.token_ids), 'token')}{end}, seed {reply.seed}{first}")

    def _print(self) -> None:
        while not self._quiet and self._at < len(self._names):
            arm, title = self._names[self._at]
            for token in self._waiting[arm]:
                if token.tokens == 1 and len(self._names) > 1:
                    _write(f"[{title}] ")
                _write(token.text)
            if not (self._waiting[arm] and self._waiting[arm][-1].is_last):
                self._waiting[arm].clear()
                return
            say("")
            self._at += 1


def _names(exchange: Exchange, asked: Sequence[str]) -> list[str]:
    if exchange.names_known:
        return list(asked)
    return [_SIDES[exchange.order.index(name)] for name in asked]


def _write(text: str) -> None:
    print(printable(text, sys.stdout), end="", flush=True)
