"""Pairs of generated answers: why one may be left out, the report that counts them, how each answer was made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.domain.conversation import Prompt
from core.domain.generation import REASONS, AnsweringSide, KeepChoice, LeaveReason, PairGeneration
from core.domain.pair import GenerationRecord, Side


def reason_title(reason: LeaveReason, nearly: float, most: int) -> str:
    """Return a reason in words.

    >>> reason_title("nearly_equal", 0.9, 128), reason_title("truncated", 0.9, 128)
    ('nearly equal, Jaccard ≥ 0.90', 'cut at 128 tokens')
    """
    titles: dict[LeaveReason, str] = {
        "equal": "answers equal, A = B",
        "nearly_equal": f"nearly equal, Jaccard ≥ {nearly:.2f}",
        "empty": "an empty answer",
        "truncated": f"cut at {most:,} tokens",
        "known": "already in the workspace",
    }
    return titles[reason]


@dataclass(frozen=True, slots=True)
class GeneratedAnswer:
    """One answer. ``finished`` says whether it ended by itself, not at the limit of tokens."""

    text: str
    tokens: int
    finished: bool
    seed: int
    prompt_tokens: int = 0
    dropped_turns: int = 0


@dataclass(frozen=True, slots=True)
class GeneratedPair:
    """Two answers to one prompt, and all reasons to leave them out that can be told without the workspace.

    Attributes:
        sample: number of the pair among those of its prompt.
        margins: by the letter of a side, what that side's run says: h(A) − h(B), nats.
    """

    prompt: Prompt
    sample: int
    a: GeneratedAnswer
    b: GeneratedAnswer
    reasons: tuple[LeaveReason, ...] = ()
    margins: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_storable(self) -> bool:
        """Whether it can be a pair at all: two answers that are the same text are none."""
        return self.a.text != self.b.text

    def answer(self, letter: Side) -> GeneratedAnswer:
        """Return the answer of a side."""
        return self.a if letter == "A" else self.b

    def to_plain(self) -> dict[str, Any]:
        """Return the line that stands in ``pairs.jsonl``."""
        return {
            "prompt": self.prompt.to_plain(),
            "sample": self.sample,
            "a": asdict(self.a),
            "b": asdict(self.b),
            "reasons": list(self.reasons),
            "margins": dict(self.margins),
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> GeneratedPair:
        """Return the pair written by :meth:`to_plain`."""
        a, b = GeneratedAnswer(**row["a"]), GeneratedAnswer(**row["b"])
        prompt = Prompt.from_plain(row["prompt"])
        return cls(prompt, row["sample"], a, b, tuple(row["reasons"]), dict(row["margins"]))


def first_reason(
    pair: GeneratedPair, choices: Mapping[LeaveReason, KeepChoice], *, is_known: bool = False
) -> LeaveReason | None:
    """Return the first reason for which a pair is left out, None where it is kept.

    A pair of the same text twice is left out whatever is chosen: there is nothing to prefer.
    """
    held = {*pair.reasons, *(("known",) if is_known else ())}
    for reason in REASONS:
        if reason in held and (choices[reason] == "leave_out" or (reason == "equal" and not pair.is_storable)):
            return reason
    return None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many pairs a reason holds for, and how many of them are left out by it: each at the first that holds."""

    reason: LeaveReason
    title: str
    choice: KeepChoice
    holds: int
    left_out: int


@dataclass(frozen=True, slots=True)
class GenerationReport:
    """What became of the pairs of a generation. ``made = kept + all that is left out``, always.

    Attributes:
        fates: for each pair in its order, why it is left out; None where it is kept.
        unread: prompts that a side could not read.
    """

    made: int
    kept: int
    reasons: tuple[ReasonCount, ...]
    fates: tuple[LeaveReason | None, ...]
    unread: int = 0

    @classmethod
    def of(
        cls,
        job: PairGeneration,
        pairs: Sequence[GeneratedPair],
        choices: Mapping[LeaveReason, KeepChoice],
        known: Collection[int] = (),
    ) -> GenerationReport:
        """Count the pairs of a generation.

        Args:
            job: that they were made for.
            pairs: all of them, in their order.
            choices: what is done by reason.
            known: places of the pairs that the workspace holds.
        """
        fates: tuple[LeaveReason | None, ...] = tuple(
            first_reason(pair, choices, is_known=at in known) for at, pair in enumerate(pairs)
        )
        most = job.config.max_new_tokens
        counts = tuple(
            ReasonCount(
                reason,
                reason_title(reason, job.nearly, most),
                choices[reason],
                len(known) if reason == "known" else sum(reason in pair.reasons for pair in pairs),
                fates.count(reason),
            )
            for reason in REASONS
        )
        return cls(len(pairs), fates.count(None), counts, fates, job.pairs - len(pairs))

    def to_plain(self, pairs: Sequence[GeneratedPair] = ()) -> dict[str, Any]:
        """Return plain values for JSON; with ``pairs`` also each that is left out, so that nothing is lost."""
        out = [
            {"pair": at + 1, "reason": fate, "prompt": pair.prompt.to_plain(), "a": pair.a.text, "b": pair.b.text}
            for at, (pair, fate) in enumerate(zip(pairs, self.fates, strict=False))
            if fate is not None
        ]
        return {
            "made": self.made,
            "kept": self.kept,
            "left_out": {one.reason: one.left_out for one in self.reasons},
            "holds": {one.reason: one.holds for one in self.reasons},
            "choices": {one.reason: one.choice for one in self.reasons},
            "unread": self.unread,
            **({"pairs_left_out": out} if pairs else {}),
        }


def record_of(job: PairGeneration, side: AnsweringSide, answer: GeneratedAnswer, version: str) -> GenerationRecord:
    """Return how an answer was made, as it is stored with the answer.

    Args:
        job: that it was made for.
        side: that answered.
        answer: what it said.
        version: of this program.
    """
    more = {
        "generation": job.generation_id,
        "side": side.letter,
        "kind": side.kind,
        "run": side.run_id,
        "run_name": side.run_name,
        "checkpoint": side.checkpoint,
        "policy_sha256": side.inputs.get("policy", "") if side.kind == "policy" else "",
        "tokenizer_sha256": side.inputs.get("tokenizer", ""),
        "finish_reason": "stop" if answer.finished else "length",
        "tokens": answer.tokens,
        "prompt_tokens": answer.prompt_tokens,
        "dropped_turns": answer.dropped_turns,
        "device": job.config.device,
        "version": version,
    }
    config = job.config
    return GenerationRecord(
        model=side.served_model or side.name,
        model_sha256=side.inputs.get("model", ""),
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=config.top_k,
        max_new_tokens=config.max_new_tokens,
        seed=answer.seed,
        repetition_penalty=None if side.url and config.repetition_penalty == 1.0 else config.repetition_penalty,
        system_prompt=job.system_prompt or None,
        template_sha256=side.inputs.get("template", ""),
        finished=answer.finished,
        extra={key: value for key, value in more.items() if value not in ("", 0)},
    )
