"""The proxies of an evaluation as rows, notes and marks: what stands against what, and what is missing. No widgets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.evaluate.figures import DETECTOR, change_words, metric_words, number_words, share_words
from app.evaluate.over_optimisation_chart import CurveMark
from app.widgets.labels import ChipTone
from app.widgets.plots.chart_card import TableRow
from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.evaluation_record import suite_words
from core.domain.judging import JudgeReport, replaces_words
from core.domain.number_text import format_value, interval_text
from core.domain.proxies import CheckpointCurve, CurveCheckpoint, FittedCurve, NextStep, RegisteredProxy

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application

REGISTER_HEADS = ("Proxy", "Alarm", "Its number [95 %], n", "Counter-metric [95 %], n", "Estimators")
JUDGE_HEADS = ("Judge", "Number", "Value [95 %]", "n", "Estimator")
CURVE_HEADS = (
    "Checkpoint", "√KL, √nats [95 %]", "n", "Preference accuracy % [95 %]", "n", "Win rate by people % [95 %]", "n",
    "Alarms", "Evaluation",
)  # fmt: skip
FIT_HEADS = ("Curve", "Number", "Value [95 %]", "Checkpoints", "Estimator")
ACCURACY, PEOPLE = "preference_accuracy", "win_rate"
SERIES: Mapping[str, str] = {ACCURACY: "preference accuracy", PEOPLE: "win rate by people"}
LEAST_POINTS = 2
_NAMES: Mapping[str, str] = {
    **SERIES,
    "lc_win_rate": "win rate by people at equal length",
    "judge_win_rate": "win rate by the judge",
    "memorised_accuracy": "accuracy, training − held-out pairs",
}
_JUDGED: Mapping[str, str] = {
    "swap": "decided alike in both orders",
    "agreement": "agrees with people",
    "adversarial": "right where length and style mislead",
    "longer": "decided pairs that the longer answer won",
    "unread": "answers without a verdict",
}
_STEPS: Mapping[NextStep, tuple[str, str]] = {
    "": ("", ""),
    "people": ("evaluate.ask_people", "Ask people…"),
    "votes": ("votes", "Show the votes"),
    "evaluate": ("evaluate.new", "New evaluation…"),
}
_AUDIT = ("evaluate.audit", "Audit queue")
_CHANGE = ".difference"


@dataclass(frozen=True, slots=True)
class ProxiesData:
    """The register of an evaluation, the judges that were asked about it, and the checkpoints of its run."""

    register: Sequence[RegisteredProxy] = ()
    judges: Sequence[JudgeReport] = ()
    curve: CheckpointCurve = field(default_factory=CheckpointCurve)


@dataclass(frozen=True, slots=True)
class ProxyNote:
    """A line below the register: an alarm, a watermark or what is missing.

    Attributes:
        chip, tone: of the chip before it. words: a sentence.
        act: id of the action that brings what is missing, or ``votes`` for their tab; "" for none. button: its label.
    """

    chip: str
    tone: ChipTone
    words: str
    act: str = ""
    button: str = ""


def read_proxies(services: Application, evaluation_id: str, run_id: str) -> ProxiesData:
    """Read all of it.

    Raises:
        NotFound: when the evaluation is gone or has no evidence.
    """
    register = services.proxies.register(evaluation_id)
    return ProxiesData(register, services.judging.reports(evaluation_id), services.proxies.curve(run_id))


# The register


def register_rows(data: ProxiesData) -> list[TableRow]:
    """Return a row for each proxy."""
    return [TableRow(_register_row(one)) for one in data.register]


def _register_row(one: RegisteredProxy) -> tuple[str, ...]:
    made = " · ".join(found.estimator for found in (one.value, one.against) if found is not None)
    alarm = "alarm" if one.alarm else "cannot be told" if one.missing else "none"
    own, other = (f"{name_words(name)}\n{_value_words(name, found)}" for name, found in _both(one))
    return one.title, alarm, own, other, made


def _both(one: RegisteredProxy) -> Iterator[tuple[str, Estimate | None]]:
    yield one.proxy, one.value
    yield one.counter, one.against


def _value_words(name: str, found: Estimate | None) -> str:
    """Return a value with its interval and n."""
    if found is None or not math.isfinite(found.value):
        return "not measured"
    is_change = name.endswith(_CHANGE) or name == "memorised_accuracy"
    words = f"{change_words(found)} {found.unit or 'points'}" if is_change else number_words(found, name)
    return f"{words}, n {found.n:,}"


def name_words(name: str) -> str:
    """Return the name of a number in words.

    >>> name_words("length.difference"), name_words("win_rate")
    ('Δ length', 'win rate by people')
    """
    if name.endswith(_CHANGE):
        return f"Δ {metric_words(name.removesuffix(_CHANGE))}"
    return _NAMES.get(name, metric_words(name))


def chips(data: ProxiesData) -> list[tuple[str, ChipTone]]:
    """Return the chips of the register: how many alarms there are, and every watermark once."""
    alarms = sum(bool(one.alarm) for one in data.register)
    open_ = any(one.missing for one in data.register)
    words, tone = counted(alarms, "alarm"), "bad" if alarms else "neutral" if open_ else "ok"
    marks = dict.fromkeys(mark for one in data.register for mark in one.watermarks)
    made: list[tuple[str, ChipTone]] = [(words if alarms or not open_ else "no alarm so far", tone)]  # type: ignore[list-item]
    return [*made, *((mark, "warn") for mark in marks)]


def notes(data: ProxiesData) -> list[ProxyNote]:
    """Return alarms first, then what is missing, then what the watermarks mean; equal words once for all proxies."""
    made = [ProxyNote("alarm", "bad", f"{one.title}: {one.alarm}") for one in data.register if one.alarm]
    lacking: dict[tuple[str, NextStep], list[str]] = {}
    for one in data.register:
        if one.missing:
            lacking.setdefault((one.missing, one.next_step), []).append(one.title)
    made += [
        ProxyNote("missing", "neutral", f"{', '.join(titles)}: {words}", *_STEPS[step])
        for (words, step), titles in lacking.items()
    ]
    if any(mark.startswith(DETECTOR) for one in data.register for mark in one.watermarks):
        words = "Refusal rates are raw until people label a sample of the answers."
        made.append(ProxyNote("not audited", "warn", words, *_AUDIT))
    return made


# Judges


def judge_rows(data: ProxiesData) -> list[TableRow]:
    """Return a row for each number of each judge."""
    return [
        TableRow((one.setup.model, words, *_share(found), found.estimator))
        for one in data.judges
        for words, found in _of_judge(one)
    ]


def _of_judge(one: JudgeReport) -> Iterator[tuple[str, Estimate]]:
    yield f"{one.arm_a} wins against {one.arm_b}", one.win_rate
    for key, words in _JUDGED.items():
        yield words, getattr(one, key)
    if one.replaces is not None and not one.replaces.missing:
        yield "alternative test: people it holds against", one.replaces.winning_rate
        yield "alternative test: agrees as well as a person", one.replaces.advantage


def _share(found: Estimate | None) -> tuple[str, str]:
    """Return a share in per cent and its n."""
    if found is None or not math.isfinite(found.value):
        return "not measured", "–"
    return f"{share_words(found)} %", f"{found.n:,}"


def judge_words(data: ProxiesData) -> str:
    """Return what was judged and what calibrates a judge, or how one is asked."""
    if not data.judges:
        return (
            "No judge was asked about this evaluation. A model on this machine can compare two arms, in both orders; "
            "its numbers stay marked until it is calibrated."
        )
    asked = "; ".join(f"{one.setup.model} at {one.setup.url}, rubric {one.setup.rubric}" for one in data.judges)
    tested = [f" {one.setup.model}: {replaces_words(one.replaces)}" for one in data.judges if one.replaces is not None]
    asked += "." + "".join(tested)
    if not any(one.watermarks for one in data.judges):
        return asked
    return (
        f"{asked} A judge is calibrated when people voted on the same items, both orders were asked, and a suite on "
        "which length and style mislead was judged."
    )


def judge_marks(data: ProxiesData) -> str:
    """Return the watermark of the judges; "" when each is calibrated."""
    return next((mark for one in data.judges for mark in one.watermarks), "")


# The curve


def curve_marks(curve: CheckpointCurve) -> list[CurveMark]:
    """Return a mark for each number of each checkpoint, by distance, in per cent."""
    made = []
    for point in sorted(curve.points, key=lambda one: one.distance.value):
        for series, found in ((ACCURACY, point.accuracy), (PEOPLE, point.people)):
            if found is not None and math.isfinite(found.value):
                x = (point.distance.value, point.distance.low, point.distance.high)
                y = (100 * found.value, 100 * found.low, 100 * found.high)
                made.append(CurveMark(series, x, y, point.evaluation_id, _mark_words(point, series, found)))
    return made


def _mark_words(point: CurveCheckpoint, series: str, found: Estimate) -> str:
    return (
        f"{point.checkpoint}: √KL {_distance(point.distance)} √nats, {SERIES[series]} {share_words(found)} %, "
        f"n {found.n:,}"
    )


def _distance(found: Estimate) -> str:
    return f"{format_value(found.value, 3)} {interval_text(found, 3)}".strip()


def curve_rows(curve: CheckpointCurve) -> list[TableRow]:
    """Return a row for each checkpoint, in the order of the curve's points."""
    return [
        TableRow(
            (
                one.checkpoint, _distance(one.distance), f"{one.distance.n:,}", *_bare(one.accuracy),
                *_bare(one.people), ", ".join(one.alarms) or "none", one.name,
            )
        )
        for one in curve.points
    ]  # fmt: skip


