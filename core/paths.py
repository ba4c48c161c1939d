"""Where files are: resources, the user's data, models, caches, logs."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

APP_NAME = "pairwright"


def resources_dir() -> Path:
    """Return the folder of icons, themes, templates and demo data.

    It is beside ``core`` in the source tree, in an installed wheel and in a frozen program.
    """
    return Path(__file__).resolve().parent.parent / "resources"


def user_data_dir() -> Path:
    """Return the folder for models and default workspaces; ``PAIRWRIGHT_HOME`` overrides it."""
    if home := os.environ.get("PAIRWRIGHT_HOME"):
        return Path(home)
    return user_data_path(APP_NAME, appauthor=False)


def models_dir() -> Path:
    """Return the folder that holds converted and downloaded models."""
    return user_data_dir() / "models"


def starter_model_dir() -> Path:
    """Return the folder of the converted starter model."""
    return models_dir() / "SmolLM2-135M-Instruct"


def keys_dir() -> Path:
    """Return the folder of the keys of sealed tests, apart from the workspaces whose files they open."""
    return user_data_dir() / "keys"


def cache_dir() -> Path:
    """Return the folder for what can be computed again, such as reference log-probs and file hashes."""
    return user_data_dir() / "cache"


def log_dir() -> Path:
    """Return the folder for logs and crash reports."""
    return user_data_dir() / "logs"
