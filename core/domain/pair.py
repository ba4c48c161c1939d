"""Canonical pairs: a prompt and two responses, named by their content."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.ids import sha256_json, sha256_text

Side = Literal["A", "B"]


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """How a response was sampled: every decoder setting, so that it can be made again.

    ``model_sha256`` names the weights; ``temperature`` 0 means greedy. ``extra`` holds what a
    foreign file said about its source (model name, scores); it is shown only outside blind review.
    """

    model: str = ""
    model_sha256: str = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_new_tokens: int | None = None
    seed: int | None = None
    repetition_penalty: float | None = None
    system_prompt: str | None = None
    template_sha256: str = ""
    finished: bool | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values without the empty ones."""
        return {k: v for k, v in asdict(self).items() if v not in (None, "", {})}


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Its text is stored byte for byte."""

    text: str
    generation: GenerationRecord | None = None

    @property
    def sha256(self) -> str:
        """Content hash of the text alone: provenance does not make another response."""
        return sha256_text(self.text)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two different responses to one prompt, in canonical order.

    Canonical order puts the response with the smaller content hash first, so that the same two
    answers are one pair in whatever order a file names them, and no position carries meaning.
    Build one with :func:`make_pair`.
    """

    prompt: Prompt
    a: Response
    b: Response

    @property
    def sha256(self) -> str:
        """Content hash of prompt and both texts."""
        return sha256_json({"prompt": self.prompt.to_plain(), "a": self.a.text, "b": self.b.text})


def make_pair(prompt: Prompt, first: Response, second: Response) -> tuple[Pair, bool]:
    """Return the canonical pair and whether ``first`` became A.

    Raises:
        BadInput: when both texts are equal; there is nothing to prefer.
    """
    if first.text == second.text:
        raise BadInput("Both responses are the same text; there is nothing to prefer.")
    first_is_a = first.sha256 < second.sha256
    a, b = (first, second) if first_is_a else (second, first)
    return Pair(prompt, a, b), first_is_a


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """One pair as the engine takes it: a prompt, the chosen and the rejected text, weight and target.

    Attributes:
        pair_id: stable name that comes back in every ledger row.
        weight: factor on this pair's loss, >= 0; 1 is neutral.
        target: probability that chosen is better, in [0.5, 1]; 1 is a hard label.
        is_tie: the reviewers called it a tie; only tie-aware losses take such pairs.
        judgement_ids: the labels behind it.
    """

    pair_id: str
    prompt: Prompt
    chosen: str
    rejected: str
    split: Literal["train", "dev", "test"] = "train"
    weight: float = 1.0
    target: float = 1.0
    is_tie: bool = False
    judgement_ids: tuple[int, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return the line that stands in a run folder's ``pairs.jsonl``."""
        return {
            "pair_id": self.pair_id,
            "prompt": self.prompt.to_plain(),
            "chosen": self.chosen,
            "rejected": self.rejected,
            "split": self.split,
            "weight": self.weight,
            "target": self.target,
            "is_tie": self.is_tie,
            "judgement_ids": list(self.judgement_ids),
        }

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> TrainingPair:
        """Return the pair written by :meth:`to_plain`."""
        return cls(
            pair_id=row["pair_id"],
            prompt=Prompt.from_plain(row["prompt"]),
            chosen=row["chosen"],
            rejected=row["rejected"],
            split=row.get("split", "train"),
            weight=row.get("weight", 1.0),
            target=row.get("target", 1.0),
            is_tie=row.get("is_tie", False),
            judgement_ids=tuple(row.get("judgement_ids", ())),
        )
