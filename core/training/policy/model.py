"""The policy and its reference, loaded from local files only.

The reference is one of four, chosen when the model is loaded: the base with the adapter off, a frozen second adapter
(when training starts from an adapter that already changes the base), for full fine-tuning the weights in the model
folder, which are read when they are first needed, or a third model, which is read likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from core.domain.errors import UsageError
from core.domain.ids import sha256_json
from core.domain.run_config import RunConfig
from core.model_files.folder_check import check_adapter, check_model
from core.model_files.identity import model_sha256
from core.model_files.offline import go_offline
from core.training.policy import adapters
from core.training.policy.device import resolve_device, resolve_dtype
from core.training.policy.provenance import require_base
from core.training.policy.read_model import read_base, read_quantised, read_tokenizer
from core.training.text.chat_template import turn_end_id
from core.training.text.template_inputs import TemplateInputs, rules_of

DROPOUT_LAYERS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
SLOW_FOUR_BIT = (
    "On the CPU every product first turns the 4-bit weights back into full numbers: this saves memory, and takes "
    "longer than quantize=none."
)
ReferenceKind = Literal["adapter_off", "reference_adapter", "frozen_copy", "other_model"]


class LoadedModel:
    """Policy, reference and tokenizer of one run; implements ``core.generation.lm.PolicyAndReference``.

    Attributes:
        model: the policy, a PEFT or plain causal LM in evaluation mode, with every dropout set to 0.
        tokenizer: the fast tokenizer of the folder.
        config: the model's config as plain values.
        run_config: settings it was loaded with. model_dir: folder or GGUF file it was loaded from.
        device, dtype: of the base; adapters are float32 or wider.
        quantised: whether the base is held in fewer bits than its dtype.
        note: what the adapter leaves out; "" for nothing.
        weights_sha256: hash of the base's weights and architecture.
        reference_base_sha256: the same hash of the model that the reference is made of.
        reference_kind: which of the four references it has.
        stop_ids: tokens that end a response, the tokenizer's own first.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        run_config: RunConfig,
        *,
        model_dir: Path,
        device: torch.device,
        dtype: torch.dtype,
        weights_sha256: str,
        quantised: bool = False,
        note: str = "",
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.run_config = run_config
        self.model_dir = Path(model_dir)
        self.device = device
        self.dtype = dtype
        self.quantised = quantised
        self.note = note
        self.weights_sha256 = weights_sha256
        self.config: dict[str, Any] = self.base.config.to_dict()
        self.stop_ids = stop_token_ids(self.base, tokenizer, run_config)
        self.reference_kind: ReferenceKind = "frozen_copy"
        self._copy: Any = None
        self._adapter_source = ""
        self.reference_base_sha256 = weights_sha256
        if run_config.reference_model:
            self.reference_kind = "other_model"
            self.reference_base_sha256 = model_sha256(Path(run_config.reference_model))
        elif self.is_peft:
            self.reference_kind = self._choose_reference()
        self.reference_sha256 = sha256_json([self.reference_base_sha256, self._adapter_source])
        self.model.eval()
        disable_dropout(self.model)
        self._base_sums = tensor_sums(self.frozen()) if self.is_peft else {}

    def _choose_reference(self) -> ReferenceKind:
        wanted, zero = self.run_config.reference, not self.starts_from_adapter
        if not self.reference_moves and (wanted == "base" or zero):
            return "adapter_off"
        self._adapter_source = self.adapter_sha256()
        adapters.copy_as_reference(self.model)
        return "reference_adapter"

    @property
    def reference_moves(self) -> bool:
        """Whether the reference follows the policy (:mod:`core.training.reference.tr_dpo`)."""
        return self.run_config.ref_refresh_every > 0

    @property
    def is_peft(self) -> bool:
        """Whether the policy is a base with an adapter."""
        return hasattr(self.model, "peft_config")

    @property
    def base(self) -> Any:
        """The transformers causal LM inside the policy."""
        return self.model.get_base_model() if self.is_peft else self.model

    @property
    def starts_from_adapter(self) -> bool:
        """Whether the adapter changed the base before the first step."""
        if not self.run_config.init_adapter:
            return False
        return adapters.has_more_than_products(self.model) or not adapters.is_zero(self.model)

    def trainable(self) -> dict[str, nn.Parameter]:
        """Return the parameters that train, by name."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def frozen(self) -> dict[str, Tensor]:
        """Return every parameter and stored buffer that must not change, by name.

        Buffers that are no part of the model's files are computed; a rope's frequencies may follow the rows it reads.
        """
        train = set(self.trainable())
        if self.reference_moves:
            train |= adapters.adapter_tensors(self.model, adapters.REFERENCE).keys()
        stored = self.model.state_dict().keys()
        buffers = {name: buffer for name, buffer in self.model.named_buffers() if name in stored}
        named = {**dict(self.model.named_parameters()), **buffers}
        return {name: tensor for name, tensor in named.items() if name not in train}

    def adapter_sha256(self) -> str:
        """Return the hash of the policy's trainable tensors as they are now."""
        tensors = adapters.adapter_tensors(self.model) if self.is_peft else dict(self.trainable())
        return adapters.tensors_sha256(tensors)

    @contextmanager
    def reference(self) -> Iterator[Any]:
        """Yield a causal LM that computes the reference for the length of the context."""
        if self.reference_kind in ("frozen_copy", "other_model"):
            yield self._frozen_copy()
            return
        switch = self.model.base_model
        grads = [(p, p.requires_grad) for p in adapters.adapter_tensors(self.model, "").values()]
        try:
            if self.reference_kind == "adapter_off":
                switch.disable_adapter_layers()
            else:
                switch.set_adapter(adapters.REFERENCE, inference_mode=True)
            yield self.model
        finally:
            if self.reference_kind == "adapter_off":
                switch.enable_adapter_layers()
            else:
                switch.set_adapter(adapters.POLICY)
            for parameter, flag in grads:  # PEFT sets these flags; the gate must see those of the run
                parameter.requires_grad_(flag)

    def _frozen_copy(self) -> Any:
        """Return the model with the weights of its folder, which are read on first use."""
        if self._copy is None:
            folder = Path(self.run_config.reference_model or self.model_dir)
            copy = read_base(folder, self.dtype).to(self.device).eval()
            disable_dropout(copy)
            self._copy = copy.requires_grad_(False)
        return self._copy

    def release_reference(self) -> None:
        """Free the frozen copy or the third model; the next use reads it again."""
        self._copy = None

    def changed_base_tensors(self) -> list[str]:
        """Return the names of frozen tensors whose bits differ from those at loading."""
        now = tensor_sums(self.frozen())
        return sorted(name for name, value in self._base_sums.items() if now.get(name) != value)


