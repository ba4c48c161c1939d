"""What an exported adapter or model was made of, and the check that keeps it from a base it was not made on."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.domain.errors import ModelRefused
from core.durable import read_json, write_json

if TYPE_CHECKING:
    from core.training.policy.model import LoadedModel

CONTRACT = "contract.json"
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
            "fingerprint", "steps", "results". They stand under their own names.
    """
    from core.domain.ids import sha256_text

    template = model.tokenizer.chat_template or ""
    return {
        "format": FORMAT,
        "base": {
            "name": model.model_dir.name,
            "weights_sha256": model.weights_sha256,
            "model_type": model.config.get("model_type", ""),
        },
        "policy_sha256": model.adapter_sha256(),
        "reference": {"kind": model.reference_kind, "sha256": model.reference_sha256},
        "template": {"mode": model.run_config.template, "sha256": sha256_text(str(template)) if template else ""},
        "stop_ids": list(model.stop_ids),
        "seed": model.run_config.seed,
        "config": model.run_config.to_plain(),
        "versions": versions(),
        **(facts or {}),
    }


def write_contract(folder: Path, contract: dict[str, Any]) -> None:
    """Write ``contract.json`` into ``folder``."""
    write_json(Path(folder) / CONTRACT, contract)


def read_contract(folder: Path) -> dict[str, Any] | None:
    """Return the contract in ``folder``, or None where another tool made the folder.

    Raises:
        BadInput: when it is not readable.
    """
    path = Path(folder) / CONTRACT
    return read_json(path) if path.is_file() else None


def require_base(folder: Path, weights_sha256: str, name: str = "this model") -> None:
    """Refuse an adapter whose contract names another base; one without a contract passes.

    Raises:
        ModelRefused: naming both bases.
    """
    contract = read_contract(folder)
    base = contract.get("base") if isinstance(contract, dict) else None
    if not isinstance(base, dict) or "weights_sha256" not in base:
        return
    if base["weights_sha256"] != weights_sha256:
        raise ModelRefused(
            f"The adapter {Path(folder).name} was trained on {base.get('name', 'another model')} "
            f"({str(base['weights_sha256'])[:12]}), not on {name} ({weights_sha256[:12]}).",
            "Choose the base it was trained on; on another one its changes mean nothing.",
        )
