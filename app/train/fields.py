"""The settings of a run as the form shows them: grouped as they are declared, the main ones first."""

from __future__ import annotations

from core.domain.basic_settings import main
from core.domain.losses import LOSS_ROWS
from core.domain.run_config import SETTINGS
from core.domain.run_settings import RunSetting

SWITCH = ("no", "yes")
"""What a setting that is on or off can be, in the form."""


def help_of(setting: RunSetting, choice: str) -> str:
    """Return one line about a choice for its tooltip, "" where the setting's hint says enough."""
    return LOSS_ROWS[choice].help if setting.name == "loss" else ""


def choices_of(setting: RunSetting) -> tuple[str, ...]:
    """Return what the form offers for a setting, empty when its value is typed."""
    return SWITCH if isinstance(setting.default, bool) else setting.choices


def groups() -> dict[str, list[RunSetting]]:
    """Return title -> settings of each group, in the order of their declaration."""
    found: dict[str, list[RunSetting]] = {}
    for setting in SETTINGS.values():
        found.setdefault(setting.group, []).append(setting)
    return found


def main_settings() -> list[RunSetting]:
    """Return the few settings that are always shown."""
    return groups()[main.title]


def advanced_groups() -> dict[str, list[RunSetting]]:
    """Return the groups of all other settings."""
    return {title: settings for title, settings in groups().items() if title != main.title}
