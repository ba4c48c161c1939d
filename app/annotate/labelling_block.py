"""How long somebody has labelled without a break, to suggest one; it never stops anybody. No widgets, no clock."""

from __future__ import annotations

USUAL_MINUTES = 25
"""After how long a break is suggested, unless the settings say otherwise."""
BREAK_S = 300.0
"""Seconds without a label that count as a break."""


class LabellingBlock:
    """Takes the time of each stored label."""

    def __init__(self) -> None:
        self._reviewer_id: int | None = None
        self._began_s = self._last_s = 0.0

    def is_break_due(self, reviewer_id: int | None, now_s: float, minutes: int) -> bool:
        """Note a label and return whether a break is to be suggested; it is again after as many minutes more.

        Args:
            reviewer_id: who labels; with another one a block begins.
            now_s: time of the label, in monotonic seconds.
            minutes: length of a block; 0 suggests none.

        >>> block = LabellingBlock()
        >>> [block.is_break_due(1, 60 * minute, 25) for minute in (0, 4, 8, 12, 16, 20, 24, 25, 29, 100)]
        [False, False, False, False, False, False, False, True, False, False]
        """
        if reviewer_id != self._reviewer_id or now_s - self._last_s >= BREAK_S:
            self._reviewer_id, self._began_s = reviewer_id, now_s
        self._last_s = now_s
        if not minutes or now_s - self._began_s < 60 * minutes:
            return False
        self._began_s = now_s
        return True
