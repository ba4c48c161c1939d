"""The settings of a run that say how its chat template is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.domain.basic_settings import BasicSettings
from core.domain.errors import UsageError
from core.domain.run_settings import WHEN_CHANGED, SettingGroup
from core.domain.template_args import read_arguments, spelled

chat = SettingGroup("Chat template")


@dataclass(frozen=True, slots=True)
class TemplateSettings(BasicSettings):
    """The settings of the group "Chat template", after those of :class:`BasicSettings`."""

    template_args: str = chat(
        "",
        WHEN_CHANGED,
        "Template arguments",
        "What the template reads besides the messages, as name=value joined by commas: enable_thinking=false, "
        "reasoning_effort=high, or tools as JSON.",
    )
    template_date: str = chat(
        "",
        WHEN_CHANGED,
        "Template date",
        "The day that a template writes when it writes the date, as 2026-11-29; empty takes the day on which the run "
        "is created.",
    )
    rewritten_answers: str = chat(
        "stop",
        WHEN_CHANGED,
        "Rewritten answers",
        "When the template changes an answer: stop before step 1; template trains what the template makes of it; "
        "answer trains it as it stands.",
        choices=("stop", "template", "answer"),
    )
    row_rules: str = chat(
        "auto",
        WHEN_CHANGED,
        "Row rules",
        "2 takes an empty thought as prompt and ends a turn with any added token; 1 is what older runs did; auto is 2 "
        "for a new run.",
        choices=("auto", "1", "2"),
    )


def checked_template_settings(template: str, args: str, date: str) -> None:
    """Refuse template arguments and dates that cannot be read, or that plain text would ignore.

    Raises:
        UsageError: naming the setting.
    """
    read_arguments(args)
    if date:
        moment_of(date)
    if template == "none" and (args or date):
        ignored = "template_args" if args else "template_date"
        raise UsageError(f"Plain text has no template, so {ignored} would be ignored.", f"Leave {ignored} empty.")


def in_one_spelling(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by name with template arguments in their one spelling, so that equal ones are equal texts.

    Raises:
        UsageError: when they cannot be read.
    """
    args = values.get("template_args")
    if not args:
        return dict(values)
    given = args if isinstance(args, Mapping) else read_arguments(str(args))
    return {**values, "template_args": spelled(given)}


def moment_of(date: str) -> datetime:
    """Return the moment of a ``template_date``: the start of a day, or a day with a time.

    Raises:
        UsageError: when it is no date.

    >>> moment_of("2026-11-29").strftime("%d %b %Y %H:%M")
    '29 Nov 2026 00:00'
    """
    try:
        return datetime.fromisoformat(date)
    except ValueError as error:
        raise UsageError(f"template_date cannot be {date!r}.", "Write year, month and day: 2026-11-29.") from error
