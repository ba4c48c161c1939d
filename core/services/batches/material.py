"""What a batch is drawn from: candidates in order, who knows which pair, gold pairs, stale labels."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from core.domain.batch import BatchPolicy
from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.judgement import Task
from core.domain.suspects import SuspectReport
from core.runs.run_reader import RunReader
from core.services.batches.drawing import Material
from core.store import batches, qualifications, queue, reviewers, rubrics, stale_labels, votes
from core.store import pairs as pair_store
from core.store.judgements import LABEL_TASKS
from core.store.sqlite.database import Session
from core.store.withdrawn import withdrawn_pairs

Margins = Sequence[Mapping[int, float]]
"""Pair -> margin at its last visit, for each run that an order reads; all for the answer that the first run chose."""


def margins_of(runs: Sequence[RunReader], pair_ids: Sequence[str]) -> Margins:
    """Return the margins of pairs in some runs.

    Raises:
        BadInput: a run was trained on a file, whose pairs are not those of the workspace.
    """
    found: list[dict[int, float]] = []
    first: dict[str, str] = {}
    for run in runs:
        if not run.record().dataset.get("root_sha256"):
            raise BadInput("This run was trained on a file of pairs, not on the workspace.", "Name another run.")
        chosen = {pair.pair_id: pair.chosen for pair in run.folder.pairs()}
        first = first or chosen
        found.append({
            int(visit.pair_id): visit.row.margin * (1 if chosen.get(visit.pair_id) == first.get(visit.pair_id) else -1)
            for visit in run.last_visits(pair_ids)
        })  # fmt: skip
    return found


def material_of(
    session: Session,
    policy: BatchPolicy,
    version_id: int,
    margins: Margins,
    now_ms: int,
    suspects: SuspectReport | None = None,
) -> tuple[Material, list[str]]:
    """Return what slots are drawn from, and a sentence for each kind of pair that was left out.

    Args:
        session: of a transaction.
        policy: of the batch.
        version_id: the rubric version of the batch.
        margins: of the runs that the order reads.
        now_ms: when consent must hold.
        suspects: of the run, where the order is that of suspects.
    """
    accepted = rubrics.compatible_ids(session, version_id)
    wanted = pair_store.ids(session, policy.filter)
    kept, told = _kept(session, wanted if suspects is None else _measured(wanted, suspects), now_ms)
    kept, others = (kept, []) if suspects is None else _by_suspicion(kept, suspects)
    if policy.order == "length":
        margins = [pair_store.length_gaps(session, kept)]
    ordered, unread = _in_order(policy, kept, margins)
    if unread:
        told.append(f"{counted(unread, 'pair')} without a margin in the run: they come last.")
    known = {key: queue.labelled_by(session, key, accepted) for key in policy.reviewers}
    decided = batches.gold_pairs(session, accepted)
    held_back = _apart(session, now_ms)
    answered = {key: qualifications.told_pairs(session, key, accepted) for key in policy.reviewers} if decided else {}
    gold = {
        key: sorted(
            pair for pair, by in decided.items() if key not in by and pair not in known[key] | held_back | answered[key]
        )
        for key in policy.reviewers
    }
    stale = {}
    if policy.relabel:
        for key in policy.reviewers:
            found, _ = stale_labels.pairs_of(session, key, version_id)
            stale[key] = sorted(found - known[key] - held_back)
    names = {key: reviewers.get(session, key).name for key in policy.reviewers}
    return Material(ordered, known, gold, stale, others, names), told


def _measured(pair_ids: Sequence[int], report: SuspectReport) -> list[int]:
    known = {one.pair_id for one in report.suspects} | set(report.others)
    return [key for key in pair_ids if key in known]


def _by_suspicion(pair_ids: Sequence[int], report: SuspectReport) -> tuple[list[int], list[int]]:
    """Return the suspects among some pairs, most suspicious first, and those that the run does not contradict."""
    among = set(pair_ids)
    ranked = [one.pair_id for one in report.suspects if one.pair_id in among]
    return ranked, [key for key in pair_ids if key in report.others]


def _kept(session: Session, pair_ids: Sequence[int], now_ms: int) -> tuple[list[int], list[str]]:
    told, kept = [], list(pair_ids)
    for words, out in (
        ("made for votes", votes.all_pair_ids(session)),
        ("test items of a dataset version", queue.sealed_pair_ids(session)),
        ("without consent", withdrawn_pairs(session, now_ms)),
        ("wanted by another batch", batches.waiting_elsewhere(session)),
    ):
        left = [key for key in kept if key not in out]
        if len(left) < len(kept):
            told.append(f"{counted(len(kept) - len(left), 'pair')} left out: {words}.")
        kept = left
    return kept, told


def _apart(session: Session, now_ms: int) -> set[int]:
    return queue.sealed_pair_ids(session) | withdrawn_pairs(session, now_ms)


def _in_order(policy: BatchPolicy, kept: list[int], margins: Margins) -> tuple[list[int], int]:
    """Return the pairs in the order of the policy; those that a run says nothing of come last, at random."""
    if not margins:
        return kept, 0
    keys: dict[int, tuple[float, ...]] = {}
    for pair_id in kept:
        values = [of_run.get(pair_id) for of_run in margins]
        if (key := _key(policy.order, values)) is not None:
            keys[pair_id] = key
    silent = [pair_id for pair_id in kept if pair_id not in keys]
    random.Random(policy.seed).shuffle(silent)
    return [*sorted(keys, key=lambda one: (keys[one], one)), *silent], len(silent)


def _key(order: str, values: Sequence[float | None]) -> tuple[float, ...] | None:
    """Return what pairs are sorted by, smallest first.

    >>> _key("margin", [-0.25]), _key("disagreement", [0.5, -0.25]), _key("noise", [-2.0]), _key("margin", [None])
    ((0.25,), (0, -0.75), (-2.0,), None)
    >>> _key("length", [40.0])
    (-40.0,)
    """
    if any(value is None for value in values):
        return None
    first, *rest = (value for value in values if value is not None)
    if order == "margin":
        return (abs(first),)
    if order == "length":
        return (-first,)
    if order == "disagreement":
        return (0 if first * rest[0] < 0 else 1, -abs(first - rest[0]))
    return (first,)


def labels_of_reviewers(session: Session, reviewer_ids: Iterable[int], version_id: int) -> Mapping[int, set[int]]:
    """Return reviewer -> pairs that this reviewer has labelled or decided under compatible versions."""
    accepted = rubrics.compatible_ids(session, version_id)
    tasks = (*LABEL_TASKS, Task.ADJUDICATE.value)
    return {key: queue.labelled_by(session, key, accepted, tasks) for key in reviewer_ids}
