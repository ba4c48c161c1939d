"""Preference items under other chat templates: is the ranking that was learned bound to the template of training?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.estimate import Estimate
from core.domain.evaluation_events import ScoreRow
from core.domain.evaluation_record import EvaluationRecord
from core.domain.evidence import plain
from core.domain.suite import SuiteItem
from core.evaluation.measures.flips import flips
from core.evaluation.measures.means import bootstrap_by_prompt, mean_by_prompt, paired_difference
from core.evaluation.measures.shares import share_by_prompt
from core.runs.evaluations.templates import TRAINING, title_of

Scores = Mapping[str, Mapping[str, ScoreRow]]
"""Arm, under another template too -> item -> its log-probs."""


def template_margins(
    record: EvaluationRecord, items: Sequence[SuiteItem], scores: Scores
) -> tuple[dict[str, Any], dict[str, Estimate]]:
    """Return by policy what its pairs say under each template as plain values, and the number that the gate reads.

    h of a pair is against the reference under the same template. Both are empty without templates or pairs.
    """
    decisive = [item for item in items if item.expected == "preference" and not item.is_tie]
    found: dict[str, Any] = {}
    worst: dict[str, Estimate] = {}
    reference = next((arm for arm in record.compared_arms if not arm.is_policy), None)
    if not (record.templates and decisive and reference is not None):
        return found, worst
    for arm in (arm for arm in record.compared_arms if arm.is_policy):
        names = {TRAINING: (arm.name, reference.name)}
        names |= {t: (arm.under(t).name, reference.under(t).name) for t in record.templates}
        columns = {t: _h(decisive, scores.get(own, {}), scores.get(other, {})) for t, (own, other) in names.items()}
        h = np.array(list(columns.values())).T
        known = np.flatnonzero(np.isfinite(h).all(axis=1))
        prompts = [decisive[row].prompt.sha256 for row in known]
        if prompts:
            spoken = [decisive[row].slices.get("language", "") for row in known]
            found[arm.name] = _measured(record, list(columns), h[known], prompts)
            _add_languages(found[arm.name], h[known], prompts, spoken)
            worst[arm.name] = _worst(h[known], prompts)
    return found, worst


def _h(items: Sequence[SuiteItem], own: Mapping[str, ScoreRow], other: Mapping[str, ScoreRow]) -> list[float]:
    def of(item: str) -> float:
        if item not in own or item not in other:
            return math.nan
        a, b = own[item], other[item]
        return (a.logp_chosen - b.logp_chosen) - (a.logp_rejected - b.logp_rejected)

    return [of(item.id) for item in items]


def _measured(
    record: EvaluationRecord, templates: Sequence[str], h: NDArray[np.float64], prompts: Sequence[str]
) -> dict[str, Any]:
    right = h > 0
    rows = {}
    for at, name in enumerate(templates):
        row: dict[str, Any] = {
            "title": title_of(record.training_template if name == TRAINING else name),
            "accuracy": plain(share_by_prompt(right[:, at], prompts, "share with h above 0")),
            "h": plain(mean_by_prompt(h[:, at], prompts, "nats", "mean of h")),
        }
        if at:
            words = "mean paired difference to the template of training"
            table = flips(right[:, 0], right[:, at], prompts)
            row["accuracy_change"] = {**plain(table.difference), "gained": table.gained, "lost": table.lost}
            row["h_change"] = plain(paired_difference(h[:, at], h[:, 0], prompts, "nats", words))
        rows[name] = row
    alike = (right == right[:, :1]).all(axis=1)
    spread = bootstrap_by_prompt(_spread, h, prompts, "", "deviation of h over templates by that over pairs")
    return {
        "templates": rows,
        "consistent": plain(share_by_prompt(alike, prompts, "share of pairs ranked alike under all templates")),
        "spread": plain(spread),
    }


def _add_languages(
    measured: dict[str, Any], h: NDArray[np.float64], prompts: Sequence[str], spoken: Sequence[str]
) -> None:
    """Add to each template the accuracy in each language, and its paired change, where the pairs name several."""
    languages = sorted(set(spoken) - {""})
    if len(languages) < 2:
        return
    for at, row in enumerate(measured["templates"].values()):
        row["languages"] = {}
        for language in languages:
            own = [n for n, one in enumerate(spoken) if one == language]
            right, names = h[own] > 0, [prompts[n] for n in own]
            found = {"accuracy": plain(share_by_prompt(right[:, at], names, "share with h above 0"))}
            if at:
                found["accuracy_change"] = plain(flips(right[:, 0], right[:, at], names).difference)
            row["languages"][language] = found


def _spread(h: NDArray[np.float64]) -> float:
    """Return the mean deviation over templates of a pair, by that over pairs under the template of training."""
    over_pairs = float(h[:, 0].std())
    return float(h.std(axis=1).mean()) / over_pairs if over_pairs > 0 else math.nan


def _worst(h: NDArray[np.float64], prompts: Sequence[str]) -> Estimate:
    """Return the smallest change of the accuracy; where every interval holds its own, this one holds the smallest."""
    right, others = h > 0, h.shape[1] - 1
    level = 1 - 0.05 / others
    found = [flips(right[:, 0], right[:, at], prompts, level=level).difference for at in range(1, h.shape[1])]
    least = min(found, key=lambda one: one.value)
    low, high = min(one.low for one in found), min(one.high for one in found)
    words = f"smallest of {others} differences to the template of training, same pairs; Bonferroni 95 % by prompt"
    return Estimate(least.value, low, high, least.n, "", words, groups=least.groups)
