"""Back and forward between places, as in a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Visit = tuple[str, tuple[tuple[str, Any], ...]]
LIMIT = 50


@dataclass(slots=True)
class History:
    """Visits in order, and the current one."""

    _visits: list[Visit] = field(default_factory=list)
    _at: int = -1

    def visit(self, place: str, what: dict[str, Any]) -> None:
        """Append a visit and drop those ahead of the current one; the same visit twice is one."""
        entry = (place, tuple(sorted(what.items(), key=lambda item: item[0])))
        if self._visits and self._visits[self._at] == entry:
            return
        del self._visits[self._at + 1 :]
        self._visits.append(entry)
        del self._visits[:-LIMIT]
        self._at = len(self._visits) - 1

    def can(self, step: int) -> bool:
        """Whether there is a visit one back (-1) or forward (+1)."""
        return 0 <= self._at + step < len(self._visits)

    def go(self, step: int) -> tuple[str, dict[str, Any]] | None:
        """Move and return the place and its keywords, or None at the end."""
        if not self.can(step):
            return None
        self._at += step
        place, what = self._visits[self._at]
        return place, dict(what)

    def clear(self) -> None:
        """Remove all visits."""
        self._visits.clear()
        self._at = -1
