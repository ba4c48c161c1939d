"""A command group whose first word may be left out: ``runs WS`` means ``runs list WS``."""

from __future__ import annotations

from typing import Any, ClassVar

from typer.core import TyperGroup


class DefaultGroup(TyperGroup):
    """Reads ``group X`` as ``group list X`` when X is no command of the group."""

    default: ClassVar[str] = "list"
    """The command that is meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front when the first word is not a command."""
        words = [word for word in args if not word.startswith("-")]
        wants_help = any(word in ("-h", "--help") for word in args)
        if words and words[0] not in self.commands and not (wants_help and not words):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
