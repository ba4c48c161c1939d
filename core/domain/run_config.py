"""The frozen configuration of a run, with defaults, bounds and the fingerprint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_type_hints

from core.domain.errors import UsageError
from core.domain.ids import sha256_json

LOSSES: tuple[str, ...] = (
    "sigmoid",
    "robust",
    "ipo",
    "hinge",
    "sigmoid_norm",
    "apo_zero",
    "apo_down",
    "exo_pair",
    "nca_pair",
    "sppo_hard",
    "bco_pair",
    "aot",
    "discopop",
    "dpop",
    "r_dpo",
    "simpo",
    "orpo",
    "davidson",
    "rao_kupper",
)
SCHEDULERS: tuple[str, ...] = ("constant", "linear", "cosine")
DTYPES: tuple[str, ...] = ("float32", "bfloat16", "float64")
FORWARDS: tuple[str, ...] = ("auto", "lean", "shared", "separate")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides what a run computes.

    Attributes:
        loss: name of the preference loss, one of ``LOSSES``.
        beta: strength of the pull to the reference; margin z = beta * h.
        label_smoothing: assumed share of flipped labels (cDPO for sigmoid, eps for robust and exo).
        rpo_alpha: weight of the added negative log-likelihood of chosen, per token (RPO); 0 is off.
        rpo_average: "tokens" (mean over all chosen tokens of the step) or "pairs" (mean over pairs of each mean).
        ld_alpha: weight of the part beyond the shorter length (LD-DPO), both sides; 1 is off.
        wpo: weight pairs by their on-policy probability (WPO).
        dpop_lambda, r_dpo_alpha, simpo_gamma, orpo_lambda, tie_nu, discopop_tau: parameters of the losses so named.
        lr: peak learning rate. scheduler: shape after warm-up. warmup: steps if >= 1, else a share.
        steps: optimizer steps; 0 means ``epochs`` decides. epochs: passes over the train split.
        batch_size: pairs in an optimizer step. micro_batch: pairs in a forward pass; 0 chooses.
        shuffle: draw a new order each epoch from ``seed``; otherwise file order.
        dtype: of weights and activations on the device; log-softmax is float32 or wider always.
        clip: norm that the gradient is clipped to; 0 is off. weight_decay: AdamW.
        lora_r: rank; 0 trains every weight. lora_alpha: numerator of the LoRA scale.
        lora_targets: "all-linear" or module names joined by commas. lora_dropout is always 0.
        init_adapter: folder of a PEFT adapter to start from ("" for a fresh one).
        reference: "base" (adapter off) or "init" (frozen copy of what training starts from).
            "auto" is "init" when ``init_adapter`` holds a non-zero change, else "base".
        ref_refresh_every: steps after which the reference adapter moves towards the policy's (TR-DPO); 0 is off.
        ref_refresh_mix: how far it moves, from 0 to 1; 1 makes it the policy.
        template: "model" (its own chat template) or "none" (plain text).
        max_length: tokens of prompt + response; longer pairs lose their oldest turns. 0 is unlimited.
        min_response: a response truncated below this many tokens drops the pair.
        eval_every, kl_every, sample_every, checkpoint_every: in steps; 0 is off (a last one is always made).
        probe_pairs: pairs of each split in the fixed probe set. kl_prompts, kl_max_new_tokens: of the on-policy KL.
        kl_budget: stop when the sequence KL's lower bound passes it; 0 is off.
        forward: which forward pass; "auto" takes the fastest that passes its own check.
        device: "auto", "cpu", "cuda", "cuda:N", "mps". threads: torch threads; 0 chooses.
        grad_checkpointing: "auto", "on", "off".
    """

    loss: str = "sigmoid"
    beta: float = 0.1
    label_smoothing: float = 0.0
    rpo_alpha: float = 0.0
    rpo_average: str = "tokens"
    ld_alpha: float = 1.0
    wpo: bool = False
    dpop_lambda: float = 5.0
    r_dpo_alpha: float = 0.0
    simpo_gamma: float = 0.5
    orpo_lambda: float = 0.1
    tie_nu: float = 1.0
    discopop_tau: float = 0.05
    lr: float = 1e-5
    scheduler: str = "linear"
    warmup: float = 0.1
    steps: int = 0
    epochs: float = 1.0
    batch_size: int = 8
    micro_batch: int = 0
    shuffle: bool = True
    seed: int = 0
    dtype: str = "float32"
    clip: float = 1.0
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_eps: float = 1e-8
    lora_r: int = 16
    lora_alpha: float = 32.0
    lora_targets: str = "all-linear"
    init_adapter: str = ""
    reference: str = "auto"
    ref_refresh_every: int = 0
    ref_refresh_mix: float = 0.6
    quantize: str = "none"
    template: str = "model"
    max_length: int = 1024
    min_response: int = 1
    eval_every: int = 20
    kl_every: int = 50
    sample_every: int = 50
    checkpoint_every: int = 50
    keep_checkpoints: int = 2
    probe_pairs: int = 32
    kl_prompts: int = 16
    kl_max_new_tokens: int = 48
    kl_budget: float = 0.0
    forward: str = "auto"
    device: str = "auto"
    threads: int = 0
    grad_checkpointing: str = "auto"

    def __post_init__(self) -> None:
        _check_choices(self)
        _check_bounds(self)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as they stand in ``run.json``."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> RunConfig:
        """Build a config from plain values.

        Raises:
            UsageError: for an unknown key or a value out of bounds.
        """
        return cls().with_values(row)

    def with_values(self, values: dict[str, Any]) -> RunConfig:
        """Return a copy with ``values`` replaced; strings are read as the field's type.

        Raises:
            UsageError: for an unknown key, an unreadable value, or a value out of bounds.
        """
        hints = get_type_hints(type(self))
        parsed: dict[str, Any] = {}
        for key, value in values.items():
            if key not in hints:
                names = ", ".join(f.name for f in fields(self))
                raise UsageError(f"Unknown run setting {key!r}.", f"The settings are: {names}.")
            parsed[key] = _read(key, value, hints[key])
        return replace(self, **parsed)

    @property
    def method(self) -> str:
        """ "lora" or "full"."""
        return "lora" if self.lora_r > 0 else "full"

    @staticmethod
    def objective_keys() -> tuple[str, ...]:
        """Return the names of the settings that change the effective objective."""
        return tuple(f.name for f in fields(RunConfig) if f.name not in _NOT_OBJECTIVE)

    def fingerprint(self, **inputs: str) -> str:
        """Return the hash of all that changes the effective objective.

        What only changes speed, cadence or place (device, threads, forward, micro-batch, probes,
        checkpoints) is left out; ``inputs`` names the hashes of data, model, adapter and template.
        """
        plain = self.to_plain()
        for key in _NOT_OBJECTIVE if self.ref_refresh_every else (*_NOT_OBJECTIVE, *_REFRESH):
            plain.pop(key)
        return sha256_json({"config": plain, "inputs": dict(sorted(inputs.items()))})


