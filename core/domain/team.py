"""What a lead sees of the work of a team: agreement by clause, drift on gold items, and what needs a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.domain.counting import counted
from core.domain.dataset_view import Coverage
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.quality import Agreement, QualityReport

PASS_MARK = 0.8
"""Share of gold items that a reviewer should answer right."""
GOLD_WINDOW = 15
"""Gold items that a point of the drift looks back at."""
FindingKind = Literal["side", "gold", "drift", "length", "fast", "clause", "coverage", "conflicts"]


@dataclass(frozen=True, slots=True)
class ClauseVersion:
    """The agreement on one clause under one rubric version.

    Attributes:
        number: of the version, such as 2.0.0.
        pairs: those with two labels or more, newest first, at most a few hundred. splits: those among them on which
            reviewers name different sides.
    """

    number: str
    agreement: Agreement
    pairs: tuple[int, ...] = ()
    splits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """One clause of a rubric, or the verdict as a whole.

    Attributes:
        key: id of the criterion; "" for the verdict.
        note: what the newest version changed in it; "" for nothing.
        versions: in the order of the board; a version without an answer is missing.
    """

    key: str
    name: str
    note: str
    versions: tuple[ClauseVersion, ...]

    def under(self, number: str) -> ClauseVersion | None:
        """Return the agreement under a version, None where there is none."""
        return next((one for one in self.versions if one.number == number), None)


@dataclass(frozen=True, slots=True)
class LabelCoverage:
    """How many pairs have an answer to each clause, by source.

    Attributes:
        pairs: (clause, source) -> the newest of these pairs; "" as the source stands for all.
    """

    table: Coverage
    pairs: Mapping[tuple[str, str], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ClauseBoard:
    """The agreement on the clauses of a rubric under its last two labelled versions, the older first.

    ``coverage`` is of the newest of them; ``rubric_id`` is that of the rubric.
    """

    rubric: str
    versions: tuple[str, ...]
    rows: tuple[ClauseRow, ...]
    coverage: LabelCoverage
    rubric_id: int = 0


@dataclass(frozen=True, slots=True)
class DriftPoint:
    """The share of right answers among the last gold items of one reviewer at one time (UTC, milliseconds).

    ``pairs`` are those answered wrong.
    """

    at_ms: int
    share: Estimate
    pairs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DriftChange:
    """Where the share of right answers of a line changed most.

    Attributes:
        at_ms: of the first answer after it (UTC). before, after: the shares. p: of no change, over all points.
        pairs: answered wrong after it, newest first.
    """

    at_ms: int
    before: Estimate
    after: Estimate
    p: float
    pairs: tuple[int, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"at_ms": self.at_ms, "before": plain(self.before), "after": plain(self.after), "p": self.p}


@dataclass(frozen=True, slots=True)
class DriftLine:
    """The gold items of one reviewer under one major version: a changed meaning starts a new line."""

    reviewer_id: int
    name: str
    version: str
    points: tuple[DriftPoint, ...]
    change: DriftChange | None = None


@dataclass(frozen=True, slots=True)
class RubricBreak:
    """A major version was published (UTC, milliseconds)."""

    at_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class TeamTrend:
    """Whether all reviewers together get better or worse on gold items, by Page's test.

    Attributes:
        rho: mean rank correlation of the share of right answers and the period, n reviewers; below 0 they get worse.
        p: two-sided, exact, of no trend. periods: parts of equal size that each reviewer's answers were cut into.
        gold: answers to gold items in all.
    """

    rho: Estimate
    p: float
    periods: int
    gold: int

    def words(self) -> str:
        """Return its numbers in a line."""
        ends = f" [{self.rho.low:.2f}, {self.rho.high:.2f}]" if self.rho.has_interval else ""
        p = "p < 0.001" if self.p < 0.001 else f"p {self.p:.3f}"
        return (
            f"mean rank correlation with time {self.rho.value:.2f}{ends}, n {self.rho.n:,}, {p} (Page's test, exact), "
            f"{counted(self.gold, 'answer')} in {self.periods} periods"
        )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {**plain(self.rho), "p": self.p, "periods": self.periods, "gold": self.gold}


@dataclass(frozen=True, slots=True)
class Drift:
    """How the answers to gold items change with time; ``trend`` needs two reviewers with enough of them."""

    lines: tuple[DriftLine, ...] = ()
    breaks: tuple[RubricBreak, ...] = ()
    trend: TeamTrend | None = None


@dataclass(frozen=True, slots=True)
class TeamFinding:
    """Something that a lead should look at.

    Attributes:
        kind: of what. words: a sentence with its numbers.
        pairs: that show it, newest first. total: how many there are.
    """

    kind: FindingKind
    words: str
    pairs: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class TeamReport:
    """All that the lead's page shows of labels.

    Attributes:
        mark: of the data that it was computed from; equal marks mean equal reports.
    """

    mark: tuple[int, int]
    quality: QualityReport
    boards: tuple[ClauseBoard, ...]
    drift: Drift
    looks: tuple[TeamFinding, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return boards, drift and looks as plain values for JSON."""
        return {
            "clauses": {
                board.rubric: {
                    row.name: {one.number: one.agreement.to_plain() for one in row.versions} for row in board.rows
                }
                for board in self.boards
            },
            "coverage": {
                board.rubric: {
                    clause: {
                        source: board.coverage.table.cells.get((key, place), 0)
                        for place, source in board.coverage.table.slices
                    }
                    for key, clause in board.coverage.table.clauses
                }
                for board in self.boards
            },
            "drift": [
                {
                    "reviewer": line.name,
                    "version": line.version,
                    "points": [{"at_ms": one.at_ms, "right": plain(one.share)} for one in line.points],
                    "change": None if line.change is None else line.change.to_plain(),
                }
                for line in self.drift.lines
            ],
            "drift_of_all": None if self.drift.trend is None else self.drift.trend.to_plain(),
            "needs_a_look": [
                {"kind": one.kind, "words": one.words, "total": one.total, "pairs": list(one.pairs)}
                for one in self.looks
            ],
        }
