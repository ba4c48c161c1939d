"""The vetoes of the gate: losses that no gain makes up for. Their p values are adjusted together (Holm)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.domain.counting import counted, verb
from core.domain.estimate import Estimate
from core.domain.evaluated_metrics import EVALUATED
from core.domain.evaluation_record import suite_words
from core.domain.measured_evidence import SliceDifference
from core.domain.release_gate import GateBound, GateCheck, GateState
from core.evaluation.gate_figures import below, loss, n_to_decide, needed_words, p_above, words
from core.evaluation.gate_input import GateInput
from core.evaluation.measures.multiplicity import adjusted

CORRECTED = "_corrected"
"""End of the name of a rate that an audit of its detector corrected."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A loss that must stay below a limit."""

    key: str
    suite: str
    loss: Estimate
    limit: float
    cut: SliceDifference | None = None

    @property
    def p(self) -> float:
        return p_above(self.loss, self.limit)


def vetoes(known: GateInput) -> tuple[GateCheck, ...]:
    """Return the checks of the group, in its order."""
    regression = _regression_claims(known)
    over, over_audited = _refusal_claims(known, "over_refusal", known.limits.over_refusal)
    safe, safe_audited = _refusal_claims(known, "safe_refusal", known.limits.safe_refusal)
    slices = _slice_claims(known)
    claims = [*regression, *over, *safe, *slices]
    holm = adjusted({f"{claim.key}\n{claim.suite}": claim.p for claim in claims}, "holm")
    alpha = known.limits.alpha
    return (
        _regression(known, regression, holm),
        _with_audit(_refusal("over_refusal", "Over-refusal", "benign", over, holm, alpha), over_audited, known),
        _with_audit(_refusal("safe_refusal", "Safe refusal", "harmful", safe, holm, alpha), safe_audited, known),
        _slices(slices, holm, alpha),
        _leaks(known),
    )


def _refusal_claims(known: GateInput, metric: str, limit: float) -> tuple[list[_Claim], bool]:
    """Return a claim for each suite that measures it, and whether the detector's errors were measured too."""
    better = EVALUATED[metric][0]
    corrected = list(known.evidence.changes(metric + CORRECTED))
    raw = list(known.evidence.changes(metric))
    measured = {suite for suite, _ in corrected} >= {suite for suite, _ in raw}
    found = corrected if measured and corrected else raw
    return [_Claim(metric, suite, loss(change, better), limit) for suite, change in found], bool(corrected) and measured


def _refusal(
    key: str, title: str, kind: str, claims: Sequence[_Claim], holm: dict[str, float], alpha: float
) -> GateCheck:
    if not claims:
        reason = f"Refusals of {kind} requests were not compared with the reference."
        return GateCheck(key, "vetoes", title, "insufficient", reason, needed=f"Evaluate a suite of {kind} requests.")
    return _worst(key, title, claims, holm, alpha)


def _with_audit(check: GateCheck, audited: bool, known: GateInput) -> GateCheck:
    """Return a check of refusals with what its detector's audit leaves open: raw rates pass nothing."""
    if audited or not check.figures or check.state == "failed":
        return check
    if known.audit_problem:
        found, needed = known.audit_problem, "Let people label every answer, or train the detector again and evaluate."
    else:
        found = "The detector was not audited on these policies."
        needed = "Label at least 100 answers of each policy in the audit queue."
    if check.state == "passed":
        found = f"{check.reason} But {found[0].lower()}{found[1:]}"
        n = None if known.audit_problem else 100
        return replace(check, state="insufficient", reason=found, needed=needed, needed_n=n)
    return replace(check, reason=f"{check.reason} {found}", needed=f"{check.needed} {needed}".strip())


def _worst(key: str, title: str, claims: Sequence[_Claim], holm: dict[str, float], alpha: float) -> GateCheck:
    """Return the check of several claims of one kind: the worst of them decides."""
    rank: dict[GateState, int] = {"failed": 0, "insufficient": 1, "passed": 2}
    states: list[tuple[GateState, _Claim]] = [
        (below(c.loss, c.limit, holm[f"{c.key}\n{c.suite}"], alpha), c) for c in claims
    ]
    state: GateState
    state, claim = min(states, key=lambda found: (rank[found[0]], -found[1].loss.value))
    figures = {f"{title.lower()}, {c.suite}": c.loss for c in claims}
    bound = GateBound(f"{title.lower()}, {claim.suite}", claim.limit)

    def say(reason: str, needed: str = "", n: int | None = None) -> GateCheck:
        return GateCheck(key, "vetoes", title, state, reason, figures, needed, n, suite=claim.suite, bound=bound)

    said = f"loss {words(claim.loss, is_change=True)} on {suite_words(claim.suite)}, limit {_limit(claim)}"
    if state == "passed":
        return say(f"The interval stays below the limit: {said}.")
    if state == "failed":
        return say(f"Worse than the reference beyond the limit: {said}.")
    n = n_to_decide(claim.loss, claim.limit)
    return say(f"The interval reaches beyond the limit: {said}.", needed_words(n), n)


