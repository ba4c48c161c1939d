"""AdamW whose moments have 8 bits (Dettmers et al. 2022, arXiv 2110.02861), through the optional bitsandbytes.

Each block of 256 numbers has a scale of its own, so that a moment takes about one byte instead of four. Weights and
gradients keep their width. Tensors of fewer than 4,096 numbers keep moments of 32 bits.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.training.memory_plan import EIGHT_BIT
from core.training.parallel.fsdp import is_sharded
from core.training.steps.master_weights import Masters

_INSTEAD = "Or set optimizer=adamw, which keeps moments of 32 bits."


def require_optimizer(config: RunConfig, device: torch.device) -> None:
    """Refuse an optimizer that this machine does not have, before a model is loaded.

    Raises:
        UsageError: naming what is missing.
    """
    if config.optimizer != EIGHT_BIT:
        return
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UsageError(
            f"optimizer={EIGHT_BIT} needs bitsandbytes, which is not installed.",
            f"Install it with: pip install 'pairwright[quant]'. {_INSTEAD}",
        )
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"optimizer={EIGHT_BIT} works on cpu and cuda, not on {device.type}.", _INSTEAD)


def eight_bit_adamw(
    groups: Iterable[dict[str, Any]], values: Mapping[Tensor, Tensor], **options: Any
) -> torch.optim.Optimizer:
    """Return the optimizer over ``groups``; 16-bit parameters are updated through float32 copies.

    Raises:
        UsageError: for weights in shards, whose blocks would be cut.
    """
    groups = list(groups)
    if any(is_sharded(p) for group in groups for p in group["params"]):
        raise UsageError(
            f"optimizer={EIGHT_BIT} cannot update weights that several processes hold in shards.",
            f"Train with one process, or an adapter. {_INSTEAD}",
        )
    # An optional library, which takes seconds to import.
    from bitsandbytes.optim import AdamW8bit  # pyright: ignore[reportMissingImports]

    class MasterAdamW8bit(Masters, AdamW8bit):
        """AdamW of 8 bits over float32 copies."""

    return MasterAdamW8bit(groups, values, **options)


def load_state(optimizer: torch.optim.Optimizer, updated: nn.Parameter, state: Mapping[str, Tensor]) -> None:
    """Give a parameter the state that was saved, bit for bit; the count of steps is a plain number there."""
    optimizer.state[updated] = {
        key: int(value) if key == "step" else value.to(updated.device) for key, value in state.items()
    }
