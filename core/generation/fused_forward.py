"""The forward pass of decoding: rows of tokens through Llama-shaped layers whose attention the caller gives.

Two kinds of passes use it. Reading takes whole rows of several lengths, without padding but in the attention; a step
takes the newest token of every open row. There is no gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.generation.key_values import KeyValues, Shared
from core.generation.layer_parts import rms_norm, rotate
from core.generation.working_weights import WorkingModel

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""Layer, queries (T, heads, d), keys and values (T, kv heads, d), all turned, to what is read, (T, heads d)."""


class Angles:
    """Cosines and sines of a model's rotary embedding at positions 0, 1, 2, ..., each (positions, 1, d / 2)."""

    def __init__(self, model: WorkingModel) -> None:
        self._model = model
        self.cos = self.sin = model.read.embedding.new_zeros(0, 1, 1)

    def up_to(self, positions: int) -> None:
        """Compute the tables for at least this many positions."""
        if positions <= len(self.cos):
            return
        read = self._model.read
        at = torch.arange(positions, device=read.embedding.device)
        cos, sin = read.rotary(read.embedding, at[None])
        half = read.head_dim // 2
        self.cos, self.sin = cos[0, :, None, :half].clone(), sin[0, :, None, :half].clone()


def forward(
    model: WorkingModel,
    ids: Tensor,
    angles: tuple[Tensor, Tensor],
    parts: Sequence[slice],
    attend: Attend,
    keep: Tensor | None = None,
) -> Tensor:
    """Return the final hidden states, (T, width) or, with ``keep``, of those rows alone.

    Args:
        model: the working weights.
        ids: (T,) tokens.
        angles: cosines and sines of their positions, (T, 1, d / 2) each.
        parts: the rows of each group.
        attend: stores keys and values and attends.
        keep: (K,) rows that pass beyond the last attention; all rows then belong to one group.
    """
    read = model.read
    turned, heads = read.heads + read.kv_heads, (read.heads + 2 * read.kv_heads, read.head_dim)
    h = F.embedding(ids, read.embedding.detach())
    for number, layer in enumerate(model.layers):
        x = rms_norm(h, layer.norm_in, read.eps)
        qkv = layer.qkv(x, parts).view(-1, *heads)
        qk = qkv[:, :turned]
        if layer.q_norm is not None and layer.k_norm is not None:
            q, k = qk.split([read.heads, read.kv_heads], dim=1)
            qk = torch.cat([rms_norm(q, layer.q_norm, read.eps), rms_norm(k, layer.k_norm, read.eps)], dim=1)
        qk = rotate(qk, *angles)
        q, k = qk.split([read.heads, read.kv_heads], dim=1)
        o = attend(number, q * read.scaling, k, qkv[:, turned:])
        if keep is not None and number == len(model.layers) - 1:
            o, h = o[keep], h[keep]
        h = layer.o(o, parts).add_(h)
        x = rms_norm(h, layer.norm_mid, read.eps)
        gate, up = layer.gate_up(x, parts).chunk(2, dim=1)
        h = layer.down(F.silu(gate).mul_(up), parts).add_(h)
    return rms_norm(h, read.norm.detach(), read.eps)


@dataclass(slots=True)
class ReadRows:
    """The attention of whole rows that may share their first tokens, padded to the longest row.

    Attributes:
        place: (rows, longest) index of each token among the flat ones; 0 where there is none.
        flat: (T,) place of each flat token in (rows, longest).
        mask: (rows, 1, longest, P + longest) True where a token looks.
        shared: what precedes all rows.
        into: cache and slots that take the keys and values, and for each slot the row that it repeats; None keeps none.
    """

    place: Tensor
    flat: Tensor
    mask: Tensor
    shared: Shared
    into: tuple[KeyValues, Tensor, Tensor] | None = None

    @classmethod
    def of(
        cls,
        lengths: Sequence[int],
        shared: Shared,
        device: torch.device,
        into: tuple[KeyValues, Tensor, Tensor] | None = None,
    ) -> ReadRows:
        """Lay out rows of these lengths."""
        longest, prefix = max(lengths), shared.tokens
        count = torch.tensor(lengths, device=device)
        column = torch.arange(longest, device=device)
        real = column[None] < count[:, None]
        place = torch.zeros(len(lengths), longest, dtype=torch.int64, device=device)
        place[real] = torch.arange(sum(lengths), device=device)
        causal = column[:, None] >= column[None]
        before = torch.ones(longest, prefix, dtype=torch.bool, device=device)
        mask = torch.cat([before, causal], dim=1)[None, None].expand(len(lengths), -1, -1, -1)
        return cls(place, real.flatten().nonzero().squeeze(1), mask, shared, into)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Keep :data:`Attend`. A padded place repeats the first token; no real token looks at it."""
        q, k, v = q[self.place], k[self.place], v[self.place]
        if self.into is not None:
            cache, slots, source = self.into
            cache.fill(layer, slots, k[source], v[source])
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        if self.shared.tokens:
            rows = len(q)
            k = torch.cat([self.shared.keys[layer].expand(rows, -1, -1, -1), k], dim=2)
            v = torch.cat([self.shared.values[layer].expand(rows, -1, -1, -1), v], dim=2)
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask, scale=1.0, enable_gqa=True)
        return o.transpose(1, 2).flatten(0, 1)[self.flat].flatten(1)
