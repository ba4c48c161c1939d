"""Counting what looks wrong in the texts of a file, with the lines where it stands first."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.counting import counted
from core.domain.text_flags import FLAG_KEYS, FLAG_WORDS, TextFlag, flag_keys, flag_named

_LINES = 5
_CUT = " --cut-prompt cuts it off."


@dataclass(frozen=True, slots=True)
class FlagCount:
    """How many pairs of a file carry a text flag, and the first lines with one."""

    key: str
    count: int
    lines: tuple[int, ...]

    def sentence(self) -> str:
        """Return the finding for people.

        >>> FlagCount("mojibake", 2, (3, 9)).sentence()
        'In 2 pairs a text was decoded with the wrong encoding (lines 3, 9). They are stored as they are and flagged.'
        """
        flag = flag_named(self.key)
        pairs = counted(self.count, "pair")
        lines = f"line{'' if len(self.lines) == 1 else 's'} {', '.join(map(str, self.lines))}"
        more = ", ..." if self.count > len(self.lines) else ""
        what = "It is stored as it is and flagged." if self.count == 1 else "They are stored as they are and flagged."
        cut = _CUT if flag is TextFlag.REPEATS_PROMPT else ""
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

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each flag that was found."""
        return tuple(entry.sentence() for entry in self.found())
