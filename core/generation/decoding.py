"""One batch of responses, token by token: with a key-value cache where rows can be removed from it, else without.

This is the general path, which uses the model's own layers and works for every family. The cache makes a token cost one
column instead of a whole row, but it must be sure that padding, positions and removed rows leave no trace. It is used
for models that only attend. Every other model (state spaces, recurrences, convolutions, a rope that depends on the
length of a call) reads its rows anew for each token, padded on the right, which no causal model looks at: slow, and
right for all of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.domain.errors import BadInput
from core.generation.context import base_of, forget_lengths, frequency_limit, layer_kinds, position_limit
from core.generation.lm_head import HeadSpec
from core.generation.repetition import penalised
from core.generation.requests import Draw, OnStep, Request, buckets
from core.generation.roomy_cache import roomy_cache

_ATTENTION = frozenset({"full_attention", "sliding_attention", "chunked_attention", "attention"})
_LEAVE_AT = 0.25
"""Share of finished rows at which they leave a batch; removing rows copies the cache of the others."""


def decode(
    requests: Sequence[Request],
    model: Any,
    draw: Draw,
    stops: frozenset[int],
    on_step: OnStep,
    *,
    memory: int,
    rows: int,
) -> None:
    """Write the answer of each request into it, by a model in evaluation mode.

    An answer ends with a stop token, with the request's most tokens, or where the model has no further position.

    Args:
        requests: all of one group.
        model: a transformers or PEFT causal LM.
        draw: how the next token is drawn.
        stops: tokens that end an answer.
        on_step: called after every step.
        memory: most bytes of keys and values.
        rows: most rows of a batch.
    """
    cached, positions, dependent = can_cache(model), position_limit(model), frequency_limit(model)
    token_bytes, finished = _token_bytes(model), 0
    for bucket in buckets(requests):
        longest = max(len(request.prompt) + request.most for request in bucket)
        size = max(1, min(rows, memory // (longest * token_bytes)))
        for start in range(0, len(bucket), size):
            batch = bucket[start : start + size]
            longest = max(len(r.prompt) for r in batch) + max(r.most for r in batch)
            fits = (not positions or longest - 1 <= positions) and not 0 < dependent < longest
            steps = _with_cache if fits and cached else _anew
            for done in steps(batch, model, draw, stops):
                on_step(finished + done)
            finished += len(batch)


def room(length: int, most: int, positions: int) -> int:
    """Return how many tokens may follow a prompt: the last one is drawn, but never read.

    Args:
        length: tokens of the prompt.
        most: tokens that are asked for.
        positions: of the model, 0 without limit.

    Raises:
        BadInput: for a prompt that the model's positions do not hold.
    """
    if positions and length > positions:
        raise BadInput(
            f"A prompt of {length:,} tokens does not fit into the model's {positions:,} positions.",
            "Shorten the prompt, or choose a model with a longer context.",
        )
    return min(most, positions - length + 1) if positions else most


def _token_bytes(model: Any) -> int:
    """Return the bytes of a token's keys and values, from the sizes that the config names."""
    config = base_of(model).config
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    width = getattr(text, "hidden_size", None) or getattr(text, "n_embd", None) or 1024
    layers = getattr(text, "num_hidden_layers", None) or getattr(text, "n_layer", None) or 24
    heads = getattr(text, "num_attention_heads", None) or 1
    shared = getattr(text, "num_key_value_heads", None) or heads
    head_width = getattr(text, "head_dim", None) or width // heads
    return 2 * layers * shared * head_width * base_of(model).get_input_embeddings().weight.element_size()


def can_cache(model: Any) -> bool:
    """Return whether all that the model remembers is keys and values, from which rows can be removed."""
    base = base_of(model)
    if "past_key_values" not in inspect.signature(base.forward).parameters or getattr(base, "_is_stateful", False):
        return False
    return layer_kinds(base) <= _ATTENTION


def hidden_states(model: Any, rows: Sequence[Sequence[int]]) -> list[Tensor]:
    """Return the final hidden states of each row, (its tokens, width), without cache and without grad.

    Rows are padded on the right with positions 0, 1, 2, ...; where the frequencies of the model's rope depend on the
    length of a call, each row is a call of its own.
    """
    base = base_of(model)
    if 0 < frequency_limit(model) < max(len(row) for row in rows):
        return [_call(base, [row])[0] for row in rows]
    return _call(base, rows)


