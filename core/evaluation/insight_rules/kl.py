"""Rules about the on-policy KL and its budget."""

from __future__ import annotations

from core.domain.insight import Insight
from core.domain.kl_estimate import cut_words, kl_estimate, kl_name
from core.domain.number_text import estimate_text, format_value
from core.domain.run_events import KlDone
from core.evaluation.insight_rules.registry import insight_rule, since
from core.evaluation.run_so_far import RunSoFar
from core.evaluation.statistics import Z95, over_budget


@insight_rule
def kl_over_budget(run: RunSoFar) -> Insight | None:
    """The on-policy KL lies above the budget."""
    if run.kl_budget <= 0 or not run.kls or not run.kls[-1].kl > run.kl_budget:
        return None
    last = run.kls[-1]
    first = since(run.kls, lambda e: e.kl > run.kl_budget)
    sure = over_budget(last.kl, last.se, run.kl_budget)
    return _about_budget(
        run,
        "kl_over_budget",
        "KL is over its budget" if sure else "KL may be over its budget",
        first,
        "" if sure else "The standard error still allows a value below it.",
        sure=sure,
    )


@insight_rule
def kl_near_budget(run: RunSoFar) -> Insight | None:
    """The interval of the on-policy KL reaches the budget."""
    if run.kl_budget <= 0 or not run.kls:
        return None
    last = run.kls[-1]
    reaches = last.kl + Z95 * last.se > run.kl_budget
    if not (0 < last.kl <= run.kl_budget and reaches):  # a KL that is no number is near nothing
        return None
    first = since(run.kls, lambda e: e.kl + Z95 * e.se > run.kl_budget)
    rest = "Its interval reaches the budget already."
    return _about_budget(run, "kl_near_budget", "KL nears its budget", first, rest, sure=False)


def _about_budget(run: RunSoFar, code: str, title: str, first: KlDone, rest: str, *, sure: bool) -> Insight:
    last = run.kls[-1]
    return Insight(
        code,
        first.step,
        title,
        f"The policy is {last.kl:.2f} ± {last.se:.2f} nats away from the reference in the first {last.horizon} tokens "
        f"({cut_words(last.censored)}); the budget is {run.kl_budget:g}. {rest}".rstrip(),
        "Take an earlier checkpoint, raise beta, or lower the learning rate.",
        severity="error" if sure else "warning",
        spans=((first.step, last.step),),
        metrics=("kl.kl",),
        figures=((kl_name(last.horizon), estimate_text(kl_estimate(last))), ("budget", format_value(run.kl_budget))),
        test="KL − 1.96 SE lies above the budget." if sure else "KL + 1.96 SE lies above the budget.",
        formula="KL(π ‖ π_ref) of answers that the policy writes, Rao-Blackwellised token by token",
        confirm="The samples read unlike the reference's; a longer horizon gives a larger KL.",
    )
