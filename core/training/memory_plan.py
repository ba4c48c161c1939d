"""Plan the memory of a run before anything is loaded, and the micro-batch that fits into it.

A plan counts weights, adapters, optimizer, activations and tiles from the model's config and the lengths of the pairs,
and finds the largest micro-batch that fits. Activations are the numbers that the forward passes of this package save
for their backward pass, per token and layer (the tests count them with autograd's hooks).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch

from core import bounded
from core.domain.errors import BadInput
from core.domain.run_config import RunConfig
from core.generation.decoders import CACHE_BYTES, ROWS
from core.generation.working_weights import COPY_BYTES, COPY_SHARE
from core.model_files.adapter_config import adapter_settings
from core.model_files.safetensors_file import parameter_count
from core.training.forward.fused_head import tile_rows

MIB = 1 << 20
HIDDEN_BYTES = 64 << 20
"""Most bytes of the reference's hidden states that are kept between two measurements."""
SAMPLES, SAMPLE_TOKENS = 4, 96
"""Prompts that are answered side by side, and most tokens of such an answer."""
RUNTIME = {"cpu": 430 * MIB, "cuda": 700 * MIB, "mps": 500 * MIB}
"""Bytes of interpreter, torch, transformers and the allocator; on CUDA of context and workspaces (not measured)."""
HELD = 1.15
"""Memory that the process holds for activations, relative to their size; measured 1.15 to 1.3."""
USABLE = 0.85
"""Share of the free memory that a plan uses."""
_BYTES = {"auto": 4, "float32": 4, "bfloat16": 2, "float64": 8}
EIGHT_BIT = "adamw_8bit"
"""Name of the optimizer with moments of 8 bits, of which each block of 256 has a scale, in the settings."""
_GATED = ("llama", "mistral", "qwen", "gemma", "phi3", "granite", "cohere", "olmo", "smollm", "deepseek", "glm")


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes of a model that its memory depends on.

    Attributes:
        parameters: numbers in the weight files.
        width, inner: of the residual stream and of the feed-forward. layers, heads, kv_heads, head_dim: as named.
        vocabulary: logits. gated: whether the feed-forward has a gate.
    """

    parameters: int
    width: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    gated: bool

    @classmethod
    def read(cls, model_dir: Path) -> ModelShape:
        """Read the shape from a Hugging Face folder without loading a weight.

        Raises:
            BadInput: when the config is missing or unreadable.
            ModelRefused: when a weight file is damaged.
        """
        folder = Path(model_dir)
        try:
            config = bounded.read_object(folder / "config.json")
        except BadInput as error:
            raise BadInput(f"{folder.name} has no readable config.json.") from error
        return cls.of(config, parameter_count(folder))

    @classmethod
    def of(cls, config: dict[str, Any], parameters: int) -> ModelShape:
        """Read the shape from a config, whose names depend on the model family.

        Raises:
            BadInput: when a size is missing.
        """
        text = config.get("text_config") or config

        def first(*names: str, default: int | None = None) -> int:
            for name in names:
                if isinstance(text.get(name), int):
                    return text[name]
            if default is None:
                raise BadInput(f"The model's config has no {names[0]}.")
            return default

        width = first("hidden_size", "n_embd", "d_model")
        heads = first("num_attention_heads", "n_head")
        return cls(
            parameters=parameters,
            width=width,
            inner=first("intermediate_size", "n_inner", "ffn_dim", default=4 * width),
            layers=first("num_hidden_layers", "n_layer"),
            heads=heads,
            kv_heads=first("num_key_value_heads", default=heads),
            head_dim=first("head_dim", default=width // heads),
            vocabulary=first("vocab_size"),
            gated=str(text.get("model_type", "")).startswith(_GATED),
        )

    @property
    def layer_weights(self) -> int:
        """Numbers in the matrices of a decoder layer."""
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return self.width * (2 * q + 2 * kv + (3 if self.gated else 2) * self.inner)

    @property
    def adapter_width(self) -> int:
        """Sum of inputs and outputs of all linear layers of a decoder layer: an adapter's numbers per rank."""
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        attention = 2 * (self.width + q) + 2 * (self.width + kv)
        return attention + (3 if self.gated else 2) * (self.width + self.inner)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes that a run needs at its peak, by purpose.

    Attributes:
        runtime: process or device context. weights: of the base, and of a second copy in full fine-tuning.
        adapters: trainable tensors. optimizer: gradients and AdamW's moments.
        activations: kept for the backward pass of one micro-batch. tiles: logits and other temporary buffers.
        looks: what measurements need beyond that: copies of the weights to decode with, keys and values, the
            reference's hidden states.
        available: bytes that may be used. micro_batch: pairs of a forward pass.
        checkpointing: whether layers are recomputed in the backward pass.
    """

    runtime: int
    weights: int
    adapters: int
    optimizer: int
    activations: int
    tiles: int
    available: int
    micro_batch: int
    checkpointing: bool
    looks: int = 0

    @property
    def total(self) -> int:
        """Bytes at the peak."""
        return self.held + self.activations + self.tiles + self.looks

    @property
    def held(self) -> int:
        """Bytes that the run holds all the time."""
        return self.runtime + self.weights + self.adapters + self.optimizer

    @property
    def fits(self) -> bool:
        """Whether the peak stays within what is available."""
        return self.total <= self.available

    def lines(self) -> list[tuple[str, int]]:
        """Return (purpose, bytes) in the order of display."""
        names = ("runtime", "weights", "adapters", "optimizer", "activations", "tiles", "looks")
        return [(name, getattr(self, name)) for name in names] + [("total", self.total)]


def plan_memory(
    shape: ModelShape,
    config: RunConfig,
    lengths: Sequence[int],
    *,
    forward: str = "lean",
    device: str = "cpu",
    available: int = 0,
    trained: int = 0,
) -> MemoryPlan:
    """Plan a run.

    Args:
        shape: of the model.
        config: the run's settings; a micro-batch or checkpointing set there is kept.
        lengths: tokens of each pair's prefix-shared row; the longest ones set the peak.
        forward: "lean", "shared" or "separate".
        device: "cpu", "cuda" or "mps".
        available: bytes that may be used; 0 is unlimited.
        trained: numbers that train, where the model is loaded; 0 counts them from the settings.

    Returns:
        The plan with the largest micro-batch that fits, without checkpointing if possible; when nothing
        fits, the smallest plan.
    """
    available = int(available * USABLE) if available else sys.maxsize
    ordered = sorted(lengths, reverse=True) or [config.max_length or 1024]
    most = config.micro_batch or (1 if device == "cpu" and forward != "separate" else config.batch_size)
    smallest = most if config.micro_batch else 1
    ways = {"on": (True,), "off": (False,), "auto": (False, True)}[config.grad_checkpointing]
    plan = None
    for checkpointing in ways:
        for micro in range(most, smallest - 1, -1):
            plan = _plan(shape, config, ordered[:micro], forward, device, available, checkpointing, trained)
            plan = _with_looks(plan, shape, config, ordered)
            if plan.fits:
                return plan
    assert plan is not None
    return plan


def _plan(
    shape: ModelShape,
    config: RunConfig,
    lengths: Sequence[int],
    forward: str,
    device: str,
    available: int,
    checkpointing: bool,
    trained: int,
) -> MemoryPlan:
    number = _BYTES[config.dtype]
    quantised = config.quantize != "none"
    trained = trained or (adapter_numbers(shape, config) if config.lora_r else shape.parameters)
    wide = max(number, 4)
    copies = 0 if config.lora_r or number >= 4 else 4  # float32 copies of 16-bit weights, which AdamW updates
    moments = 2 * (1 + 4 / 256) if config.optimizer == EIGHT_BIT else 2 * wide
    return MemoryPlan(
        runtime=RUNTIME.get(device, RUNTIME["cpu"]),
        weights=int(shape.parameters * (0.6 if quantised else number)),
        adapters=trained * wide if config.lora_r else 0,
        optimizer=int(trained * ((wide if config.lora_r else number) + moments + copies)),
        activations=int(HELD * activation_bytes(shape, config, lengths, forward, checkpointing)),
        tiles=tile_bytes(shape, config, max(lengths), forward, device),
        available=available,
        micro_batch=len(lengths),
        checkpointing=checkpointing,
    )


def _with_looks(plan: MemoryPlan, shape: ModelShape, config: RunConfig, lengths: Sequence[int]) -> MemoryPlan:
    """Add what the measurements need. They are made between steps, where nothing is kept for a backward pass."""
    kept = hidden_bytes(shape, config, lengths) if config.eval_every else 0
    answers = config.sample_every or (config.kl_every and config.kl_prompts)
    drawn = decoding_bytes(shape, config, lengths, free=plan.available - plan.held) if answers else 0
    return replace(plan, looks=kept + max(0, drawn - plan.activations - plan.tiles))


def hidden_bytes(shape: ModelShape, config: RunConfig, lengths: Sequence[int]) -> int:
    """Return the bytes of the reference's hidden states on the probe pairs, of which half of the tokens are answers."""
    rows = 2 * config.probe_pairs * sum(lengths) // len(lengths) // 2
    return min(HIDDEN_BYTES, rows * shape.width * _BYTES[config.dtype])


