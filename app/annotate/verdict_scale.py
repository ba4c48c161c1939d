"""The points of the verdict scale: which action chooses each of them, and which a rubric offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerdictPoint:
    """One point of the scale; ``strength`` is negative when the left answer is better."""

    action_id: str
    strength: int
    label: str


VERDICT_POINTS: tuple[VerdictPoint, ...] = (
    VerdictPoint("annotate.left3", -3, "Left much better"),
    VerdictPoint("annotate.left2", -2, "Left better"),
    VerdictPoint("annotate.left1", -1, "Left slightly better"),
    VerdictPoint("annotate.tie", 0, "Tie"),
    VerdictPoint("annotate.right1", 1, "Right slightly better"),
    VerdictPoint("annotate.right2", 2, "Right better"),
    VerdictPoint("annotate.right3", 3, "Right much better"),
)
"""From left to right. The action ids name side and strength; the keys 1 to 7 stand in the catalog of actions."""
SCALE_STRENGTHS: dict[int, tuple[int, ...]] = {3: (-2, 0, 2), 5: (-3, -2, 0, 2, 3), 7: (-3, -2, -1, 0, 1, 2, 3)}
"""Points of a rubric's scale -> the strengths it offers. The key of a strength is the same on every scale."""
