"""What a lead should look at: findings that the numbers of a report bear out, each with its pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.quality import TENTATIVE, QualityReport, ReviewerQuality
from core.domain.team import PASS_MARK, ClauseBoard, TeamFinding
from core.evaluation.measures.multiplicity import adjusted
from core.evaluation.measures.side_bias import exact_p
from core.services.quality.clauses import LEAST_ITEMS
from core.services.quality.coverage import empty_cells

ALARM_P = 0.05
_MOST_EMPTY = 5
FAST_SHARE = 0.1
"""Share of labels faster than reading from which it is told; it is a hint and changes nothing."""


def looks_of(report: QualityReport, boards: Sequence[ClauseBoard]) -> tuple[TeamFinding, ...]:
    """Return the findings: reviewers, then clauses, then conflicts.

    A side is told where its exact p, adjusted by Holm for the number of reviewers, is below ``ALARM_P``; a number with
    an interval where the interval lies beyond its limit; a clause where its alpha is below the limit and at least
    ``LEAST_ITEMS`` pairs have two labels.
    """
    found = [*_sides(report.reviewers)]
    for one in report.reviewers:
        found += _of_reviewer(one)
    for board in boards:
        found += _clauses(board)
    if report.disagreed:
        total = len(report.disagreed)
        words = f"Reviewers name different sides on {counted(total, 'pair')}."
        found.append(TeamFinding("conflicts", words, report.disagreed[-500:][::-1], total))
    return tuple(found)


def _sides(reviewers: Sequence[ReviewerQuality]) -> Iterator[TeamFinding]:
    measured = {one.name: one for one in reviewers if "left" in one.measures}
    p = adjusted({name: exact_p(one.measures["left"]) for name, one in measured.items()})
    for name, one in measured.items():
        left = one.measures["left"]
        if p[name] < ALARM_P and left.has_interval:
            tested = "Holm" if len(p) > 1 else "exact"
            words = f"{name} picks the left answer in {_percent(left)} of {left.n:,}, p {_p(p[name])} ({tested})."
            yield TeamFinding("side", words, one.pairs.get("left", ()), round(left.value * left.n))


def _of_reviewer(one: ReviewerQuality) -> Iterator[TeamFinding]:
    gold, drift = one.measures.get("gold"), one.measures.get("drift")
    if gold is not None and gold.has_interval and gold.high < PASS_MARK:
        of = counted(gold.n, "gold item")
        words = f"{one.name} answers {_percent(gold)} of {of} right, below {100 * PASS_MARK:.0f} %."
        yield TeamFinding("gold", words, one.pairs.get("gold", ()), round((1 - gold.value) * gold.n))
    if drift is not None and drift.has_interval and drift.high < 0:
        words = (
            f"{one.name} gets worse on gold items: log-odds {_plain(drift)} from the first to the last of {drift.n:,}."
        )
        yield TeamFinding("drift", words, one.pairs.get("gold", ()), len(one.pairs.get("gold", ())))
    for key, what in (("length", "longer"), ("format", "more formatted")):
        pull = one.measures.get(key)
        if pull is not None and pull.has_interval and (pull.low > 0 or pull.high < 0):
            way = "towards" if pull.value > 0 else "away from"
            words = f"{one.name} is drawn {way} the {what} answer: log-odds {_plain(pull)} for one sd, n {pull.n:,}."
            yield TeamFinding("length", words, (), pull.n)
    fast = one.measures.get("fast")
    if fast is not None and fast.value >= FAST_SHARE:
        of = counted(fast.n, "pair")
        words = f"{one.name} labels {_percent(fast)} of {of} faster than the answers can be read (a hint)."
        yield TeamFinding("fast", words, one.pairs.get("fast", ()), round(fast.value * fast.n))


def _clauses(board: ClauseBoard) -> Iterator[TeamFinding]:
    for clause, source in empty_cells(board.coverage.table)[:_MOST_EMPTY]:
        words = f"{board.rubric} {board.versions[-1]}: no label of {source} answers {clause}."
        yield TeamFinding("coverage", words, (), 0)
    for row in board.rows:
        now = row.under(board.versions[-1])
        if now is None or now.agreement.items < LEAST_ITEMS:
            continue
        alpha = now.agreement.measures["alpha_ordinal"]
        if alpha.value < TENTATIVE:
            words = f"{board.rubric}: {row.name} has alpha {_plain(alpha)}, n {alpha.n:,}, below {TENTATIVE}."
            yield TeamFinding("clause", words, now.splits, len(now.splits))


def _percent(found: Estimate) -> str:
    ends = f" ({100 * found.low:.0f}–{100 * found.high:.0f})" if found.has_interval else ""
    return f"{100 * found.value:.0f} %{ends}"


def _plain(found: Estimate) -> str:
    ends = f" ({found.low:.2f} to {found.high:.2f})" if found.has_interval else ""
    return f"{found.value:.2f}{ends}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
