"""Thresholds: measured on a dev set, confirmed on a held-out one, stored as versions that never change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput
from core.domain.threshold import ErrorCosts, GuardAction, Threshold, ThresholdUse
from core.store import events
from core.store import thresholds as repository
from core.store.sqlite.database import Session, Store


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
    """A threshold to be measured and stored.

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


class ThresholdsService:
    """Measures, stores, confirms and lists thresholds. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[Threshold]:
        """Return every version, oldest first."""
        with self._store.read() as session:
            return repository.listed(session)

    def get(self, wanted: str) -> Threshold:
        """Return a version by its title ("harm v2"), or the newest of a name.

        Raises:
            NotFound: when there is none.
        """
        with self._store.read() as session:
            return repository.find(session, wanted)

    def measure(self, request: ThresholdRequest) -> Threshold:
        """Return the threshold with its error rates on the dev set; nothing is stored.

        Raises:
            BadInput: without positive or negative examples.
        """
        # It imports scikit-learn, which the window must not load when it starts.
        from core.evaluation import thresholds as measures

        scores, truth = request.dev.scores, request.dev.truth
        value = measures.cheapest(scores, truth, request.costs) if request.value is None else request.value
        return Threshold(
            name=request.name,
            use=request.use,
            detector=request.detector,
            value=value,
            dev=measures.error_rates(scores, truth, value, request.dev.on),
            action=request.action,
            costs=request.costs,
            det=measures.det_points(scores, truth),
            valid_from_ms=request.valid_from_ms,
            valid_to_ms=request.valid_to_ms,
            note=request.note,
        )

    def save(self, request: ThresholdRequest) -> Outcome[Threshold]:
        """Measure a threshold and store it as the next version of its name.

        Raises:
            BadInput: without positive or negative examples; nothing was stored.
        """
        return self._stored(self.measure(request), "Stored")

    def confirm(self, wanted: str, held_out: ScoredSet) -> Outcome[Threshold]:
        """Measure a stored threshold on a held-out set and store it as its next version.

        Raises:
            NotFound: when there is none.
            BadInput: when it is confirmed already, or the set is the one on which it was chosen; nothing was stored.
        """
        # It imports scikit-learn, which the window must not load when it starts.
        from core.evaluation.thresholds import confirmed

        known = self.get(wanted)
        if known.confirmed:
            raise BadInput(f"{known.title} is confirmed already; nothing was stored.", "Measure a new version first.")
        found = confirmed(known, held_out.scores, held_out.truth, held_out.on)
        return self._stored(found, "Confirmed")

    def _stored(self, threshold: Threshold, verb: str) -> Outcome[Threshold]:
        context = self._store.write_context()

        def write(session: Session) -> Threshold:
            stored = repository.add(session, threshold, context)
            told = {
                "name": stored.name,
                "number": stored.number,
                "sha256": stored.sha256,
                "confirmed": stored.confirmed,
            }
            summary = f"{verb} threshold {stored.title}"
            events.log(session, context, "threshold.save", summary, subject="threshold", detail=told)
            return stored

        return Outcome(self._store.write(write, "storing a threshold"), Changes.RELEASES)
