"""Sequence log-probs and their gradient by the hidden states in one pass over the vocabulary, without kept logits.

A loss reads only the log-prob of each sequence. The gradient of that log-prob by the hidden rows therefore depends on
the loss only through one factor per sequence. The forward pass computes it while a tile of logits exists, and the
backward pass scales it: two matrix products a tile, nothing recomputed, (rows, width) numbers kept. Statistics are
computed from the same tile while it is in the cache.

A head that trains itself (full fine-tuning, an adapter on the head) needs the gradient by the logits, which depends on
the loss; there the backward pass recomputes each tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from core.generation.lm_head import HeadSpec

TILE_BYTES = 30 << 20
"""Size of a logit tile. Below 32 MB the C library keeps freed memory; above, every tile costs page faults."""
ACCELERATOR_TILE_BYTES = 256 << 20
"""Size of a logit tile on a GPU: large enough that the head's weights are read for many rows at once."""
_BLOCK = 16
"""Rows of a tile whose softmax is computed together on the CPU; they fit into the second-level cache."""


@dataclass(slots=True)
class RowScores:
    """The head's results for the response rows of a batch.

    Attributes:
        logps: (owners,) float64 (float32 where the device has no float64): per owner the sum over its rows
            of weight * log-prob in nats; differentiable.
        token_logps: (rows,) float32 or wider, unweighted, detached.
        entropy, correct, wpo: (owners,) float32 sums over rows, detached; None without statistics.
    """

    logps: Tensor
    token_logps: Tensor
    entropy: Tensor | None = None
    correct: Tensor | None = None
    wpo: Tensor | None = None


