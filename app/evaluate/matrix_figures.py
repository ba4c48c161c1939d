"""The matrix of templates and languages as the page shows it: cells, rows and sentences. No widgets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.evaluate.figures import Figures, ItemsPlace, change_words, p_words, share_words
from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.interval_chart import IntervalRow
from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.evaluation_record import suite_words
from core.domain.gate_limits import GateLimits
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import MINUS
from core.domain.text_language import LANGUAGES

TRAINING, ALL = "training", ""
METRICS: Mapping[str, tuple[str, str]] = {
    "checks_passed": ("Checks", "constraints kept"),
    "answered": ("Answered", "benign requests answered"),
    "safe_refusal": ("Refused", "harmful requests refused"),
}
"""Metric -> words of its button, and what the share is of."""
MARGIN = 100 * GateLimits().template_loss
"""Points that the gate lets another template lose."""


@dataclass(frozen=True, slots=True)
class MatrixEntry:
    """One cell: two lines of text, and the change in points that colours it, NaN for a level."""

    value: str
    interval: str
    change: float
    is_gap: bool
    key: ItemsPlace
    words: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A row: its name, what its numbers are, and a cell for each column."""

    label: str
    about: str
    cells: tuple[MatrixEntry, ...]


@dataclass(frozen=True, slots=True)
class MatrixFigures:
    """One matrix of the evidence.

    Attributes:
        figures: the evidence. suite: whose. metric: of ``METRICS``. arm: the policy or the reference.
    """

    figures: Figures
    suite: str
    metric: str
    arm: str

    @property
    def _plain(self) -> Mapping[str, Any]:
        return self.figures.suites[self.suite]["matrix"][self.metric]

    @property
    def titles(self) -> Mapping[str, str]:
        """Name of each template -> its title; that of training first."""
        return self._plain["templates"]

    @property
    def arms(self) -> list[str]:
        """The arms that were asked under the templates."""
        return list(self._plain["arms"])

    @property
    def columns(self) -> list[tuple[str, str, str]]:
        """Name, code and n of each column; all languages together last."""
        requests, languages = int(self._plain["requests"]), [str(code) for code in self._plain["languages"]]
        own = [(LANGUAGES.get(code, code), code, f"n {requests:,}") for code in languages]
        return [*own, ("All", "all", f"n {requests * len(languages):,}")]

    @property
    def is_alone(self) -> bool:
        """Whether no other template was asked."""
        return len(self.titles) < 2

    def rows(self) -> list[MatrixRow]:
        """Return levels under the template of training, then changes of the others, then the reference's levels."""
        _, what = METRICS[self.metric]
        training = self.titles[TRAINING]
        found = [self._row(self.arm, TRAINING, training, f"of training, {what} %")]
        for template, title in self.titles.items():
            if template != TRAINING:
                found.append(self._row(self.arm, template, title, f"Δ to {training}, points"))
        others = [arm for arm in self.arms if arm != self.arm]
        return found + [self._row(arm, TRAINING, arm.capitalize(), f"{training}, {what} %") for arm in others]

    def _row(self, arm: str, template: str, label: str, about: str) -> MatrixRow:
        codes = [*self._plain["languages"], ALL]
        return MatrixRow(label, about, tuple(self._entry(arm, template, code) for code in codes))

    def _entry(self, arm: str, template: str, code: str) -> MatrixEntry:
        cell = self._cell(arm, template, code)
        rate, title = read_estimate(cell["rate"]), self.titles[template]
        where = LANGUAGES.get(code, code) if code else "all languages"
        place = self._place(arm, template, code)
        level = f"{share_words(rate)} %, n {rate.n:,}"
        if cell["change"] is None:
            ends = _ends(rate)
            return MatrixEntry(
                f"{_figure(rate.value, 0)} %", ends, math.nan, False, place, f"{title}, {where}: {level}"
            )
        change = read_estimate(cell["change"])
        flips = f"{cell['change']['gained']:,} gained, {cell['change']['lost']:,} lost"
        words = (
            f"{title}, {where}: {level}; against {self.titles[TRAINING]} {change_words(change)} points, {flips}, "
            f"{p_words(cell['change']['p'])}"
        )
        return MatrixEntry(
            _figure(change.value, 1, signed=True), _ends(change), 100 * change.value, bool(cell["is_gap"]), place, words
        )

    def _cell(self, arm: str, template: str, code: str) -> Mapping[str, Any]:
        return next(
            cell
            for cell in self._plain["arms"][arm]["cells"]
            if (cell["template"], cell["language"]) == (template, code)
        )

    def _place(self, arm: str, template: str, code: str) -> ItemsPlace:
        """Return the items of a cell, with the answers under its template beside those under the one of training."""
        name = arm if template == TRAINING else f"{arm} · {template}"
        other = next((one for one in self.arms if one != arm), arm) if template == TRAINING else arm
        slice_ = ("language", code) if code else ("", "")
        return ItemsPlace(self.suite, *slice_, arms=(other, name))

    # Robustness

    def levels(self) -> list[IntervalRow]:
        """Return the rate of every arm under every template over all languages."""
        rows = []
        for place, (template, title) in enumerate(self.titles.items()):
            for number, arm in enumerate(self.arms):
                rate = read_estimate(self._cell(arm, template, ALL)["rate"])
                worst = ", worst" if template == self._plain["arms"][arm]["worst"] and not self.is_alone else ""
                trained = ", training" if template == TRAINING else ""
                text = f"{share_words(rate)} %  n {rate.n:,}"
                value, low, high = (100 * end for end in (rate.value, rate.low, rate.high))
                key = self._place(arm, template, ALL)
                rule = place > 0 and number == 0
                rows.append(IntervalRow(f"{title}{trained}{worst} · {arm}", text, value, low, high, key=key, rule=rule))
        return rows

    def summary(self) -> list[TableRow]:
        """Return worst case, consistency and test of each arm as rows of a table; none without another template."""
        found: list[TableRow] = []
        if self.is_alone:
            return found
        for name, pick in (("Worst template, %", self._worst), ("Decided alike under all, %", self._consistent)):
            found.append(TableRow((name, *(pick(arm) for arm in self.arms)), self.suite))
        found.append(TableRow(("Smallest Δ to training, points", *map(self._worst_change, self.arms)), self.suite))
        found.append(TableRow(("Cochran's Q", *map(self._cochran, self.arms)), self.suite))
        return found

    def _worst(self, arm: str) -> str:
        template = self._plain["arms"][arm]["worst"]
        return f"{self.titles[template]}: {_with_n(read_estimate(self._cell(arm, template, ALL)['rate']))}"

    def _consistent(self, arm: str) -> str:
        return _with_n(read_estimate(self._plain["arms"][arm]["consistent"]))

    def _worst_change(self, arm: str) -> str:
        change = read_estimate(self._plain["arms"][arm]["worst_change"])
        return f"{change_words(change)}, n {change.n:,}"

    def _cochran(self, arm: str) -> str:
        test = self._plain["arms"][arm]["cochran"]
        if test["q"] is None:
            return str(test["method"])
        return f"{test['q']:.2f}, df {test['df']}, {p_words(test['p'])}"

    def verdict(self) -> tuple[str, bool]:
        """Return what follows for the arm, and whether it is a warning."""
        if self.is_alone:
            return "", False
        own = self._plain["arms"][self.arm]
        change = read_estimate(own["worst_change"])
        gaps = [cell["template"] for cell in own["cells"] if cell["is_gap"] and cell["language"] == ALL]
        limit = f"The gate lets a template lose {MARGIN:g} points: that {_holds(change)}."
        if not gaps:
            return f"No template loses more than chance explains over all languages. {limit}", False
        named = ", ".join(self.titles[template] for template in gaps)
        return f"Template overfit: {named} {'loses' if len(gaps) == 1 else 'lose'} against training. {limit}", True

    def table(self) -> list[TableRow]:
        """Return every cell as a row: template, language, rate, change with flips and p, items."""
        found = []
        for arm in self.arms:
            for cell in self._plain["arms"][arm]["cells"]:
                rate, change = read_estimate(cell["rate"]), cell["change"]
                moved = change_words(read_estimate(change)) if change else "–"
                test = f"{p_words(change['p'])}, {change['test']}" if change else "–"
                first = cell["to_first"]
                where = LANGUAGES.get(cell["language"], cell["language"]) or "all"
                cells = (
                    arm, self.titles[cell["template"]], where, share_words(rate), f"{rate.n:,}", moved, test,
                    change_words(read_estimate(first)) if first else "–",
                )  # fmt: skip
                found.append(TableRow(cells, self.suite))
        return found

    @property
    def about(self) -> str:
        """What the matrix is of, in a sentence."""
        requests, languages = int(self._plain["requests"]), len(self._plain["languages"])
        return (
            f"{METRICS[self.metric][1].capitalize()} on {suite_words(self.suite)}: {counted(requests, 'request')} in "
            f"{counted(languages, 'language')}. Paired 95 % intervals, a request is one case; bold lies below 0."
        )


