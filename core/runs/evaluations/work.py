"""What an evaluation computes, in its order: which arm answers or scores which items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.domain.evaluation_record import TEXT_KINDS, TRAINED, Arm, EvaluationRecord
from core.domain.pair import TrainingPair
from core.domain.suite import SuiteItem
from core.runs.evaluations.suite_items import answered, drawn, flat, for_kl, index_aligned
from core.runs.evaluations.work_part import WorkPart
from core.runs.folder import RunFolder


def planned(
    record: EvaluationRecord, items: Mapping[str, Sequence[SuiteItem]], trained: Sequence[SuiteItem] = ()
) -> list[WorkPart]:
    """Return all work: the arms of one source follow each other, endpoints come last, then arms with a guardrail.

    Args:
        record: the frozen request.
        items: of each suite by its title.
        trained: training pairs that are measured beside held-out ones.
    """
    found = [work for arm in record.arms for suite, own in items.items() for work in _of(record, arm, suite, own)]
    found += [
        WorkPart("answers", suite, arm, flat(index_aligned(own)))
        for arm in record.template_arms
        for suite, own in items.items()
    ]
    found += [
        WorkPart("scores", suite, arm, _preferences(own))
        for arm in record.template_arms
        for suite, own in items.items()
    ]
    for arm in record.compared_arms:
        found += [WorkPart(kind, TRAINED, arm, tuple(trained)) for kind in ("scores", "answers")]
    return sorted((work for work in found if work.items), key=lambda work: together(work.arm))


def _of(record: EvaluationRecord, arm: Arm, suite: str, items: Sequence[SuiteItem]) -> list[WorkPart]:
    config = record.config
    found = [WorkPart("answers", suite, arm, tuple(answered(items, config)))]
    if arm.is_sampled_here:
        texts = tuple(item for item in items if item.expected == "neutral" and arm.kind in TEXT_KINDS)
        found.insert(0, WorkPart("scores", suite, arm, (*_preferences(items), *texts)))
    if arm in record.kl_arms:
        found.append(WorkPart("kl_answers", suite, arm, for_kl(items, config)))
    return found


def _preferences(items: Sequence[SuiteItem]) -> tuple[SuiteItem, ...]:
    return tuple(item for item in items if item.expected == "preference")


def together(arm: Arm) -> tuple[bool, bool, str, int]:
    """Return by what work is ordered: arms with the same value share what is loaded for them."""
    return bool(arm.guard), bool(arm.url), *arm.source


def trained_items(record: EvaluationRecord) -> tuple[SuiteItem, ...]:
    """Return the training pairs of the run that are measured beside its held-out ones, drawn by their ids."""
    if not record.trained_pairs:
        return ()
    own = next(arm for arm in record.compared_arms if arm.run_dir)
    return drawn(items_of_pairs(RunFolder(Path(own.run_dir)).pairs(), "train"), record.trained_pairs)


def items_of_pairs(pairs: Sequence[TrainingPair], split: str) -> tuple[SuiteItem, ...]:
    """Return the decisive pairs of one split of a run as preference items; ties too where they are held out."""
    return tuple(
        SuiteItem(p.pair_id, p.prompt, "preference", {}, (), p.chosen, p.rejected, p.target, p.is_tie)
        for p in pairs
        if p.split == split and p.chosen != p.rejected and not (p.is_tie and split == "train")
    )
