"""The lineage of a measured pair: its prompt, its labels, the rubric clause and the reviewers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.domain.insight import Insight
from core.domain.judgement import Judgement, describe
from core.domain.pair import TrainingPair
from core.domain.pair_tags import SEPARATOR
from core.domain.text_form import prompt_keys
from core.runs.run_reader import PairVisit, RunReader
from core.services.pairs.service import PairsService
from core.services.runs.people_ceiling import FROM_FILE, PeopleCeiling, people_ceiling


@dataclass(frozen=True, slots=True)
class LineageRow:
    """One measurement of one pair with its lineage.

    ``margin`` in nats * beta; ``reward_chosen`` and ``reward_rejected`` likewise. ``label``, ``reviewers`` and ``tags``
    (parted by commas) are empty when the run was made from a file of pairs.
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
    tags: str = ""


class _SaidOfPair(NamedTuple):
    """What people say of a pair, as a row has it."""

    label: str = ""
    reviewers: str = ""
    clause: str = ""
    tags: str = ""


class RunLineage:
    """Adds the lineage to ledger rows of one run; prompts are read once from the run folder."""

    def __init__(self, workspace_pairs: PairsService, reader: RunReader) -> None:
        """Args: workspace_pairs: the pairs of the workspace. reader: of the run."""
        self._workspace_pairs, self._reader = workspace_pairs, reader
        self._pairs: dict[str, TrainingPair] | None = None
        self._said: dict[str, _SaidOfPair] = {}

    def pair(self, pair_id: str) -> TrainingPair | None:
        """Return the pair as it was trained on, or None when the run does not hold it."""
        if self._pairs is None:
            self._pairs = {pair.pair_id: pair for pair in self._reader.folder.pairs()}
        return self._pairs.get(pair_id)

    def prompt_group(self, pair_id: str) -> int | str:
        """Return what pairs that ask the same have in common; a pair that the run does not hold is on its own."""
        pair = self.pair(pair_id)
        return pair_id if pair is None else prompt_keys(pair.prompt.to_plain()).same

    def rows(self, visits: Iterable[PairVisit]) -> list[LineageRow]:
        """Return the visits with prompt, label, clause and reviewers, in the same order."""
        beta, wanted = self._reader.config().beta, list(visits)
        self._read_said({visit.row.pair_id for visit in wanted})
        return [self._row(visit, beta) for visit in wanted]

    def of_insight(self, insight: Insight) -> list[LineageRow]:
        """Return the pairs that an insight names, in its order, as they were measured where it held.

        A pair without such a row is shown by its last one of any kind, and one that was never measured (too long, for
        example) without numbers: margin, h, loss and weight are NaN.
        """
        first, last = insight.pairs_steps or (None, None)
        found = {
            visit.pair_id: visit
            for visits in (
                self._reader.last_visits(insight.pair_ids),
                self._reader.last_visits(insight.pair_ids, insight.pairs_kind, first=first, last=last),
            )
            for visit in visits
        }
        rows = {row.pair_id: row for row in self.rows(found.values())}
        self._read_said(set(insight.pair_ids))
        return [rows.get(pair_id) or self._unmeasured(pair_id) for pair_id in insight.pair_ids]

    def _unmeasured(self, pair_id: str) -> LineageRow:
        pair, none = self.pair(pair_id), math.nan
        prompt = pair.prompt.last_text if pair else ""
        said = self._said.get(pair_id, _SaidOfPair())._asdict()
        return LineageRow(pair_id, 0, "", prompt, none, none, none, none, none, none, **said)

    def judgements(self, pair_id: str) -> Sequence[Judgement]:
        """Return every judgement of the pair, oldest first; empty for a run from a file of pairs."""
        if not pair_id.isdigit() or self._from_file():
            return ()
        return tuple(self._workspace_pairs.detail(int(pair_id)).judgements)

    def tags(self, pair_id: str) -> tuple[str, ...]:
        """Return the tags of the pair, read anew; none for a run from a file of pairs."""
        if not pair_id.isdigit() or self._from_file():
            return ()
        return self._workspace_pairs.tags.of(int(pair_id))

    def people(self) -> PeopleCeiling:
        """Return how far people agree on the held-out pairs of the run, or why that is not known."""
        if self._from_file():
            return PeopleCeiling(None, FROM_FILE)
        held_out = [pair.pair_id for pair in self._reader.folder.pairs() if pair.split == "dev"]
        ids = [int(name) for name in held_out if name.isdigit()]
        return people_ceiling(self._workspace_pairs.judgements(ids), {key: self.prompt_group(str(key)) for key in ids})

    def letters(self, pair_id: str) -> tuple[str, str]:
        """Return the canonical letters of chosen and rejected, as labels name them; empty for a file of pairs."""
        pair = self.pair(pair_id)
        if pair is None or not pair_id.isdigit() or self._from_file():
            return "", ""
        found = self._workspace_pairs.texts([int(pair_id)]).get(int(pair_id))
        if found is None or pair.chosen not in (found.a.text, found.b.text):
            return "", ""
        return ("A", "B") if pair.chosen == found.a.text else ("B", "A")

    def _from_file(self) -> bool:
        return not self._reader.record().dataset.get("root_sha256")

    def _row(self, visit: PairVisit, beta: float) -> LineageRow:
        row, pair = visit.row, self.pair(visit.row.pair_id)
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
            truncated=row.truncated,
            **self._said.get(row.pair_id, _SaidOfPair())._asdict(),
        )

    def _read_said(self, pair_ids: set[str]) -> None:
        """Read labels and tags that are not cached, of all pairs at once: one by one, a thousand pairs take seconds."""
        unknown = [name for name in pair_ids if name not in self._said and name.isdigit()]
        if not unknown or self._from_file():
            return
        ids = [int(name) for name in unknown]
        found, tags = self._workspace_pairs.judgements(ids), self._workspace_pairs.tags.of_pairs(ids)
        for key, name in zip(ids, unknown, strict=True):
            label = self._label(self.pair(name), found.get(key, []))
            self._said[name] = _SaidOfPair(*label, SEPARATOR.join(tags.get(key, ())))

    @staticmethod
    def _label(pair: TrainingPair | None, judgements: Sequence[Judgement]) -> tuple[str, str, str]:
        """Return label, reviewers and clauses of the judgements that the run's data came from."""
        used = set(pair.judgement_ids) if pair else set()
        found = [j for j in judgements if j.id in used] or [j for j in judgements if j.current and j.kind == "label"]
        labels = ", ".join(dict.fromkeys(describe(j.draft) for j in found))
        names = ", ".join(dict.fromkeys(j.reviewer.name for j in found))
        return labels, names, ", ".join(dict.fromkeys(_clause(j) for j in found if _clause(j)))


def _clause(judgement: Judgement) -> str:
    """Return the rubric version, and the criterion with the largest strength in a judgement."""
    draft = judgement.draft
    if draft is None or not draft.criteria:
        return judgement.rubric_title
    strongest = max(draft.criteria, key=lambda key: abs(draft.criteria[key]))
    return f"{judgement.rubric_title}: {strongest}" if draft.criteria[strongest] else judgement.rubric_title
