"""Rules over the curves of a run that say in words what a trained eye would see, with the step and the pairs.

None of them stops a run. They read events only, so that the same banner can be made of a live run, a
finished one and the command line.
"""

from __future__ import annotations

from core.domain.insight import Insight
from core.evaluation.insight_rules import RULES
from core.evaluation.run_so_far import RunSoFar

__all__ = ["Insight", "RunSoFar", "find_insights"]

_ORDER = {"error": 0, "warning": 1, "info": 2}


def find_insights(run: RunSoFar) -> list[Insight]:
    """Return everything worth saying about the run, the worst first, then the oldest."""
    found = [insight for rule in RULES if (insight := rule(run)) is not None]
    return sorted(found, key=lambda i: (_ORDER[i.severity], i.since_step, i.code))
