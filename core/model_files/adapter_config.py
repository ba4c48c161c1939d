"""The layout of an adapter on disk, and the settings of a run that it makes meaningless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core import bounded
from core.domain.errors import BadInput, UsageError
from core.domain.run_config import SETTINGS, RunConfig


def adapter_settings(folder: Path) -> dict[str, Any]:
    """Return the settings of a run that an adapter on disk stands for: its rank, alpha and target modules.

    Raises:
        BadInput: when the folder holds no readable adapter.
    """
    path = Path(folder) / "adapter_config.json"
    try:
        config = bounded.read_object(path)
    except BadInput as error:
        raise BadInput(f"There is no adapter at {folder}.", "Name a folder that holds adapter_config.json.") from error
    targets = config.get("target_modules") or []
    return {
        "lora_r": config.get("r"),
        "lora_alpha": config.get("lora_alpha"),
        "lora_targets": targets if isinstance(targets, str) else ",".join(sorted(map(str, targets))),
    }


def require_none_ignored(config: RunConfig) -> None:
    """Refuse settings that were changed and say something else than the adapter that training starts from.

    A setting at its default was not asked for, and one that agrees with the adapter is no contradiction.

    Raises:
        UsageError: naming them and what the adapter has.
        BadInput: when there is no adapter.
    """
    if not config.init_adapter or config.lora_r == 0:
        return
    found = adapter_settings(Path(config.init_adapter))
    wrong = [
        f"{name}={_text(asked)} (the adapter has {_text(has)})"
        for name, has in found.items()
        if (asked := getattr(config, name)) != SETTINGS[name].default and not _same(name, asked, has)
    ]
    if wrong:
        raise UsageError(
            f"{' and '.join(wrong)} would be ignored: training starts from an adapter, which brings its own.",
            "Leave them at their defaults, or leave init_adapter out to train a fresh adapter.",
        )


def _same(name: str, asked: Any, has: Any) -> bool:
    if name == "lora_targets":
        return {word.strip() for word in asked.split(",")} == set(str(has).split(","))
    return bool(asked == has)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
