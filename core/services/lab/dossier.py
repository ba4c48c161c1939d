"""The dossier of a pair: its loss in one run, the same pair over all runs, its tokens on demand, and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from core.domain.changes import Outcome
from core.domain.errors import NotFound, UserError
from core.domain.pair import TrainingPair
from core.domain.pair_dossier import PairDossier, RunLook, loss_of_pair, weight_rank
from core.domain.prompt_inspection import GivenAnswer, InspectionRequest, PromptInspection
from core.runs.run_reader import PairVisit, RunReader
from core.services.annotation.service import AnnotationService
from core.services.evaluations.inspection import PromptInspectionService
from core.services.feedback.changesets import ChangesetsService
from core.services.lab.prompt_lab import Progress
from core.services.runs.lineage import RunLineage
from core.services.runs.service import RunsService

KINDS = ("dev", "probe_train", "train")
"""Kinds of looks, the one that is trusted most first."""
LIKELY, NEAREST = 5, 4
DRAFT = "Left out in Inspect"


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Both answers of a pair token by token under policy and reference.

    Attributes:
        inspection: its answers "chosen" and "rejected", and the nearest training pairs without the pair itself.
        margins: of the nearest pairs at their last look, by id.
    """

    inspection: PromptInspection
    margins: Mapping[str, float] = field(default_factory=dict)


