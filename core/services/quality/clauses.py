"""What the labels under a rubric version say of its clauses: never used, or read in different ways."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.counting import counted
from core.domain.quality import TENTATIVE, Agreement
from core.domain.rubric import Criterion
from core.domain.rubric_lint import LintFinding
from core.services.quality.agreement_by_group import by_criterion
from core.services.quality.label_columns import LabelColumns

LEAST_LABELS = 20
"""Labels of a version before a clause that nobody answers is told."""
LEAST_ITEMS = 10
"""Items with two answers before the agreement of a clause is told."""


def clause_findings(criteria: Sequence[Criterion], labels: LabelColumns) -> list[LintFinding]:
    """Return what the labels of one version show of its clauses, in the order of the rubric.

    Args:
        criteria: of the version.
        labels: its labels that count.
    """
    answered = labels.answers_of()
    agreement = by_criterion(labels)
    found = []
    for clause in criteria:
        if labels.size >= LEAST_LABELS and clause.id not in answered:
            message = (
                f"Nobody answered {clause.name} in {counted(labels.size, 'label')}. Take it out, or ask reviewers why."
            )
            found.append(LintFinding("never_cited", "warning", clause.id, message))
        if clause.id in agreement and (finding := _low(clause, agreement[clause.id])) is not None:
            found.append(finding)
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
