"""Look at one prompt under a run's policy and its reference, in a child process, so that this one imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import UsageError
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.prompt_inspection import GivenAnswer, InspectedAnswer, InspectionRequest, PromptInspection
from core.model_files.policy_files import policy_folder
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import worker_environment

PROGRAM = "core.runs.evaluations.inspection_program"
MOST_SAMPLES, MOST_NAMED = 64, 50
_WHOLE = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0}
"""The model's own distribution: what is sampled unless the settings say otherwise."""


def inspect_prompt(
    run: RunFolder,
    prompt: Prompt,
    request: InspectionRequest,
    given: Sequence[GivenAnswer] = (),
    *,
    on_progress: Progress | None = None,
    on_answer: Callable[[InspectedAnswer], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PromptInspection:
    """Return what policy and reference of a run say to a prompt, and which training pairs are near it.

    Args:
        run: whose policy, reference and training pairs.
        prompt: what is asked.
        request: its step, numbers and settings; run, prompt and item of it are not read here.
        given: answers to look at beside the samples.
        on_progress: gets (done, total, text).
        on_answer: gets each answer as soon as it was looked at.
        cancelled: polled; True ends the child at once.

    Raises:
        Cancelled: when ``cancelled`` became true.
        NotFound: when the run has no such weights.
        UsageError: for a number or setting out of bounds, or where nothing is asked for.
        UserError: when the model cannot be used, or cannot read the prompt.
    """
    config = checked_settings(request, len(given))
    policy_folder(run.path, request.step)  # before a process is started for it
    plain = run_in_subprocess(
        PROGRAM,
        {
            "run_dir": str(run.path.resolve()),
            "step": request.step,
            "config": config.to_plain(),
            "prompt": prompt.to_plain(),
            "given": [[answer.name, answer.text, answer.finished] for answer in given],
            "samples": request.samples,
            "authors": list(request.authors),
            "likely": request.likely,
            "nearest": request.nearest,
        },
        environment=worker_environment(),
        on_progress=on_progress,
        on_part=None if on_answer is None else _answers_to(on_answer),
        cancelled=cancelled,
    )
    return PromptInspection.from_plain(plain)


def checked_settings(request: InspectionRequest, given: int) -> EvaluationConfig:
    """Return the settings of the decoder.

    Raises:
        UsageError: for a number or setting out of bounds, or where nothing is asked for.
    """
    for name, value, most in (
        ("samples of each model", request.samples, MOST_SAMPLES),
        ("likeliest tokens", request.likely, MOST_NAMED),
        ("nearest pairs", request.nearest, MOST_NAMED),
    ):
        if not 0 <= value <= most:
            raise UsageError(f"{value} {name} are out of bounds.", f"Choose 0 to {most}.")
    if not (request.samples or given or request.nearest):
        raise UsageError("Nothing is asked of this prompt.", "Ask for samples, nearest pairs, or give an answer.")
    return EvaluationConfig().with_values({**_WHOLE, **request.settings})


def _answers_to(on_answer: Callable[[InspectedAnswer], None]) -> Callable[[Any], None]:
    return lambda row: on_answer(InspectedAnswer.from_plain(row))