def load_model(
    model_dir: Path,
    config: RunConfig,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
    *,
    weights_sha256: str = "",
    layout_of: Path | None = None,
) -> LoadedModel:
    """Load a Hugging Face folder or a GGUF file, with the adapter and reference that ``config`` asks for.

    It fetches nothing, runs no code of the folder, and reads weights from safetensors (or GGUF) only. ``layout_of``
    is the folder of an adapter whose layers a fresh one takes, as a resumed run goes on with its checkpoint's.

    Raises:
        ModelRefused: when the folder is unsafe or cannot be read.
        UsageError: when the settings contradict each other.
    """
    model_dir = Path(model_dir)
    check_model(model_dir)
    go_offline()
    device = device or resolve_device(config.device)
    dtype = dtype or resolve_dtype(config, device)
    tokenizer = read_tokenizer(model_dir)
    quantised = config.quantize != "none"
    weights_sha256 = weights_sha256 or model_sha256(model_dir, quantised="4bit" if quantised else "")
    if config.init_adapter and config.lora_r > 0:
        check_adapter(Path(config.init_adapter))
        require_base(Path(config.init_adapter), weights_sha256, model_dir.name)
    base = read_quantised(model_dir, device, dtype) if quantised else read_base(model_dir, dtype)
    policy, note = _attach(base, config, layout_of)
    if quantised and device.type == "cpu":
        note = f"{note} {SLOW_FOUR_BIT}".strip()
    return LoadedModel(
        policy if quantised else policy.to(device),
        tokenizer,
        config,
        model_dir=model_dir,
        device=device,
        dtype=dtype,
        weights_sha256=weights_sha256,
        quantised=quantised,
        note=note,
    )


def _attach(base: Any, config: RunConfig, layout_of: Path | None) -> tuple[Any, str]:
    if config.lora_r == 0:
        if config.init_adapter:
            raise UsageError(
                "Full fine-tuning cannot start from an adapter.",
                "Merge the adapter into the model first, or set lora_r above 0.",
            )
        return base.requires_grad_(True), ""
    base.requires_grad_(False)
    if not config.init_adapter:
        return adapters.add_fresh_adapter(base, config, layout_of)
    return adapters.load_adapter(base, Path(config.init_adapter)), ""


def stop_token_ids(base: Any, tokenizer: Any, config: RunConfig) -> tuple[int, ...]:
    """Return the ids that end a response: of the template's turn end, the tokenizer and the generation config."""
    turn_end = turn_end_id(tokenizer, TemplateInputs.of(config), rules=rules_of(config))
    found: list[int | None] = [turn_end, tokenizer.eos_token_id]
    for holder in (getattr(base, "generation_config", None), base.config):
        ids = getattr(holder, "eos_token_id", None)
        found.extend(ids if isinstance(ids, list | tuple) else [ids])
    return tuple(dict.fromkeys(int(i) for i in found if i is not None))


def disable_dropout(model: nn.Module) -> None:
    """Set every dropout probability to zero, so that even training mode is deterministic."""
    for module in model.modules():
        if isinstance(module, DROPOUT_LAYERS):
            module.p = 0.0
        for name in ("attention_dropout", "dropout", "resid_pdrop", "attn_pdrop", "activation_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


def tensor_sums(tensors: dict[str, Tensor]) -> dict[str, int]:
    """Return an exact sum over the bits of each tensor; a single changed value changes the sum."""
    return {name: _bit_sum(tensor) for name, tensor in tensors.items()}


def _bit_sum(tensor: Tensor) -> int:
    flat = tensor.detach().reshape(-1)
    raw = flat.contiguous().view(torch.uint8)
    width = torch.int32 if raw.numel() % 4 == 0 else torch.uint8
    return int(raw.view(width).sum(dtype=torch.int64)) if raw.numel() else 0
