"""Why pairs of a dataset do not train, in words: reasons with their counts and the first pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.domain.counting import number

REASONS: dict[str, str] = {
    "template_refuses": "whose conversation the chat template refuses",
    "identical_answers": "with the same text on both sides",
    "equal_by_template": "whose answers are the same once the chat template wrote them",
    "equal_once_cut": "whose answers are the same once cut to max_length",
    "all_masked": "with an answer that is shorter than min_response, or cut to that",
    "too_long": "longer than the model's positions",
    "unknown_tokens": "with tokens that the model has no embedding for",
    "double_bos": "that begin with two BOS tokens",
    "missing_eos": "whose answer does not end with a stop token",
    "weight": "whose weight is not a number from 0 up",
}
"""Reason, most of them causes of the truth gate -> the pairs it holds for, in words."""
_BY_LENGTH = ("equal_once_cut", "all_masked", "too_long")
NAMED = 5
"""Pairs that a sentence names."""
_SAYINGS = 3


def beyond_length(left_out: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the ids of the pairs that are left out for their length, in tokens or positions."""
    return tuple(pair_id for reason in _BY_LENGTH for pair_id in left_out.get(reason, ()))


def left_out_words(left_out: Mapping[str, Sequence[str]], template_says: Mapping[str, int] | None = None) -> str:
    """Return all reasons with their counts and first pairs, the commonest first.

    ``template_says`` is what the chat template says of the conversations that it refuses, with their counts.

    >>> left_out_words({"too_long": ["p7"], "identical_answers": ["p1", "p2"]})
    "2 with the same text on both sides (p1, p2); 1 longer than the model's positions (p7)"
    """
    ordered = sorted(left_out.items(), key=lambda item: -len(item[1]))
    words = {
        reason: f"{number(len(ids))} {REASONS.get(reason, reason)} ({_names(ids)})" for reason, ids in ordered if ids
    }
    if template_says and "template_refuses" in words:
        words["template_refuses"] += f", saying {_said(template_says)}"
    return "; ".join(words.values())


def _said(template_says: Mapping[str, int]) -> str:
    """Return the first sayings of a template, with their counts where there are several."""
    many = len(template_says) > 1
    said = [f'"{words}"' + (f" ({number(count)})" if many else "") for words, count in template_says.items()]
    return ", ".join(said[:_SAYINGS]) + (", ..." if len(said) > _SAYINGS else "")


def _names(ids: Sequence[str]) -> str:
    return ", ".join(ids[:NAMED]) + (", ..." if len(ids) > NAMED else "")
