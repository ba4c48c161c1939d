"""How a number changed from one cycle to the next, and what of it is due to what."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.domain.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Bought:
    """How a number changed from one evaluation to the other, and what of it is due to what.

    Attributes:
        before, after: as reported, each on all its items.
        same_items: after minus before on the items that both hold, by the detector of today; None without such items.
        p, p_holm: two-sided p of no difference; the other adjusted for all primary metrics of the comparison.
        reference: the same difference of the reference: it is 0 unless the measurement changed.
        by_detector: what another detector did on the same answers; None where it says the same.
        by_items: what other items did; None where the items are the same.
    """

    old_suite: str
    suite: str
    metric: str
    before: Estimate
    after: Estimate
    same_items: Estimate | None
    p: float = math.nan
    p_holm: float = math.nan
    reference: Estimate | None = None
    by_detector: Estimate | None = None
    by_items: Estimate | None = None
    is_primary: bool = False

    @property
    def reported(self) -> float:
        """After minus before, each on its own items."""
        return self.after.value - self.before.value
