"""Keys and values of the rows that are being decoded, in tensors that are allocated once.

Each open row owns a slot. A row that ends leaves: the last open row moves into its slot, and a waiting prompt may take
the free one. What all prompts begin with (a template's header, a system prompt) is kept once and attended by all rows
in one product.

Shapes: n open rows, k key-value heads, g query heads for each, d head dimension, P tokens that all prompts share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Shared:
    """Keys and values of the tokens that all prompts begin with: each (k, P, d), by layer; P may be 0."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def tokens(self) -> int:
        """How many tokens all prompts share."""
        return self.keys[0].shape[1] if self.keys else 0


class KeyValues:
    """The cache of one group of rows.

    Args:
        slots: rows that can be open at once.
        capacity: tokens of a row beyond the shared ones.
        shared: what all prompts begin with.
        shape: layers, key-value heads, head dimension.
        like: a tensor of the model's dtype and device.
    """

    def __init__(self, slots: int, capacity: int, shared: Shared, shape: tuple[int, int, int], like: Tensor) -> None:
        layers, self._heads, self._width = shape
        self.shared = shared
        self.keys = [like.new_zeros(slots, self._heads, capacity, self._width) for _ in range(layers)]
        # Transposed, because the product with probabilities of few queries is then twice as fast.
        self.values = [like.new_zeros(slots, self._heads, self._width, capacity) for _ in range(layers)]
        self._lengths = torch.zeros(slots, dtype=torch.int64, device=like.device)
        self._slots = torch.arange(slots, device=like.device)
        self.open = 0
        self._longest = 0
        self._hidden = like.new_zeros(0)

    def lengths(self) -> Tensor:
        """Return the tokens of each open row, shared ones included, (n,): the position of its next token."""
        return self._lengths[: self.open] + self.shared.tokens

    def add(self, lengths: Sequence[int]) -> Tensor:
        """Open one row for each length and return their slots; :meth:`fill` stores their tokens."""
        slots = self._slots[self.open : self.open + len(lengths)]
        self._lengths[slots] = torch.tensor(lengths, device=slots.device)
        self.open += len(lengths)
        return slots

    def fill(self, layer: int, slots: Tensor, keys: Tensor, values: Tensor) -> None:
        """Store the tokens of new rows, (rows, tokens, k, d); what lies beyond a row's length is never read."""
        tokens = keys.shape[1]
        self.keys[layer][slots, :, :tokens] = keys.transpose(1, 2)
        self.values[layer][slots, :, :, :tokens] = values.permute(0, 2, 3, 1)

    def drop(self, rows: Sequence[int]) -> list[int]:
        """Close ``rows``; return the order of the rows that stay, by their places before."""
        order = list(range(self.open))
        for row in sorted(rows, reverse=True):
            self.open -= 1
            order[row] = order[self.open]
            order.pop()
            if row != self.open:
                used = int(self._lengths[self.open])
                for keys, values in zip(self.keys, self.values, strict=True):
                    keys[row, :, :used] = keys[self.open, :, :used]
                    values[row, :, :, :used] = values[self.open, :, :, :used]
                self._lengths[row] = self._lengths[self.open]
        return order

    def begin_step(self) -> None:
        """Prepare a step, in which every open row gets one token."""
        lengths = self._lengths[: self.open]
        self._longest = int(lengths.max()) + 1
        beyond = torch.arange(self._longest, device=lengths.device)[None] > lengths[:, None]
        mask = torch.zeros_like(beyond, dtype=self.keys[0].dtype).masked_fill_(beyond, float("-inf"))
        self._hidden = mask.repeat_interleave(self._heads, dim=0)[:, None]

    def end_step(self) -> None:
        """Count the tokens that the step stored."""
        self._lengths[: self.open] += 1

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Store the rows' new keys and values, (n, k, d), and return what their queries, (n, k g, d), read.

        Returns:
            (n, k g d).
        """
        n, lengths, slots = self.open, self._lengths[: self.open], self._slots[: self.open]
        self.keys[layer][slots, :, lengths] = k
        self.values[layer][slots, :, :, lengths] = v
        q = q.reshape(n * self._heads, -1, self._width)
        scores = torch.bmm(q, self._flat(self.keys[layer], 1).transpose(1, 2)).add_(self._hidden)
        tokens = self.shared.tokens
        if tokens:
            ours = torch.bmm(self._by_head(q), self.shared.keys[layer].transpose(1, 2))
            scores = torch.cat([self._by_row(ours), scores], dim=-1)
        p = torch.softmax(scores, dim=-1)
        out = torch.bmm(self._flat(self.values[layer], 2), p[..., tokens:].transpose(1, 2)).transpose(1, 2)
        if tokens:
            out = out + self._by_row(torch.bmm(self._by_head(p[..., :tokens]), self.shared.values[layer]))
        return out.reshape(n, -1)

    def _flat(self, stored: Tensor, axis: int) -> Tensor:
        """Return the used part of a layer's tensor with rows and heads as one axis; no copy is made."""
        return stored[: self.open].flatten(0, 1).narrow(axis, 0, self._longest)

    def _by_head(self, x: Tensor) -> Tensor:
        """Turn (n k, g, ...) into (k, n g, ...)."""
        return x.view(self.open, self._heads, *x.shape[1:]).transpose(0, 1).flatten(1, 2)

    def _by_row(self, x: Tensor) -> Tensor:
        """Turn (k, n g, ...) into (n k, g, ...)."""
        return x.unflatten(1, (self.open, -1)).transpose(0, 1).flatten(0, 1)
