"""What the plots over the steps of a run can have along x, one row each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class XAxis:
    """One choice: its name in commands, its label in a list, the title of the axis with its unit, and a short one.

    ``whole`` allows ticks at integers only.
    """

    name: str
    label: str
    title: str
    brief: str
    whole: bool = True

    def words(self, place: float) -> str:
        """Return a place on the axis with its unit.

        >>> BY_NAME["pairs"].words(1204.0), BY_NAME["minutes"].words(2.5)
        ('1,204 pairs seen', '2.50 min')
        """
        return f"{place:,.0f} {self.brief}" if self.whole else f"{place:,.2f} min"


X_AXES: tuple[XAxis, ...] = (
    XAxis("step", "Step", "optimizer step", "step"),
    XAxis("pairs", "Pairs seen", "pairs seen", "pairs seen"),
    XAxis("tokens", "Tokens seen", "response tokens seen", "tokens seen"),
    XAxis("minutes", "Wall time", "minutes of training, without pauses", "minutes", whole=False),
)
"""The choices; the first one is that of every run, the others are counted up from what each step recorded."""
BY_NAME: dict[str, XAxis] = {axis.name: axis for axis in X_AXES}
STEP = X_AXES[0].name
