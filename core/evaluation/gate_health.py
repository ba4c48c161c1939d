"""The health of a policy that may be better: how far it moved, where its mass went, whether it knows what it knows."""

from __future__ import annotations

from core.domain.estimate import ALL_EQUAL, Estimate
from core.domain.number_text import MINUS
from core.domain.release_gate import GateBound, GateCheck, GateState
from core.evaluation.gate_costs import costs
from core.evaluation.gate_figures import n_to_decide, needed_words, words
from core.evaluation.gate_input import GateInput

WORST_TEMPLATE = "worst_template"
"""Metric: difference of the worst template to the one that was trained with."""
_AUDITED = ("repetition", "over_refusal")
"""What the mass audit looks at in sampled answers."""


def health(known: GateInput) -> tuple[GateCheck, ...]:
    """Return the checks of the group, in its order."""
    return (_kl(known), _displacement(known), _calibration(known), _templates(known), *costs(known))


def _kl(known: GateInput) -> GateCheck:
    title, budget = "KL to reference", known.charter.kl_budget or known.evidence.kl_budget
    found = list(known.evidence.of("sequence_kl"))
    figures = {f"KL, {suite}": kl for suite, kl in found}
    if not found:
        return GateCheck(
            "kl", "health", title, "insufficient", "It was not measured.", needed="Evaluate with KL prompts."
        )
    if not budget:
        reason = "Neither charter nor evaluation has a KL budget."
        return GateCheck("kl", "health", title, "insufficient", reason, figures, "Name one in the charter (kl_budget).")
    suite, kl = max(found, key=lambda one: one[1].value)
    said, bound = f"{words(kl)} on {suite}, budget {budget:g} nats", GateBound(f"KL, {suite}", budget)

    def say(state: GateState, reason: str, needed: str = "", n: int | None = None) -> GateCheck:
        return GateCheck(
            "kl", "health", title, state, f"{reason}: {said}.", figures, needed, n, suite=suite, bound=bound
        )

    if not kl.has_interval:
        return say("insufficient", "It has no interval")
    if kl.high <= budget:
        return say("passed", "Within the budget")
    if kl.low > budget:
        return say("failed", "Above the budget")
    n = n_to_decide(kl, budget)
    return say("insufficient", "The interval holds the budget", needed_words(n, "answers"), n)


def _displacement(known: GateInput) -> GateCheck:
    """Both answers less likely is no harm by itself; it is one where sampled answers refuse or repeat more."""
    title, limits = "Both answers less likely", known.limits
    found = list(known.evidence.of("both_down"))
    if not found:
        reason = "It was not measured; no suite has preferences."
        return GateCheck("both_down", "health", title, "insufficient", reason, needed="Evaluate the sealed test.")
    suite, share = max(found, key=lambda one: one[1].value)
    figures: dict[str, Estimate] = {f"both down, {suite}": share}
    bound = GateBound(f"both down, {suite}", limits.both_down)

    def say(state: GateState, reason: str, needed: str = "") -> GateCheck:
        said = f"{words(share)} on {suite}{reason}."
        return GateCheck("both_down", "health", title, state, said, figures, needed, suite=suite, bound=bound)

    if share.high <= limits.both_down:
        return say("passed", f"; the interval stays below {100 * limits.both_down:g} %")
    audit = {f"{m}, {where}": change for m in _AUDITED for where, change in known.evidence.changes(m)}
    figures |= audit
    if worse := [name for name, change in audit.items() if change.has_interval and change.low > limits.shift]:
        return say("failed", f", and sampled answers moved for the worse: {', '.join(worse)}")
    settled = (name for name, change in audit.items() if change.has_interval or change.why_no_interval == ALL_EQUAL)
    seen = {name.partition(",")[0] for name in settled}
    if missing := [name for name in _AUDITED if name not in seen]:
        reason = f"; where the mass went is not known: {', '.join(missing)} was not compared"
        return say("insufficient", reason, "Evaluate answers to benign requests.")
    return say("passed", "; sampled answers neither refuse nor repeat more, which explains it")


def _calibration(known: GateInput) -> GateCheck:
    title = "Calibration"
    measured = list(known.evidence.of("ece"))
    found = [(suite, ece) for suite, ece in measured if ece.has_interval]
    if measured and not found:
        reason = "Its interval is not known: " + "; ".join(f"{words(ece)} on {suite}" for suite, ece in measured) + "."
        needed = "Evaluate again; an evaluation of today gives it an interval that holds it."
        return GateCheck("ece", "health", title, "insufficient", reason, needed=needed)
    if not found:
        reason = "No calibration error with an interval was reported."
        return GateCheck("ece", "health", title, "insufficient", reason, needed="Evaluate a suite with preferences.")
    reason = "Reported: " + "; ".join(f"{words(ece)} on {suite}" for suite, ece in found) + "."
    return GateCheck("ece", "health", title, "passed", reason, {f"ECE, {suite}": ece for suite, ece in found})


def _templates(known: GateInput) -> GateCheck:
    title, limit = "Worst template", known.limits.template_loss
    found = list(known.evidence.of(WORST_TEMPLATE))
    if not found:
        reason = "Other templates than the one of training were not evaluated."
        return GateCheck("templates", "health", title, "insufficient", reason, needed="Evaluate the template matrix.")
    suite, change = min(found, key=lambda one: one[1].value)
    figures, said = (
        {f"worst template, {suite}": change},
        f"{words(change, is_change=True)} on {suite}, limit {MINUS}{100 * limit:g} points",
    )
    bound = GateBound(f"worst template, {suite}", -limit, above=True)

    def say(state: GateState, reason: str, needed: str = "", n: int | None = None) -> GateCheck:
        told = f"{reason}: {said}."
        return GateCheck("templates", "health", title, state, told, figures, needed, n, suite=suite, bound=bound)

    if not change.has_interval:
        return say("insufficient", "It has no interval")
    if change.low >= -limit:
        return say("passed", "Within the margin")
    if change.high < -limit:
        return say("failed", "Other templates lose more")
    n = n_to_decide(change, -limit, above=True)
    return say("insufficient", "The interval holds the margin", needed_words(n), n)
