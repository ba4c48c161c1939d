"""The ``--set key=value`` words of a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from core.bounded import read_utf8
from core.cli.output import say, say_json, table
from core.domain.errors import UsageError
from core.domain.run_config import MEASURED, SETTINGS, RunConfig
from core.domain.template_args import one_argument, read_arguments, spelled

_ARGUMENT_BYTES = 1 << 20
_MEASURED = f"label_smoothing={MEASURED}"


def show_settings(as_json: bool) -> None:
    """Print every setting of a run: its key with its default, what it does, and the values it can take."""
    if as_json:
        say_json([{**asdict(setting), "values": setting.values_text} for setting in SETTINGS.values()])
        return
    rows = [
        (setting.group, f"{setting.name}={setting.default}", f"{setting.label}. {setting.hint} ({setting.values_text})")
        for setting in SETTINGS.values()
    ]
    say(table(rows, ("group", "default", "meaning")))


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
    for name in ("init_adapter", "reference_model"):
        if parsed.get(name):
            parsed[name] = str(Path(parsed[name]).expanduser().resolve())
    return parsed


def with_template_arguments(settings: list[str], arguments: list[str]) -> list[str]:
    """Return ``--set`` words with the ``--template-arg`` words as one setting.

    Args:
        settings: ``key=value`` words.
        arguments: ``name=value`` words; ``name=@FILE`` takes the JSON in a file, for tools.

    Raises:
        UsageError: for a word that cannot be read, or an argument that is given twice.
    """
    if not arguments:
        return settings
    found = read_arguments(read_changes(settings).get("template_args", ""))
    for word in arguments:
        given = one_argument(_from_file(word))
        if twice := found.keys() & given.keys():
            raise UsageError(f"The template argument {min(twice)} is given twice.", "Leave one of the two out.")
        found |= given
    rest = [word for word in settings if word.partition("=")[0].strip() != "template_args"]
    return [*rest, f"template_args={spelled(found)}"]


def _from_file(word: str) -> str:
    name, mark, value = word.partition("=")
    if not value.strip().startswith("@"):
        return word
    path = Path(value.strip()[1:]).expanduser()
    if not path.exists():
        raise UsageError(f"{path} does not exist.", "Check the name.")
    return f"{name}{mark}{read_utf8(path, _ARGUMENT_BYTES)}"


def without_measured(settings: list[str]) -> list[str]:
    """Return the words but for ``label_smoothing=measured``, whose value only the dataset version knows."""
    return [word for word in settings if word.replace(" ", "") != _MEASURED]
