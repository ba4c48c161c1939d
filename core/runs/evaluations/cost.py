"""What an evaluation costs before it starts: seconds by kind of work, and what would be cheaper. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from core.domain.counting import counted
from core.domain.evaluation_record import TEXT_KINDS, EvaluationRecord
from core.domain.time_spans import duration

_WORTH = 0.15
"""Share of the time that a suggestion must save."""
_FEWER = (100, 50, 30)
"""Limits that are suggested; with fewer than 30 items nothing is decided."""


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """How fast a model answers and scores, measured on this machine with batches as the evaluation makes them.

    Attributes:
        load_s: seconds to load the model once.
        prompt_s: to read one prompt. token_s: for one token of one answer.
        pair_s: to score one pair, or one text, under one arm.
    """

    load_s: float
    prompt_s: float
    token_s: float
    pair_s: float

    def to_plain(self) -> dict[str, float]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> MeasuredSpeed:
        """Return the speed of :meth:`to_plain`."""
        return cls(**{f.name: float(row[f.name]) for f in fields(cls)})


@dataclass(frozen=True, slots=True)
class Cheaper:
    """A way to a shorter evaluation.

    Attributes:
        option: as the command line takes it. seconds: that the whole would then take. loses: what it would not tell.
    """

    option: str
    seconds: float
    loses: str


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """What an evaluation costs at most: answers are counted at their full length.

    Attributes:
        seconds: of the whole. parts: seconds by kind: load, answers, scores, kl.
        cheaper: ways to less, the largest saving first.
    """

    seconds: float
    parts: Mapping[str, float]
    cheaper: tuple[Cheaper, ...] = ()

    def sentence(self) -> str:
        """Return the cost in words."""
        named = {"load": "loading", "answers": "answers", "scores": "scoring pairs", "kl": "KL"}
        parts = ", ".join(f"{named[kind]} {duration(s)}" for kind, s in self.parts.items() if s >= 1)
        return f"At most {duration(self.seconds)}" + (f" ({parts})." if parts else ".")


def expected_cost(record: EvaluationRecord, speed: MeasuredSpeed) -> ExpectedCost:
    """Return what the evaluation costs; answers of an endpoint are not counted, whose speed nobody measured."""
    parts = _parts(record, speed)
    total = sum(parts.values())
    return ExpectedCost(total, parts, _cheaper(record, speed, total))


def _parts(
    record: EvaluationRecord,
    speed: MeasuredSpeed,
    *,
    limit: int = 0,
    new_tokens: int = 0,
    kl: bool = True,
    answer_pairs: bool = True,
    templates: bool = True,
) -> dict[str, float]:
    """Return seconds by kind, under the settings of the record or changed ones."""
    config = record.config
    tokens = new_tokens or config.max_new_tokens
    local = [arm for arm in record.arms if arm.is_sampled_here]
    answers = pairs = texts = kl_answers = templated = 0
    for suite in record.suites:
        share = min(1.0, limit / suite.used) if limit and suite.used else 1.0
        answers += round(share * suite.answered) if answer_pairs or not suite.pairs else 0
        pairs += round(share * suite.pairs)
        texts += round(share * suite.texts)
        kl_answers += min(config.kl_prompts, round(share * suite.answered)) if kl else 0
        templated += round(share * suite.aligned)
    answer_s = speed.prompt_s + tokens * speed.token_s
    # After sampling, policy and reference read each answer of the KL once.
    kl_s = 3 * speed.prompt_s + config.kl_max_new_tokens * speed.token_s
    trained, under = record.trained_answers, len(record.template_arms) if templates else 0
    sampled = len(local) * answers + under * templated + trained
    read = sum(arm.kind in TEXT_KINDS for arm in local) * texts
    return {
        "load": len({arm.source for arm in local}) * speed.load_s,
        "answers": sampled * answer_s,
        "scores": ((len(record.scored_arms) + under) * pairs + read + trained) * speed.pair_s,
        "kl": len(record.kl_arms) * kl_answers * kl_s,
    }


def _cheaper(record: EvaluationRecord, speed: MeasuredSpeed, total: float) -> tuple[Cheaper, ...]:
    most = max((suite.used for suite in record.suites), default=0)
    tried: list[tuple[str, dict[str, Any], str]] = [
        (f"--limit {limit}", {"limit": limit}, f"numbers of {counted(limit, 'item')} a suite have wider intervals")
        for limit in _FEWER
        if limit < most
    ]
    half = record.config.max_new_tokens // 2
    if half >= 32:
        lost = "longer answers are cut, which refusals rarely need and checks of length do"
        tried.append((f"--set max_new_tokens={half}", {"new_tokens": half}, lost))
    if record.templates:
        lost = "whether the policy depends on the chat template of training is not known"
        tried.append(("without --templates", {"templates": False}, lost))
    if record.kl_answers:
        tried.append(("--set kl_prompts=0", {"kl": False}, "no KL is measured"))
    if record.config.answer_pairs and any(suite.pairs for suite in record.suites):
        lost = "preference items are ranked, but their prompts are not answered"
        tried.append(("--set answer_pairs=false", {"answer_pairs": False}, lost))
    found = [Cheaper(option, sum(_parts(record, speed, **change).values()), loses) for option, change, loses in tried]
    worth = [one for one in found if one.seconds <= (1 - _WORTH) * total]
    return tuple(sorted(worth, key=lambda one: one.seconds))
