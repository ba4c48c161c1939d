"""Builds and writes the contract of an exported adapter or model, which says what it was made of."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from core.domain.ids import sha256_text
from core.durable import write_json
from core.training.policy.adapters import POLICY
from core.training.policy.lora_layout import live_layout
from core.training.policy.model import LoadedModel
from core.training.policy.provenance import CONTRACT, read_contract
from core.training.text.template_inputs import TemplateInputs, template_source

FORMAT = 1
_PACKAGES = ("pairwright", "torch", "transformers", "peft", "safetensors", "tokenizers")


def versions() -> dict[str, str]:
    """Return the versions of Python and of every library that computes."""
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def build_contract(model: LoadedModel, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the contract of what ``model`` holds now.

    Args:
        model: the trained policy.
        facts: what the engine does not know: "run_id", "dataset" and "rubric" (title and sha256 each),
            "fingerprint", "steps", "results". They are stored under these names.
    """
    inputs = TemplateInputs.of(model.run_config)
    template = template_source(model.tokenizer.chat_template, inputs)
    layout = live_layout(model.model, POLICY) if model.is_peft else {}
    return {
        "format": FORMAT,
        "base": {
            "name": model.model_dir.name,
            "weights_sha256": model.weights_sha256,
            "model_type": model.config.get("model_type", ""),
        },
        "policy_sha256": model.adapter_sha256(),
        "reference": {"kind": model.reference_kind, "sha256": model.reference_sha256},
        "template": {"mode": model.run_config.template, "sha256": sha256_text(template) if template else ""},
        "stop_ids": list(model.stop_ids),
        "seed": model.run_config.seed,
        "config": _settings(model, layout),
        **({"adapter": layout} if layout else {}),
        "versions": versions(),
        **(facts or {}),
    }


def _settings(model: LoadedModel, layout: dict[str, Any]) -> dict[str, Any]:
    """Return the run's settings; those of the adapter as it is, also where it came from a folder."""
    settings = model.run_config.to_plain()
    if not layout or not settings["init_adapter"]:
        return settings
    targets = layout["target_modules"]
    return {
        **settings,
        "lora_r": layout["r"],
        "lora_alpha": float(layout["alpha"]),
        "lora_rslora": layout["rslora"],
        "lora_dora": layout["dora"],
        "lora_targets": targets if isinstance(targets, str) else ",".join(targets),
        "rank_pattern": ", ".join(f"{name}={rank}" for name, rank in layout["rank_pattern"].items()),
        "alpha_pattern": ", ".join(f"{name}={alpha}" for name, alpha in layout["alpha_pattern"].items()),
        "modules_to_save": ",".join(layout["modules_to_save"]),
        "lora_experts": bool(layout["target_parameters"]),
    }


def write_contract(folder: Path, contract: dict[str, Any]) -> None:
    """Write ``contract.json`` into ``folder``."""
    write_json(Path(folder) / CONTRACT, contract)


def carry_contract(source: Path, folder: Path, facts: dict[str, Any]) -> None:
    """Write into ``folder`` the contract of ``source``, if it has one, with ``facts`` added."""
    write_contract(folder, {**(read_contract(source) or {}), **facts})
