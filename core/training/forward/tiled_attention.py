"""Attention over a prefix-shared row in tiles of queries, forward and backward.

A tile of at most ``TILE`` queries is multiplied only with the keys it may attend to: the prompt, and its own response
up to the end of the tile. The products that a mask over the whole row would discard (the other response, later tokens)
are not computed. Heads that share keys and values are rows of one product, so keys are not repeated.

Shapes: T tokens, h heads, g key-value heads, r = h / g, d the head dimension, n queries and m keys of a tile.
The backward pass recomputes the probabilities: keeping them would add up to a third to the activations and save 1 % of
the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.training.forward.prefix_layout import PrefixRow

TILE = 64
"""Queries of a tile; half of the products with the last ``TILE`` keys are discarded. 48 to 128 are equally fast."""


@dataclass(frozen=True, slots=True)
class AttentionTile:
    """Queries ``rows`` and the one or two runs of keys that they attend to; the last run ends with the queries."""

    rows: slice
    keys: tuple[slice, ...]

    @property
    def size(self) -> int:
        """Number of queries."""
        return self.rows.stop - self.rows.start


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """The tiles of the queries of a packed sequence.

    Attributes:
        tiles: in the order of their rows.
        triangle: (TILE, TILE) 0 on and below the diagonal and -inf above it.
        length: tokens in the sequence.
    """

    tiles: tuple[AttentionTile, ...]
    triangle: Tensor
    length: int


def plan_attention(rows: Sequence[PrefixRow], dtype: torch.dtype) -> AttentionPlan:
    """Return the tiles of the queries of ``rows``, which follow one another in the sequence."""
    tiles: list[AttentionTile] = []
    start = 0
    for row in rows:
        middle, end = start + row.prompt, start + row.prompt + row.chosen
        tiles += _tiles(start, end, ())
        tiles += _tiles(end, end + row.rejected, (slice(start, middle),) if row.prompt else ())
        start += row.length
    triangle = torch.full((TILE, TILE), float("-inf"), dtype=dtype).triu_(1)
    return AttentionPlan(tuple(tiles), triangle, start)


def _tiles(first: int, last: int, seen: tuple[slice, ...]) -> list[AttentionTile]:
    """Return the tiles of the causal run [first, last), whose queries also attend to all of ``seen``."""
    ends = [min(at + TILE, last) for at in range(first, last, TILE)]
    return [AttentionTile(slice(first + TILE * i, end), (*seen, slice(first, end))) for i, end in enumerate(ends)]


def attend(q: Tensor, k: Tensor, v: Tensor, plan: AttentionPlan) -> Tensor:
    """Return softmax(q k^T) v as (T, h, d).

    ``q`` (T, h, d) is already scaled; ``k`` and ``v`` are (T, g, d).
    """
    out, groups = torch.empty_like(q), k.shape[1]
    for tile in plan.tiles:
        p = _probabilities(_queries(q, tile, groups), _keys(k, tile), tile, plan)
        _scatter(out, torch.bmm(p, _keys(v, tile)), tile)
    return out


def attend_backward(
    grad: Tensor, q: Tensor, k: Tensor, v: Tensor, plan: AttentionPlan
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients by q (scaled as given), k and v for the gradient ``grad`` (T, h, d) of the output."""
    dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
    groups = k.shape[1]
    for tile in plan.tiles:
        queries, keys, values = _queries(q, tile, groups), _keys(k, tile), _keys(v, tile)
        upstream = _queries(grad, tile, groups)
        p = _probabilities(queries, keys, tile, plan)
        _add(dv, torch.bmm(p.transpose(1, 2), upstream), tile)
        ds = torch.bmm(upstream, values.transpose(1, 2))
        ds = torch.ops.aten._softmax_backward_data(ds, p, -1, p.dtype)  # noqa: SLF001 (no public name)
        _scatter(dq, torch.bmm(ds, keys), tile)
        _add(dk, torch.bmm(ds.transpose(1, 2), queries), tile)
    return dq, dk, dv


def _probabilities(queries: Tensor, keys: Tensor, tile: AttentionTile, plan: AttentionPlan) -> Tensor:
    """Return the softmax over the keys that each query may attend to, (g, r n, m)."""
    scores = torch.bmm(queries, keys.transpose(1, 2))
    by_head = scores.view(len(scores), -1, tile.size, scores.shape[-1])
    by_head[..., -tile.size :].add_(plan.triangle[: tile.size, : tile.size])
    return torch.softmax(scores, -1)


def _queries(q: Tensor, tile: AttentionTile, groups: int) -> Tensor:
    """Return the tile's queries grouped by key-value head, (g, r n, d)."""
    part = q[tile.rows].view(tile.size, groups, -1, q.shape[-1])
    return part.permute(1, 2, 0, 3).reshape(groups, -1, q.shape[-1])


def _keys(k: Tensor, tile: AttentionTile) -> Tensor:
    """Return the keys (or values) of the tile, (g, m, d)."""
    part = k[tile.keys[0]] if len(tile.keys) == 1 else torch.cat([k[run] for run in tile.keys])
    return part.transpose(0, 1)


def _scatter(out: Tensor, values: Tensor, tile: AttentionTile) -> None:
    """Write (g, r n, d) values to the tile's rows of ``out`` (T, h, d)."""
    target = out[tile.rows].view(tile.size, len(values), -1, out.shape[-1])
    target.copy_(values.view(len(values), -1, tile.size, out.shape[-1]).permute(2, 0, 1, 3))


def _add(out: Tensor, values: Tensor, tile: AttentionTile) -> None:
    """Add (g, m, d) values to the keys' rows of ``out`` (T, g, d)."""
    start = 0
    for run in tile.keys:
        length = run.stop - run.start
        out[run] += values[:, start : start + length].transpose(0, 1)
        start += length
