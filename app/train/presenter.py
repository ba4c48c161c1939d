"""Presets, fields and texts of the Train page. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from core.domain.run_config import DTYPES, FORWARDS, LOSSES, SCHEDULERS, RunConfig

PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "quick": ("Quick look", {"steps": 30, "eval_every": 10, "kl_every": 15, "sample_every": 15, "lr": 5e-5}),
    "standard": ("Standard", {}),
    "careful": ("Careful", {"lr": 5e-6, "beta": 0.2, "epochs": 1.0, "eval_every": 10, "kl_every": 25}),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "loss": LOSSES,
    "scheduler": SCHEDULERS,
    "dtype": DTYPES,
    "forward": FORWARDS,
    "template": ("model", "none"),
    "reference": ("auto", "base", "init"),
    "quantize": ("none", "4bit"),
    "grad_checkpointing": ("auto", "on", "off"),
}
MAIN_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("loss", "Loss", "sigmoid is DPO; every loss's formula stands in its docstring"),
    ("beta", "β", "pull to the reference; margin z = β·h"),
    ("lr", "Learning rate", "peak, after the warm-up"),
    ("lora_r", "LoRA rank", "0 trains every weight"),
    ("batch_size", "Pairs in a step", "effective batch, however it is cut into micro-batches"),
    ("epochs", "Epochs", "passes over the train split"),
    ("steps", "Steps", "0: as many as the epochs need"),
    ("max_length", "Longest pair", "tokens of prompt and response; 0 is unlimited"),
)
MEASURED = "measured"
HINTS: dict[str, str] = {
    "label_smoothing": f"assumed share of flipped labels; '{MEASURED}' takes the rate found by retests and gold items",
}
_MAIN = {name for name, _, _ in MAIN_FIELDS}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One setting of the form: its name, its label, a hint, its choices if it has any."""

    name: str
    label: str
    hint: str = ""
    choices: tuple[str, ...] = ()


def main_fields() -> list[FieldSpec]:
    """Return the settings that are always visible."""
    return [FieldSpec(name, label, hint, CHOICES.get(name, ())) for name, label, hint in MAIN_FIELDS]


def advanced_fields() -> list[FieldSpec]:
    """Return all other settings of a run, in the order of the configuration."""
    names = [f.name for f in fields(RunConfig) if f.name not in _MAIN]
    return [FieldSpec(name, name.replace("_", " "), HINTS.get(name, ""), CHOICES.get(name, ())) for name in names]


def text_of(value: Any) -> str:
    """Return a setting as it is typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def preset(name: str) -> RunConfig:
    """Return the configuration of a preset."""
    return RunConfig().with_values(PRESETS[name][1])


def default_name(config: RunConfig) -> str:
    """Return a run's name by what matters most."""
    method = f"r{config.lora_r}" if config.lora_r else "full"
    return f"{'dpo' if config.loss == 'sigmoid' else config.loss}-b{config.beta:g}-{method}"


def changed_fields(config: RunConfig) -> list[str]:
    """Return the settings that differ from the defaults."""
    default = RunConfig()
    return [f.name for f in fields(RunConfig) if getattr(config, f.name) != getattr(default, f.name)]