def _call(base: Any, rows: Sequence[Sequence[int]]) -> list[Tensor]:
    ids = torch.zeros(len(rows), max(len(row) for row in rows), dtype=torch.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row, dtype=torch.int64)
    forget_lengths(base)
    with torch.no_grad():
        device = base.get_input_embeddings().weight.device
        hidden = base.base_model(input_ids=ids.to(device), use_cache=False).last_hidden_state
    return [hidden[i, : len(row)] for i, row in enumerate(rows)]


def _anew(requests: Sequence[Request], model: Any, draw: Draw, stops: frozenset[int]) -> Iterator[int]:
    """Decode by reading all open rows from their first token for each new one; yield how many are finished."""
    live = list(requests)
    head = HeadSpec.from_model(model)
    while live:
        states = hidden_states(model, [[*request.prompt, *request.written] for request in live])
        logits = head.logits(torch.stack([state[-1] for state in states]))
        tokens = draw(penalised(logits, live), numbers_of(live)).tolist()
        live = [request for request, token in zip(live, tokens, strict=True) if not request.take(token, stops)]
        yield len(requests) - len(live)


def numbers_of(requests: Sequence[Request]) -> Tensor:
    """Return the numbers that decide the next tokens, (rows,) float64 on the CPU."""
    return torch.tensor([request.next_number() for request in requests], dtype=torch.float64)


@dataclass(slots=True)
class _OpenRows:
    """The rows of a batch; finished ones leave when there are many, so that they cost little."""

    requests: list[Request]
    mask: Tensor
    cache: Any

    def keep(self, rows: Sequence[int]) -> bool:
        """Keep only ``rows``, in this order; return False, and change nothing, when the cache cannot select rows."""
        if not hasattr(self.cache, "batch_select_indices"):
            return False
        self.cache.batch_select_indices(torch.tensor(rows, dtype=torch.int64, device=self.mask.device))
        self.mask = self.mask[list(rows)]
        return True


def _with_cache(requests: Sequence[Request], model: Any, draw: Draw, stops: frozenset[int]) -> Iterator[int]:
    """Decode with a key-value cache, padded on the left; yield how many are finished.

    Equal prompts are read once where the cache can repeat rows.
    """
    device = base_of(model).get_input_embeddings().weight.device
    wanted = inspect.signature(base_of(model).forward).parameters
    prompts = list(dict.fromkeys(request.prompt for request in requests))
    if len(prompts) < len(requests) and not roomy_cache(model, 0):
        prompts = [request.prompt for request in requests]
    ids, mask = left_padded(prompts, device)
    live = _OpenRows(list(requests), mask, roomy_cache(model, max(request.most for request in requests)))
    positions = (mask.cumsum(dim=-1) - 1).clamp_min(0)
    while True:
        arguments = {"position_ids": positions, "logits_to_keep": 1}
        out = model(
            input_ids=ids,
            attention_mask=live.mask,
            past_key_values=live.cache,
            use_cache=True,
            **{k: v for k, v in arguments.items() if k in wanted},
        )
        live.cache, logits, positions = out.past_key_values, out.logits[:, -1], positions[:, -1:] + 1
        if len(logits) < len(live.requests):  # equal prompts were read once
            source = [prompts.index(request.prompt) for request in live.requests]
            live.keep(source)
            logits, positions = logits[source], positions[source]
        tokens = draw(penalised(logits, live.requests), numbers_of(live.requests))
        for request, token in zip(live.requests, tokens.tolist(), strict=True):
            if not request.ended:
                request.take(token, stops)
        kept = [r for r, request in enumerate(live.requests) if not request.ended]
        yield len(requests) - len(kept)
        if not kept:
            return
        if len(kept) <= (1 - _LEAVE_AT) * len(live.requests) and live.keep(kept):
            tokens, positions = tokens[kept], positions[kept]
            live.requests = [live.requests[r] for r in kept]
        ids = tokens[:, None].to(device)
        live.mask = torch.cat([live.mask, live.mask.new_ones(len(live.mask), 1)], dim=1)


def left_padded(prompts: Sequence[Sequence[int]], device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Return ids and mask (rows, longest), both int64, with every prompt's last token in the last column.

    The padding is token 0, which the mask hides, so the model needs no padding token.
    """
    width = max(len(prompt) for prompt in prompts)
    ids = torch.zeros(len(prompts), width, dtype=torch.int64)
    mask = torch.zeros(len(prompts), width, dtype=torch.int64)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt, dtype=torch.int64)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)
