"""Per-pair gradient norms of a run, on demand: the pairs with the lowest margin, and as many drawn ones to compare.

Each pair costs a forward and a backward pass, so only some are measured. It imports torch as it measures.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from core.domain.errors import BadInput
from core.domain.pair_gradients import NORM_WORDS, PairGradient, PairGradients
from core.runs.folder import RunFolder
from core.runs.moved_model import base_model_place
from core.runs.run_reader import RunReader

MOST = 512
"""Pairs of each kind that are measured at most."""


def pair_gradients(
    run_dir: Path,
    *,
    step: int = 0,
    worst: int = 8,
    drawn: int = 16,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> PairGradients:
    """Measure the gradient norm of single training pairs under the policy of a run.

    Args:
        run_dir: of the run; nothing in it is changed.
        step: of the checkpoint; 0 is the result.
        worst: pairs with the lowest margin at their last visit.
        drawn: pairs that are drawn from all others and from these alike; the mean is theirs.
        seed: of the draw.
        on_progress: gets (pairs done, pairs wanted).

    Raises:
        BadInput: for numbers out of bounds, and for a run whose objective is not one of single pairs.
        NotFound, ModelRefused: when model or policy are gone or were altered.
    """
    if not (0 <= worst <= MOST and 2 <= drawn <= MOST):
        raise BadInput(f"0 to {MOST} worst pairs and 2 to {MOST} drawn ones can be measured.", "Choose fewer.")
    # They import scipy and torch, which a process that only shows a run must not load.
    from core.evaluation.measures.means import mean_by_prompt
    from core.runs.gradient_pass import GradientPass

    folder = RunFolder(run_dir)
    record = folder.record()
    run = GradientPass(folder, base_model_place(folder.path, record.model_dir), step)
    usable = {pair.pair_id: pair for pair in run.pairs}
    lowest = [one.pair_id for one in RunReader(folder.path).worst(worst + len(folder.pairs()) - len(usable))]
    chosen = [id_ for id_ in lowest if id_ in usable][:worst]
    sample = random.Random(seed).sample(sorted(usable), min(drawn, len(usable)))
    wanted = list(dict.fromkeys([*chosen, *sample]))
    begun = time.monotonic()
    found: dict[str, PairGradient] = {}
    for row, norm in run.norms([usable[id_] for id_ in wanted]):
        found[row.pair_id] = PairGradient(row.pair_id, norm, row.loss, row.margin, row.weight, row.pair_id in chosen)
        if on_progress is not None:
            on_progress(len(found), len(wanted))
    run.close()
    seconds = (time.monotonic() - begun) / max(1, len(found))
    prompts = {pair.pair_id: pair.prompt.sha256 for pair in folder.pairs()}
    mean = mean_by_prompt([found[id_].norm for id_ in sample], [prompts[id_] for id_ in sample], "nats", NORM_WORDS)
    return PairGradients(record.run_id, step, tuple(found.values()), mean, run.weights, seconds, len(usable))