_NOT_OBJECTIVE = (
    "micro_batch",
    "eval_every",
    "kl_every",
    "sample_every",
    "checkpoint_every",
    "keep_checkpoints",
    "probe_pairs",
    "kl_prompts",
    "kl_max_new_tokens",
    "forward",
    "device",
    "threads",
    "grad_checkpointing",
    "init_adapter",
)
_REFRESH = ("ref_refresh_every", "ref_refresh_mix")
"""Settings younger than the first fingerprints: off, they are not in it."""
_CHOICES: dict[str, tuple[str, ...]] = {
    "loss": LOSSES,
    "scheduler": SCHEDULERS,
    "dtype": DTYPES,
    "forward": FORWARDS,
    "rpo_average": ("tokens", "pairs"),
    "template": ("model", "none"),
    "reference": ("auto", "base", "init"),
    "quantize": ("none", "4bit"),
    "grad_checkpointing": ("auto", "on", "off"),
}
_BOUNDS: dict[str, tuple[float, float]] = {
    "beta": (1e-6, 1e3),
    "label_smoothing": (0.0, 0.4999),
    "rpo_alpha": (0.0, 1e3),
    "ld_alpha": (0.0, 1.0),
    "lr": (0.0, 10.0),
    "warmup": (0.0, 1e9),
    "steps": (0, 10**9),
    "epochs": (0.0, 1e6),
    "batch_size": (1, 10**6),
    "micro_batch": (0, 10**6),
    "clip": (0.0, 1e9),
    "weight_decay": (0.0, 10.0),
    "lora_r": (0, 4096),
    "lora_alpha": (0.0, 1e6),
    "ref_refresh_every": (0, 10**9),
    "ref_refresh_mix": (1e-6, 1.0),
    "max_length": (0, 10**7),
    "min_response": (1, 10**6),
    "probe_pairs": (0, 10**6),
    "kl_prompts": (0, 10**5),
    "kl_max_new_tokens": (1, 10**5),
    "tie_nu": (1e-6, 1e6),
    "discopop_tau": (1e-6, 1e6),
}


def _check_choices(config: RunConfig) -> None:
    for key, allowed in _CHOICES.items():
        if getattr(config, key) not in allowed:
            raise UsageError(f"{key} cannot be {getattr(config, key)!r}.", f"Use one of: {', '.join(allowed)}.")


def _check_bounds(config: RunConfig) -> None:
    for key, (low, high) in _BOUNDS.items():
        value = getattr(config, key)
        if not low <= value <= high:
            raise UsageError(f"{key} cannot be {value}.", f"It must lie between {low} and {high}.")
    if config.quantize != "none" and config.lora_r == 0:
        raise UsageError("A quantised base cannot be trained in full.", "Set lora_r above 0.")
    if config.ref_refresh_every and config.lora_r == 0:
        raise UsageError("Only the reference of an adapter can follow the policy.", "Set lora_r above 0.")
    if config.ref_refresh_every and config.reference == "base":
        raise UsageError("The base cannot follow the policy as its reference.", "Set reference to auto.")


def _read(key: str, value: Any, kind: Any) -> Any:
    try:
        if kind is bool and isinstance(value, str):
            return {
                "true": True,
                "1": True,
                "yes": True,
                "on": True,
                "false": False,
                "0": False,
                "no": False,
                "off": False,
            }[value.lower()]
        if kind is int and isinstance(value, str):
            return int(value)
        if kind is int and isinstance(value, float) and not value.is_integer():
            raise ValueError
        return kind(value)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{key} cannot be {value!r}.", f"It must be a {kind.__name__}.") from error