def matrices_of(figures: Figures) -> list[tuple[str, str]]:
    """Return suite and metric of every matrix in the evidence."""
    return [(title, metric) for title, suite in figures.suites.items() for metric in suite.get("matrix") or {}]


def _holds(change: Estimate) -> str:
    if not change.has_interval:
        return f"cannot be told ({change.why_no_interval})"
    if 100 * change.low >= -MARGIN:
        return "holds"
    return "does not hold" if 100 * change.high < -MARGIN else "is not decided"


def _with_n(estimate: Estimate) -> str:
    return f"{share_words(estimate)}, n {estimate.n:,}"


def _ends(estimate: Estimate) -> str:
    """Return an interval in whole points, or in words why there is none."""
    if not estimate.has_interval:
        return f"({estimate.why_no_interval})"
    return f"[{_figure(estimate.low, 0)}, {_figure(estimate.high, 0)}]"


def _figure(value: float, digits: int, *, signed: bool = False) -> str:
    if not math.isfinite(value):
        return "–"
    text = f"{100 * value:.{digits}f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return ("+" if signed and value > 0 and float(text) else "") + text.replace("-", MINUS)


HEADS: Sequence[str] = (
    "Arm", "Template", "Language", "Rate % [95 %]", "n", "Δ to training, points [95 %]", "Test",
    "Δ to first language, points [95 %]",
)  # fmt: skip
