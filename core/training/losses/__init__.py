"""Preference losses: one small function each, registered by name, and the objective around them."""

from __future__ import annotations

from core.training.losses import batchwise, pairwise, pointwise, ties  # noqa: F401 (importing registers the functions)
from core.training.losses.inputs import LossInputs
from core.training.losses.objective import (
    Objective,
    check_combination,
    check_labels,
    check_pair_weights,
    evaluate,
    gradient_to_logps,
    gradient_weight,
    length_weights,
    likelihood_factor,
    likelihood_lengths,
    preference_term,
    wpo_weights,
)

__all__ = [
    "LossInputs",
    "Objective",
    "check_combination",
    "check_labels",
    "check_pair_weights",
    "evaluate",
    "gradient_to_logps",
    "gradient_weight",
    "length_weights",
    "likelihood_factor",
    "likelihood_lengths",
    "preference_term",
    "wpo_weights",
]
