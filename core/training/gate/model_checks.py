"""Checks of the loaded model before any pair is read: its weights, its output head, its tokens and positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from core.domain.counting import counted, verb
from core.domain.errors import GateFailed
from core.generation.context import base_of, position_limit
from core.training.gate.token_audit import highest_id
from core.training.policy.model import LoadedModel
from core.training.text.encoded_pair import EncodedPair

ZERO_LIMIT = 0.5
"""Share of matrices that may be all zero. Added blocks start with zero output matrices, two of about seven a layer."""


def check_model(model: LoadedModel) -> dict[str, str]:
    """Check weights and head; return the result of each check by cause.

    Raises:
        GateFailed: with the cause's name.
    """
    return {"broken_weights": check_weights(model), "tied_head": check_head(model)}


def check_weights(model: LoadedModel) -> str:
    """Require finite weights, of which neither the embeddings nor most matrices are all zero."""
    named = {n: p for n, p in model.base.named_parameters() if ".lora_" not in n and p.is_floating_point()}
    infinite = [name for name, weight in named.items() if not bool(torch.isfinite(weight).all())]
    if infinite:
        hold = verb(len(infinite), "holds", "hold")
        raise _broken(f"{counted(len(infinite), 'weight')} {hold} values that are not finite numbers", infinite[0])
    matrices = {name: weight for name, weight in named.items() if weight.ndim >= 2}
    zero = [name for name, weight in matrices.items() if not bool(weight.any())]
    ends = {id(_plain(module).weight) for module in _ends(model.base) if module is not None}
    empty_ends = [name for name in zero if id(matrices[name]) in ends]
    if empty_ends or len(zero) > ZERO_LIMIT * max(len(matrices), 1):
        raise _broken(
            f"{len(zero)} of {counted(len(matrices), 'matrix', 'matrices')} are all zero", [*empty_ends, *zero][0]
        )
    return f"finite; {len(zero)} of {counted(len(matrices), 'matrix', 'matrices')} are all zero"


def _broken(what: str, first: str) -> GateFailed:
    return GateFailed(
        f"The model's files are damaged or were never filled: {what} (the first is {first}).",
        "Copy the model folder again from its origin. Nothing was trained.",
        cause="broken_weights",
    )


def check_head(model: LoadedModel) -> str:
    """Require that no adapter sits on one of two layers that share their weight."""
    embedding, head = _ends(model.base)
    if head is None or _plain(embedding).weight is not _plain(head).weight:
        return "output head and embedding are two weights"
    adapted = [name for name, part in (("embedding", embedding), ("output head", head)) if hasattr(part, "base_layer")]
    if adapted:
        raise GateFailed(
            f"The adapter is on the {adapted[0]}, whose weight the model uses as embedding and as output head: trained "
            "on one of them, it could never be merged into the model.",
            "Take lm_head and the embedding out of lora_targets; all-linear leaves both alone.",
            cause="tied_head",
        )
    return "output head and embedding share one weight, which no adapter changes"


def _ends(base: Any) -> tuple[Any, Any]:
    return base.get_input_embeddings(), base.get_output_embeddings()


def _plain(module: Any) -> Any:
    return getattr(module, "base_layer", module)


def check_readable(model: LoadedModel, encoded: Sequence[EncodedPair]) -> dict[str, str]:
    """Require that the model has a position and an embedding for every token of every pair.

    Raises:
        GateFailed: with the cause's name.
    """
    base = base_of(model.model)
    positions, vocabulary = position_limit(base), base.get_input_embeddings().weight.shape[0]
    longest = max((pair.longer_row for pair in encoded), default=0)
    highest = max((highest_id(pair) for pair in encoded), default=0)
    if 0 < positions < longest:
        raise GateFailed(
            f"A pair has {longest:,} tokens, and the model has {positions:,} positions.",
            f"Set max_length to {positions} or less.",
            cause="too_long",
        )
    if highest >= vocabulary:
        raise GateFailed(
            f"The tokenizer gives the token {highest:,}, and the model's embedding ends at {vocabulary - 1:,}.",
            "Use the tokenizer that belongs to this model.",
            cause="unknown_tokens",
        )
    return {
        "too_long": f"longest row {longest:,} tokens, " + (f"of {positions:,} positions" if positions else "no table"),
        "unknown_tokens": f"highest token {highest:,}, embedding of {vocabulary:,}",
    }
