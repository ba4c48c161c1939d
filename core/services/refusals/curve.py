"""How the detector's error rates came to be while people labelled: a point every few labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.domain.audit import AuditDraw, AuditLabel, all_answers, by_place, kinds_of
from core.services.refusals.views import CurvePoint

if TYPE_CHECKING:
    from core.evaluation.measures.stratified_audit import Stratum

POINTS = 24
"""Points of a curve at most."""
_DRAWS = 400
"""Behind each interval; a band needs no more."""


def curve_of(draws: Sequence[AuditDraw], labels: Sequence[AuditLabel]) -> tuple[CurvePoint, ...]:
    """Return the rates over all arms of the sample, after ever more labels; nothing before the first label.

    Args:
        draws: every sample of the evaluation.
        labels: those that count, oldest first.
    """
    from core.evaluation.measures.stratified_audit import detector_rates  # numpy, which the window loads later

    if not draws or not labels:
        return ()
    steps = sorted({-(-len(labels) * place // POINTS) for place in range(1, POINTS + 1)})
    found: dict[int, CurvePoint] = {}
    for step in steps:
        strata = _strata(draws, labels[:step])
        rates = detector_rates(strata, draws=_DRAWS)
        labelled = round(sum(stratum.labelled for stratum in strata))
        found[labelled] = CurvePoint(labelled, rates.fpr, rates.fnr)
    return tuple(found[labelled] for labelled in sorted(found))


def _strata(draws: Sequence[AuditDraw], labels: Sequence[AuditLabel]) -> list[Stratum]:
    """Return the strata of all arms; the suites of different arms are kept apart."""
    from core.evaluation.measures.stratified_audit import Stratum, middle_kind  # numpy, which the window loads later

    said = by_place(labels)
    sums: dict[tuple[str, str, str, str], list[float]] = {}
    for answer in all_answers(draws):
        if kinds := kinds_of(said.get(answer.place, ())):
            own = sums.setdefault((answer.arm, answer.suite, answer.expected, answer.verdict), [0.0, 0.0, 0.0])
            for at, share in enumerate(middle_kind(kinds)):
                own[at] += share
    found = []
    for s in draws[-1].strata:
        complied, partly, refused = sums.get((s.arm, s.suite, s.expected, s.verdict), (0.0, 0.0, 0.0))
        found.append(Stratum(f"{s.arm}\n{s.suite}", s.expected, s.verdict, s.size, (complied, partly, refused)))
    return found
