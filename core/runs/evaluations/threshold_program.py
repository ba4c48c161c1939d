"""Child program: measure a threshold on a sealed test, which only this process opens; error rates alone come back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.domain.threshold import Threshold
from core.evaluation.guard_scores import scorer_of
from core.evaluation.sealed_test import open_sealed
from core.evaluation.thresholds import error_rates, scored_pairs
from core.runs.child_processes.request import Progress, serve


def measure(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the error rates of the request ``{threshold, path, keys, sha256, person, reason, on}``."""
    threshold = Threshold.from_plain(request["threshold"])
    detector = scorer_of(threshold.scoring)
    progress(0, 2, "Opening the sealed test")
    opening = open_sealed(
        Path(request["path"]),
        Path(request["keys"]),
        person=request["person"],
        reason=request["reason"],
        policy=f"threshold {threshold.title}",
        expected_sha256=request["sha256"],
    )
    progress(1, 2, "Measuring the threshold")
    scores, truth = scored_pairs(detector, opening.suite.items, threshold.use)
    return error_rates(scores, truth, threshold.value, request["on"]).to_plain()


if __name__ == "__main__":
    sys.exit(serve(measure))
