"""Aggregates the labels of a pair to one training item, or to the reason for leaving the pair out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, fsum

from core.domain.dataset import FreezePolicy
from core.domain.judgement import FLAGS, Task, Verdict
from core.domain.pair import Side

NO_CONSENT = "consent not stated"
CONSENT_WITHDRAWN = "consent withdrawn"
CONSENT_OTHER_USE = "consent given for another use"
REVIEWER_WITHDRAWN = "consent of its reviewers withdrawn"
FROM_ATTACK = "from an attack"
FROM_VOTES = "made for votes between arms"
TAKEN_OUT = "taken out by a changeset"
NOT_ADMITTED = "feedback that no approved changeset takes"
SOURCE_LICENCE = "no source with an accepted licence"
LABEL_LICENCE = "no label with an accepted licence"
OTHER_SOURCE = "not from the chosen sources"
NOT_LABELLED = "not labelled"
STALE_RUBRIC = "labelled under stale rubric versions only"
OTHER_RUBRIC = "labelled under other rubric versions only"
OTHER_REVIEWER = "not labelled by the chosen reviewers"
CANNOT_JUDGE = "nobody could judge it"
NEITHER = "neither answer is valid"
DISAGREE = "reviewers disagree"
NO_MAJORITY = "no majority"
SPREAD = "strengths too far apart"
TIE = "tie"
SUBJECTIVE = "truly subjective"
WEAK = "weaker than the minimum strength"
NEUTRAL_STRENGTH = 2.0
"""The strength that gets weight 1 when pairs are weighted by strength: the middle one, "better"."""


def flag_reason(flag: str) -> str:
    """Return the reason for leaving out a pair with this flag."""
    return f"flagged: {FLAGS[flag].lower()}"


def tag_reason(tag: str) -> str:
    """Return the reason for leaving out a pair with this tag."""
    return f"tagged: {tag}"


@dataclass(frozen=True, slots=True)
class Label:
    """One current label of a pair; ``strength`` is in canonical sides, None unless a side is preferred."""

    judgement_id: int
    reviewer_id: int
    rubric_id: int
    rubric_version_id: int
    task: Task
    verdict: Verdict
    strength: int | None

    @property
    def value(self) -> int:
        """Signed strength, 0 for no preference."""
        return self.strength or 0


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The aggregate of a pair's labels.

    Attributes:
        strength: signed, negative favours A; 0 for a tie.
        weight: factor on the pair's loss.
        target: probability that the chosen side is better.
        judgement_ids: the labels that were counted.
    """

    chosen: Side
    strength: float
    weight: float
    target: float
    is_tie: bool
    judgement_ids: tuple[int, ...]


def counted(labels: Sequence[Label]) -> list[Label]:
    """Return the labels that count, oldest first.

    The newest adjudication decides alone. Otherwise each reviewer counts once per rubric, with the newest label: a
    reviewer who labelled again under the next minor version is not counted twice.
    """
    ordered = sorted(labels, key=lambda label: label.judgement_id)
    decided = [label for label in ordered if label.task is Task.ADJUDICATE]
    if decided:
        return decided[-1:]
    newest = {(label.reviewer_id, label.rubric_id): label for label in ordered}
    return sorted(newest.values(), key=lambda label: label.judgement_id)


def aggregate(labels: Sequence[Label], policy: FreezePolicy) -> Aggregate | str:
    """Return the item that the labels make under the policy, or the reason why they make none.

    "Cannot judge" is ignored. "Neither valid" leaves the pair out when at least half of the labels say so; below
    that it counts as no preference.
    """
    judged = [label for label in counted(labels) if label.verdict is not Verdict.CANNOT_JUDGE]
    if not judged:
        return CANNOT_JUDGE
    if policy.aggregation == "latest":
        judged = judged[-1:]
    if policy.aggregation == "single" and len({_kind(label) for label in judged}) > 1:
        return DISAGREE
    if 2 * sum(label.verdict is Verdict.NEITHER for label in judged) >= len(judged):
        return NEITHER
    values = [label.value for label in judged]
    if policy.max_spread is not None and max(values) - min(values) > policy.max_spread:
        return SPREAD
    strength = _majority(values) if policy.aggregation == "majority" else fsum(values) / len(values)
    if strength is None:
        return NO_MAJORITY
    is_tie = strength == 0 and (policy.aggregation == "majority" or not any(values))
    if is_tie and not policy.keep_ties:
        return TIE
    if not is_tie and (strength == 0 or abs(strength) < policy.min_strength):
        return WEAK
    ids = tuple(label.judgement_id for label in judged)
    if is_tie:
        return Aggregate("A", 0.0, 1.0, 0.5, True, ids)
    chosen: Side = "A" if strength < 0 else "B"
    weight = _weight(values, strength, chosen, policy)
    if weight == 0:
        return DISAGREE
    return Aggregate(chosen, strength, weight, _target(values, strength, chosen, policy), False, ids)


def distribution_policy(policy: FreezePolicy) -> FreezePolicy:
    """Return the policy for a truly subjective pair: its labels are not decided, their share is the target."""
    return replace(policy, aggregation="mean", min_strength=0.0, max_spread=None, soft_targets=True)


def _kind(label: Label) -> str:
    """Return the verdict that labels are compared by: the preferred side, or the verdict without one."""
    if label.strength is None:
        return label.verdict.value
    return "A" if label.strength < 0 else "B"


def _majority(values: Sequence[int]) -> float | None:
    """Return the mean strength on the side with the most labels, 0 when that is "equal", None without one."""
    sides = {sign: [v for v in values if (v > 0) - (v < 0) == sign] for sign in (-1, 0, 1)}
    ranked = sorted(sides.values(), key=len, reverse=True)
    if len(ranked[0]) == len(ranked[1]):
        return None
    return fsum(ranked[0]) / len(ranked[0])


def _weight(values: Sequence[int], strength: float, chosen: Side, policy: FreezePolicy) -> float:
    """Return the factor on the pair's loss.

    The net share, 2 * share - 1, is the part of the gradient that a soft target of that share leaves at
    policy = reference; as a weight it keeps that proportion throughout training.
    """
    weight = abs(strength) / NEUTRAL_STRENGTH if policy.strength_weights else 1.0
    return weight * (2 * _share(values, chosen) - 1) if policy.agreement_weights else weight


def _target(values: Sequence[int], strength: float, chosen: Side, policy: FreezePolicy) -> float:
    """Return the probability that the chosen side is better, between one half and 1.

    A strength is read as log-odds: 1 is 0.73, 2 is 0.88, 3 is 0.95.
    """
    if policy.strength_targets and policy.soft_targets:
        sign = -1 if chosen == "A" else 1
        return max(0.5, fsum(_probability(sign * value) for value in values) / len(values))
    if policy.strength_targets:
        return _probability(abs(strength))
    return _share(values, chosen) if policy.soft_targets else 1.0


def _probability(log_odds: float) -> float:
    return 1 / (1 + exp(-log_odds))


def _share(values: Sequence[int], chosen: Side) -> float:
    """Return the share of labels for the chosen side, no preference counted half, at least one half."""
    sign = -1 if chosen == "A" else 1
    wins = sum(1.0 if value * sign > 0 else 0.5 if value == 0 else 0.0 for value in values)
    return max(0.5, wins / len(values))