def _bare(found: Estimate | None) -> tuple[str, str]:
    words, n = _share(found)
    return words.removesuffix(" %"), n


def curve_about(curve: CheckpointCurve) -> str:
    """Return what the chart is of, and of each number its peak or why it has no curve."""
    suites = [f"KL on {suite_words(curve.kl_suite)}"] if curve.kl_suite else []
    suites += [f"accuracy on {suite_words(curve.accuracy_suite)}"] if curve.accuracy_suite else []
    said = [curve.alarm] if curve.alarm else []
    said.append(f"{', '.join(suites)}; the reference has 50 %. A mark opens its evaluation.")
    alike = len({fit.missing for fit in curve.fits}) == 1
    for place, fit in enumerate(curve.fits):
        words = fit_words(fit, curve)
        if not (alike and fit.missing and place):
            said.append(words if alike and fit.missing else f"{SERIES[fit.number].capitalize()}: {words}")
    return " ".join([*said, *curve.left_out])


def fit_words(fit: FittedCurve, curve: CheckpointCurve) -> str:
    """Return where a curve turns, or why there is none."""
    if fit.missing:
        nobody = fit.number == PEOPLE and all(one.people is None for one in curve.points)
        return "nobody has voted on these checkpoints yet." if nobody else fit.missing
    reach = max(one.distance.value for one in curve.points)
    if fit.peak is None or not 0 < fit.peak.value <= reach:
        return "the curve does not turn within these checkpoints."
    return f"the curve turns at {_distance(fit.peak)} √nats."