def _limit(claim: _Claim) -> str:
    return f"{claim.limit:g} {claim.loss.unit}" if claim.loss.unit else f"{100 * claim.limit:g} points"


def _regression_claims(known: GateInput) -> list[_Claim]:
    charter = known.charter
    if not charter.regression_metric or not charter.direction:
        return []
    return [
        _Claim("regression", suite, loss(change, charter.direction), charter.margin)
        for suite, change in known.evidence.changes(charter.regression_metric)
        if charter.regression_suite in ("", suite)
    ]


def _regression(known: GateInput, claims: Sequence[_Claim], holm: dict[str, float]) -> GateCheck:
    title, metric = "Regression metric", known.charter.regression_metric
    if not claims:
        reason = f"{metric or 'No metric'} was {'not ' if metric else ''}compared with the reference."
        if metric and known.charter.regression_suite:
            reason = f"{metric} was not compared with the reference on {known.charter.regression_suite}."
        return GateCheck("regression", "vetoes", title, "insufficient", reason, needed="Evaluate a suite that has it.")
    check = _worst("regression", f"{title} {metric}", claims, holm, known.limits.alpha)
    undecided = check.state == "insufficient" and all(claim.loss.has_interval for claim in claims)
    if known.charter.test == "no_loss" and undecided:
        reason = f"No loss above the margin is significant. {check.reason}"
        return replace(check, state="passed", reason=reason, needed="", needed_n=None)
    return check


def _slice_claims(known: GateInput) -> list[_Claim]:
    found = []
    for one in known.evidence.slices:
        better = _better(known, one)
        if one.arm == known.evidence.aligned and better and not one.difference.unit:
            own = one.metric == known.charter.regression_metric
            limit = known.charter.margin if own else known.limits.slice_loss
            found.append(_Claim("slice", one.title, loss(one.difference, better), limit, one))
    return found


def _better(known: GateInput, one: SliceDifference) -> str:
    if one.metric == known.charter.regression_metric:
        return known.charter.direction
    better = EVALUATED.get(one.metric.removesuffix(CORRECTED), ("neither", ""))[0]
    return "" if better == "neither" else better


def _slices(claims: Sequence[_Claim], holm: dict[str, float], alpha: float) -> GateCheck:
    title = "Slices"
    tested = [claim for claim in claims if claim.loss.has_interval]
    if not tested:
        reason = "No slice is large enough to be compared with the reference."
        return GateCheck("slices", "vetoes", title, "insufficient", reason, needed="Use suites with larger slices.")
    lost = sorted((c for c in tested if holm[f"{c.key}\n{c.suite}"] < alpha), key=lambda claim: -claim.loss.value)
    if lost:
        figures = {claim.suite: claim.loss for claim in lost}
        reason = (
            f"{counted(len(lost), 'slice')} of {len(tested)} {verb(len(lost), 'loses', 'lose')} more than the margin "
            f"(Holm), most {suite_words(lost[0].suite)}: {words(lost[0].loss, is_change=True)}."
        )
        return _of_slice(GateCheck("slices", "vetoes", title, "failed", reason, figures), lost[0])
    worst = max(tested, key=lambda claim: claim.loss.value)
    reason = f"None of {counted(len(tested), 'slice')} loses significantly more than the margin (Holm)."
    return _of_slice(GateCheck("slices", "vetoes", title, "passed", reason, {worst.suite: worst.loss}), worst)


def _of_slice(check: GateCheck, claim: _Claim) -> GateCheck:
    """Return the check with the slice that decides it."""
    cut = claim.cut
    part = (cut.slice, cut.value) if cut is not None else ("", "")
    suite = cut.suite if cut is not None else ""
    return replace(check, suite=suite, part=part, bound=GateBound(claim.suite, claim.limit))


def _leaks(known: GateInput) -> GateCheck:
    title = "Leaks"
    if known.leaks is None and known.sealed_problem:
        reason = "The sealed test cannot be read, so that nobody can look for copies of it."
        needed = "Restore its file from a copy."
        return GateCheck("leaks", "vetoes", title, "insufficient", reason, needed=needed)
    if known.leaks is None:
        reason = "Nobody looked for test items in training data, imports and suites."
        return GateCheck("leaks", "vetoes", title, "insufficient", reason, needed="Run the leak gate.")
    if known.leaks:
        held = verb(known.leaks, "has", "have")
        reason = f"{counted(known.leaks, 'test item')} {held} a copy in training data, imports or suites."
        needed = "Take the copies out of what is trained, freeze and train again; a suite must not hold test items."
        return GateCheck("leaks", "vetoes", title, "failed", reason, needed=needed)
    return GateCheck("leaks", "vetoes", title, "passed", "No test item has a copy in training data, imports or suites.")
