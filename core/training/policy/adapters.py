"""LoRA adapters: fresh ones, initialised from the seed alone, and ones read from a folder.

LoRA: Hu et al. 2021 (arXiv 2106.09685). A linear map W gains (alpha / r) * B A with B = 0, so that a
fresh adapter changes nothing and policy = reference holds exactly.
"""

from __future__ import annotations

import hashlib
import math
import re
import warnings
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.counting import counted, verb
from core.domain.errors import UsageError, UserError
from core.domain.run_config import RunConfig
from core.training.policy.lora_layout import fresh_layout, require_used

POLICY, REFERENCE = "default", "reference"

_MISMATCH = re.compile(
    r"size mismatch for (\S+): copying a param with shape torch\.Size\(\[([\d, ]*)\]\) from checkpoint, "
    r"the shape in current model is torch\.Size\(\[([\d, ]*)\]\)"
)
_OTHER_MODEL = "Choose the model that the adapter was trained on."
_ADDED_TOKENS = (
    "The adapter was made for another number of tokens, as after adding tokens to a tokenizer. Choose the model that "
    "it was trained on, with those tokens."
)


def add_fresh_adapter(model: nn.Module, config: RunConfig, layout_of: Path | None = None) -> tuple[Any, str]:
    """Wrap ``model`` with a trainable LoRA adapter whose product is zero.

    Args:
        model: the base.
        config: the run's settings.
        layout_of: an adapter's folder whose layers are taken instead of those of the settings; a resumed run names its
            checkpoint's, so that it goes on with the layers that it began with.

    Returns:
        The model with its adapter, and a note on what the adapter leaves out ("" for nothing).

    Raises:
        UsageError: when no module has a name in ``config.lora_targets``.
    """
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from peft import LoraConfig, get_peft_model

    if layout_of is None:
        layout, note = fresh_layout(model, config)
    else:
        layout, note = LoraConfig.from_pretrained(str(layout_of), local_files_only=True), ""
        layout.inference_mode = False
    linear = linear_names(model)
    try:
        with warnings.catch_warnings():  # names that match nothing are refused below
            warnings.filterwarnings("ignore", message="The following .* keys did not match")
            wrapped = get_peft_model(model, layout, adapter_name=POLICY, autocast_adapter_dtype=True)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        others = linear - set(re.findall(r"\w+", str(error)))
        names = ",".join(sorted(others)) or "all-linear"
        raise UsageError(f"No adapter could be attached: {error}", f"Set lora_targets to {names}.") from error
    if layout_of is None:
        require_used(wrapped, config)
    draw_initial_weights(wrapped, config.seed)
    return wrapped, note


_READ_AS_WEIGHT = ("dt_proj", "conv1d")
"""Layers of state spaces whose weight the fast kernels read past the layer, and so past an adapter."""


def linear_names(model: Any) -> set[str]:
    """Return the names of the model's linear layers that an adapter can change, its head left out."""
    head = model.get_output_embeddings()
    names = {n.rsplit(".", 1)[-1] for n, m in model.named_modules() if isinstance(m, nn.Linear) and m is not head}
    return names - set(_READ_AS_WEIGHT)


def draw_initial_weights(model: nn.Module, seed: int) -> None:
    """Draw each layer's A uniformly within +-1/sqrt(inputs) from its own generator, and set B to zero.

    Every layer's generator is seeded by seed and layer name, so the draw does not depend on the device, the order of
    layers, or which other layers are adapted. The bound is that of PEFT's default (Kaiming
    uniform with a = sqrt 5). The adapter of an embedding starts with A = 0 and a standard normal B, as in PEFT.
    """
    for name, parameter in model.named_parameters():
        if f".lora_A.{POLICY}." in name:
            generator = _own_generator(seed, name)
            bound = 1 / math.sqrt(parameter.shape[-1])
            drawn = (torch.rand(parameter.shape, generator=generator, dtype=torch.float64) * 2 - 1) * bound
            with torch.no_grad():
                parameter.copy_(drawn.to(parameter.dtype))
        elif name.endswith(f".lora_embedding_B.{POLICY}"):
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=_own_generator(seed, name)))
        elif f".lora_B.{POLICY}." in name or name.endswith(f".lora_embedding_A.{POLICY}"):
            nn.init.zeros_(parameter)


