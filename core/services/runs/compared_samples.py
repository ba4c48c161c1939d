"""What several runs answered to the same prompt with the same seed, at the step at which they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.runs.run_reader import RunReader
from core.services.runs.answer_lengths import newest_samples


@dataclass(frozen=True, slots=True)
class ComparedAnswers:
    """One prompt under one seed, and the answer of each run in their order; None where a run was not asked."""

    prompt: str
    seed: int
    answers: tuple[str | None, ...]


def compared_samples(readers: Sequence[RunReader], step: int | None = None) -> tuple[ComparedAnswers, ...]:
    """Return what at least two of the runs answered, from the newest samples of each at or before a step."""
    drawn = [
        {(sample.prompt, sample.seed): sample.policy for sample in newest_samples(reader.samples(), step)}
        for reader in readers
    ]
    keys = dict.fromkeys(key for answers in drawn for key in answers)
    rows = [ComparedAnswers(*key, tuple(answers.get(key) for answers in drawn)) for key in keys]
    return tuple(row for row in rows if sum(answer is not None for answer in row.answers) > 1)
