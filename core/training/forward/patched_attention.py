"""Tiled attention on prefix-shared rows for any Hugging Face decoder.

transformers looks attention functions up by name. The function registered here reads its plan from the call's keyword
arguments. Without a plan, or when the layer changes its scores in a way that tiles do not support, it calls
transformers' own function with the mask. A model that drops the plan is therefore slower, but not wrong.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from core.training.forward.tiled_attention import AttentionPlan, attend, attend_backward

NAME = "pairwright_tiles"
PLAN = "pair_plan"
"""Keyword argument that carries the plan through a decoder's layers."""
_CHANGES_SCORES = ("softcap", "s_aux", "position_bias", "cache")


def register() -> str:
    """Register the attention function with transformers and return its name."""
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attention)
    return NAME


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Return (1, tokens, heads, d) for queries (1, heads, tokens, d), keys and values (1, groups, tokens, d)."""
    plan: AttentionPlan | None = kwargs.pop(PLAN, None)
    if plan is None or dropout or not _fits(plan, query, key, value, kwargs):
        # Imported here: transformers reads its network settings when it is imported, after go_offline().
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    q, k, v = (t[0].transpose(0, 1).contiguous() for t in (query, key, value))
    return _Tiles.apply(q, k, v, plan, scaling)[None], None


def _fits(plan: AttentionPlan, query: Tensor, key: Tensor, value: Tensor, rest: dict[str, Any]) -> bool:
    if any(rest.get(name) is not None for name in _CHANGES_SCORES):
        return False
    tokens = {t.shape[2] for t in (query, key, value)}
    same_width = query.shape[-1] == key.shape[-1] == value.shape[-1]
    return query.shape[0] == 1 and tokens == {plan.length} and same_width and query.dtype == plan.triangle.dtype


class _Tiles(Function):
    """Tiled attention under autograd; the backward pass recomputes the probabilities."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, plan: AttentionPlan, scaling: float) -> Tensor:
        """Return (tokens, heads, d)."""
        q = q * scaling
        ctx.save_for_backward(q, k, v)
        ctx.plan, ctx.scaling = plan, scaling
        return attend(q, k, v, plan)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride] (the decorator hides the names)
        """Return the gradients by queries, keys and values."""
        (grad,) = grad_outputs
        q, k, v = ctx.saved_tensors
        dq, dk, dv = attend_backward(grad.contiguous(), q, k, v, ctx.plan)
        return dq.mul_(ctx.scaling), dk, dv, None, None
