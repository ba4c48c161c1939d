"""The commands that stand in code blocks of README.md, in their order."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tests.packaging.scripts import ROOT

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BOOTSTRAP = ("python3", "packaging/bootstrap.py")


@dataclass(frozen=True)
class Command:
    """One command, and the file its output goes to ("" for none)."""

    words: tuple[str, ...]
    output: str = ""

    @property
    def program(self) -> str:
        """The program that it starts; the two words of the bootstrap script are one."""
        return " ".join(BOOTSTRAP) if self.words[:2] == BOOTSTRAP else self.words[0]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the program."""
        return self.words[len(self.program.split()) :]

    def __str__(self) -> str:
        return shlex.join(self.words)


def blocks() -> list[tuple[str, str]]:
    """Return language and text of each code block."""
    return _BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def commands() -> list[Command]:
    """Return the commands of all blocks in the shell's language, also several on one line."""
    found = []
    for language, text in blocks():
        for line in text.splitlines() if language == "sh" else []:
            words = [list(part) for part in _split(shlex.split(line, comments=True))]
            found += [_command(part) for part in words if part]
    return found


def _split(words: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        ends = word.endswith(";")
        parts[-1] += [word.removesuffix(";")] if word != ";" else []
        if ends:
            parts.append([])
    return parts


def _command(words: list[str]) -> Command:
    if ">" in words:
        place = words.index(">")
        return Command(tuple(words[:place]), words[place + 1])
    return Command(tuple(words))