def curve_missing(curve: CheckpointCurve) -> str:
    """Return why there is no chart, with the step that brings one."""
    if len(curve.points) >= LEAST_POINTS:
        return "No checkpoint was measured on pairs or voted on: evaluate them on pairs, or ask people."
    there = f"there {'is' if len(curve.points) == 1 else 'are'} {counted(len(curve.points), 'such checkpoint')}"
    words = f"It needs {LEAST_POINTS} evaluated checkpoints of this run with a measured KL; {there}."
    return " ".join([words, "Choose another checkpoint of the run in a new evaluation.", *curve.left_out])


def fit_rows(curve: CheckpointCurve) -> list[TableRow]:
    """Return the numbers of the fitted curves."""
    made = []
    for fit in curve.fits:
        named: tuple[tuple[str, Any], ...] = (("a", fit.gain), ("b", fit.decay), ("peak", fit.peak))
        for name, found in named:
            if found is not None:
                value = " ".join(part for part in (_distance(found), found.unit) if part)
                made.append(TableRow((SERIES[fit.number], name, value, f"{found.n}", found.estimator)))
        if fit.path:
            words = f"{format_value(100 * fit.residual, 3)} points"
            made.append(TableRow((SERIES[fit.number], "left over", words, f"{len(curve.points)}", "root mean square")))
    return made
