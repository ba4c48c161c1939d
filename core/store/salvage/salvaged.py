"""What became of the rows of a damaged file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from core.store.salvage.reader import Row

_LISTED = 1000


@dataclass(slots=True)
class Salvaged:
    """What became of the rows.

    Attributes:
        read: table -> rows that are in the new workspace. lost: table -> rows that are not.
        losses: sentences that name what was lost or stands in for it; at most a thousand.
        left: judgements that could not be stored, as they were read.
    """

    read: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)

    def lose(self, table: str, sentence: str, row: Row | None = None) -> None:
        """Count one row as lost and say which."""
        self.lost[table] += 1
        self.tell(sentence)
        if table == "judgement" and row is not None:
            self.left.append(row)

    def tell(self, sentence: str) -> None:
        """Add a sentence to the report."""
        if len(self.losses) < _LISTED:
            self.losses.append(sentence)
