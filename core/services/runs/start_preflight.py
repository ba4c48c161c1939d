"""Preflight: checks of a run before it starts, and the proof of what it trains, in a child process that has torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.pair import TrainingPair
from core.domain.pair_similarity import SimilarPairs
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import RunConfig
from core.domain.run_record import Charter
from core.domain.token_proof import TokenProof
from core.evaluation.chosen_refusals import refusal_objection, refused_share
from core.runs.child_processes.request import run_in_subprocess
from core.runs.creation import with_fixed_settings
from core.runs.folder import PAIRS, pairs_text
from core.runs.hosting.hosts import worker_environment
from core.unfinished import temporary_folder

__all__ = ["Check", "PreflightReport", "preflight", "similar_pairs", "token_proof"]


def preflight(
    config: RunConfig,
    model_dir: Path,
    pairs: Sequence[TrainingPair],
    *,
    place: Path,
    charter: Charter | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
    on_check: Callable[[Check], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PreflightReport:
    """Load the model, tokenise all pairs, make one dry step, and count memory, disk and time.

    Args:
        config: settings of the run.
        model_dir: its base model.
        pairs: its train and dev pairs.
        place: the folder of run folders, for the disk space.
        charter: of the run, which must name a benign suite where refusals are trained.
        on_progress: gets (done, total, text).
        on_check: gets each check as soon as it is known; a later one with the same key replaces it.
        cancelled: polled; True ends the child at once.

    Raises:
        BadInput: without a pair to train on.
        ModelRefused: when the model is unsafe or cannot be read.
        UsageError: when the chat template ignores one of the settings.
        Cancelled: when ``cancelled`` became true.
    """
    refusals = refusal_check(charter or Charter(), pairs)
    if on_check is not None:
        on_check(refusals)
    with _request(config, model_dir, pairs) as request:
        report = run_in_subprocess(
            "core.runs.child_processes.preflight_program",
            {**request, "place": str(place)},
            environment=worker_environment(),
            on_progress=on_progress,
            on_part=None if on_check is None else lambda plain: on_check(Check(**plain)),
            cancelled=cancelled,
        )
    found = PreflightReport.from_plain(report)
    return replace(found, checks=(refusals, *found.checks))


def refusal_check(charter: Charter, pairs: Sequence[TrainingPair]) -> Check:
    """Return the check that refusals among the chosen answers are few, or a benign suite measures what they do."""
    share = refused_share(pairs)
    if objection := refusal_objection(charter, share):
        return Check("refusals", "bad", *objection)
    if not share.n:
        return Check("refusals", "ok", "No chosen answer is trained on.")
    words = f"{100 * share.value:.0f} % of {counted(share.n, 'chosen answer')} refuse"
    return Check(
        "refusals", "ok", f"{words}; measured on {charter.benign_suite}." if charter.benign_suite else f"{words}."
    )


def token_proof(
    config: RunConfig,
    model_dir: Path,
    pairs: Sequence[TrainingPair],
    *,
    most: int = 8,
    on_progress: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TokenProof:
    """Tokenise all pairs and return of up to ``most`` what is trained, those first that something is said of.

    Raises: what :func:`preflight` raises, and BadInput when the chat template refuses a pair's conversation.
    """
    with _request(config, model_dir, pairs) as request:
        proof = run_in_subprocess(
            "core.runs.child_processes.proof_program",
            {**request, "most": most},
            environment=worker_environment(),
            on_progress=on_progress,
            cancelled=cancelled,
        )
    return TokenProof.from_plain(proof)


def similar_pairs(
    config: RunConfig,
    model_dir: Path,
    pairs: Sequence[TrainingPair],
    *,
    on_progress: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SimilarPairs:
    """Rank the training pairs by how alike both answers are to the model that the run would begin with (CHES).

    Raises: what :func:`preflight` raises.
    """
    with _request(config, model_dir, pairs) as request:
        found = run_in_subprocess(
            "core.runs.evaluations.similarity_program",
            request,
            environment=worker_environment(),
            on_progress=on_progress,
            cancelled=cancelled,
        )
    return SimilarPairs.from_plain(found)


@contextmanager
def _request(config: RunConfig, model_dir: Path, pairs: Sequence[TrainingPair]) -> Iterator[dict[str, Any]]:
    """Yield the request of a child program, with the settings that a run created now would fix."""
    used = [pair for pair in pairs if pair.split != "test"]
    if not any(pair.split == "train" for pair in used):
        raise BadInput("There is no pair to train on.", "Choose a dataset version with a train split.")
    fixed = with_fixed_settings(config, model_dir, now_ms())
    with temporary_folder(prefix="pairwright-preflight-") as folder:
        (folder / PAIRS).write_text(pairs_text(used), encoding="utf-8")
        yield {"config": fixed.to_plain(), "model_dir": str(Path(model_dir).resolve()), "pairs_dir": str(folder)}
