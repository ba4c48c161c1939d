"""What an evaluation says in the mix of what people really ask: its suites are mixed otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.reweighed import Reweighed
from core.services.evaluations.service import EvaluationsService
from core.services.feedback.service import FeedbackService
from core.services.suites.service import SuitesService

FEEDBACK = "feedback"


class ReweighingService:
    """Weighs the slices of a suite anew. Nothing is stored."""

    def __init__(self, evaluations: EvaluationsService, suites: SuitesService, feedback: FeedbackService) -> None:
        self._evaluations, self._suites, self._feedback = evaluations, suites, feedback

    def reweigh(
        self,
        evaluation: str,
        suite: str,
        slice_: str = "category",
        *,
        weights: Mapping[str, float] | None = None,
        like: str = FEEDBACK,
    ) -> Reweighed:
        """Return the primary metrics of a suite in a target mix.

        Args:
            evaluation: its id, the beginning of it, or its name.
            suite: title or name of an open suite of it.
            slice_: name of the slices that are weighed.
            weights: weight of each value; None takes them from ``like``.
            like: ``feedback`` for the mix of the events, or the title of a suite for that of its items.

        Raises:
            NotFound: when there is no such evaluation or suite, or it is not measured.
            UsageError: when the suite has no such slice, or feedback says nothing of it.
            BadInput: when the evaluation was altered, or weights are no numbers.
        """
        # It imports scipy and the detector, which the window must not load when it starts.
        from core.runs.evaluations.paired import suite_values
        from core.runs.evaluations.reweighing import normalised, reweighed

        folder = self._evaluations.unaltered(evaluation)
        self._evaluations.evidence(evaluation)
        items = folder.items()
        title = next((one for one in items if suite in (one, one.rpartition(" v")[0])), "")
        if not title:
            raise NotFound(
                f"The evaluation has no open suite {suite!r}.",
                f"It has {', '.join(items) or 'none'}. Slices of a sealed test are not shown.",
            )
        slices = {item.id: item.slices.get(slice_, "") for item in items[title]}
        names = sorted({name for item in items[title] for name in item.slices})
        if not any(slices.values()):
            raise UsageError(f"{title} has no slice {slice_!r}.", f"It has {', '.join(names) or 'none'}.")
        origin, counts = ("as given", weights) if weights is not None else self._mix(like, slice_)
        mix = normalised(counts)
        own = Counter(value for value in slices.values() if value)
        if not own.keys() & mix.keys():
            raise UsageError(
                f"No item of {title} is in the target mix.", f"Its values of {slice_} are {', '.join(sorted(own))}."
            )
        found = next((one for one in suite_values(folder, lambda _: ()) if one.title == title), None)
        if found is None:
            raise NotFound(f"{title} has no answers of policy and reference.", "Evaluate both on it.")
        total = own.total()
        return Reweighed(
            title,
            slice_,
            mix,
            origin,
            sum(weight for value, weight in mix.items() if value in own),
            {value: own[value] / total for value in mix if value in own},
            reweighed(found, slices, mix, folder.record().config.min_slice),
        )

    def _mix(self, like: str, slice_: str) -> tuple[str, Mapping[str, float]]:
        """Return where a mix comes from, and how often each value occurs there."""
        if like != FEEDBACK:
            suite = self._suites.get(like)
            counts = Counter(item.slices[slice_] for item in suite.items if item.slices.get(slice_))
            what = counted(counts.total(), "item")
            origin = f"suite {suite.title}, {what}"
        elif slice_ in ("category", "language"):
            said = [getattr(event.content, slice_) for event in self._feedback.list() if event.content is not None]
            counts = Counter(value for value in said if value)
            origin = f"feedback, {counted(counts.total(), 'event')} with a {slice_}"
        else:
            raise UsageError(f"Feedback says nothing of {slice_!r}.", "Weigh category or language, or give weights.")
        if not counts:
            raise BadInput(f"There is no {slice_} in {origin}.", "Give weights, or name a suite that has the slice.")
        return origin, {value: float(count) for value, count in counts.most_common()}