def tile_rows(vocabulary: int, device: str = "cpu") -> int:
    """Return how many rows a float32 logit tile holds for this vocabulary on a kind of device.

    >>> tile_rows(49_152), tile_rows(152_064), tile_rows(100)
    (160, 51, 256)
    >>> tile_rows(49_152, "cuda"), tile_rows(152_064, "cuda"), tile_rows(100, "cuda")
    (1365, 441, 4096)
    """
    size, limit = (TILE_BYTES, 256) if device == "cpu" else (ACCELERATOR_TILE_BYTES, 4096)
    return max(32, min(limit, size // (4 * vocabulary)))


def score_rows(
    hidden: Tensor,
    targets: Tensor,
    owner: Tensor,
    owners: int,
    head: HeadSpec,
    *,
    weights: Tensor | None = None,
    stats: bool = True,
    tile: int = 0,
) -> RowScores:
    """Score rows of final hidden states against their target tokens.

    Args:
        hidden: (rows, width), after the last norm.
        targets: (rows,) int64, the token each row predicts.
        owner: (rows,) int64 in [0, owners), the sequence each row belongs to.
        owners: number of sequences.
        head: the output head.
        weights: (rows,) weight of each log-prob in its sequence's sum; None is 1.
        stats: whether to compute entropy, correct and wpo.
        tile: rows of a logit tile; 0 chooses by the vocabulary.
    """
    tile = tile or tile_rows(head.vocabulary, hidden.device.type)
    wide = _sum_dtype(hidden)
    if torch.is_grad_enabled() and (head.trainable or head.module is not None):
        logps, rows = _recomputing(hidden, targets, owner, owners, head, weights, stats, tile, wide)
    else:
        wants_grad = torch.is_grad_enabled() and hidden.requires_grad
        logps, *rows = _OnePass.apply(hidden, targets, owner, owners, head, weights, stats, tile, wide, wants_grad)
    token_logps, entropy, correct, wpo = rows
    if not stats:
        return RowScores(logps, token_logps)

    def sums(values: Tensor) -> Tensor:
        return torch.zeros(owners, dtype=values.dtype, device=values.device).index_add_(0, owner, values)

    return RowScores(logps, token_logps, sums(entropy), sums(correct), sums(wpo))


def _sum_dtype(hidden: Tensor) -> torch.dtype:
    """Return the dtype that log-probs are summed in."""
    return torch.float32 if hidden.device.type == "mps" else torch.float64


class _OnePass(torch.autograd.Function):
    """Weighted sums of token log-probs; the forward pass computes the unit gradient by ``hidden``."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        targets: Tensor,
        owner: Tensor,
        owners: int,
        head: HeadSpec,
        weights: Tensor | None,
        stats: bool,
        tile: int,
        wide: torch.dtype,
        wants_grad: bool,
    ) -> tuple[Tensor, ...]:
        """Return (owners,) sums and four (rows,) tensors: log-prob, entropy, correct, wpo."""
        rows = hidden.shape[0]
        kept = torch.promote_types(hidden.dtype, torch.float32)
        out = [torch.zeros(rows if stats or i == 0 else 0, dtype=kept, device=hidden.device) for i in range(4)]
        unit = torch.empty_like(hidden) if wants_grad else None
        for start in range(0, rows, tile):
            part = slice(start, min(start + tile, rows))
            logits = head.logits(hidden[part])
            raw = logits.clone() if unit is not None and head.softcap else logits
            _reduce_tile(logits, targets[part], [o[part] for o in out] if stats else [out[0][part]], unit is not None)
            if unit is not None:
                unit[part] = head.hidden_grad_(logits, raw)
        per_row = out[0].to(wide)
        if weights is not None:
            per_row = per_row * weights
        sums = torch.zeros(owners, dtype=wide, device=hidden.device).index_add_(0, owner, per_row)
        if unit is not None:
            if weights is not None:
                unit.mul_(weights[:, None])
            ctx.save_for_backward(unit, owner)
        ctx.mark_non_differentiable(*out)
        ctx.set_materialize_grads(False)
        return sums, *out

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:
        """Return the unit gradient of each row times the loss's gradient by its sequence's log-prob."""
        grad: Tensor | None = grad_outputs[0]
        if grad is None:
            return (None,) * 10
        unit, owner = ctx.saved_tensors
        return unit * grad[owner, None].to(unit.dtype), *(None,) * 9


def _reduce_tile(logits: Tensor, targets: Tensor, out: list[Tensor], wants_grad: bool) -> None:
    """Fill per-row results of one tile; with ``wants_grad`` leave d log-prob / d logits in ``logits``.

    The normaliser is computed from the softmax: p_max = exp(max - lse) is at least 1 / vocabulary, so its logarithm is
    exact up to rounding, and the tile is read once less. On the CPU blocks of rows stay in the cache; elsewhere the
    tile is one block.
    """
    block = _BLOCK if logits.device.type == "cpu" else max(1, logits.shape[0])
    for start in range(0, logits.shape[0], block):
        part = slice(start, start + block)
        z, target = logits[part], targets[part, None]
        top = z.amax(-1)
        p = torch.softmax(z, -1)
        lse = top - p.amax(-1).log_()
        z_target = z.gather(1, target).squeeze(1)
        logp = z_target - lse
        out[0][part] = logp
        if len(out) > 1:
            out[1][part] = lse - torch.linalg.vecdot(p, z)
            out[2][part] = z_target == top
            out[3][part] = logp - 2.0 * torch.linalg.vector_norm(p, dim=-1).log_()
        if wants_grad:
            p.neg_()
            p.scatter_add_(1, target, torch.ones_like(p[:, :1]))
            z.copy_(p)


def _recomputing(
    hidden: Tensor,
    targets: Tensor,
    owner: Tensor,
    owners: int,
    head: HeadSpec,
    weights: Tensor | None,
    stats: bool,
    tile: int,
    wide: torch.dtype,
) -> tuple[Tensor, list[Tensor]]:
    """Return the results of :class:`_OnePass` through autograd, recomputing each tile in the backward pass.

    The values are bitwise those of :class:`_OnePass`, so that at policy = reference h is exactly 0 against a reference
    that was computed without gradients.
    """

    def one_tile(rows: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        z = head.logits(rows)
        logp = torch.log_softmax(z, -1).gather(1, target[:, None]).squeeze(1)
        with torch.no_grad():
            values = [torch.zeros_like(logp) for _ in range(4)]
            _reduce_tile(z.detach(), target, values if stats else values[:1], False)
        return values[0] + (logp - logp.detach()), *values

    tiles = []
    for start in range(0, hidden.shape[0], tile):
        part = slice(start, min(start + tile, hidden.shape[0]))
        tiles.append(checkpoint(one_tile, hidden[part], targets[part], use_reentrant=False, preserve_rng_state=False))
    if not tiles:
        empty = hidden.new_zeros(0, dtype=torch.promote_types(hidden.dtype, torch.float32))
        return hidden.new_zeros(owners, dtype=wide), [empty] * 4
    columns = [torch.cat(column) for column in zip(*tiles, strict=True)]
    per_row = columns[0].to(wide)
    if weights is not None:
        per_row = per_row * weights
    sums = torch.zeros(owners, dtype=wide, device=hidden.device).index_add(0, owner, per_row)
    return sums, [columns[1].detach(), *columns[2:]]
