"""One talk that goes on: its exchanges, and the process that answers them.

A window or a command calls :meth:`TalkSession.ask` in a thread of its own and is told of every token; every other
change is quick and may be made from any thread.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import UsageError, UserError
from core.domain.evaluation_record import Arm
from core.domain.prompt_inspection import InspectedAnswer
from core.domain.talk import HISTORIES, Exchange, History, Reply, Talk, TalkSettings, TalkVote
from core.domain.talk_events import RenderedPrompt, TalkAsked, TalkEvent, TalkProgress, TalkToken
from core.runs.talks.process import AnsweringProcess, TalkProcess
from core.services.talks.tally import TalkTally, tally_of

OnEvent = Callable[[TalkEvent], None]
StartProcess = Callable[[Sequence[Arm]], AnsweringProcess]
_SEEDS = 2**31
_POLL_S = 0.1


class TalkSession:
    """A talk and its process. Thread-safe; one question is answered at a time.

    Args:
        arms: who answers, one to three.
        system: the system prompt.
        history: what the next question goes on from.
        blind: hide which of two arms is where until a vote or :meth:`reveal`.
        settings: of the decoder.
        rng: draws sides and new seeds; the operating system's randomness when None.
        start: makes the process that answers; the real one when None.

    Attributes:
        blind, settings: of the next question; may be set at any time.
    """

    def __init__(
        self,
        arms: Sequence[Arm],
        *,
        system: str = "",
        history: History = "own",
        blind: bool = False,
        settings: TalkSettings | None = None,
        rng: random.Random | None = None,
        start: StartProcess | None = None,
    ) -> None:
        self._talk = Talk(tuple(arms), system, history)
        self.blind, self.settings = blind, settings or TalkSettings()
        self._rng = rng or random.SystemRandom()
        self._start: StartProcess = start or TalkProcess
        self._process = self._start(arms)
        self._lock, self._answering = threading.RLock(), threading.Lock()
        self._earlier: list[Exchange] = []

    # What is said

    @property
    def talk(self) -> Talk:
        """The talk as it stands now."""
        with self._lock:
            return self._talk

    @property
    def is_answering(self) -> bool:
        """Whether a question is being answered, or something else is asked of the models."""
        return self._answering.locked()

    def ask(self, text: str, on_event: OnEvent = lambda _event: None) -> Exchange:
        """Ask all arms a next question and return their answers.

        Args:
            text: the question.
            on_event: told in this thread while the models are loaded and with each token; while names are hidden the
                answers are told at one pace, so that no arm shows itself by its speed.

        Raises:
            UsageError: for an empty question, or while another is answered.
            TalkEnded: when the process ended; the question and what was written until then are kept.
            UserError: when the models cannot be loaded, or cannot read the question; the talk is as before then.
        """
        return self._asked_behind(self.talk, text, self.settings, on_event)

    def again(self, on_event: OnEvent = lambda _event: None, *, seed: int | None = None, arm: str = "") -> Exchange:
        """Ask the last question again and return the exchange that takes the place of the last one.

        Args:
            on_event: as in :meth:`ask`.
            seed: of the answers; a new one when None.
            arm: only this arm answers again; all when empty.

        Raises:
            UsageError: when nothing was asked yet.
        """
        talk = self.talk
        last, number = talk.last, len(talk.exchanges)
        if last is None:
            raise UsageError("Nothing was asked yet, so there is nothing to ask again.", "Write a message first.")
        settings = replace(self.settings, seed=self._rng.randrange(_SEEDS) if seed is None else seed)
        if not arm:
            before = replace(talk, exchanges=talk.exchanges[:-1])
            if last.hidden and not last.revealed and talk.history == "own":
                return self._run(before, replace(last, settings=settings, vote=None, pair_id=0), last.order, on_event)
            return self._asked_behind(before, last.user, settings, on_event)
        kept = {name: reply for name, reply in last.replies.items() if name != arm}
        exchange = replace(last, settings=settings, vote=None, pair_id=0, replies=kept)
        return self._run(talk.cut(number), exchange, (arm,), on_event)

    def edit(self, number: int, text: str, on_event: OnEvent = lambda _event: None) -> Exchange:
        """Ask another question in the place of an earlier one; it and all later exchanges leave the talk.

        Raises:
            UsageError: when there is no such exchange, or the text is empty.
        """
        return self._asked_behind(self.talk.cut(number), text, self.settings, on_event)

    def stop(self) -> None:
        """Stop the answers where they are; what was written stays."""
        self._process.stop()

    def close(self) -> None:
        """End the process; the talk stays, and the next question starts another one."""
        self._process.close()

    @contextmanager
    def wanted_until(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """End the process as soon as ``cancelled`` becomes true within the context."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_POLL_S):
                if cancelled():
                    self.close()
                    return

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _asked_behind(self, talk: Talk, text: str, settings: TalkSettings, on_event: OnEvent) -> Exchange:
        asked = talk.asked(text, settings, blind=self.blind, draw=self._drawn)
        exchange = asked.exchanges[-1]
        return self._run(talk, exchange, exchange.order, on_event)

    def _drawn(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._rng.sample(names, len(names)))

    def _run(self, before: Talk, exchange: Exchange, arms: Sequence[str], on_event: OnEvent) -> Exchange:
        """Let some arms answer an exchange that stands behind ``before``."""
        kept = {name: reply for name, reply in exchange.replies.items() if name not in arms}
        on_event(TalkAsked(replace(exchange, replies=kept)))
        pace = _Pace(arms, on_event, is_even=not exchange.names_known)
        body = {
            "op": "answer",
            "prompts": {arm: exchange.prompts[arm].to_plain() for arm in arms},
            "settings": exchange.settings.to_plain(),
        }
        try:
            found = self._request(body, pace.heard)
        except UserError:
            partly = pace.replies(exchange.settings.seed)
            if partly:  # what the models had said before their process ended
                self._put(before, replace(exchange, replies={**kept, **partly}))
            raise
        pace.end()
        replies = {**kept, **{reply.arm: reply for reply in map(Reply.from_plain, found)}}
        return self._put(before, replace(exchange, replies=replies))

    def _put(self, before: Talk, exchange: Exchange) -> Exchange:
        with self._lock:
            now = self._talk  # who answers, and how, may have been changed meanwhile
            self._talk = replace(now, exchanges=(*before.exchanges, exchange))
        return exchange

    def _request(self, body: Mapping[str, Any], on_message: Callable[[Mapping[str, Any]], None]) -> Any:
        if not self._answering.acquire(blocking=False):
            raise UsageError("The models are still answering.", "Wait for them, or stop them first.")
        try:
            return self._process.request(body, on_message)
        finally:
            self._answering.release()

    # How it goes on

    def set_system(self, text: str) -> None:
        """Set the system prompt of the next question."""
        with self._lock:
            self._talk = replace(self._talk, system=text)

    def set_history(self, history: History) -> None:
        """Set what the next question goes on from.

        Raises:
            UsageError: for an unknown word.
        """
        if history not in HISTORIES:
            raise UsageError(f"There is no history {history!r}.", f"Choose one of {', '.join(HISTORIES)}.")
        with self._lock:
            self._talk = replace(self._talk, history=history)

    def set_arms(self, arms: Sequence[Arm]) -> None:
        """Set who answers the next question; the models of other runs than before are loaded with it."""
        with self._lock:
            self._talk = replace(self._talk, arms=tuple(arms))
            self._process.close()
            self._process = self._start(arms)

    def clear(self) -> None:
        """Begin a new talk with the same arms; the models stay loaded."""
        with self._lock:
            self._earlier += self._talk.exchanges
            self._talk = replace(self._talk, exchanges=())

    def tally(self) -> TalkTally | None:
        """Return what the saved votes between the two arms come to, of earlier talks too; None for one arm or three."""
        with self._lock:
            names = [arm.name for arm in self._talk.arms]
            exchanges = (*self._earlier, *self._talk.exchanges)
        return tally_of(exchanges, *names) if len(names) == 2 else None

    def vote(self, number: int, vote: TalkVote) -> Exchange:
        """Vote on an exchange, counted from 1; names stay hidden until :meth:`reveal`, or until it is saved.

        Raises:
            UsageError: when there are not two whole answers.
        """
        with self._lock:
            self._talk = self._talk.voted(number, vote)
            return self._talk.exchange(number)

    def without_vote(self, number: int) -> Exchange:
        """Take the vote on an exchange back that was not saved."""
        with self._lock:
            exchange = replace(self._talk.exchange(number), vote=None)
            self._talk = self._talk.with_exchange(number, exchange)
            return exchange

    def reveal(self, number: int) -> Exchange:
        """Show the names of an exchange, counted from 1; later votes on it are not blind."""
        with self._lock:
            self._talk = self._talk.revealed(number)
            return self._talk.exchange(number)

    def saved(self, number: int, pair_id: int) -> Exchange:
        """Note which pair an exchange became, and show its names."""
        with self._lock:
            exchange = replace(self._talk.exchange(number), pair_id=pair_id)
            self._talk = self._talk.with_exchange(number, exchange).revealed(number)
            return self._talk.exchange(number)

    # Looks at what was said

    def shifts(self, number: int, arm: str, on_event: OnEvent = lambda _event: None) -> InspectedAnswer:
        """Return an answer token by token under policy and reference of its run.

        Raises:
            UsageError: when the arm did not answer, or its name is hidden: colours would tell it.
        """
        exchange = self.talk.exchange(number)
        if not exchange.names_known:
            raise UsageError("Colours would tell which answer is whose.", "Vote first, or show the names.")
        reply = exchange.replies.get(arm)
        if reply is None or not reply.token_ids:
            raise UsageError("There is no answer to colour.", "Ask first.")
        body = {"op": "shifts", "text": reply.text, "token_ids": list(reply.token_ids)}
        return InspectedAnswer.from_plain(self._look(body, arm, exchange.prompts[arm], on_event))

    def rendered(self, arm: str, prompt: Prompt, on_event: OnEvent = lambda _event: None) -> RenderedPrompt:
        """Return what an arm reads before it answers a prompt, by the chat template of its run."""
        row = self._look({"op": "rendered"}, arm, prompt, on_event)
        return RenderedPrompt(
            tuple((text, special) for text, special in row["parts"]), row["tokens"], row["system_tokens"],
            row["dropped_turns"],
        )  # fmt: skip

    def _look(self, body: Mapping[str, Any], arm: str, prompt: Prompt, on_event: OnEvent) -> Any:
        plain = {**body, "prompts": {arm: prompt.to_plain()}, "settings": self.settings.to_plain()}
        return self._request(plain, _Pace((), on_event, is_even=False).heard)


