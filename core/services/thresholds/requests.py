"""What a threshold is asked for with: a detector, the pairs that choose it, what it is for, what errors cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from core.domain.threshold import ErrorCosts, GuardAction, ThresholdUse

DetectorKind = Literal["classifier", "rules", "refusal"]
DETECTORS: dict[DetectorKind, str] = {
    "classifier": "a classifier of words, trained on the train split to tell rejected answers from chosen ones",
    "rules": "patterns with weights, of your own writing",
    "refusal": "the refusal detector that comes with the program",
}
"""What gives the scores, in words."""
DETECTOR_KINDS: tuple[DetectorKind, ...] = get_args(DetectorKind)


@dataclass(frozen=True, slots=True)
class ScoredSet:
    """Examples with the scores of a detector and what people say of them.

    Attributes:
        on: what the examples are, in words: suite or split with its version.
        scores: of the detector. truth: true for a positive; in the same order.
    """

    on: str
    scores: Sequence[float]
    truth: Sequence[bool]


@dataclass(frozen=True, slots=True)
class ThresholdRequest:
    """A threshold of scores that are known already.

    Attributes:
        value: None takes the cheapest on the dev set by ``costs``.
    """

    name: str
    detector: str
    dev: ScoredSet
    use: ThresholdUse = "guardrail"
    value: float | None = None
    action: GuardAction = "refuse"
    costs: ErrorCosts = field(default_factory=ErrorCosts)
    valid_from_ms: int = 0
    valid_to_ms: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class NewThreshold:
    """A threshold to be measured on the dev split of a dataset version.

    Attributes:
        dataset: the dataset version, by id or title.
        detector: a key of ``DETECTORS``. rules: one a line, for a detector of rules.
        read: which text a detector of rules or a classifier reads: answer, both or prompt.
        value: None takes the cheapest on the dev set by ``costs``.
    """

    name: str
    dataset: int | str
    detector: DetectorKind = "classifier"
    rules: str = ""
    read: str = "answer"
    use: ThresholdUse = "guardrail"
    value: float | None = None
    action: GuardAction = "refuse"
    costs: ErrorCosts = field(default_factory=ErrorCosts)
    valid_from_ms: int = 0
    valid_to_ms: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who opens the sealed test of which dataset version to confirm a threshold, and why."""

    dataset: int | str
    person: str
    reason: str
