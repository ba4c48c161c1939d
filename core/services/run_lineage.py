"""From a measured pair back to what people made: its prompt, its labels, the rubric clause and the reviewers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.domain.judgement import Judgement, describe
from core.domain.pair import TrainingPair

if TYPE_CHECKING:
    from core.services.application import Application


@dataclass(frozen=True, slots=True)
class LineageRow:
    """One visit of one pair with its origin, ready for a table.

    ``margin`` in nats * beta; ``reward_chosen`` and ``reward_rejected`` likewise. ``label`` and ``reviewers``
    are empty when the run was made from a bare file.
    """

    pair_id: str
    step: int
    kind: str
    prompt: str
    margin: float
    h: float
    loss: float
    weight: float
    reward_chosen: float
    reward_rejected: float
    label: str = ""
    reviewers: str = ""
    clause: str = ""
    truncated: bool = False


class RunLineage:
    """Adds the origin to ledger rows of one run; prompts are read once from the run folder."""

    def __init__(self, application: Application | None, reader: Any) -> None:
        self._application, self._reader = application, reader
        self._pairs: dict[str, TrainingPair] | None = None
        self._labels = lru_cache(maxsize=4096)(self._read_labels)

    def pair(self, pair_id: str) -> TrainingPair | None:
        """Return the pair as it was trained on, or None when the run does not hold it."""
        if self._pairs is None:
            self._pairs = {pair.pair_id: pair for pair in self._reader.folder.pairs()}
        return self._pairs.get(pair_id)

    def rows(self, visits: Iterable[Any]) -> list[LineageRow]:
        """Return the visits with prompt, label, clause and reviewers, in the order given."""
        beta = self._reader.config().beta
        return [self._row(visit, beta) for visit in visits]

    def judgements(self, pair_id: str) -> Sequence[Judgement]:
        """Return every judgement of the pair, oldest first; empty for a run from a bare file."""
        if self._application is None or not pair_id.isdigit() or self._from_file():
            return ()
        return tuple(self._application.pairs.detail(int(pair_id)).judgements)

    def _from_file(self) -> bool:
        return not self._reader.record().dataset.get("root_sha256")

    def _row(self, visit: Any, beta: float) -> LineageRow:
        row, pair = visit.row, self.pair(visit.row.pair_id)
        label, reviewers, clause = self._labels(row.pair_id)
        return LineageRow(
            pair_id=row.pair_id,
            step=visit.step,
            kind=visit.kind,
            prompt=pair.prompt.last_text if pair else "",
            margin=row.margin,
            h=row.h,
            loss=row.loss,
            weight=row.weight,
            reward_chosen=beta * (row.logp_chosen - row.ref_chosen),
            reward_rejected=beta * (row.logp_rejected - row.ref_rejected),
            label=label,
            reviewers=reviewers,
            clause=clause,
            truncated=row.truncated,
        )

    def _read_labels(self, pair_id: str) -> tuple[str, str, str]:
        pair = self.pair(pair_id)
        used = set(pair.judgement_ids) if pair else set()
        found = [j for j in self.judgements(pair_id) if j.id in used] or [
            j for j in self.judgements(pair_id) if j.current and j.kind == "label"
        ]
        labels = ", ".join(dict.fromkeys(describe(j.draft) for j in found))
        names = ", ".join(dict.fromkeys(j.reviewer.name for j in found))
        return labels, names, ", ".join(dict.fromkeys(_clause(j) for j in found if _clause(j)))


def _clause(judgement: Judgement) -> str:
    """Return the rubric version and the criterion that weighed most in a judgement."""
    draft = judgement.draft
    if draft is None or not draft.criteria:
        return judgement.rubric_title
    strongest = max(draft.criteria, key=lambda key: abs(draft.criteria[key]))
    return f"{judgement.rubric_title}: {strongest}" if draft.criteria[strongest] else judgement.rubric_title
