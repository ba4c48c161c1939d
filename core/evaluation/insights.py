"""The insights of a run: what its curves show, with the steps and the pairs.

Insights never stop a run. They are computed from events and rows of the ledger alone, so that a live run, a finished
one and the command line show the same ones.
"""

from __future__ import annotations

from core.domain.insight import Insight
from core.evaluation.insight_rules import answers, data, kl, probes, training
from core.evaluation.insight_rules.registry import RULES
from core.evaluation.run_so_far import RunSoFar

__all__ = ["RULE_MODULES", "Insight", "RunSoFar", "find_insights"]

RULE_MODULES = (training, probes, data, kl, answers)
"""The modules whose rules are known, because this module imports them."""
_ORDER = {"error": 0, "warning": 1, "info": 2}


def find_insights(run: RunSoFar) -> list[Insight]:
    """Return the insights of all rules that apply to the run: by severity, then by step."""
    found = [insight for rule in RULES if (insight := rule(run)) is not None]
    return sorted(found, key=lambda i: (_ORDER[i.severity], i.since_step, i.code))
