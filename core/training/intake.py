"""Pre-flight of model folders and adapters: read the JSON ourselves before any library does."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import BadInput


def check_model(model_dir: Path) -> None:
    """Refuse a folder that is missing or not a model."""
    path = Path(model_dir)
    if not path.exists():
        raise BadInput(f"There is no model at {path}.", "Name a folder that holds config.json and weights.")


def check_adapter(folder: Path) -> None:
    """Refuse a folder that holds no adapter."""
    if not (Path(folder) / "adapter_config.json").is_file():
        raise BadInput(f"There is no adapter at {folder}.", "Name a folder that holds adapter_config.json.")
