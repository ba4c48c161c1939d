"""Pairs that a run cannot use: left out and counted, or, when there are too many of them, the end of the run.

A pair that the model or the template cannot take says little about the others, so one of them does not end a run. Many
of them are no accident of the data: then the settings, the template or the model do not fit, and training on what is
left would be another run than the one that was asked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.counting import counted, verb
from core.domain.errors import BadInput, GateFailed
from core.domain.gate_causes import GATE_CAUSES
from core.domain.left_out import left_out_words
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import TokenReport
from core.generation.context import base_of, position_limit
from core.training.gate import token_audit
from core.training.text.chat_template import template_words
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import Progress, encode_pairs


@dataclass(frozen=True, slots=True)
class ReadableRows:
    """What rows a model and its tokenizer can read.

    Attributes:
        positions: most tokens of a row; 0 is no limit.
        vocabulary: rows of the embedding; 0 is unknown.
        bos_id: of the tokenizer. stop_ids: tokens that end a response; none where that is not checked.
    """

    positions: int = 0
    vocabulary: int = 0
    bos_id: int | None = None
    stop_ids: frozenset[int] = frozenset()

    @classmethod
    def of(cls, model: Any, tokenizer: Any, stop_ids: Sequence[int] = ()) -> ReadableRows:
        """Return those of a transformers or PEFT causal LM."""
        base = base_of(model)
        vocabulary = base.get_input_embeddings().weight.shape[0]
        return cls(position_limit(base), vocabulary, tokenizer.bos_token_id, frozenset(stop_ids))

    def problem(self, pair: EncodedPair) -> str:
        """Return the reason why the pair cannot be used, or ""."""
        tests: dict[str, Callable[[], bool]] = {
            "weight": lambda: not (math.isfinite(pair.weight) and pair.weight >= 0),
            "all_masked": lambda: token_audit.is_masked(pair),
            "identical_answers": lambda: token_audit.has_same_answers(pair),
            "too_long": lambda: 0 < self.positions < pair.longer_row,
            "unknown_tokens": lambda: 0 < self.vocabulary <= token_audit.highest_id(pair),
            "double_bos": lambda: token_audit.begins_twice(pair, self.bos_id),
            "missing_eos": lambda: bool(self.stop_ids) and token_audit.never_stops(pair, self.stop_ids),
        }
        return next((reason for reason, holds in tests.items() if holds()), "")


def encode_usable(
    pairs: Sequence[TrainingPair],
    tokenizer: Any,
    config: RunConfig,
    rows: ReadableRows,
    *,
    on_progress: Progress | None = None,
) -> tuple[list[EncodedPair], TokenReport]:
    """Encode every pair that the run can use; the report names the others by reason.

    Raises:
        ModelRefused: when the chat template cannot be used.
        BadInput: when the template refuses every conversation.
    """
    refused: list[str] = []
    says: Counter[str] = Counter()
    used = list(pairs)
    try:
        encoded, report = encode_pairs(used, tokenizer, config, on_progress=on_progress)
    except BadInput:
        refused = refused_pairs(used, tokenizer, config, says)
        if len(refused) == len(used):
            raise
        used = [pair for pair in pairs if pair.pair_id not in set(refused)]
        encoded, report = encode_pairs(used, tokenizer, config, on_progress=on_progress)
    left_out: dict[str, list[str]] = {"template_refuses": refused} if refused else {}
    left_out.update({reason: list(ids) for reason, ids in report.left_out.items()})
    kept = []
    for pair in encoded:
        if reason := rows.problem(pair):
            left_out.setdefault(reason, []).append(pair.pair_id)
        else:
            kept.append(pair)
    gone = tuple(pair_id for ids in left_out.values() for pair_id in ids)
    empty = sum(not pair.chosen.strip() or not pair.rejected.strip() for pair in pairs)
    report = replace(
        report,
        pairs=len(pairs),
        dropped=len(gone),
        dropped_ids=gone,
        left_out=left_out,
        empty_answers=empty,
        template_says=dict(says.most_common()),
    )
    return kept, report


def refused_pairs(
    pairs: Sequence[TrainingPair], tokenizer: Any, config: RunConfig, says: Counter[str] | None = None
) -> list[str]:
    """Return the ids of the pairs whose conversation the template refuses, by halving until each is found.

    ``says`` counts what the template says of them.
    """
    try:
        encode_pairs(pairs, tokenizer, config)
    except BadInput as error:
        if len(pairs) == 1:
            if says is not None:
                says[template_words(error.message)] += 1
            return [pairs[0].pair_id]
        middle = len(pairs) // 2
        return [
            *refused_pairs(pairs[:middle], tokenizer, config, says),
            *refused_pairs(pairs[middle:], tokenizer, config, says),
        ]
    return []


def about_left_out(report: TokenReport) -> str:
    """Return one sentence about all pairs that are left out; "" when there are none."""
    if not report.dropped:
        return ""
    return (
        f"{counted(report.dropped, 'pair')} of {report.pairs:,} {verb(report.dropped, 'is', 'are')} left out: "
        f"{left_out_words(report.left_out, report.template_says)}."
    )


def require_enough(report: TokenReport, config: RunConfig, rows: ReadableRows) -> None:
    """Refuse a run of which too many pairs cannot be used.

    Raises:
        GateFailed: with all reasons; its cause is the commonest.
    """
    if report.dropped < report.pairs and (report.dropped <= 1 or report.dropped <= config.max_left_out * report.pairs):
        return
    commonest = max(report.left_out, key=lambda reason: len(report.left_out[reason]), default="all_masked")
    cause = commonest if commonest in GATE_CAUSES else "identical_answers"
    hints = [_hint(reason, rows) for reason in report.left_out]
    raise GateFailed(
        f"Too many pairs cannot be used. {about_left_out(report)}",
        " ".join([*dict.fromkeys(hints), "Or raise max_left_out, the share of pairs that may be left out."]),
        cause=cause,
    )


def _hint(reason: str, rows: ReadableRows) -> str:
    hints: Mapping[str, str] = {
        "template_refuses": "Set template to none, or take the conversations out that it refuses.",
        "identical_answers": "Take pairs with equal answers out of the dataset.",
        "equal_by_template": "Set rewritten_answers to answer, which trains them as they stand, or take the pairs out.",
        "equal_once_cut": "Raise max_length.",
        "all_masked": "Raise max_length, or lower min_response.",
        "too_long": f"Set max_length to {rows.positions} or less; longer pairs then lose their oldest turns.",
        "unknown_tokens": f"Use this model's own tokenizer: its tokens must stay below {rows.vocabulary:,}.",
        "double_bos": "Remove the BOS text from the prompts, or use the model's original chat template.",
        "missing_eos": "Set eos_token_id in generation_config.json to the token that ends an answer in the template.",
        "weight": "Give every pair a weight from 0 up.",
    }
    return hints[reason]
