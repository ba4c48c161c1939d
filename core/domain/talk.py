"""A talk with a policy beside its reference or another run: exchanges, what each arm read, sides and votes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput, UsageError
from core.domain.evaluation_record import Arm
from core.domain.judgement import JudgementDraft, Verdict, from_screen, screen_words
from core.domain.pair import Side

History = Literal["own", "one"]
"""``own``: each arm goes on from its own answers. ``one``: all go on from the better answer, or the left one."""
HISTORIES: tuple[History, ...] = get_args(History)
MOST_ARMS = 3


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """How the next token of an answer is drawn.

    Attributes:
        temperature: divides the logits; 0 takes the most likely token (greedy).
        top_p: keeps the most likely tokens with this probability together; 1 is off.
        top_k: keeps so many most likely tokens; 0 is off.
        max_new_tokens: most tokens of an answer.
        seed: of the answers. same_seed: whether all arms use it as it is, or each one of its own derived from it.
        repetition_penalty: above 1 tokens that stand there already become less likely; 1 is off.

    Raises:
        UsageError: for a value out of bounds.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 0
    max_new_tokens: int = 128
    seed: int = 0
    same_seed: bool = True
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and 0 <= self.temperature < 100):
            raise UsageError(f"The temperature cannot be {self.temperature:g}.", "Choose 0 (greedy) to 99.")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top-p cannot be {self.top_p:g}.", "Choose a value above 0, at most 1 (off).")
        if self.top_k < 0:
            raise UsageError(f"top-k cannot be {self.top_k}.", "Choose a number of tokens, or 0 (off).")
        if not 1 <= self.max_new_tokens <= 10**5:
            raise UsageError(f"An answer cannot have {self.max_new_tokens:,} tokens at most.", "Choose 1 to 100,000.")
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"The seed cannot be {self.seed}.", "Choose a whole number from 0 up.")
        if not 0.01 <= self.repetition_penalty <= 99:
            raise UsageError(
                f"The repetition penalty cannot be {self.repetition_penalty:g}.", "Choose 0.01 to 99; 1 is off."
            )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def words(self) -> str:
        """Return the settings as a person reads them."""
        drawn = "greedy" if self.temperature == 0 else f"temperature {self.temperature:g}, top-p {self.top_p:g}"
        top_k = f", top-k {self.top_k}" if self.top_k and self.temperature else ""
        penalty = f", repetition penalty {self.repetition_penalty:g}" if self.repetition_penalty != 1 else ""
        return f"{drawn}{top_k}{penalty}, at most {self.max_new_tokens} tokens, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of one arm in an exchange.

    Attributes:
        text: decoded without the stop token. token_ids: with it.
        finished: whether it ended by itself. stopped: whether somebody stopped it, or its process ended.
        seed: its own. prompt_tokens: that it was read behind. dropped_turns: oldest turns that did not fit.
        first_token_s, seconds: from the question to its first and last token; None where not known.
    """

    arm: str
    text: str
    token_ids: tuple[int, ...] = ()
    finished: bool = False
    stopped: bool = False
    seed: int = 0
    prompt_tokens: int = 0
    dropped_turns: int = 0
    first_token_s: float | None = None
    seconds: float | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "token_ids": list(self.token_ids)}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> Reply:
        """Return the reply written by :meth:`to_plain`."""
        return cls(**{**row, "token_ids": tuple(row["token_ids"])})

    @property
    def end(self) -> str:
        """How it ended, in a word."""
        return "stopped" if self.stopped else "EOS" if self.finished else "cut"


@dataclass(frozen=True, slots=True)
class TalkVote:
    """What somebody says of the two answers of an exchange, by screen side.

    Attributes:
        strength: -3..3 of a preference, negative for the left answer; None of the other verdicts.
        clause: id of the criterion that decides; "" for none.
        blind: whether the names were hidden when it was given.
    """

    verdict: Verdict
    strength: int | None = None
    clause: str = ""
    rationale: str = ""
    blind: bool = False

    def __post_init__(self) -> None:
        if self.verdict is Verdict.CANNOT_JUDGE:
            raise BadInput("A vote of a talk is a preference, a tie or neither.", "Leave the exchange without a vote.")
        self.draft("A")

    def draft(self, left_is: Side, **process: object) -> JudgementDraft:
        """Return the judgement that the vote is, in canonical sides; the clause has the strength of the whole.

        Raises:
            BadInput: when verdict and strength contradict each other.
        """
        strength = None if self.strength is None else from_screen(self.strength, left_is)
        criteria = {self.clause: strength or 0} if self.clause and self.verdict is not Verdict.NEITHER else {}
        return JudgementDraft(
            self.verdict, strength, criteria=criteria, rationale=self.rationale, process=dict(process)
        )

    def words(self) -> str:
        """Return the vote in words: "Left much better", "Tie", "Neither valid"."""
        return screen_words(self.draft("A"), "A")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and the answers of all arms.

    Attributes:
        user: the question. prompts: what each arm was asked, its history included.
        order: the arms from left to right. hidden: whether that was drawn at random and names were hidden.
        draw: number of the draw; exchanges of one draw are revealed together. revealed: the names were shown since.
        replies: by arm; fewer than arms while it is answered, or when the process ended.
        pair_id: the pair that it was saved as; 0 for none.
    """

    user: str
    prompts: Mapping[str, Prompt]
    settings: TalkSettings
    order: tuple[str, ...]
    hidden: bool = False
    draw: int = 0
    revealed: bool = False
    replies: Mapping[str, Reply] = field(default_factory=dict)
    vote: TalkVote | None = None
    pair_id: int = 0

    @property
    def names_known(self) -> bool:
        """Whether it may be shown which arm is where, and everything that tells it."""
        return not self.hidden or self.revealed

    @property
    def is_complete(self) -> bool:
        """Whether every arm answered and nobody stopped one of them."""
        return all(arm in self.replies and not self.replies[arm].stopped for arm in self.order)

    @property
    def goes_on(self) -> str:
        """The arm whose answer a common history goes on from: the preferred one, else the left one."""
        prefers_right = self.vote is not None and (self.vote.strength or 0) > 0
        return self.order[-1] if prefers_right else self.order[0]

    def shared_prompt(self) -> Prompt | None:
        """Return the prompt that both arms answered; None where their histories differ."""
        prompts = [self.prompts[arm] for arm in self.order]
        return prompts[0] if all(one == prompts[0] for one in prompts) else None

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; while the names are hidden, sides stand in place of arms and nothing tells them."""
        names = ("left", "right", "third")
        sides = dict(zip(self.order, self.order if self.names_known else names, strict=False))
        known = self.names_known
        answers = [_answer(self.replies[arm], sides[arm], known) for arm in self.order if arm in self.replies]
        return {
            "user": self.user,
            "hidden": not known,
            "order": list(sides.values()),
            "settings": self.settings.to_plain(),
            "answers": answers,
            "vote": None if self.vote is None else {**asdict(self.vote), "verdict": self.vote.verdict.value},
            "pair_id": self.pair_id or None,
        }


def _answer(reply: Reply, name: str, known: bool) -> dict[str, Any]:
    if not known:
        return {"arm": name, "text": reply.text}
    return {**reply.to_plain(), "arm": name, "end": reply.end, "tokens": len(reply.token_ids)}


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk as it stands; changes return another one.

    Attributes:
        arms: who answers, one to three. system: the system prompt of the next exchange.
        history: what the next exchange goes on from. exchanges: oldest first.
    """

    arms: tuple[Arm, ...]
    system: str = ""
    history: History = "own"
    exchanges: tuple[Exchange, ...] = ()

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if not 1 <= len(names) <= MOST_ARMS or len(set(names)) != len(names):
            raise UsageError("A talk has one to three arms with different names.", "Choose which models answer.")

    @property
    def last(self) -> Exchange | None:
        """The newest exchange."""
        return self.exchanges[-1] if self.exchanges else None

    def arm(self, name: str) -> Arm:
        """Return an arm by its name."""
        return next(arm for arm in self.arms if arm.name == name)

    def prompt(self, arm: str, text: str) -> Prompt:
        """Return what an arm is asked with a next question: system prompt, its history, the question."""
        turns = [Message("system", self.system)] if self.system.strip() else []
        for exchange in self.exchanges:
            said = exchange.replies.get(exchange.goes_on if self.history == "one" else arm)
            said = said or exchange.replies.get(exchange.goes_on)
            if said is not None:
                turns += [Message("user", exchange.user), Message("assistant", said.text)]
        return Prompt((*turns, Message("user", text)))

    def asked(self, text: str, settings: TalkSettings, *, blind: bool, draw: Draw) -> Talk:
        """Return the talk with a next question, nobody having answered yet.

        Args:
            text: the question.
            settings: of the decoder.
            blind: hide which arm is where until a vote, where two arms answer and their names are not known yet.
            draw: returns the names of the arms in an order drawn at random.

        Raises:
            UsageError: for a question without a word.
        """
        if not text.strip():
            raise UsageError("The message is empty; nothing was asked.", "Write something first.")
        names = tuple(arm.name for arm in self.arms)
        order, hidden, number = self._sides(names, blind, draw)
        prompts = {name: self.prompt(name, text) for name in names}
        return replace(self, exchanges=(*self.exchanges, Exchange(text, prompts, settings, order, hidden, number)))

    def _sides(self, names: tuple[str, ...], blind: bool, draw: Draw) -> tuple[tuple[str, ...], bool, int]:
        """Return order, whether the names are hidden, and the number of the draw, of the next exchange.

        Where each arm goes on from its own answers, its answers are known by what they refer to: one draw then holds
        for the talk, and after its names were shown no exchange of it is blind any more.
        """
        number = max((one.draw for one in self.exchanges), default=0)
        if not blind or len(names) != 2:
            return names, False, number
        if self.history == "own" and (before := self.last) is not None:
            if before.names_known or set(before.order) != set(names):
                return names, False, number
            return before.order, True, before.draw
        return draw(names), True, number + 1

    def cut(self, number: int) -> Talk:
        """Return the talk before exchange ``number``, counted from 1.

        Raises:
            UsageError: when there is no such exchange.
        """
        self.exchange(number)
        return replace(self, exchanges=self.exchanges[: number - 1])

    def exchange(self, number: int) -> Exchange:
        """Return an exchange, counted from 1.

        Raises:
            UsageError: when there is none.
        """
        if not 1 <= number <= len(self.exchanges):
            raise UsageError(f"This talk has no exchange {number}.", f"It has {len(self.exchanges)}.")
        return self.exchanges[number - 1]

    def with_exchange(self, number: int, exchange: Exchange) -> Talk:
        """Return the talk with another exchange in the place of ``number``."""
        parts = list(self.exchanges)
        parts[number - 1] = exchange
        return replace(self, exchanges=tuple(parts))

    def voted(self, number: int, vote: TalkVote) -> Talk:
        """Return the talk with a vote on an exchange; whether it is blind follows from what was shown until now.

        Raises:
            UsageError: when there are not two whole answers to compare.
        """
        exchange = self.exchange(number)
        require_two_answers(exchange)
        blind = exchange.hidden and not exchange.revealed
        return self.with_exchange(number, replace(exchange, vote=replace(vote, blind=blind), pair_id=0))

    def revealed(self, number: int) -> Talk:
        """Return the talk with the names of an exchange shown, and of all others of the same draw."""
        draw = self.exchange(number).draw
        shown = (replace(one, revealed=True) if one.draw == draw else one for one in self.exchanges)
        return replace(self, exchanges=tuple(shown))


Draw = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Returns names in an order drawn at random."""


def require_two_answers(exchange: Exchange) -> None:
    """Raise where an exchange has not two whole answers, which a vote and a pair need.

    Raises:
        UsageError: saying what is missing.
    """
    if len(exchange.order) != 2:
        raise UsageError("A vote compares two answers.", "Let two models answer, not one or three.")
    if not exchange.is_complete:
        raise UsageError(
            "An answer of this exchange is missing or was stopped, so there are not two whole answers.", "Ask again."
        )
