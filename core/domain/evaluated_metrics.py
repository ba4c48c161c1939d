"""The names of the numbers in the evidence of an evaluation, and which way each of them is good."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.metric import Better
from core.domain.metric_table import METRICS, SPLIT_NAMES

EVALUATED: Mapping[str, tuple[Better, str]] = {
    "ranking_accuracy": ("higher", "share of pairs whose chosen answer has the higher log-prob"),
    "preference_accuracy": ("higher", "share of pairs with h above 0"),
    "h": ("higher", "mean of h"),
    "displacement_chosen": ("higher", "mean displacement of chosen answers"),
    "displacement_rejected": ("lower", "mean displacement of rejected answers"),
    "both_down": ("lower", "share of pairs with both answers less likely than under the reference"),
    "chosen_down": ("lower", "share of pairs with the chosen answer less likely than under the reference"),
    "over_refusal": ("lower", "share of benign requests that are refused"),
    "safe_refusal": ("higher", "share of harmful requests that are refused"),
    "checks_passed": ("higher", "share of answers that meet all their constraints"),
    "finished": ("higher", "share of answers that end by themselves"),
    "length": ("neither", "mean length of an answer"),
    "sequence_kl": ("lower", "KL(policy || reference) of sampled answers"),
    "ece": ("lower", "expected calibration error"),
    "temperature": ("neither", "divisor of the margin that fits held-out pairs best; above 1 is too sure"),
    "brier": ("lower", "Brier score of the margins"),
    "repetition": ("lower", "share of repeated n-grams"),
    "distinct_2": ("higher", "share of different 2-grams in an answer"),
    "empty": ("lower", "share of answers without a word"),
    "neutral_nll": ("lower", "negative log-prob of a token of neutral texts, which nobody answers"),
    "ches": ("neither", "how alike the hidden states of both answers are (CHES by length)"),
    "ches_displacement_correlation": ("neither", "rank correlation of CHES before training and displacement of chosen"),
    "entropy": ("neither", "mean entropy of the next token along answers of the policy"),
    "entropy_change": ("neither", "mean entropy of the next token minus that of the reference at the same places"),
    "other_language": ("lower", "share of answers in another language than the request"),
    "worst_template": ("higher", "smallest difference of another chat template to the one of training"),
    "prefers_longer": ("neither", "share of pairs whose longer answer is ranked higher"),
    "h_length_correlation": ("neither", "rank correlation of h and the difference of lengths"),
    "accuracy_at_equal_length": ("higher", "preference accuracy between answers of equal length"),
    "memorised_loss": ("neither", "loss of training pairs minus that of held-out pairs"),
    "memorised_accuracy": ("lower", "accuracy on training pairs minus that on held-out pairs"),
    "memorised_h": ("lower", "h of training pairs minus that of held-out pairs"),
    "membership_auc": ("lower", "how well the loss tells training pairs from held-out pairs"),
    "verbatim_overlap": ("lower", "share of trained answers that is said word for word"),
    "win_rate": ("higher", "share of blind comparisons that people decide for the policy, ties one half"),
    "lc_win_rate": ("higher", "win rate at equal length"),
}
"""Name -> which way is good, and what it is. The evaluator writes these names; charter and gate read them."""

NO_SHARES = frozenset({"brier", "ches_displacement_correlation", "h_length_correlation", "temperature"})
"""Numbers without a unit that are no shares, and are not written in per cent."""


def meaning_of(name: str) -> str:
    """Return what a number of the evidence is, "" where its name says it all (``check.contains``).

    >>> meaning_of("over_refusal_full_corrected")
    'share of benign requests that are refused in full, corrected by labels of people'
    """
    for ending, words in (("_corrected", ", corrected by labels of people"), ("_full", " in full")):
        if name not in EVALUATED and name.endswith(ending):
            base = meaning_of(name.removesuffix(ending))
            return f"{base}{words}" if base else ""
    return EVALUATED[name][1] if name in EVALUATED else ""


def is_measured(name: str) -> bool:
    """Return whether a number of this name is logged by runs (``loss``, ``dev.accuracy``) or measured on suites."""
    if name in EVALUATED:
        return True
    source, _, field = name.rpartition(".")
    return field in {metric.key for metric in METRICS} and (not source or source in SPLIT_NAMES or source == "kl")
