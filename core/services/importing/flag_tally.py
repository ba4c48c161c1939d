"""Counting what looks wrong in the texts of a file, with the lines where it stands first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.counting import counted
from core.domain.text_flags import FLAG_KEYS, FLAG_WORDS, TextFlag, flag_keys, flag_named
from core.services.importing.reading import FlagAction

_LINES = 5
_DONE: Mapping[FlagAction, tuple[str, str]] = {
    "keep": ("It is stored as it is and flagged.", "They are stored as they are and flagged."),
    "leave_out": ("It is left out.", "They are left out."),
    "reject": ("Its row is rejected.", "Their rows are rejected."),
}
_CUT = " --cut-prompt cuts it off."


@dataclass(frozen=True, slots=True)
class FlagCount:
    """How many pairs of a file carry a text flag, and the first lines with one."""

    key: str
    count: int
    lines: tuple[int, ...]

    def sentence(self, action: FlagAction = "keep") -> str:
        """Return the finding for people, with what is done.

        >>> FlagCount("mojibake", 2, (3, 9)).sentence()
        'In 2 pairs a text was decoded with the wrong encoding (lines 3, 9). They are stored as they are and flagged.'
        """
        flag = flag_named(self.key)
        pairs = counted(self.count, "pair")
        lines = f"line{'' if len(self.lines) == 1 else 's'} {', '.join(map(str, self.lines))}"
        more = ", ..." if self.count > len(self.lines) else ""
        what = _DONE[action][self.count != 1]
        cut = _CUT if flag is TextFlag.REPEATS_PROMPT and action == "keep" else ""
        return f"In {pairs} {FLAG_WORDS[flag]} ({lines}{more}). {what}{cut}"


class FlagTally:
    """Counts the flags of the pairs of one file."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lines: dict[str, list[int]] = {}

    def add(self, line: int, flags: int) -> None:
        """Count a pair that has flags; ``line`` is where it stands."""
        for key in flag_keys(flags):
            self._counts[key] = self._counts.get(key, 0) + 1
            lines = self._lines.setdefault(key, [])
            if len(lines) < _LINES and line not in lines:
                lines.append(line)

    def found(self) -> tuple[FlagCount, ...]:
        """Return the flags that were found."""
        return tuple(
            FlagCount(key, self._counts[key], tuple(self._lines[key])) for key in FLAG_KEYS if key in self._counts
        )

    def sentences(self, actions: Mapping[str, FlagAction] | None = None) -> tuple[str, ...]:
        """Return one sentence for each flag that was found; ``actions``: flag -> what is done, if more than kept."""
        done = actions or {}
        return tuple(entry.sentence(done.get(entry.key, "keep")) for entry in self.found())
