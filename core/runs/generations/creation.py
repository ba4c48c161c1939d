"""Create a generation: hash what answers, freeze the request, publish the folder. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.domain.clock import now_ms
from core.domain.conversation import Prompt
from core.domain.errors import BadInput, UsageError
from core.domain.evaluation_record import Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.generation import NEARLY, AnsweringSide, KeepChoice, LeaveReason, PairGeneration, leave_choices
from core.domain.ids import new_uid
from core.domain.pair import Side
from core.domain.run_config import RunConfig
from core.generation.endpoint import Endpoint
from core.runs.creation import versions, with_fixed_settings
from core.runs.evaluations.arm_inputs import inputs_of_model, inputs_of_run
from core.runs.generations.folder import GenerationFolder, publish


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """What a new generation is made of.

    Attributes:
        a, b: what answers; their ``inputs`` and ``settings`` are filled in here.
        prompts: repeats are left out here.
        margins: letters of the sides whose run scores both answers of each pair.
    """

    a: AnsweringSide
    b: AnsweringSide
    prompts: Sequence[Prompt]
    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    samples: int = 1
    name: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    system_prompt: str = ""
    margins: tuple[Side, ...] = ()
    choices: Mapping[LeaveReason, KeepChoice] = field(default_factory=lambda: leave_choices(()))
    nearly: float = NEARLY
    batch: Mapping[str, Any] = field(default_factory=dict)
    command_line: str = ""


def create_generation(path: Path, new: NewGeneration, *, generation_id: str = "") -> GenerationFolder:
    """Publish the folder of a new generation at ``path``; nothing is left behind when that fails.

    Raises:
        UsageError: for a number out of bounds, an endpoint elsewhere, or when ``path`` exists.
        NotFound: when a run has no such policy.
        BadInput: without a prompt, for a model that cannot be read, or greedy answers of one model twice.
    """
    record, prompts = make_generation(new, generation_id or new_uid())
    return publish(path, record, prompts)


def make_generation(new: NewGeneration, generation_id: str) -> tuple[PairGeneration, list[Prompt]]:
    """Return the content of ``generation.json`` and the prompts as they are asked."""
    if new.samples < 1:
        raise UsageError("At least one pair is made for a prompt.", "Choose --n 1 or more.")
    if not 0 < new.nearly <= 1:
        raise UsageError(f"The similarity {new.nearly:g} is out of bounds.", "Choose a value above 0, at most 1.")
    if new.config.temperature == 0 and (new.a.answers_like(new.b) or new.samples > 1):
        raise BadInput(
            "At temperature 0 a model always gives the same answer, so two samples of it are equal.",
            "Choose a temperature above 0, such as 0.8.",
        )
    prompts = list({one.sha256: one for one in map(_asked_by(new.system_prompt), new.prompts)}.values())
    if not prompts:
        raise BadInput("There is no prompt to answer; nothing was generated.", "Choose other prompts.")
    for letter in new.margins:
        side = new.a if letter == "A" else new.b
        if not side.run_dir:
            raise UsageError(f"Side {letter} is no run, so it has no margin.", "Name a run, or another rule.")
    created = now_ms()
    return (
        PairGeneration(
            generation_id=generation_id,
            name=new.name or default_name(new.a, new.b),
            created_ms=created,
            a=with_inputs(new.a, created),
            b=with_inputs(new.b, created),
            config=new.config,
            samples=new.samples,
            prompts=len(prompts),
            origin=dict(new.origin),
            system_prompt=new.system_prompt,
            margins=new.margins,
            choices=dict(new.choices),
            nearly=new.nearly,
            batch=dict(new.batch),
            versions=versions(),
            command_line=new.command_line,
        ),
        prompts,
    )


def default_name(a: AnsweringSide, b: AnsweringSide) -> str:
    """Return what a generation is called when nobody says it."""
    return f"pairs of {a.name}" if a.answers_like(b) else f"{a.name} and {b.name}"


def with_inputs(side: AnsweringSide, created_ms: int) -> AnsweringSide:
    """Return a side with the hashes of what answers, and how the texts of a model folder become tokens.

    Args:
        side: as it was asked for.
        created_ms: UTC milliseconds since 1970; a chat template that writes the date writes this day.
    """
    if side.url:
        Endpoint(side.url)  # refuses what prompts may not be sent to
        return side
    if side.run_dir:
        return replace(side, inputs=inputs_of_run(Path(side.run_dir), side.step))
    place = Path(side.model_dir)
    config = with_fixed_settings(RunConfig(lora_r=0, dtype="float32"), place, created_ms)
    return replace(side, inputs=inputs_of_model(place), settings=config.to_plain())


def _asked_by(system_prompt: str) -> Any:
    """Return the function that puts the system prompt before a prompt, as the arms of an evaluation do."""
    return Arm("asked", "run", system_prompt=system_prompt).prompt
