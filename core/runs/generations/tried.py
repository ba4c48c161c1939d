"""Tries the first pairs of a generation in a child process, so that this one never imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.domain.conversation import Prompt
from core.domain.generation import PairGeneration
from core.domain.tried_pairs import TriedPairs
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.hosting.hosts import worker_environment

PROGRAM = "core.runs.generations.tried_program"
TRIED = 4
"""Pairs that are tried at most: enough to see how long answers are, and soon done."""


def try_first(
    record: PairGeneration,
    prompts: Sequence[Prompt],
    *,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TriedPairs:
    """Return the first pairs and what the whole will take; nothing is stored.

    Args:
        record: what is to be generated.
        prompts: as they are asked.
        on_progress: gets (done, total, text).
        cancelled: polled; True ends the child at once.

    Raises:
        Cancelled: when ``cancelled`` became true.
        UserError: when a side cannot answer.
    """
    request = {"record": record.to_plain(), "prompts": [prompt.to_plain() for prompt in prompts[:TRIED]]}
    plain = run_in_subprocess(
        PROGRAM, request, environment=worker_environment(), on_progress=on_progress, cancelled=cancelled
    )
    return TriedPairs.from_plain(plain)
