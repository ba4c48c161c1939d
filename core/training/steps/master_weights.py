"""AdamW on float32 copies of weights that the model holds in 16 bits (Micikevicius et al. 2018, arXiv 1710.03740).

A bfloat16 number has 8 significant bits, so an update below 1/512 of a weight is rounded away and full fine-tuning at
usual rates hardly moves the policy. The optimizer therefore keeps each 16-bit weight a second time in float32, updates
that copy, and rounds it into the model after every step. The copies start from the numbers of the model's files, which
may be wider than the loaded ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from core.model_files.safetensors_file import check_safetensors
from core.training.parallel.fsdp import sharded_like
from core.training.policy.model import LoadedModel
from core.training.policy.read_model import read_base

MASTER = "master"
"""Name of the float32 copy among an optimizer's state tensors."""
_NARROW = (torch.bfloat16, torch.float16)
_NARROW_IN_FILES = frozenset({"BF16", "F16"})


def is_narrow(tensor: Tensor) -> bool:
    """Return whether a tensor has 16-bit floating-point numbers."""
    return tensor.dtype in _NARROW


class Masters(torch.optim.Optimizer):
    """Beside an optimizer: it updates float32 copies of 16-bit parameters and rounds them into the model.

    Args:
        groups: the optimizer's parameter groups over the model's parameters.
        values: float32 start values of some parameters; the others start from the parameter itself.
        options: the optimizer's own.

    Attributes:
        masters: parameter of the model -> what is updated: its copy, or itself where it is wide.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], values: Mapping[Tensor, Tensor], **options: Any) -> None:
        groups = list(groups)
        self.masters: dict[nn.Parameter, nn.Parameter] = {
            p: _copy(p, values.get(p)) for group in groups for p in group["params"]
        }
        super().__init__([{**g, "params": [self.masters[p] for p in g["params"]]} for g in groups], **options)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:  # type: ignore[override]  # torch leaves the type of a closure open
        """Update the copies by the parameters' gradients, and round them into the model."""
        for parameter, master in self.masters.items():
            if master is not parameter:
                master.grad = None if parameter.grad is None else parameter.grad.float()
        result = super().step(closure)
        for parameter, master in self.masters.items():
            if master is not parameter:
                parameter.copy_(master)
                master.grad = None
        return result


class MasterAdamW(Masters, torch.optim.AdamW):
    """AdamW over float32 copies."""


def master_values(model: LoadedModel, trainable: Mapping[str, nn.Parameter]) -> dict[Tensor, Tensor]:
    """Return the float32 numbers of the model's files for 16-bit parameters; none where the files are 16 bits too."""
    narrow = {name: p for name, p in trainable.items() if is_narrow(p)}
    if not narrow or model.is_peft or not _files_are_wider(model):
        return {}
    stored = dict(read_base(model.model_dir, torch.float32).named_parameters())
    return {p: sharded_like(p, stored[name].detach()) for name, p in narrow.items() if name in stored}


def _files_are_wider(model: LoadedModel) -> bool:
    """Return whether any tensor of the files has more than 16 bits; GGUF files are taken to have."""
    if not model.model_dir.is_dir():
        return True
    headers = (check_safetensors(path) for path in model.model_dir.glob("*.safetensors"))
    kinds = {entry["dtype"] for header in headers for name, entry in header.items() if name != "__metadata__"}
    return not kinds <= _NARROW_IN_FILES


def _copy(parameter: nn.Parameter, value: Tensor | None) -> nn.Parameter:
    if not is_narrow(parameter):
        return parameter
    start = parameter.detach() if value is None else value.to(parameter.device)
    return nn.Parameter(start.float().clone())