def _own_generator(seed: int, name: str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def load_adapter(model: nn.Module, folder: Path) -> Any:
    """Wrap ``model`` with the adapter in ``folder``, trainable, dropout off.

    Raises:
        UserError: when its tensors do not fit this model.
    """
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from peft import LoraConfig, PeftModel
    from peft.utils import load_peft_weights, set_peft_model_state_dict

    lora = LoraConfig.from_pretrained(str(folder), local_files_only=True)
    lora.lora_dropout = 0.0  # type: ignore[union-attr]
    lora.inference_mode = False
    weights = load_peft_weights(str(folder), device="cpu", local_files_only=True)
    try:
        wrapped = PeftModel(model, lora, adapter_name=POLICY, autocast_adapter_dtype=True)  # type: ignore[arg-type]
        outcome = set_peft_model_state_dict(wrapped, weights, adapter_name=POLICY)
    except (ValueError, RuntimeError, KeyError) as error:
        raise _misfit(folder, *_sizes_in(str(error))) from error
    missing = [key for key in outcome.missing_keys if "lora_" in key]
    if missing or outcome.unexpected_keys:
        raise _misfit(folder, f"{counted(len(missing), 'tensor')} missing, {len(outcome.unexpected_keys)} unknown")
    return wrapped


def _sizes_in(error: str) -> tuple[str, str]:
    """Return what torch's error says of tensors whose sizes differ, the first with both sizes, and what to do."""
    found = [(name, *(size.replace(", ", " × ") for size in sizes)) for name, *sizes in _MISMATCH.findall(error)]
    if not found:
        return error.split("\n")[0].rstrip(".:"), _OTHER_MODEL
    name, there, here = next((row for row in found if _is_vocabulary(row[0])), found[0])
    more = f", and {counted(len(found) - 1, 'more tensor')} {verb(len(found) - 1, 'differs', 'differ')}" * (
        len(found) > 1
    )
    hint = _ADDED_TOKENS if _is_vocabulary(name) and there.split(" ")[0] != here.split(" ")[0] else _OTHER_MODEL
    return f"{name} is {there} in the adapter and {here} in the model{more}", hint


def _is_vocabulary(name: str) -> bool:
    return "embed" in name or "lm_head" in name


def _misfit(folder: Path, detail: str, hint: str = _OTHER_MODEL) -> UserError:
    return UserError(f"The adapter {Path(folder).name} does not fit this model: {detail}.", hint)


def copy_as_reference(model: Any) -> None:
    """Add a frozen second adapter with the current values of the policy's adapter."""
    lora = deepcopy(model.peft_config[POLICY])
    lora.inference_mode = True
    model.add_adapter(REFERENCE, lora)
    sources = adapter_tensors(model)
    with torch.no_grad():
        for name, parameter in adapter_tensors(model, REFERENCE).items():
            parameter.copy_(sources[policy_name(name)])
            parameter.requires_grad_(False)
    model.set_adapter(POLICY)


def policy_name(name: str) -> str:
    """Return the policy's tensor that a tensor of the reference adapter is a copy of."""
    return f"{name}.".replace(f".{REFERENCE}.", f".{POLICY}.")[:-1]


def is_zero(model: nn.Module) -> bool:
    """Return whether all products of the policy's adapter are zero: every B (or every A) is."""
    tensors = adapter_tensors(model)
    for name, tensor in tensors.items():
        for b, a in ((".lora_B.", ".lora_A."), (".lora_embedding_B.", ".lora_embedding_A.")):
            if b in name and bool(tensor.any()):
                partner = tensors.get(name.replace(b, a))
                if partner is None or bool(partner.any()):
                    return False
    return True


def has_more_than_products(model: nn.Module) -> bool:
    """Return whether the policy's adapter holds more than products B A: lengths (DoRA), or whole modules."""
    return any(".modules_to_save." in name or "magnitude" in name for name in adapter_tensors(model))


def adapter_tensors(model: nn.Module, adapter: str = POLICY) -> dict[str, Tensor]:
    """Return the tensors of one adapter by name, modules that it trains in full included; "" returns all adapters'."""
    part = f".{adapter}." if adapter else "."
    named = model.named_parameters()
    return {n: p for n, p in named if (".lora_" in n or ".modules_to_save." in n) and part in f"{n}."}


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return a hash of names, shapes, dtypes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = (
            tensors[name].detach().to("cpu", copy=True).contiguous()
        )  # numpy keeps a reference to the memory it views
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return digest.hexdigest()
