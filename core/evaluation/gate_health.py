"""The health of a policy that may be better: how far it moved, where its mass went, whether it knows what it knows."""

from __future__ import annotations

from core.domain.estimate import ALL_EQUAL, Estimate
from core.domain.release_gate import GateCheck
from core.evaluation.gate_figures import n_to_decide, needed_words, words
from core.evaluation.gate_input import GateInput

WORST_TEMPLATE = "worst_template"
"""Metric: difference of the worst template to the one that was trained with."""
_AUDITED = ("repetition", "over_refusal")
"""What the mass audit looks at in sampled answers."""


def health(known: GateInput) -> tuple[GateCheck, ...]:
    """Return the checks of the group, in its order."""
    return (_kl(known), _displacement(known), _calibration(known), _templates(known))


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
    said = f"{words(kl)} on {suite}, budget {budget:g} nats"
    if not kl.has_interval:
        return GateCheck("kl", "health", title, "insufficient", f"It has no interval: {said}.", figures)
    if kl.high <= budget:
        return GateCheck("kl", "health", title, "passed", f"Within the budget: {said}.", figures)
    if kl.low > budget:
        return GateCheck("kl", "health", title, "failed", f"Above the budget: {said}.", figures)
    n = n_to_decide(kl, budget)
    reason = f"The interval holds the budget: {said}."
    return GateCheck("kl", "health", title, "insufficient", reason, figures, needed_words(n, "answers"), n)


def _displacement(known: GateInput) -> GateCheck:
    """Both answers less likely is no harm by itself; it is one where sampled answers refuse or repeat more."""
    title, limits = "Both answers less likely", known.limits
    found = list(known.evidence.of("both_down"))
    if not found:
        reason = "It was not measured; no suite has preferences."
        return GateCheck("both_down", "health", title, "insufficient", reason, needed="Evaluate the sealed test.")
    suite, share = max(found, key=lambda one: one[1].value)
    figures: dict[str, Estimate] = {f"both down, {suite}": share}
    if share.high <= limits.both_down:
        reason = f"{words(share)} on {suite}; the interval stays below {100 * limits.both_down:g} %."
        return GateCheck("both_down", "health", title, "passed", reason, figures)
    audit = {f"{m}, {where}": change for m in _AUDITED for where, change in known.evidence.changes(m)}
    figures |= audit
    if worse := [name for name, change in audit.items() if change.has_interval and change.low > limits.shift]:
        reason = f"{words(share)} on {suite}, and sampled answers moved for the worse: {', '.join(worse)}."
        return GateCheck("both_down", "health", title, "failed", reason, figures)
    known = (name for name, change in audit.items() if change.has_interval or change.why_no_interval == ALL_EQUAL)
    seen = {name.partition(",")[0] for name in known}
    if missing := [name for name in _AUDITED if name not in seen]:
        reason = f"{words(share)} on {suite}; where the mass went is not known: {', '.join(missing)} was not compared."
        needed = "Evaluate answers to benign requests."
        return GateCheck("both_down", "health", title, "insufficient", reason, figures, needed)
    reason = f"{words(share)} on {suite}; sampled answers neither refuse nor repeat more, which explains it."
    return GateCheck("both_down", "health", title, "passed", reason, figures)


def _calibration(known: GateInput) -> GateCheck:
    title = "Calibration"
    found = [(suite, ece) for suite, ece in known.evidence.of("ece") if ece.has_interval]
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
    figures, said = {f"worst template, {suite}": change}, f"{words(change)} on {suite}, limit -{100 * limit:g} points"
    if not change.has_interval:
        return GateCheck("templates", "health", title, "insufficient", f"It has no interval: {said}.", figures)
    if change.low >= -limit:
        return GateCheck("templates", "health", title, "passed", f"Within the margin: {said}.", figures)
    if change.high < -limit:
        return GateCheck("templates", "health", title, "failed", f"Other templates lose more: {said}.", figures)
    n = n_to_decide(change, -limit, above=True)
    reason = f"The interval holds the margin: {said}."
    return GateCheck("templates", "health", title, "insufficient", reason, figures, needed_words(n), n)