def decoding_bytes(shape: ModelShape, config: RunConfig, lengths: Sequence[int], *, free: int) -> int:
    """Return the bytes that answers need while they are drawn: copies of the weights, keys and values, logits.

    The weights are copied where the copies stay below the decoders' own limits.
    """
    number = _BYTES[config.dtype]
    weights = number * (shape.layer_weights * shape.layers + shape.vocabulary * shape.width)
    copied = config.quantize == "none" and weights <= min(COPY_BYTES, COPY_SHARE * max(0, free))
    answers = ((SAMPLES * 2, SAMPLE_TOKENS, config.sample_every), (config.kl_prompts, config.kl_max_new_tokens, 1))
    prompt, token = sum(lengths) // len(lengths), 2 * shape.kv_heads * shape.head_dim * shape.layers * number
    cached = max(min(rows, ROWS) * (prompt + longest) * token for rows, longest, wanted in answers if wanted)
    logits = 3 * min(max(config.kl_prompts, 2 * SAMPLES), ROWS) * shape.vocabulary * 4
    return weights * copied + min(cached, CACHE_BYTES["cpu"]) + logits


def adapter_numbers(shape: ModelShape, config: RunConfig) -> int:
    """Return how many numbers an adapter has.

    Those of an adapter that training starts from are counted in its file; of a fresh one, named targets are counted by
    their share of the layers.
    """
    folder = Path(config.init_adapter) if config.init_adapter else None
    if folder is not None and (folder / "adapter_model.safetensors").is_file():
        return parameter_count(folder)
    share = 1.0
    if config.lora_targets != "all-linear":
        share = min(1.0, len(config.lora_targets.split(",")) / (7 if shape.gated else 6))
    return int(shape.adapter_width * shape.layers * config.lora_r * share)


