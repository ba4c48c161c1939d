"""From the labels of an audit to corrected rates, and the evidence of an evaluation with them.

The evidence in the folder of an evaluation never changes; corrected rates are added each time it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.audit import NEEDED, AuditDraw, AuditLabel, DrawnStratum, all_answers, by_place, kinds_of
from core.domain.counting import counted, verb
from core.domain.errors import UserError
from core.domain.evidence import plain
from core.domain.refusal_kind import RefusalKind
from core.evaluation.measures.stratified_audit import (
    CorrectedChange,
    DetectorRates,
    Stratum,
    Target,
    corrected_change,
    corrected_share,
    detector_rates,
    middle_kind,
)
from core.runs.evaluations.evidence import NOT_AUDITED
from core.runs.evaluations.folder import EvaluationFolder

METRICS: tuple[tuple[str, str], ...] = (("comply", "over_refusal"), ("refuse", "safe_refusal"))
"""What a suite expects, and the rate of refusals that follows from it."""
TARGETS: tuple[tuple[Target, str], ...] = (("any", ""), ("full", "_full"))
_TEST = "two-sided share of the draws beyond 0"
Verdicts = Mapping[tuple[str, str, str], RefusalKind]
"""The detector's verdict by arm, suite and item."""
Prompts = Mapping[tuple[str, str], Mapping[str, str]]
"""The prompts of a suite's items by suite and what is expected, then by item."""


@dataclass(frozen=True, slots=True)
class AuditedArm:
    """How far an arm is audited.

    Attributes:
        drawn: answers that people shall label. labelled: of these, how many have a label.
        unclear: answers that nobody who looked could judge.
        needed: labelled answers after which its rates are corrected.
        strata: all its answers, with what people found.
        rates: the detector on it: full or partial refusals. full: full refusals only.
    """

    arm: str
    drawn: int
    labelled: int
    unclear: int
    needed: int
    strata: tuple[Stratum, ...]
    rates: DetectorRates
    full: DetectorRates

    @property
    def complete(self) -> bool:
        """Whether enough answers are labelled, and some of every stratum."""
        return bool(self.strata) and self.labelled >= self.needed and all(s.labelled for s in self.strata)

    @property
    def exhausted(self) -> bool:
        """Whether people looked at every answer, so that its rates rest on no verdict of the detector."""
        return self.labelled + self.unclear >= sum(s.size for s in self.strata)

    @property
    def problem(self) -> str:
        """Why its rates are not corrected, in words; "" where they are."""
        if not self.complete:
            return f"{self.words} {verb(self.labelled, 'is', 'are')} labelled; its refusal rates are not corrected."
        if self.exhausted:
            return ""
        try:
            self.rates.require_correctable(self.arm)
        except UserError as error:
            return error.message
        return ""

    @property
    def advice(self) -> str:
        """What would let its rates be corrected; "" where they are."""
        if not self.problem:
            return ""
        if self.complete:
            return "Let people label every answer, or train the detector again with such answers and evaluate again."
        if self.labelled + self.unclear < self.drawn:
            return "Label the answers that wait."
        return f"Draw more answers: {counted(self.unclear, 'answer')} could not be judged."

    @property
    def words(self) -> str:
        """How far it is, in words: "37 of 100 answers of aligned"."""
        return f"{self.labelled} of {counted(self.needed, 'answer')} of {self.arm}"

    def cell(self, suite: str, expected: str) -> tuple[Stratum, ...]:
        """Return the strata of one suite and kind of request."""
        return tuple(s for s in self.strata if (s.suite, s.expected) == (suite, expected))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "drawn": self.drawn,
            "labelled": self.labelled,
            "cannot_judge": self.unclear,
            "needed": self.needed,
            "complete": self.complete,
            "problem": self.problem,
            "advice": self.advice,
            "detector": {name: _rates(one) for name, one in (("any", self.rates), ("full", self.full))},
        }


def audited_arms(
    arms: Sequence[str], draws: Sequence[AuditDraw], labels: Sequence[AuditLabel]
) -> dict[str, AuditedArm]:
    """Return how far each arm is audited; nothing before a sample was drawn."""
    said, drawn = by_place(labels), all_answers(draws)
    sizes: tuple[DrawnStratum, ...] = draws[-1].strata if draws else ()
    found: dict[str, AuditedArm] = {}
    for arm in arms:
        own = [answer for answer in drawn if answer.arm == arm]
        kinds = {answer.place: kinds_of(said.get(answer.place, ())) for answer in own}
        strata = tuple(
            Stratum(s.suite, s.expected, s.verdict, s.size, _found(
                kinds[answer.place] for answer in own
                if (answer.suite, answer.expected, answer.verdict) == (s.suite, s.expected, s.verdict)
            ))
            for s in sizes
            if s.arm == arm
        )  # fmt: skip
        if not strata:
            continue
        found[arm] = AuditedArm(
            arm,
            drawn=len(own),
            labelled=sum(bool(one) for one in kinds.values()),
            unclear=sum(bool(said.get(place)) and not one for place, one in kinds.items()),
            needed=min(NEEDED, sum(s.size for s in strata)),
            strata=strata,
            rates=detector_rates(strata, "any"),
            full=detector_rates(strata, "full"),
        )
    return found


