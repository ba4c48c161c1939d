"""Preference losses: one small function each, a table of them, the objective around them, and an oracle."""

from __future__ import annotations

from core.training.losses.inputs import LossInputs
from core.training.losses.objective import (
    Objective,
    check_combination,
    check_labels,
    evaluate,
    gradient_to_logps,
    gradient_weight,
    length_weights,
    likelihood_factor,
    likelihood_lengths,
    wpo_weights,
)
from core.training.losses.start_values import START_VALUES, StartCase, start_value
from core.training.losses.table import LOSS_TABLE, LossSpec, preference_term

__all__ = [
    "LOSS_TABLE",
    "START_VALUES",
    "LossInputs",
    "LossSpec",
    "Objective",
    "StartCase",
    "check_combination",
    "check_labels",
    "evaluate",
    "gradient_to_logps",
    "gradient_weight",
    "length_weights",
    "likelihood_factor",
    "likelihood_lengths",
    "preference_term",
    "start_value",
    "wpo_weights",
]
