"""Mixtures of experts: which parts of a model are experts, which choose among them, and what an adapter can reach.

A router sends each token to a few experts. A router that moves changes which experts answer, so that a small step can
change log-probs abruptly; it is left alone unless it is named. Experts are trained only when asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.nn.modules.conv import _ConvNd

_COUNTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
_ROUTERS = frozenset({"router", "gate", "wg", "shared_expert_gate", "gate_network"})
"""Names of the modules that choose experts, or weigh a shared one."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """The parts of a mixture of experts, by the names of their modules.

    Attributes:
        linear: linear layers that are neither router nor expert; the output head is left out.
        routers: linear layers that choose experts.
        expert_linear: linear layers inside experts.
        expert_parameters: parameters that hold the matrices of all experts of a layer.
    """

    linear: tuple[str, ...]
    routers: tuple[str, ...]
    expert_linear: tuple[str, ...]
    expert_parameters: tuple[str, ...]


def is_mixture(config: Any) -> bool:
    """Return whether a model's config names more than one expert."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    nested = getattr(text, "ffn_config", None)  # DBRX
    counts = [getattr(holder, name, None) for holder in (text, nested) if holder is not None for name in _COUNTS]
    return any(isinstance(count, int) and count > 1 for count in counts)


def read_mixture(model: Any) -> Mixture:
    """Return the parts of a mixture of experts; ``model`` is a causal LM without adapter."""
    head = model.get_output_embeddings()
    found: dict[str, list[str]] = {"linear": [], "routers": [], "expert_linear": []}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and module is not head:
            parts = set(name.split("."))
            kind = "routers" if parts & _ROUTERS else "expert_linear" if "experts" in parts else "linear"
            found[kind].append(name)
    parameters = [
        f"{name}.{key}" if name else key
        for name, module in model.named_modules()
        if not isinstance(module, nn.Linear | nn.Embedding | _ConvNd) and not set(name.split(".")) & _ROUTERS
        for key, parameter in module.named_parameters(recurse=False)
        if "bias" not in key and (parameter.ndim == 3 or (parameter.ndim == 2 and "experts" in name.split(".")))
    ]
    return Mixture(tuple(found["linear"]), tuple(found["routers"]), tuple(found["expert_linear"]), tuple(parameters))