class PairDossierService:
    """Reads everything about one pair of a run. Any thread may call it."""

    def __init__(
        self,
        runs: RunsService,
        prompts: PromptInspectionService,
        changesets: ChangesetsService,
        annotation: AnnotationService,
    ) -> None:
        self._runs, self._prompts, self._changesets, self._annotation = runs, prompts, changesets, annotation
        self._lineages: dict[str, RunLineage] = {}
        self._medians: dict[tuple[str, str, int, int], tuple[float, int]] = {}

    def of(self, run_id: str, pair_id: str, kind: str = "", step: int | None = None) -> PairDossier:
        """Return the dossier of a pair as a run measured it last.

        Args:
            run_id: of the workspace.
            pair_id: of the run.
            kind: "dev", "probe_train" or "train"; "" takes the first of them that measured the pair.
            step: of the look; None takes the last one.

        Raises:
            NotFound: when the run did not measure the pair so.
        """
        reader = self._runs.reader(run_id)
        visit = _visit(reader, pair_id, (kind,) if kind else KINDS, step)
        if visit is None:
            raise NotFound(f"This run did not measure the pair {pair_id}.", "See its pairs with: runs show RUN --pairs")
        config = reader.config()
        weights = tuple(one.row.weight for one in reader.pairs_of_step(visit.step, visit.kind))
        return PairDossier(
            run_id,
            pair_id,
            visit.step,
            visit.kind,
            visit.row,
            loss_of_pair(visit.row, config.beta, config.loss, weights),
            weight_rank(visit.row.weight, weights),
            weights,
            self.over_runs(run_id, pair_id),
        )

    def over_runs(self, run_id: str, pair_id: str) -> tuple[RunLook, ...]:
        """Return the last look of every run at the same pair, the largest h first.

        The same pair has the same prompt and the same two answers; runs of bare files may use its id for another one.
        """
        own, fingerprint = self._pair(run_id, pair_id), self._runs.info(run_id).record.fingerprint
        found = []
        for info in self._runs.list():
            reader = self._runs.reader(info.run_id)
            visit = _visit(reader, pair_id, KINDS, None)
            other = None if visit is None else self._pair(info.run_id, pair_id)
            side = 1 if info.run_id == run_id else _side(own, other)
            if visit is None or not side:
                continue
            middle, pairs = self._median(info.run_id, reader, visit)
            found.append(
                RunLook(
                    info.run_id, info.name, info.record.config.beta, visit.step, visit.kind, side * visit.row.h,
                    side * visit.row.margin, middle, pairs,
                    info.record.fingerprint == fingerprint, side < 0,
                )
            )  # fmt: skip
        return tuple(sorted(found, key=lambda one: -one.h))

    def _median(self, run_id: str, reader: RunReader, visit: PairVisit) -> tuple[float, int]:
        """Return median h and number of the pairs of a look; a look that is over is read once."""
        key = run_id, visit.kind, visit.step, visit.attempt
        if key not in self._medians:
            found = [one.row.h for one in reader.pairs_of_step(visit.step, visit.kind)]
            self._medians[key] = (median(found), len(found)) if found else (math.nan, 0)
        return self._medians[key]

    def tokens(
        self,
        run_id: str,
        pair_id: str,
        *,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ScoredPair:
        """Return both answers token by token under the result of a run and its reference, and the nearest pairs.

        It works in a child process. Raises what
        :meth:`core.services.evaluations.inspection.PromptInspectionService.inspect` does, and NotFound when the run
        does not hold the pair.
        """
        pair = self._pair(run_id, pair_id)
        if pair is None:
            raise NotFound(f"This run does not hold the pair {pair_id}.")
        given = (GivenAnswer("chosen", pair.chosen), GivenAnswer("rejected", pair.rejected))
        request = InspectionRequest(run_id, pair.prompt, given=given, samples=0, likely=LIKELY, nearest=NEAREST + 1)
        found = self._prompts.inspect(request, on_progress=on_progress, cancelled=cancelled)
        near = tuple(one for one in found.nearest if one.pair_id != pair_id)[:NEAREST]
        visits = self._runs.reader(run_id).last_visits([one.pair_id for one in near])
        return ScoredPair(replace(found, nearest=near), {visit.pair_id: visit.row.margin for visit in visits})

    # What to do with a pair

    def leave_out(self, pair_id: int, reviewer_id: int, name: str, reason: str) -> Outcome[str]:
        """Ask in a draft changeset that a pair be left out of the next dataset version; return the draft's name.

        Nothing is left out before another person approves the draft; frozen versions stay as they are. The draft is
        the author's own one from here, made when there is none.

        Args:
            pair_id: of the workspace.
            reviewer_id: who asks.
            name: their name.
            reason: why.

        Raises:
            BadInput: when the draft holds the pair already, or the reason is empty. Nothing was changed.
        """
        title = f"{DRAFT}, {name}"
        known = [one for one in self._changesets.list() if one.name.startswith(title)]
        draft = next((one for one in known if one.state == "draft" and one.author == name), None)
        is_new = draft is None
        if draft is None:
            title = title if not known else f"{title} {len(known) + 1}"
            draft = self._changesets.create(title, reviewer_id, "Pairs that somebody looked at in a run").value
        try:
            made = self._changesets.remove_pairs(draft.id, [pair_id], reason)
        except UserError:
            if is_new:
                self._changesets.delete(draft.id, reviewer_id)
            raise
        return Outcome(made.value.name, made.changes)

    def take_back(self, pair_id: int, title: str) -> Outcome[str]:
        """Take the wish of :meth:`leave_out` out of its draft again."""
        draft = self._changesets.get(title)
        entry = next((one for one in draft.entries if one.op == "remove" and one.pair_id == pair_id), None)
        if entry is None:
            raise NotFound(f"The draft {title} does not hold pair {pair_id}; nothing was changed.")
        made = self._changesets.drop(draft.id, entry.id)
        return Outcome(made.value.name, made.changes)

    def note(self, pair_id: int, reviewer_id: int) -> str | None:
        """Return a reviewer's note on a pair: that of the bookmark; None without one."""
        return dict(self._annotation.bookmarks(reviewer_id)).get(pair_id)

    def set_note(self, pair_id: int, reviewer_id: int, text: str) -> Outcome[None]:
        """Keep a reviewer's note on a pair as a bookmark; an empty one removes it."""
        text = text.strip()
        return self._annotation.bookmark(reviewer_id, pair_id, bool(text), text)

    def _pair(self, run_id: str, pair_id: str) -> TrainingPair | None:
        lineage = self._lineages.get(run_id) or self._runs.lineage(run_id)
        self._lineages[run_id] = lineage
        return lineage.pair(pair_id)


def _visit(reader: RunReader, pair_id: str, kinds: tuple[str, ...], step: int | None) -> PairVisit | None:
    """Return the last visit of the first of the kinds that has one."""
    for kind in kinds:
        found = reader.last_visits([pair_id], kind, first=step, last=step)
        if found:
            return found[0]
    return None


def _side(own: TrainingPair | None, other: TrainingPair | None) -> int:
    """Return 1 for the same pair, -1 where the other answer was chosen, 0 for another pair."""
    if own is None or other is None or own.prompt != other.prompt:
        return 0
    if (own.chosen, own.rejected) == (other.chosen, other.rejected):
        return 1
    return -1 if (own.chosen, own.rejected) == (other.rejected, other.chosen) else 0
