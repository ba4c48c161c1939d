"""How evenly a mixture of experts spreads the tokens of a response: the routers' auxiliary loss.

For E experts of which k answer a token: E * sum_e f_e P_e, f_e = share of the tokens (of all layers) sent to expert e,
P_e = mean probability that the routers give it; k where all experts are used alike (Switch Transformers, Fedus et al.
2021, arXiv 2101.03961, equations 4 to 6, as transformers computes it). Each response, with its prompt, is a batch of
its own, so that the value does not depend on how a step is cut into forward passes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.errors import UsageError


class RouterLoss:
    """Records the routers of a model during a forward pass and computes the loss of each row.

    Args:
        base: a transformers causal LM, without its adapter's wrapper.

    Raises:
        UsageError: when the model is no mixture of experts for which transformers defines the loss.
    """

    def __init__(self, base: Any) -> None:
        function = getattr(sys.modules[type(base).__module__], "load_balancing_loss_func", None)
        recorder = (getattr(base.get_decoder(), "_can_record_outputs", None) or {}).get("router_logits")
        target, self._index = getattr(recorder, "target_class", None), getattr(recorder, "index", 0)
        self._routers = [module for module in base.modules() if target is not None and type(module) is target]
        if function is None or not self._routers:
            raise UsageError(
                f"router_aux_loss is not defined for {base.config.model_type}: it has no routers that transformers "
                "balances.",
                "Set router_aux_loss=0.",
            )
        self._function: Callable[..., Tensor] = function
        self._top_k = int(base.config.num_experts_per_tok)

    @contextmanager
    def recording(self) -> Iterator[list[Tensor]]:
        """Yield a list that the logits of each router, (tokens, experts), are appended to, layer by layer."""
        found: list[Tensor] = []

        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            found.append(output[self._index] if isinstance(output, tuple) else output)

        handles = [router.register_forward_hook(keep) for router in self._routers]
        try:
            yield found
        finally:
            for handle in handles:
                handle.remove()

    def of_rows(self, recorded: list[Tensor], attention: Tensor) -> Tensor:
        """Return the loss of each row, (rows,), differentiable; ``attention`` (rows, length) is 0 at padding."""
        rows, length = attention.shape
        layers = [logits.view(rows, length, -1) for logits in recorded]
        losses = []
        for row in range(rows):
            real = attention[row].bool()
            own = tuple(layer[row][real] for layer in layers)
            losses.append(self._function(own, own[0].shape[-1], self._top_k))
        return torch.stack(losses)