class _Pace:
    """Tells of tokens as they come, or at one pace: a token of an answer when every other open one has as many."""

    def __init__(self, arms: Sequence[str], on_event: OnEvent, *, is_even: bool) -> None:
        self._heard: dict[str, list[TalkToken]] = {arm: [] for arm in arms}
        self._on_event, self._is_even, self._told = on_event, is_even, 0

    def heard(self, message: Mapping[str, Any]) -> None:
        """Take a message of the process."""
        if "loading" in message:
            self._on_event(TalkProgress(*message["loading"]))
        elif "token" in message:
            token = TalkToken(*message["token"])
            self._heard[token.arm].append(token)
            if not self._is_even:
                self._on_event(token)
            while self._is_even and self._may_tell():
                self._tell()

    def end(self) -> None:
        """Tell what is left: every answer is complete."""
        while self._is_even and any(len(tokens) > self._told for tokens in self._heard.values()):
            self._tell()

    def replies(self, seed: int) -> dict[str, Reply]:
        """Return what was heard of each arm as a stopped answer."""
        return {
            arm: Reply(arm, "".join(token.text for token in tokens), stopped=True, seed=seed)
            for arm, tokens in self._heard.items()
            if tokens
        }

    def _may_tell(self) -> bool:
        """Return whether each answer has a further token or is complete, and one has a further token."""
        further = [len(tokens) > self._told for tokens in self._heard.values()]
        whole = [bool(tokens) and tokens[-1].is_last for tokens in self._heard.values()]
        return any(further) and all(more or ended for more, ended in zip(further, whole, strict=True))

    def _tell(self) -> None:
        for tokens in self._heard.values():
            if len(tokens) > self._told:
                self._on_event(tokens[self._told])
        self._told += 1
