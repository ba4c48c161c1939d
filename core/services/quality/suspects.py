"""Label-noise suspects of a run: pairs whose margin speaks against their label, and what judging them again showed."""

from __future__ import annotations

import math

from core.domain.errors import BadInput
from core.domain.pair import TrainingPair
from core.domain.suspects import LabelSuspect, SuspectReport
from core.services.runs.service import RunsService
from core.store import later_labels
from core.store.sqlite.database import Store

_HELD_OUT, _ALL = "dev", 1 << 40
_PRECISION_AT = (10, 20, 50, 100)


class SuspectsService:
    """Finds them. It changes nothing: a suspect is judged again by people who see no earlier answer."""

    def __init__(self, store: Store, runs: RunsService) -> None:
        self._store, self._runs = store, runs

    def of_run(self, run_id: str) -> SuspectReport:
        """Return the suspects of a run: of held-out pairs by the newest probe, of trained pairs by their last step.

        Raises:
            NotFound: there is no such run.
            BadInput: the run measured no pair that has labels in this workspace.
        """
        # scipy takes a second to import, and only this needs it.
        from core.evaluation.measures.shares import exact_share
        from core.evaluation.measures.suspects import confident_suspects

        reader = self._runs.reader(run_id)
        margins = {one.pair_id: (one.row.margin, False) for one in reader.worst(_ALL)}
        margins |= {one.pair_id: (one.row.margin, True) for one in reader.newest_probe(_HELD_OUT)}
        labelled = [one for one in reader.folder.pairs() if one.pair_id in margins and one.judgement_ids]
        with self._store.read() as session:
            sides = later_labels.sides_of(session, {max(one.judgement_ids) for one in labelled})
            newest = later_labels.newest_sides(session, {int(one.pair_id) for one in labelled})
        known = [one for one in labelled if max(one.judgement_ids) in sides]
        if not known:
            message = "The run measured no pair with a label of this workspace."
            raise BadInput(message, "Take a run on a dataset version, after its first steps.")
        right = [_sigma(margins[one.pair_id][0]) for one in known]
        places = confident_suspects(right, [sides[max(one.judgement_ids)] < 0 for one in known])
        suspects = tuple(
            LabelSuspect(
                int(known[place].pair_id),
                right[place],
                margins[known[place].pair_id][1],
                _contradicted(known[place], sides, newest),
            )
            for place in places.tolist()
        )
        flipped = exact_share(len(suspects), len(known), "labels on the other side of the confident joint")
        precision = {}
        for k in _PRECISION_AT:
            again = [one.contradicted for one in suspects[:k] if one.contradicted is not None]
            if len(suspects) >= k and again:
                what = f"first {k} suspects judged again and contradicted"
                precision[k] = exact_share(sum(again), len(again), what)
        return SuspectReport(run_id, len(known), flipped, suspects, precision)


def _contradicted(pair: TrainingPair, sides: dict[int, int], newest: dict[int, tuple[int, int]]) -> bool | None:
    """Return whether an answer given after the label names the other side; None while there is none."""
    last = max(pair.judgement_ids)
    judgement, side = newest.get(int(pair.pair_id), (0, 0))
    return side != sides[last] if judgement > last else None


def _sigma(margin: float) -> float:
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, margin))))
