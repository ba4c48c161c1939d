"""The contract file of an exported adapter: reading it, and refusing a base that the adapter was not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.domain.errors import ModelRefused
from core.durable import read_json

CONTRACT = "contract.json"
"""File in the folder of an exported adapter or model that says what it was made of."""


def read_contract(folder: Path) -> dict[str, Any] | None:
    """Return the contract in ``folder``, or None for a folder made by another tool.

    Raises:
        BadInput: when it is not readable.
    """
    path = Path(folder) / CONTRACT
    return read_json(path) if path.is_file() else None


def require_base(folder: Path, weights_sha256: str, name: str = "this model") -> None:
    """Refuse an adapter whose contract names another base; an adapter without a contract is accepted.

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
            "Choose the base that the adapter was trained on.",
        )
