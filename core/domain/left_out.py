"""Why pairs of a dataset do not train, in words: reasons with their counts and the first pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.domain.counting import number

REASONS: dict[str, str] = {
    "template_refuses": "whose conversation the chat template refuses",
    "identical_answers": "with the same text on both sides",
    "all_masked": "whose answers are equal once cut, or shorter than min_response",
    "too_long": "longer than the model's positions",
    "unknown_tokens": "with tokens that the model has no embedding for",
    "double_bos": "that begin with two BOS tokens",
    "missing_eos": "whose answer does not end with a stop token",
    "weight": "whose weight is not a number from 0 up",
}
"""Reason, most of them causes of the truth gate -> the pairs it holds for, in words."""
NAMED = 5
"""Pairs that a sentence names."""


def left_out_words(left_out: Mapping[str, Sequence[str]]) -> str:
    """Return all reasons with their counts and first pairs, the commonest first.

    >>> left_out_words({"too_long": ["p7"], "identical_answers": ["p1", "p2"]})
    "2 with the same text on both sides (p1, p2); 1 longer than the model's positions (p7)"
    """
    ordered = sorted(left_out.items(), key=lambda item: -len(item[1]))
    return "; ".join(
        f"{number(len(ids))} {REASONS.get(reason, reason)} ({_names(ids)})" for reason, ids in ordered if ids
    )


def _names(ids: Sequence[str]) -> str:
    return ", ".join(ids[:NAMED]) + (", ..." if len(ids) > NAMED else "")
