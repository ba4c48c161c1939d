"""The detector that a request names, made from rules or trained on a dataset version. It imports scikit-learn."""

from __future__ import annotations

from core.domain.dataset import DatasetVersion
from core.domain.errors import UsageError
from core.domain.ids import sha256_json
from core.evaluation.guard_scores import READ, AnswerDetector, ClassifierScore, RefusalScore, read_rules
from core.evaluation.thresholds import answers_of
from core.services.datasets.service import DatasetsService
from core.services.thresholds.requests import DETECTOR_KINDS, NewThreshold


def detector_of(new: NewThreshold, version: DatasetVersion, datasets: DatasetsService) -> AnswerDetector:
    """Return the detector of a request; a classifier is trained on the train split of the version.

    Raises:
        UsageError: for an unknown detector, or rules that cannot be read.
        BadInput: when there is too little to train on.
    """
    if new.read not in READ:
        raise UsageError(f"A detector cannot read {new.read!r}.", f"Use {', '.join(READ)}.")
    if new.read == "prompt":
        raise UsageError(
            "Both answers of a pair have the same prompt: how often a detector of prompts errs cannot be measured on "
            "pairs. Nothing was stored.",
            "Let it read the answer, or both.",
        )
    if new.detector == "rules":
        return read_rules(new.rules, new.read)
    if new.detector == "refusal":
        return RefusalScore()
    if new.detector == "classifier":
        chosen, rejected = answers_of(datasets.training_pairs(version.id, splits=("train",)))
        return ClassifierScore.fit(
            chosen, rejected, f"{version.title} train", "both" if new.read == "both" else "answer"
        )
    raise UsageError(f"There is no detector {new.detector!r}.", f"Use {', '.join(DETECTOR_KINDS)}.")


def title_of(detector: AnswerDetector) -> str:
    """Return name and hash of a detector ("rules 3f2a9c01b2d4")."""
    plain = detector.to_plain()
    return f"{plain['kind']} {sha256_json(plain)[:12]}"
