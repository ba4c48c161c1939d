"""The ``--set key=value`` words of a run."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig

_MEASURED = "label_smoothing=measured"


def read_settings(values: list[str]) -> RunConfig:
    """Return the run's settings from ``key=value`` words.

    Raises:
        UsageError: for a word without "=", an unknown key or a value out of bounds.
    """
    return RunConfig().with_values(read_changes(values))


def read_changes(values: list[str]) -> dict[str, str]:
    """Return ``key=value`` words by key.

    Raises:
        UsageError: for a word without "=".
    """
    parsed: dict[str, str] = {}
    for word in values:
        key, mark, value = word.partition("=")
        if not mark:
            raise UsageError(f"{word!r} is not a setting.", "Write --set key=value, for example --set beta=0.1.")
        parsed[key.strip()] = value.strip()
    if parsed.get("init_adapter"):
        parsed["init_adapter"] = str(Path(parsed["init_adapter"]).expanduser().resolve())
    return parsed


def without_measured(settings: list[str]) -> list[str]:
    """Return the words but for ``label_smoothing=measured``, whose value only the dataset version knows."""
    return [word for word in settings if word.replace(" ", "") != _MEASURED]
