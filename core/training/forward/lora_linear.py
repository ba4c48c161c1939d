"""The backward pass of a frozen linear layer and the low-rank adapter on it, computed as one step.

The forward pass is :func:`core.generation.low_rank.linear_forward`. No gradient of the frozen W is computed; the
product with W uses the kernel that the caller passes. Shapes are those of the forward pass.
"""

from __future__ import annotations

from torch import Tensor

from core.generation.lm_head import Linear
from core.generation.low_rank import LowRank


def linear_backward(
    grad: Tensor,
    x: Tensor,
    u: Tensor | None,
    weight: Tensor,
    adapter: LowRank | None,
    linear: Linear,
    *,
    input_grad: bool = True,
) -> tuple[Tensor | None, list[Tensor]]:
    """Return the gradient by ``x`` (None without ``input_grad``) and those by A and B."""
    dx = linear(grad, weight.t()) if input_grad else None
    if adapter is None or u is None:
        return dx, []
    v = (grad @ adapter.b.to(grad.dtype)).mul_(adapter.scale)
    d_a = v.t() @ x
    d_b = (u.t() @ grad).mul_(adapter.scale).t()
    if dx is not None:
        dx.addmm_(v, adapter.a.to(grad.dtype))
    return dx, [d_a.to(adapter.a.dtype), d_b.to(adapter.b.dtype)]