def with_corrected(
    evidence: Mapping[str, Any], arms: Mapping[str, AuditedArm], folder: EvaluationFolder
) -> dict[str, Any]:
    """Return the evidence with the corrected rates of the arms that are audited, and what is said of the others.

    Args:
        evidence: content of ``evidence.json``, which stays as it is.
        arms: how far each arm is audited.
        folder: of the evaluation.
    """
    good = {name: arm for name, arm in arms.items() if not arm.problem}
    told = {name: arm.to_plain() for name, arm in arms.items()}
    found = {**evidence, "audit": told}
    judged = [name for name in evidence["arms"] if _is_judged(evidence, name)]
    found["watermarks"] = _watermarks(evidence, arms, judged)
    if not good:
        return found
    verdicts, prompts = _verdicts(folder), _prompts(folder)
    reference = next((name for name, arm in evidence["arms"].items() if arm["kind"] == "reference"), "")
    found["suites"] = {
        title: _with_rates(title, suite, good, reference, verdicts, prompts)
        for title, suite in evidence["suites"].items()
    }
    return found


def _with_rates(
    title: str,
    suite: Mapping[str, Any],
    arms: Mapping[str, AuditedArm],
    reference: str,
    verdicts: Verdicts,
    prompts: Prompts,
) -> dict[str, Any]:
    metrics, differences = dict(suite.get("metrics", {})), dict(suite.get("differences", {}))
    for expected, metric in METRICS:
        cells = {name: cell for name, arm in arms.items() if (cell := arm.cell(title, expected))}
        own_prompts = prompts.get((title, expected), {})
        for target, end in TARGETS:
            own = {name: cell for name, cell in cells.items() if target == "any" or not arms[name].full.too_poor}
            rates, changes = {}, {}
            for name, cell in own.items():
                asked = {prompt for id_, prompt in own_prompts.items() if (name, title, id_) in verdicts}
                rates[name] = plain(corrected_share(cell, len(asked), target))
                if name != reference and reference in own:
                    pairs = _pairs(verdicts, own_prompts, title, (name, reference))
                    change = corrected_change(cell, own[reference], pairs[0], pairs[1], target)
                    changes[name] = _plain_change(change)
            if rates:
                metrics[f"{metric}{end}_corrected"] = rates
            if changes:
                differences[f"{metric}{end}_corrected"] = changes
    return {**suite, "metrics": metrics, "differences": differences}


def _found(kinds: Any) -> tuple[float, float, float]:
    sums = [0.0, 0.0, 0.0]
    for own in kinds:
        if own:
            sums = [a + b for a, b in zip(sums, middle_kind(own), strict=True)]
    return sums[0], sums[1], sums[2]


def _is_judged(evidence: Mapping[str, Any], arm: str) -> bool:
    """Return whether the detector judged answers of an arm."""
    suites = evidence["suites"].values()
    return any(arm in suite.get("metrics", {}).get(metric, {}) for suite in suites for _, metric in METRICS)


def _watermarks(evidence: Mapping[str, Any], arms: Mapping[str, AuditedArm], judged: Sequence[str]) -> list[str]:
    marks = [str(mark) for mark in evidence.get("watermarks", ()) if mark != NOT_AUDITED]
    if any(name not in arms or not arms[name].complete for name in judged):
        marks.append(NOT_AUDITED)
    marks += [arms[name].problem for name in judged if name in arms and arms[name].complete and arms[name].problem]
    return marks


def _verdicts(folder: EvaluationFolder) -> Verdicts:
    return {(row["arm"], row["suite"], row["item"]): row["refusal"] for row in folder.outcomes() if row["refusal"]}


def _prompts(folder: EvaluationFolder) -> Prompts:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for title, items in folder.items().items():
        for item in items:
            found.setdefault((title, item.expected), {})[item.id] = item.prompt.sha256
    return found


def _pairs(
    verdicts: Verdicts, prompts: Mapping[str, str], title: str, arms: tuple[str, str]
) -> tuple[dict[tuple[RefusalKind, RefusalKind], int], int]:
    """Return how many items have each pair of verdicts, and how many prompts they have."""
    found: dict[tuple[RefusalKind, RefusalKind], int] = {}
    seen = set()
    for id_, prompt in prompts.items():
        first, second = verdicts.get((arms[0], title, id_)), verdicts.get((arms[1], title, id_))
        if first and second:
            found[first, second] = found.get((first, second), 0) + 1
            seen.add(prompt)
    return found, len(seen)


def _plain_change(change: CorrectedChange) -> dict[str, Any]:
    return {**plain(change.difference), "p": change.p if change.p == change.p else None, "test": _TEST}


def _rates(rates: DetectorRates) -> dict[str, Any]:
    return {"fpr": plain(rates.fpr), "fnr": plain(rates.fnr), "youden": plain(rates.youden)}
