"""Rules about the pairs: what does not fit, what gives the label away, what still pulls."""

from __future__ import annotations

import math

from core.domain.counting import counted, verb
from core.domain.insight import Insight
from core.domain.left_out import beyond_length
from core.domain.number_text import interval_text, signed
from core.domain.token_notes import cut_words
from core.evaluation.estimates import proportion
from core.evaluation.insight_rules.registry import ids, insight_rule
from core.evaluation.preference_metrics import column, gradient_weights, half_credit, length_bias
from core.evaluation.run_so_far import RunSoFar
from core.evaluation.statistics import Z95


@insight_rule
def truncated(run: RunSoFar) -> Insight | None:
    """More than one pair in twenty is truncated, or dropped for its length."""
    lost = ""
    if run.tokens and run.tokens.pairs:
        dropped = beyond_length(run.tokens.left_out) if run.tokens.left_out else run.tokens.dropped_ids
        gone = len(dropped) if run.tokens.left_out else run.tokens.dropped
        cut, total = run.tokens.truncated + gone, run.tokens.pairs
        found = tuple(dict.fromkeys(dropped + run.tokens.truncated_ids))
        figures = (("truncated", str(run.tokens.truncated)), ("dropped", str(gone)))
        lost = cut_words(run.tokens)
    else:
        cut, total = sum(s.truncated for s in run.steps), sum(s.pairs for s in run.steps)
        found = ids(row for s in run.steps for row in s.rows if row.truncated)
        figures = ()
    if not total or cut / total <= 0.05:
        return None
    return Insight(
        "truncated",
        run.steps[0].step if run.steps else 0,
        f"{100 * cut / total:.0f} % of the pairs do not fit",
        f"{cut:,} of {counted(total, 'pair')} {verb(cut, 'was', 'were')} truncated or dropped at the maximum "
        f"length{f': {lost}' if lost else ''}. {_of_cut_texts(run)}",
        "Raise max_length, or leave the long pairs out when you freeze the dataset.",
        found,
        figures=(("do not fit", f"{cut:,} of {total:,}"), *figures),
        formula="tokens of prompt and answer > max_length",
        confirm="The samples do not end, or end in the middle of a sentence.",
    )


def _of_cut_texts(run: RunSoFar) -> str:
    """Return what follows from the cut: for answers, and for prompts where only those were cut."""
    if run.tokens and run.tokens.cut_prompts and not run.tokens.cut_answers:
        return "The oldest turns and the start of a long question go first; an answer may refer to text that is gone."
    return "A truncated response does not teach where to stop."


@insight_rule
def length_leak(run: RunSoFar) -> Insight | None:
    """The longer (or the shorter) response wins in most pairs."""
    measured = run.newest_rows()
    rows = measured.rows
    if len(rows) < 30:
        return None
    bias = length_bias(rows)
    longer, shorter = bias.longer_chosen.value, 1 - bias.longer_chosen.value
    if max(longer, shorter) <= 0.65:
        return None
    word, sign = ("longer", 1) if longer > shorter else ("shorter", -1)
    hits = half_credit(sign * (column(rows, "tokens_chosen") - column(rows, "tokens_rejected")))
    share = proportion(hits)
    if not share.low > 0.5:
        return None
    ordered = sorted(rows, key=lambda r: -sign * (r.tokens_chosen - r.tokens_rejected))
    return Insight(
        "length_leak",
        0,
        f"The {word} response usually wins",
        f"The {word} response is the chosen one in {100 * share.value:.0f} % of "
        f"{counted(len(rows), 'pair')} {interval_text(share)}; the "
        f"margin's rank correlation with the length difference is {_correlation(bias.spearman, len(rows))}. The policy "
        "may learn length.",
        "Compare the accuracy on pairs of similar length, balance the data, or use the loss r_dpo or sigmoid_norm.",
        ids(r for r in ordered if sign * (r.tokens_chosen - r.tokens_rejected) > 0),
        "info",
        figures=(
            (f"{word} is chosen", f"{share.value:.2f} {interval_text(share)}"),
            ("ρ of margin and length", _correlation(bias.spearman, len(rows))),
        ),
        test="Wilson 95 % interval of the share lies above one half.",
        formula="tokens of chosen − tokens of rejected; ρ is Spearman's, interval by Fisher's z",
        confirm="Pairs of similar length are ranked clearly worse.",
        pairs_kind=measured.kind,
        pairs_steps=(measured.first, measured.last),
    )


def _correlation(rho: float, n: int) -> str:
    """Return a rank correlation with its 95 % interval (R. A. Fisher, Metron 1 (1921), with 1.06 for ranks)."""
    if not math.isfinite(rho) or abs(rho) >= 1 or n < 4:
        return signed(rho, 3) if math.isfinite(rho) else "not known"
    reach = Z95 * math.sqrt(1.06 / (n - 3))
    low, high = (math.tanh(math.atanh(rho) + side * reach) for side in (-1, 1))
    return f"{signed(rho, 3)} [{signed(low, 3)}, {signed(high, 3)}]"


@insight_rule
def few_pairs_pull(run: RunSoFar) -> Insight | None:
    """Nearly all pairs are learned, so that a few decide how the policy changes."""
    measured = run.newest_rows()
    rows = measured.rows
    if len(rows) < 30 or not run.steps:
        return None
    weights = gradient_weights(rows)
    if not math.isfinite(weights.effective) or (weights.saturated.value <= 0.9 and not weights.effective < 0.1):
        return None
    pulling = [r for r in sorted(rows, key=lambda r: -r.weight) if r.weight >= 0.05]
    return Insight(
        "few_pairs_pull",
        run.steps[-1].step,
        "Only a few pairs still change the policy",
        f"{100 * weights.saturated.value:.0f} % of the pairs have a gradient weight below 0.05; the gradient is that "
        f"of {weights.effective * len(rows):.0f} equal pairs out of {len(rows)}. Such pairs are often mislabelled.",
        "Check these pairs first; further steps will mostly fit them.",
        ids(pulling or sorted(rows, key=lambda r: -r.weight)[:10]),
        "info",
        figures=(
            ("weight below 0.05", f"{weights.saturated.count:g} of {counted(len(rows), 'pair')}"),
            ("effective pairs", f"{weights.effective * len(rows):.1f}"),
        ),
        formula="effective pairs = (Σw)² / Σw², w = |dloss / dz|",
        confirm="A second reviewer labels these pairs the other way round.",
        pairs_kind=measured.kind,
        pairs_steps=(measured.first, measured.last),
    )
