"""What a run fixes about its chat template when it is created, so that it renders the same tokens on every later day.

A run that is created takes today as the date that its template writes, and today's row rules where they matter. Both
stand in ``run.json`` and in the fingerprint. A run that left them open, because it is older or its model is a GGUF
file, takes them from its checkpoint. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from jinja2 import TemplateError

from core.domain.errors import UserError
from core.domain.run_config import RunConfig
from core.training.text.chat_template import rules_matter
from core.training.text.template_inputs import TemplateInputs, reads_date, require_read, template_source

_OPEN = {"template_date": "", "row_rules": "auto", "dtype": "auto"}
"""Settings that are fixed when a run is created, and the value that leaves them open."""


def day_of(ms: int) -> date:
    """Return the local day of a moment in UTC milliseconds since 1970; a template writes the local day."""
    return datetime.fromtimestamp(ms / 1000).date()  # noqa: DTZ006


def fixed_for_new_run(config: RunConfig, tokenizer: Any, day: date) -> RunConfig:
    """Return the settings of a new run with the date of its template and its row rules.

    Args:
        config: the settings as they were asked for.
        tokenizer: the model's, or :func:`core.model_files.template_files.template_files` of its folder.
        day: the day on which the run is created.

    Raises:
        UsageError: when the template does not read one of its settings.
    """
    config = with_date(config, tokenizer, day)
    if config.template == "none" or config.row_rules != "auto":
        return config
    inputs = TemplateInputs.of(config)
    try:
        matters = bool(template_source(tokenizer.chat_template, inputs)) and rules_matter(tokenizer, inputs)
    except (UserError, TemplateError):  # the probe of the loaded model says what is wrong with the template
        return config
    return replace(config, row_rules="2") if matters else config


def with_date(config: RunConfig, tokenizer: Any, day: date) -> RunConfig:
    """Return the settings with a date where the template writes one and they name none.

    Raises:
        UsageError: when the template does not read one of its settings.
    """
    inputs = TemplateInputs.of(config)
    source = "" if config.template == "none" else template_source(tokenizer.chat_template, inputs)
    if not source:
        return config
    try:
        require_read(source, inputs)
        dated = not config.template_date and reads_date(source)
    except TemplateError:  # as above
        return config
    return replace(config, template_date=day.isoformat()) if dated else config


def fixed_for_resume(config: RunConfig, before: Mapping[str, Any], tokenizer: Any, day: date) -> RunConfig:
    """Return the settings of a resumed run: what they leave open is what its checkpoint was made with.

    Args:
        config: the settings in ``run.json``.
        before: the settings in the checkpoint.
        tokenizer: the model's, or what its files say.
        day: the day on which the run was created, for a checkpoint of a version that fixed no date.

    Raises:
        UsageError: when the template does not read one of its settings.
    """
    config = with_open_values(config, before)
    if config.row_rules == "auto" and fixed_for_new_run(config, tokenizer, day).row_rules == "2":
        config = replace(config, row_rules="1")
    return with_date(config, tokenizer, day)


def with_open_values(config: RunConfig, before: Mapping[str, Any]) -> RunConfig:
    """Return the settings with those that they leave open as they stand in ``before``."""
    known = {name: before[name] for name, value in _OPEN.items() if getattr(config, name) == value and name in before}
    return config.with_values(known)


def is_open(name: str, value: object) -> bool:
    """Return whether this value of a setting leaves it to be fixed when a run is created."""
    return name in _OPEN and _OPEN[name] == value
