"""The contract file of an exported adapter: reading it, and refusing a base that the adapter was not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.domain.errors import ModelRefused
from core.durable import read_json

CONTRACT = "contract.json"


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
