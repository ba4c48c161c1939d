"""Label-noise suspects of a run: pairs whose margin speaks against their label, and what judging them again showed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.domain.batch import LabelBatch
from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.suspects import LabelSuspect, SuspectMark, SuspectPrecision, SuspectReport
from core.services.runs.service import RunsService
from core.store import batches, later_labels
from core.store.sqlite.database import Session, Store

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
        labels = {one.pair_id: max(one.judgement_ids) for one in reader.folder.pairs() if one.judgement_ids}
        with self._store.read() as session:
            sides = later_labels.sides_of(session, {label for key, label in labels.items() if key in margins})
            known = [key for key, label in labels.items() if key in margins and label in sides]
            again = _contradicted(session, {int(key): labels[key] for key in known})
        if not known:
            message = "The run measured no pair with a label of this workspace."
            raise BadInput(message, "Take a run on a dataset version, after its first steps.")
        right = [_sigma(margins[key][0]) for key in known]
        places = confident_suspects(right, [sides[labels[key]] < 0 for key in known]).tolist()
        suspects = tuple(
            LabelSuspect(
                int(known[place]),
                right[place],
                margins[known[place]][1],
                again[int(known[place])],
                labels[known[place]],
            )
            for place in places
        )
        flipped = exact_share(len(suspects), len(known), "labels on the other side of the confident joint")
        out = {one.pair_id for one in suspects}
        others = {int(key): labels[key] for key in known if int(key) not in out}
        ranked = [one.contradicted for one in suspects]
        at = [k for k in _PRECISION_AT if k <= len(ranked)]
        return SuspectReport(run_id, len(known), flipped, suspects, _precision(ranked, at), others)

    def of_batches(self) -> list[SuspectPrecision]:
        """Return, for each batch of suspects, how many of the first k were contradicted when people judged them again.

        An answer counts that was given after the label, in the batch or elsewhere; the newest one. Nothing is flipped.
        """
        with self._store.read() as session:
            found = [one for one in batches.listed(session) if one.suspects]
            return [_of_batch(session, one) for one in found]


def _of_batch(session: Session, batch: LabelBatch) -> SuspectPrecision:
    again = _contradicted(session, {one.pair_id: one.judgement_id for one in batch.suspects})
    ranked = sorted((one for one in batch.suspects if one.rank), key=_rank)
    said = [again[one.pair_id] for one in ranked]
    at = [*(k for k in _PRECISION_AT if k < len(said)), *([len(said)] if said else [])]
    others = _share([again[one.pair_id] for one in batch.suspects if not one.rank], "other pairs contradicted")
    judged = sum(one is not None for one in said)
    run = next(iter(batch.policy["runs"]), "")
    return SuspectPrecision(batch.name, run, len(said), judged, _precision(said, at), others)


def _rank(one: SuspectMark) -> int:
    return one.rank


def _precision(contradicted: Sequence[bool | None], at: Sequence[int]) -> dict[int, Estimate]:
    """Return k -> share that was contradicted of the first k that were judged again; none where none was."""
    found = ((k, _share(contradicted[:k], f"first {k} suspects judged again and contradicted")) for k in at)
    return {k: share for k, share in found if share is not None}


def _share(contradicted: Sequence[bool | None], what: str) -> Estimate | None:
    # scipy takes a second to import, and only this needs it.
    from core.evaluation.measures.shares import share_by_prompt

    again = [one for one in contradicted if one is not None]
    return share_by_prompt(again, None, what) if again else None


def _contradicted(session: Session, labels: dict[int, int]) -> dict[int, bool | None]:
    """Return pair -> whether an answer given after its label names the other side; None while there is none."""
    sides = later_labels.sides_of(session, set(labels.values()))
    newest = later_labels.newest_sides(session, set(labels))
    found: dict[int, bool | None] = {}
    for pair, label in labels.items():
        judgement, side = newest.get(pair, (0, 0))
        found[pair] = side != sides[label] if judgement > label and label in sides else None
    return found


def _sigma(margin: float) -> float:
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, margin))))
