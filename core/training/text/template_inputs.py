"""What a chat template reads besides the messages: the arguments of a run and its day."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import TemplateError

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.template_args import read_arguments
from core.domain.template_settings import moment_of
from core.training.text.bounded_template import compiled

CLOCK = "strftime_now"
_GIVEN = frozenset(("messages", "add_generation_prompt"))


@dataclass(frozen=True, slots=True)
class TemplateInputs:
    """The settings that a template reads.

    Attributes:
        arguments_text: the run's ``template_args``.
        date: the run's ``template_date``; "" takes the clock.
    """

    arguments_text: str = ""
    date: str = ""

    @classmethod
    def of(cls, config: RunConfig) -> TemplateInputs:
        """Return those of a run."""
        return cls(config.template_args, config.template_date)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments by name."""
        return _arguments(self.arguments_text)

    @property
    def moment(self) -> datetime | None:
        """The date and time that the template writes; None takes the clock."""
        return moment_of(self.date) if self.date else None


NO_INPUTS = TemplateInputs()


def rules_of(config: RunConfig) -> int:
    """Return which rules make a run's rows: 1 as runs before the setting ``row_rules`` did, else 2."""
    return 1 if config.row_rules == "1" else 2


@functools.lru_cache(maxsize=16)
def _arguments(text: str) -> Mapping[str, Any]:
    return read_arguments(text)


def template_source(chat_template: Any, inputs: TemplateInputs = NO_INPUTS) -> str:
    """Return the template that a tokenizer uses, "" without one.

    A tokenizer may have several by name; as in transformers, ``tool_use`` is used with tools, else ``default``.
    """
    if isinstance(chat_template, Mapping):
        with_tools = inputs.arguments.get("tools") is not None and "tool_use" in chat_template
        return str(chat_template.get("tool_use" if with_tools else "default") or "")
    return str(chat_template or "")


def names_read(source: str) -> frozenset[str]:
    """Return what a template reads besides messages: names of arguments, of special tokens, and the clock.

    Raises:
        TemplateError: when it is no Jinja.
    """
    try:
        return compiled(source).reads - _GIVEN
    except TemplateError:
        raise
    except Exception as error:  # what Jinja's parser raises for a nested or broken source is not named
        raise TemplateError(str(error)) from error


def reads_date(source: str) -> bool:
    """Return whether the template may write the date.

    Raises:
        TemplateError: when it is no Jinja.
    """
    return CLOCK in names_read(source)


def require_read(source: str, inputs: TemplateInputs) -> None:
    """Refuse settings that the template would ignore.

    Raises:
        UsageError: naming the arguments that it does not read, and those that it does.
        TemplateError: when it is no Jinja.
    """
    known = names_read(source)
    ignored = sorted(set(inputs.arguments) - known)
    if ignored:
        shown = sorted(name for name in known if name != CLOCK and not name.endswith("_token"))
        raise UsageError(
            f"The chat template does not read {', '.join(ignored)}, so template_args would be ignored.",
            f"It reads: {', '.join(shown)}." if shown else "It reads no argument; leave template_args empty.",
        )
    if inputs.date and CLOCK not in known:
        raise UsageError(
            "The chat template writes no date, so template_date would be ignored.", "Leave template_date empty."
        )