def rank(config: RunConfig) -> int:
    """Return the rank of the run's adapter: of the one that training starts from, or else that of the settings."""
    if not config.init_adapter or config.lora_r == 0:
        return config.lora_r
    try:
        return int(adapter_settings(Path(config.init_adapter))["lora_r"] or config.lora_r)
    except BadInput:
        return config.lora_r


def activation_bytes(
    shape: ModelShape, config: RunConfig, lengths: Sequence[int], forward: str, checkpointing: bool
) -> int:
    """Return the bytes kept between forward and backward pass of one micro-batch."""
    number = _BYTES[config.dtype]
    tokens = sum(lengths) if forward != "separate" else 2 * len(lengths) * max(lengths)
    layer = layer_numbers(shape, config, forward) * tokens
    if checkpointing:
        return number * (shape.width * tokens * shape.layers + layer)
    return number * layer * shape.layers


def layer_numbers(shape: ModelShape, config: RunConfig, forward: str) -> int:
    """Return the numbers kept per token by one layer."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    low = rank(config) * (7 if shape.gated else 6)
    if forward == "lean":
        return 2 * shape.width + 2 * q + 2 * kv + 2 * shape.inner + low
    return 5 * shape.width + 4 * q + (4 if shape.gated else 5) * shape.inner + low


def tile_bytes(shape: ModelShape, config: RunConfig, longest: int, forward: str, device: str = "cpu") -> int:
    """Return the bytes of temporary buffers: logits, and the widest product of a layer's backward pass."""
    wide = max(_BYTES[config.dtype], 4)
    rows = longest if forward == "separate" else tile_rows(shape.vocabulary, device)
    logits = (5 if forward == "separate" else 2) * rows * shape.vocabulary * wide
    return logits + 6 * longest * shape.inner * _BYTES[config.dtype]


def checkpoint_above(shape: ModelShape, config: RunConfig, *, forward: str, available: int) -> int:
    """Return the tokens of a micro-batch above which layers are recomputed, with ``available`` bytes free."""
    if config.grad_checkpointing != "auto":
        return 0 if config.grad_checkpointing == "on" else sys.maxsize
    trained = adapter_numbers(shape, config) if config.lora_r else shape.parameters
    left = available * USABLE - 12 * trained - tile_bytes(shape, config, 512, forward)
    per_token = (layer_numbers(shape, config, forward) + 2 * shape.inner) * shape.layers * _BYTES[config.dtype]
    return max(0, int(left // per_token))


def free_bytes(device: torch.device) -> int:
    """Return the bytes that are free on ``device`` now."""
    if device.type == "cuda":
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + held
    return int(psutil.virtual_memory().available)
