"""What the labels under a rubric version say of its clauses: never used, or read in different ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.domain.counting import counted
from core.domain.quality import Agreement
from core.domain.rubric import Criterion
from core.domain.rubric_lint import LintFinding
from core.evaluation.measures.agreement import TENTATIVE
from core.services.quality.agreement_by_group import by_criterion
from core.store.plain import read_json
from core.store.quality_labels import QualityLabel

LEAST_LABELS = 20
"""Labels of a version before a clause that nobody answers is told."""
LEAST_ITEMS = 10
"""Items with two answers before the agreement of a clause is told."""


def clause_findings(criteria: Sequence[Criterion], labels: Sequence[QualityLabel]) -> list[LintFinding]:
    """Return what the labels of one version show of its clauses, in the order of the rubric.

    Args:
        criteria: of the version.
        labels: its labels that count.
    """
    answered = _answered(labels)
    agreement = by_criterion(labels)
    found = []
    for clause in criteria:
        if len(labels) >= LEAST_LABELS and not answered.get(clause.id):
            message = (
                f"Nobody answered {clause.name} in {counted(len(labels), 'label')}. Take it out, or ask reviewers why."
            )
            found.append(LintFinding("never_cited", "warning", clause.id, message))
        if clause.id in agreement and (finding := _low(clause, agreement[clause.id])) is not None:
            found.append(finding)
    return found


def _answered(labels: Iterable[QualityLabel]) -> dict[str, int]:
    found: dict[str, int] = {}
    for label in labels:
        for name in read_json(label.criteria):
            found[name] = found.get(name, 0) + 1
    return found


def _low(clause: Criterion, agreement: Agreement) -> LintFinding | None:
    alpha = agreement.measures["alpha_ordinal"]
    if agreement.items < LEAST_ITEMS or not alpha.value < TENTATIVE:
        return None
    between = f", 95 % {alpha.low:.2f} to {alpha.high:.2f}" if alpha.has_interval else ""
    message = (
        f"Reviewers read {clause.name} in different ways: alpha {alpha.value:.2f}{between}, "
        f"{counted(agreement.items, 'item')}, below {TENTATIVE}. "
        "Look at the pairs on which they differ and say it more exactly."
    )
    return LintFinding("low_agreement", "warning", clause.id, message)
