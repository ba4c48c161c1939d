"""What a policy and its reference say to one prompt: answers token by token under both, and the nearest pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from core.domain.conversation import Prompt
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.measured_evidence import read_estimate

Author = Literal["given", "policy", "reference"]
"""Whose answer it is: one that was given, or one that policy or reference wrote here."""
ONE_PROMPT = (
    "Displacements and implicit rewards compare answers to this prompt only; between prompts they differ by a constant "
    "that nobody knows."
)
"""What must stand beside them wherever they are shown."""


@dataclass(frozen=True, slots=True)
class LikelyToken:
    """A token among the likeliest at one place, with its log-prob under policy and reference in nats."""

    text: str
    policy: float
    reference: float


@dataclass(frozen=True, slots=True)
class InspectedToken:
    """One token of an answer.

    Attributes:
        text: what it adds to the text; "" where it holds only a part of a character.
        policy, reference: its log-prob under both, nats.
        policy_rank, reference_rank: its place among all tokens by probability; 1 is the likeliest.
        policy_entropy, reference_entropy: of the next-token distribution at this place, nats.
        kl: token KL(policy || reference) at this place, over the whole vocabulary, nats.
        likely: the likeliest tokens of both at this place, by the larger probability.
    """

    text: str
    policy: float
    reference: float
    policy_rank: int
    reference_rank: int
    policy_entropy: float
    reference_entropy: float
    kl: float
    likely: tuple[LikelyToken, ...] = ()

    @property
    def displacement(self) -> float:
        """Log-prob under the policy minus under the reference, nats."""
        return self.policy - self.reference


@dataclass(frozen=True, slots=True)
class InspectedAnswer:
    """One answer to the prompt.

    Attributes:
        name: "sample 1", or what a given answer is called, such as "chosen". author: whose it is.
        finished: whether it ends by itself, not at the limit of tokens.
        seed: of a sampled one.
    """

    name: str
    author: Author
    text: str
    tokens: tuple[InspectedToken, ...]
    finished: bool
    seed: int | None = None

    @property
    def policy(self) -> float:
        """Log-prob under the policy, nats: the sum over its tokens, the stop token included."""
        return math.fsum(token.policy for token in self.tokens)

    @property
    def reference(self) -> float:
        """Log-prob under the reference, nats."""
        return math.fsum(token.reference for token in self.tokens)

    @property
    def displacement(self) -> float:
        """Log-prob under the policy minus under the reference, nats; times beta it is the implicit reward."""
        return math.fsum(token.displacement for token in self.tokens)

    @property
    def kl(self) -> float:
        """Token KL summed along the answer, nats."""
        return math.fsum(token.kl for token in self.tokens)

    def most_changed(self, most: int) -> list[tuple[int, InspectedToken]]:
        """Return place (from 0) and token of those that training moved most, the largest change first."""
        ordered = sorted(enumerate(self.tokens), key=lambda one: (-abs(one[1].displacement), one[0]))
        return ordered[:most]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; the sums stand beside the tokens."""
        row = asdict(self)
        sums = {name: getattr(self, name) for name in ("policy", "reference", "displacement", "kl")}
        return {**row, "tokens": [_plain_token(token) for token in self.tokens], **sums}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> InspectedAnswer:
        """Return the answer written by :meth:`to_plain`."""
        tokens = tuple(_token(one) for one in row["tokens"])
        return cls(row["name"], row["author"], row["text"], tokens, row["finished"], row["seed"])


@dataclass(frozen=True, slots=True)
class NearPair:
    """A training pair whose prompt is like the inspected one.

    Attributes:
        pair_id: as the run names it. prompt, chosen, rejected: its texts, the prompt's turns joined.
        similarity: cosine of the TF-IDF weights of both prompts, 0 to 1.
    """

    pair_id: str
    similarity: float
    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class PromptInspection:
    """Everything that was found out about one prompt.

    Attributes:
        run: id, name and step of the run. beta: of its settings.
        prompt: as it was asked. dropped_turns: how many of its oldest turns the model could not read.
        horizon: most tokens of a sample. settings: of the decoder, in words.
        answers: given ones, then samples of the policy, then of the reference.
        kl: the sequence KL at this prompt, from the policy's samples; None where they do not follow the policy itself.
        nearest: training pairs with the likest prompts, the nearest first. searched: how many were compared.
        notes: what must be said beside the numbers.
    """

    run: Mapping[str, Any]
    beta: float
    prompt: Prompt
    horizon: int
    settings: str
    answers: tuple[InspectedAnswer, ...] = ()
    kl: Estimate | None = None
    nearest: tuple[NearPair, ...] = ()
    searched: int = 0
    dropped_turns: int = 0
    notes: tuple[str, ...] = (ONE_PROMPT,)

    def by(self, author: Author) -> list[InspectedAnswer]:
        """Return the answers of one author."""
        return [answer for answer in self.answers if answer.author == author]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "run": dict(self.run),
            "beta": self.beta,
            "prompt": self.prompt.to_plain(),
            "dropped_turns": self.dropped_turns,
            "horizon": self.horizon,
            "settings": self.settings,
            "answers": [answer.to_plain() for answer in self.answers],
            "kl": plain(self.kl) if self.kl is not None else None,
            "nearest": [asdict(pair) for pair in self.nearest],
            "searched": self.searched,
            "notes": list(self.notes),
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> PromptInspection:
        """Return the inspection written by :meth:`to_plain`."""
        return cls(
            run=row["run"],
            beta=row["beta"],
            prompt=Prompt.from_plain(row["prompt"]),
            horizon=row["horizon"],
            settings=row["settings"],
            answers=tuple(InspectedAnswer.from_plain(one) for one in row["answers"]),
            kl=read_estimate(row["kl"]) if row["kl"] is not None else None,
            nearest=tuple(NearPair(**one) for one in row["nearest"]),
            searched=row["searched"],
            dropped_turns=row["dropped_turns"],
            notes=tuple(row["notes"]),
        )


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer that is looked at beside the samples: what it is called, its text, and whether it ends there."""

    name: str
    text: str
    finished: bool = True


@dataclass(frozen=True, slots=True)
class InspectionRequest:
    """What is to be looked at.

    Attributes:
        run: id, name or folder of a run. step: of a checkpoint; 0 is the run's result.
        prompt: what is asked; None where ``item`` names it.
        item: ``SUITE/ID`` of an item of a suite that is open, or ``dev/ID`` of a held-out pair of the run.
        given: answers to look at; those of a preference item come by themselves.
        samples: answers of each of the authors; 0 samples none. authors: policy, reference or both.
        likely: how many of the likeliest tokens of each model are named at each place.
        nearest: how many training pairs are named; 0 for none.
        settings: changes of the decoder's settings by name, as for an evaluation; the model's own distribution is
            sampled where they say nothing.
    """

    run: str
    prompt: Prompt | None = None
    item: str = ""
    given: Sequence[GivenAnswer] = ()
    samples: int = 4
    likely: int = 5
    nearest: int = 5
    step: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    authors: tuple[Author, ...] = ("policy", "reference")


def _plain_token(token: InspectedToken) -> dict[str, Any]:
    return {**asdict(token), "displacement": token.displacement}


def _token(row: Mapping[str, Any]) -> InspectedToken:
    likely = tuple(LikelyToken(**one) for one in row["likely"])
    values = {name: row[name] for name in InspectedToken.__slots__}
    return InspectedToken(**{**values, "likely": likely})
