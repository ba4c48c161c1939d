"""The team's work as rows of charts and tables: what is shown of each reviewer, clause and gold item. No widgets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.interval_chart import IntervalRow
from core.domain.batch import SlotCounts
from core.domain.counting import counted, number
from core.domain.estimate import Estimate
from core.domain.number_text import MINUS, format_value, interval_text
from core.domain.quality import FIRM, REVIEWER_MEASURES, TENTATIVE, Agreement, QualityReport, ReviewerQuality
from core.domain.team import PASS_MARK, ClauseBoard, ClauseVersion

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.workspace.service import Account, Accounting

REVIEWER_HEADS = ("Reviewer", "Number", "Value [95 %]", "n", "Estimator")
CLAUSE_HEADS = ("Clause", "Version", "Value [95 %]", "Pairs", "Split % [95 %]", "Reading", "Estimator")
DRIFT_HEADS = ("Reviewer", "Under", "Until", "Right % [95 %]", "n")
PAIR_HEADS = ("Reviewers", "Value [95 %], n")
ACCOUNT_HEADS = ("Reviewer", "Rubric version", "Pairs", "Labelled", "Skipped", "Open")
COEFFICIENTS: tuple[tuple[str, str], ...] = (
    ("alpha_ordinal", "Krippendorff α, ordinal"),
    ("alpha_nominal", "Krippendorff α, nominal"),
    ("kappa", "Fleiss κ"),
    ("ac2", "Gwet AC2, ordinal"),
    ("percent", "Equal verdicts"),
)
"""Keys of ``AGREEMENT_MEASURES`` with the words of the choice; the first is shown at first."""
_FAINT_SIDE = 0.5


@dataclass(frozen=True, slots=True)
class PairsPlace:
    """What a number opens: these pairs, or all of a reviewer's.

    Attributes:
        title: names the list.
    """

    title: str
    pair_ids: tuple[int, ...] = ()
    reviewer_id: int | None = None


@dataclass(frozen=True, slots=True)
class IntervalMark:
    """A number with its interval, as it is drawn; NaN where there is none.

    Attributes:
        head, foot: what is written beside it, in one or two lines. alarm: it is beyond its limit.
    """

    value: float
    low: float
    high: float
    head: str
    foot: str
    words: str
    place: PairsPlace | None = None
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class ReviewerLine:
    """What the chart shows of one reviewer; ``marks`` by key of ``REVIEWER_MEASURES``."""

    name: str
    note: str
    everything: PairsPlace
    counts: tuple[int, int, int]
    progress: str
    share: str
    pace: str
    left: str
    hint: str
    hint_place: PairsPlace | None
    marks: dict[str, IntervalMark]


def reviewer_lines(
    report: QualityReport,
    accounting: Accounting,
    current: str = "",
    slots: Mapping[str, SlotCounts] | None = None,
) -> list[ReviewerLine]:
    """Return a line for each reviewer with a label, or with a slot of the batch.

    Args:
        report: the figures.
        accounting: of all labels.
        current: who sits at this desk.
        slots: name -> slots of a batch, whose progress is then told, and only of those who have any; None for all
            labels.
    """
    accounts = {one.reviewer: one for one in accounting.reviewers}  # the last is under the newest version
    progress: Mapping[str, Account | SlotCounts] = accounts if slots is None else slots
    noun, alarms = "pair" if slots is None else "slot", _left_alarms(report.reviewers)
    known = {one.name for one in report.reviewers}
    waiting = [ReviewerQuality(0, name, "human", 0, 0.0, {}, {}) for name in slots or () if name and name not in known]
    return [
        _line(one, progress.get(one.name), current, noun, alarm=one.name in alarms)
        for one in (*report.reviewers, *waiting)
        if (one.labels if slots is None else one.name in slots)
    ]


def _left_alarms(reviewers: Sequence[ReviewerQuality]) -> set[str]:
    found = set()
    for one in reviewers:
        left = one.measures.get("left")
        if left is not None and left.has_interval and not left.low <= _FAINT_SIDE <= left.high:
            found.add(one.name)
    return found


def _line(
    one: ReviewerQuality, account: Account | SlotCounts | None, current: str, noun: str, *, alarm: bool
) -> ReviewerLine:
    skipped, open_ = (account.skipped, account.open) if account is not None else (0, 0)
    labelled = account.labelled if account is not None else one.labels
    seconds, fast = one.measures.get("seconds"), one.measures.get("fast")
    fast_count = round(fast.value * fast.n) if fast is not None else 0
    everything = PairsPlace(f"Labelled by {one.name}", reviewer_id=one.reviewer_id or None)
    whole = "all labels" if noun == "pair" else "its labels"
    parts = f"{number(labelled)} labelled + {number(skipped)} skipped + {number(open_)} open"
    share = f"= {counted(labelled + skipped + open_, noun)} · {100 * one.share:.0f} % of {whole}"
    return ReviewerLine(
        one.name,
        "this desk" if one.name == current else "" if one.kind == "human" else one.kind,
        everything,
        (labelled, skipped, open_),
        parts,
        share,
        f"{seconds.value:.0f} s a pair" if seconds is not None else "–",
        _time_left(seconds.value * open_) if seconds is not None and open_ else "",
        f"{number(fast_count)} faster than reading" if fast_count else "",
        PairsPlace(f"{one.name}: faster than reading (a hint)", one.pairs.get("fast", ())) if fast_count else None,
        {key: _mark(one, key, found, alarm=alarm) for key, found in one.measures.items()},
    )


def _time_left(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min left" if hours else f"{minutes} min left"


def _mark(one: ReviewerQuality, key: str, found: Estimate, *, alarm: bool) -> IntervalMark:
    pairs = one.pairs.get(key, ())
    title = f"{one.name}: {REVIEWER_MEASURES[key].lower()}"
    if key in ("gold", "retest_same", "retest_swapped"):
        title += ", not alike" if key != "gold" else ", wrong"
    slash = "/" if key.startswith("retest") else " / "
    hits = f"{number(round(found.value * found.n))}{slash}{number(found.n)}" if math.isfinite(found.value) else ""
    heads = {"gold": _short(found.value), "left": f"{100 * found.value:.0f} %", "ties": f"{100 * found.value:.1f} %",
             "changed": f"{100 * found.value:.0f} %", "skill": _short(found.value),
             "length": _log_odds(found.value)}  # fmt: skip
    above = key == "left" and alarm
    below = key == "gold" and found.has_interval and found.high < PASS_MARK
    drawn = key == "length" and found.has_interval and not found.low <= 0 <= found.high
    return IntervalMark(
        found.value,
        found.low if found.has_interval else math.nan,
        found.high if found.has_interval else math.nan,
        heads.get(key, hits) if math.isfinite(found.value) else "–",
        hits if key in ("gold", "left") else "",
        f"{title}: {value_words(found)}, n {number(found.n)}; {found.estimator}",
        PairsPlace(title, pairs) if pairs else None,
        above or below or drawn,
    )


def _log_odds(value: float) -> str:
    return f"{value:+.2f}".replace("-", MINUS)


def _short(value: float) -> str:
    """Return a share with two decimals and no leading zero: ``.80``, ``1``."""
    text = f"{value:.2f}".replace("-", MINUS)
    return "1" if text == "1.00" else text.replace("0.", ".", 1)


def value_words(found: Estimate) -> str:
    """Return value, interval and unit; shares with two decimals."""
    if not math.isfinite(found.value):
        return "not known"
    digits = 3 if found.unit else 2
    value = format_value(found.value, digits) if found.unit else _short(found.value)
    ends = interval_text(found, digits) if found.unit else _ends(found)
    return " ".join(part for part in (value, ends or f"({found.why_no_interval})", found.unit) if part)


def _ends(found: Estimate) -> str:
    return f"[{_short(found.low)}, {_short(found.high)}]" if found.has_interval else ""


def reviewer_rows(report: QualityReport) -> list[TableRow]:
    """Return every number of every reviewer."""
    return [
        TableRow((one.name, REVIEWER_MEASURES[key], value_words(found), number(found.n), found.estimator))
        for one in report.reviewers
        for key, found in one.measures.items()
    ]


def reviewer_places(report: QualityReport) -> list[PairsPlace]:
    """Return what each row of :func:`reviewer_rows` opens."""
    found = []
    for one in report.reviewers:
        for key in one.measures:
            title = f"{one.name}: {REVIEWER_MEASURES[key].lower()}"
            pairs = one.pairs.get(key, ())
            found.append(PairsPlace(title, pairs, None if pairs else one.reviewer_id))
    return found


# Clauses


@dataclass(frozen=True, slots=True)
class ClauseLine:
    """One clause in the chart: the newest version, and the one before where it was labelled."""

    name: str
    note: str
    now: IntervalMark
    before: IntervalMark | None
    pairs: str
    pairs_place: PairsPlace
    split: str
    split_place: PairsPlace
    reading: str
    tone: str


def clause_lines(board: ClauseBoard, coefficient: str) -> list[ClauseLine]:
    """Return a line for each clause that was answered under the newest version."""
    newest, older = board.versions[-1], board.versions[-2] if len(board.versions) > 1 else ""
    lines = []
    for row in board.rows:
        now, before = row.under(newest), row.under(older)
        if now is not None:
            title = f"{row.name}, {board.rubric} {newest}"
            split = now.agreement.split
            reading, tone = reading_of(now.agreement, coefficient)
            lines.append(
                ClauseLine(
                    row.name,
                    row.note,
                    _clause_mark(row.name, now, coefficient),
                    _clause_mark(row.name, before, coefficient) if before is not None else None,
                    number(now.agreement.items),
                    PairsPlace(f"{title}: pairs with two labels", now.pairs),
                    f"{100 * split.value:.0f} %" if math.isfinite(split.value) else "–",
                    PairsPlace(f"{title}: different sides", now.splits),
                    reading,
                    tone,
                )
            )
    return lines


def reading_of(agreement: Agreement, coefficient: str) -> tuple[str, str]:
    """Return what a coefficient allows, and the token of its colour; shares of equal verdicts have no limits."""
    value = agreement.measures[coefficient].value
    if coefficient == "percent" or not math.isfinite(value):
        return "", "text2"
    if value >= FIRM:
        return "firm", "ok"
    return ("tentative", "text2") if value >= TENTATIVE else ("low", "bad")


def _clause_mark(name: str, version: ClauseVersion, coefficient: str) -> IntervalMark:
    found = version.agreement.measures[coefficient]
    words = f"{name} under {version.number}: {value_words(found)}, n {number(found.n)}; {found.estimator}"
    place = PairsPlace(f"{name} under {version.number}", version.pairs)
    low, high = (found.low, found.high) if found.has_interval else (math.nan, math.nan)
    text = _short(found.value) if math.isfinite(found.value) else "–"
    return IntervalMark(found.value, low, high, text, version.number, words, place)


def clause_rows(board: ClauseBoard, coefficient: str) -> list[TableRow]:
    """Return a row for each clause and version."""
    rows = []
    for row in board.rows:
        for one in row.versions:
            found, split = one.agreement.measures[coefficient], one.agreement.split
            reading = reading_of(one.agreement, coefficient)[0]
            cells = (row.name, one.number, value_words(found), number(one.agreement.items), percent_words(split))
            rows.append(TableRow((*cells, reading, found.estimator)))
    return rows


def clause_places(board: ClauseBoard) -> list[PairsPlace]:
    """Return what each row of :func:`clause_rows` opens."""
    return [
        PairsPlace(f"{row.name} under {one.number}: different sides", one.splits) for row in board.rows
        for one in row.versions
    ]  # fmt: skip


def percent_words(found: Estimate) -> str:
    """Return a share in per cent with its interval."""
    if not math.isfinite(found.value):
        return "–"
    ends = f" [{100 * found.low:.0f}, {100 * found.high:.0f}]" if found.has_interval else f" ({found.why_no_interval})"
    return f"{100 * found.value:.0f}{ends}"


def pair_rows(report: QualityReport) -> list[IntervalRow]:
    """Return Cohen's kappa of each pair of reviewers."""
    rows = []
    for name, one in report.groups.get("pair", {}).items():
        kappa = one.measures["kappa"]
        low, high = (kappa.low, kappa.high) if kappa.has_interval else (math.nan, math.nan)
        text = f"{value_words(kappa)}  n {number(kappa.n)}"
        rows.append(IntervalRow(name, text, kappa.value, low, high))
    return rows


def account_rows(accounting: Accounting) -> list[TableRow]:
    """Return what became of all pairs for each reviewer and rubric version."""
    return [
        TableRow((one.reviewer, one.rubric, *map(number, (one.pairs, one.labelled, one.skipped, one.open))))
        for one in accounting.reviewers
    ]


def account_words(accounting: Accounting) -> str:
    """Return one line that adds up: all pairs, and what of imported files became of them."""
    open_ = accounting.pairs - accounting.labelled
    pairs = f"{counted(accounting.pairs, 'pair')} = {number(accounting.labelled)} labelled + {number(open_)} open"
    rows = sum(one.rows for one in accounting.imports)
    if not rows:
        return pairs
    done, twice, bad = (sum(getattr(one, key) for one in accounting.imports) for key in _IMPORTED)
    parts = f"{number(done)} imported + {number(twice)} there before + {number(bad)} rejected"
    return f"{pairs}   ·   {counted(rows, 'row')} of files = {parts}"


_IMPORTED = ("imported", "duplicates", "rejected")
