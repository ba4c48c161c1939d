"""Thresholds: measured on a dev set, confirmed on a sealed test, stored as versions that never change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.counting import counted, verb
from core.domain.dataset import DatasetVersion
from core.domain.errors import BadInput, UsageError
from core.domain.item_use import RecordedUse
from core.domain.threshold import ErrorCosts, ErrorRates, Threshold
from core.runs.child_processes.request import run_in_subprocess
from core.runs.hosting.hosts import worker_environment
from core.services.datasets.service import DatasetsService
from core.services.sealed.service import SealedPlace, SealedService
from core.services.thresholds.requests import Confirmation, NewThreshold, ScoredSet, ThresholdRequest
from core.store import events, item_uses
from core.store import thresholds as repository
from core.store.sqlite.database import Session, Store

__all__ = ["Confirmation", "NewThreshold", "ScoredSet", "ThresholdRequest", "ThresholdsService"]

Progress = Callable[[int, int, str], None]
Uses = Sequence[tuple[RecordedUse, str]]
"""What items decided, each with the title of their split."""


class ThresholdsService:
    """Measures, stores, confirms and lists thresholds. Thread-safe."""

    def __init__(self, store: Store, datasets: DatasetsService, sealed: SealedService) -> None:
        self._store, self._datasets, self._sealed = store, datasets, sealed

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

    def guardrail(self, wanted: str) -> Threshold:
        """Return a threshold that may stand between a policy and its users now.

        Raises:
            NotFound: when there is none.
            BadInput, UsageError: saying why it may not; see :meth:`Threshold.require_guardrail`.
        """
        found = self.get(wanted)
        found.require_guardrail(now_ms())
        return found

    # Measuring

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

    def measure_new(self, new: NewThreshold) -> Threshold:
        """Return the threshold of a detector with its error rates on the dev split; nothing is stored.

        Raises:
            NotFound: when there is no such dataset version.
            UsageError: for an unknown detector, or rules that cannot be read.
            BadInput: without decided pairs in the dev split, or with too little to train on.
        """
        # They import scikit-learn, which the window must not load when it starts.
        from core.evaluation.thresholds import scored_pairs
        from core.services.thresholds.detectors import detector_of, title_of

        version = self._datasets.get(new.dataset)
        pairs = self._datasets.training_pairs(version.id, splits=("dev",))
        if not pairs:
            raise BadInput(
                f"{version.title} has no dev split to choose a threshold on. Nothing was stored.",
                "Freeze a version with a share for dev, such as splits=[0.8,0.1,0.1].",
            )
        detector = detector_of(new, version, self._datasets)
        on = f"{version.title} dev (sha256 {version.root_sha256[:12]})"
        dev = ScoredSet(on, *scored_pairs(detector, pairs, new.use))
        more = {key: getattr(new, key) for key in ("use", "value", "action", "costs", "note")}
        valid = {key: getattr(new, key) for key in ("valid_from_ms", "valid_to_ms")}
        found = self.measure(ThresholdRequest(new.name, title_of(detector), dev, **more, **valid))
        return replace(found, scoring=detector.to_plain())

    def rates_along(self, threshold: Threshold) -> Sequence[ErrorRates]:
        """Return the error rates with intervals at each point of a threshold's DET curve."""
        # It imports scikit-learn, which the window must not load when it starts.
        from core.evaluation.thresholds import rates_along

        return rates_along(threshold)

    # Storing

    def save(self, request: ThresholdRequest) -> Outcome[Threshold]:
        """Measure a threshold and store it as the next version of its name.

        Raises:
            BadInput: without positive or negative examples; nothing was stored.
        """
        return self._stored(self.measure(request), "Stored")

    def make(self, new: NewThreshold) -> Outcome[Threshold]:
        """Measure a threshold on a dev split and store it as the next version of its name, not confirmed yet.

        What the pairs of the dev split (and, for a classifier, of the train split) decided is recorded.

        Raises: what :meth:`measure_new` raises; nothing was stored.
        """
        version = self._datasets.get(new.dataset)
        return self._stored(self.measure_new(new), "Stored", _uses_of(new, version))

    def move(self, wanted: str, value: float, costs: ErrorCosts | None = None, note: str = "") -> Outcome[Threshold]:
        """Store another value on the same DET curve as the next version, not confirmed.

        Raises:
            NotFound: when there is no such threshold.
            UsageError: when the value is not on its curve; nothing was stored.
        """
        known = self.get(wanted)
        place = next((at for at, point in enumerate(known.det) if point[0] == value), None)
        if place is None:
            near = sorted(known.det, key=lambda point: abs(point[0] - value))[:2]
            raise UsageError(
                f"{value:g} is no point of the DET curve of {known.title}. Nothing was stored.",
                f"The nearest are {' and '.join(f'{point[0]!r}' for point in sorted(near))}.",
            )
        moved = replace(
            known,
            value=value,
            dev=self.rates_along(known)[place],
            held_out=None,
            costs=costs or known.costs,
            note=note or known.note,
        )
        return self._stored(moved, "Stored")

    def confirm(self, wanted: str, held_out: ScoredSet) -> Outcome[Threshold]:
        """Measure a threshold on held-out scores that another program made, and store it as its next version.

        Raises:
            NotFound: when there is none.
            BadInput: when it is confirmed already, or the set is the one on which it was chosen; nothing was stored.
        """
        # It imports scikit-learn, which the window must not load when it starts.
        from core.evaluation.thresholds import confirmed

        known = self._unconfirmed(wanted)
        if known.scoring:
            raise BadInput(
                f"This program has the detector of {known.title}; a sealed test confirms it. Nothing was stored.",
                "Name a dataset version with a test split.",
            )
        return self._stored(confirmed(known, held_out.scores, held_out.truth, held_out.on), "Confirmed")

    def confirm_sealed(
        self,
        wanted: str,
        asked: Confirmation,
        *,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome[Threshold]:
        """Measure a threshold on the sealed test of a dataset version and store it as its next version.

        The test is opened in a process of its own, from which only the error rates come back. The opening is noted
        before, and counts as a look.

        Raises:
            NotFound: when threshold, version or test split are not there.
            BadInput: when it is confirmed already, or pairs of the test were used to choose it; nothing was opened.
            UsageError: without a person and a reason; nothing was opened.
            Cancelled: when ``cancelled`` became true.
        """
        known = self._unconfirmed(wanted)
        if not known.scoring:
            raise BadInput(
                f"The detector of {known.title} is not stored with it; it cannot be run. Nothing was opened.",
                "Measure a threshold of a detector that this program has.",
            )
        if not (asked.person.strip() and asked.reason.strip()):
            raise UsageError(
                "A sealed test is opened by a person for a reason; both are noted. Nothing was opened.",
                "Say who opens it and why.",
            )
        version = self._datasets.get(asked.dataset)
        self._require_untouched(known, version)
        self._sealed.leaks_of(version.id).require_none()
        place = self._sealed.seal_version(version.id)
        try:
            rates = self._opened(known, place, asked, on_progress, cancelled)
        finally:
            self._sealed.take_openings()
        return self._stored(replace(known, held_out=rates), "Confirmed")

    def _opened(
        self,
        threshold: Threshold,
        place: SealedPlace,
        asked: Confirmation,
        on_progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> ErrorRates:
        request: dict[str, Any] = {
            "threshold": threshold.to_plain(),
            "path": str(place.path),
            "keys": str(place.keys),
            "sha256": place.sha256,
            "person": asked.person.strip(),
            "reason": asked.reason.strip(),
            "on": f"{place.title} (sha256 {place.sha256[:12]})",
        }
        found = run_in_subprocess(
            "core.runs.evaluations.threshold_program",
            request,
            environment=worker_environment(),
            on_progress=on_progress,
            cancelled=cancelled,
        )
        return ErrorRates.from_plain(found)

    def _unconfirmed(self, wanted: str) -> Threshold:
        known = self.get(wanted)
        if known.confirmed:
            raise BadInput(f"{known.title} is confirmed already; nothing was stored.", "Measure a new version first.")
        return known

    def _require_untouched(self, threshold: Threshold, version: DatasetVersion) -> None:
        """Raise where pairs of the test split chose this threshold, as the dev split of another version."""
        report = self._sealed.usage(version.id)
        own = [use for use in report.uses if use.kind in ("threshold", "detector") and use.by == threshold.name]
        if own:
            count = len({one for use in own for one in use.ids})
            used = f"{counted(count, 'pair')} in the sealed test of {version.title} {verb(count, 'was', 'were')} used"
            raise BadInput(
                f"{used} to choose {threshold.name}; they cannot confirm it. Nothing was opened.",
                "Name the dataset version on whose dev split it was chosen.",
            )

    def _stored(self, threshold: Threshold, verb: str, uses: Uses = ()) -> Outcome[Threshold]:
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
            for use, of in uses:
                item_uses.record(session, context, replace(use, by=stored.name), of)
            return stored

        kind = Changes.RELEASES | Changes.DATASETS if uses else Changes.RELEASES
        return Outcome(self._store.write(write, "storing a threshold"), kind)


def _uses_of(new: NewThreshold, version: DatasetVersion) -> Uses:
    """Return what the pairs of a version decided for a threshold."""
    by, root = new.name.strip(), version.root_sha256
    found = [(RecordedUse("threshold", by, root_sha256=root, split="dev"), f"{version.title}, dev")]
    if new.detector == "classifier":
        found.append((RecordedUse("detector", by, root_sha256=root, split="train"), f"{version.title}, train"))
    return found
