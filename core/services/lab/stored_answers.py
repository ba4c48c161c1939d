"""Answers to one prompt that exist already: samples that a run took while it trained, and answers of evaluations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.domain.conversation import Prompt
from core.domain.prompt_inspection import GivenAnswer
from core.runs.evaluations.control import evaluations_place, list_evaluations
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.folder import RunFolder
from core.runs.run_reader import RunReader

MOST_STORED = 24
"""Answers that are taken, the newest first."""


def stored_answers(run: RunFolder, prompt: Prompt, place: Path | None) -> tuple[list[GivenAnswer], int]:
    """Return different answers that were given to a prompt before, and how many more there are.

    Args:
        run: whose samples and evaluations.
        prompt: its turns must be the same.
        place: workspace that holds the evaluations; None without one.
    """
    found: dict[str, GivenAnswer] = {}
    for answer in (*_samples(run, prompt), *_evaluated(run, prompt, place)):
        if answer.text.strip():
            found.setdefault(answer.text, answer)
    kept = list(found.values())
    return kept[:MOST_STORED], max(0, len(kept) - MOST_STORED)


def _samples(run: RunFolder, prompt: Prompt) -> Iterator[GivenAnswer]:
    if not run.ledger.exists():
        return
    asked = {pair.pair_id for pair in run.pairs() if pair.prompt == prompt}
    for sample in reversed(RunReader(run.path).samples()):
        if sample.pair_id in asked:
            yield GivenAnswer(f"policy at step {sample.step}", sample.policy)
            yield GivenAnswer("reference", sample.reference)


def _evaluated(run: RunFolder, prompt: Prompt, place: Path | None) -> Iterator[GivenAnswer]:
    if place is None:
        return
    run_id = run.record().run_id
    for folder in list_evaluations(evaluations_place(place)):
        if folder.record().run["run_id"] == run_id:
            yield from _of_evaluation(folder, prompt)


def _of_evaluation(folder: EvaluationFolder, prompt: Prompt) -> Iterator[GivenAnswer]:
    record = folder.record()
    for suite, items in folder.items().items():
        asked = {item.id for item in items if item.prompt == prompt}
        for arm in record.arms if asked else ():
            if arm.template or arm.prompt(prompt) != prompt:
                continue
            for row in EvaluationLedger(folder.ledger).answers(suite, arm.name):
                if row.item in asked:
                    yield GivenAnswer(f"{arm.name}, {record.name}", row.text, row.finished)
