"""One batch of responses, token by token: with a key-value cache where rows can be removed from it, else without.

The cache makes a token cost one column instead of a whole row, but it must be sure that padding, positions and removed
rows leave no trace. It is used for models that only attend. Every other model (state spaces, recurrences,
convolutions, a rope that depends on the length of a call) reads its rows anew for each token, padded on the right,
which no causal model looks at: slow, and right for all of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.domain.errors import BadInput
from core.generation.context import base_of, forget_lengths, frequency_limit, layer_kinds, position_limit
from core.generation.lm_head import HeadSpec

Draw = Callable[[Tensor, Tensor], Tensor]
"""Logits (rows, vocabulary) and numbers (rows,) in [0, 1) to the next token of each row."""
_ATTENTION = frozenset({"full_attention", "sliding_attention", "chunked_attention", "attention"})


def decode(
    prompts: Sequence[Sequence[int]], numbers: Tensor, model: Any, draw: Draw, stops: Collection[int]
) -> list[list[int]]:
    """Return the new tokens of each prompt.

    A response ends with a stop token, with the last number, or where the model has no further position.

    Args:
        prompts: token ids, at least one each.
        numbers: (prompts, most new tokens) float64; a row's own numbers decide its response.
        model: a transformers or PEFT causal LM in evaluation mode.
        draw: how the next token is drawn.
        stops: tokens that end a response.

    Raises:
        BadInput: for a prompt that the model's positions do not hold.
    """
    most = numbers.shape[1]
    caps = [_room(len(prompt), most, position_limit(model)) for prompt in prompts]
    width = max(len(prompt) for prompt in prompts)
    dependent = frequency_limit(model)
    fits = not position_limit(model) or width + max(caps) - 1 <= position_limit(model)
    if fits and not 0 < dependent < width + most and can_cache(model):
        return _with_cache(prompts, numbers, model, draw, stops, caps)
    return _anew(prompts, numbers, model, draw, stops, caps)


def _room(length: int, most: int, positions: int) -> int:
    """Return how many tokens may follow a prompt: the last one is drawn, but never read."""
    if positions and length > positions:
        raise BadInput(
            f"A prompt of {length:,} tokens does not fit into the model's {positions:,} positions.",
            "Shorten the prompt, or choose a model with a longer context.",
        )
    return min(most, positions - length + 1) if positions else most


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


def _anew(
    prompts: Sequence[Sequence[int]],
    numbers: Tensor,
    model: Any,
    draw: Draw,
    stops: Collection[int],
    caps: Sequence[int],
) -> list[list[int]]:
    """Decode by reading all open rows from their first token for each new one."""
    written: list[list[int]] = [[] for _ in prompts]
    live = list(range(len(prompts)))
    head = HeadSpec.from_model(model)
    while live:
        step = len(written[live[0]])
        states = hidden_states(model, [[*prompts[i], *written[i]] for i in live])
        logits = head.logits(torch.stack([state[-1] for state in states])).to(numbers.device)
        tokens = draw(logits, numbers[live, step]).tolist()
        for i, token in zip(live, tokens, strict=True):
            written[i].append(token)
        live = [i for i in live if written[i][-1] not in stops and len(written[i]) < caps[i]]
    return written


@dataclass(slots=True)
class _OpenRows:
    """The rows of a batch that are not finished; finished ones are removed, so that they cost nothing."""

    index: list[int]
    mask: Tensor
    numbers: Tensor
    cache: Any = None

    def keep(self, rows: list[int]) -> bool:
        """Keep only ``rows``; return False, and change nothing, when the cache cannot drop rows."""
        if not hasattr(self.cache, "batch_select_indices"):
            return False
        self.cache.batch_select_indices(torch.tensor(rows, dtype=torch.int64, device=self.mask.device))
        self.index = [self.index[r] for r in rows]
        self.mask, self.numbers = self.mask[rows], self.numbers[rows]
        return True


def _with_cache(
    prompts: Sequence[Sequence[int]],
    numbers: Tensor,
    model: Any,
    draw: Draw,
    stops: Collection[int],
    caps: Sequence[int],
) -> list[list[int]]:
    """Decode with a key-value cache, padded on the left."""
    device = base_of(model).get_input_embeddings().weight.device
    ids, mask = left_padded(prompts, device)
    live = _OpenRows(list(range(len(prompts))), mask, numbers)
    wanted = inspect.signature(base_of(model).forward).parameters
    written: list[list[int]] = [[] for _ in prompts]
    open_rows = [True] * len(prompts)
    positions = (mask.cumsum(dim=-1) - 1).clamp_min(0)
    for t in range(max(caps)):
        arguments = {"position_ids": positions, "logits_to_keep": 1}
        out = model(
            input_ids=ids,
            attention_mask=live.mask,
            past_key_values=live.cache,
            use_cache=True,
            **{k: v for k, v in arguments.items() if k in wanted},
        )
        live.cache = out.past_key_values
        tokens = draw(out.logits[:, -1].to(live.numbers.device), live.numbers[:, t])
        for row, token in zip(live.index, tokens.tolist(), strict=True):
            if open_rows[row]:
                written[row].append(token)
                open_rows[row] = token not in stops and len(written[row]) < caps[row]
        if not any(open_rows):
            break
        positions = positions[:, -1:] + 1
        kept = [r for r, row in enumerate(live.index) if open_rows[row]]
        if len(kept) < len(live.index) and live.keep(kept):
            tokens, positions = tokens[kept], positions[kept]
        ids = tokens[:, None].to(device)
        live.mask = torch.cat([live.mask, live.mask.new_ones(len(live.index), 1)], dim=1)
    return written


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
