"""Who answers in a talk: the policy of a run, its reference, the policy of another run. No torch."""

from __future__ import annotations

from pathlib import Path

from core.domain.errors import NotFound, UsageError
from core.domain.evaluation_record import Arm
from core.domain.evidence import ArmKind
from core.domain.pair import GenerationRecord
from core.domain.talk import Exchange, Reply
from core.model_files.policy_files import policy_folder, policy_sha256
from core.runs.folder import RunFolder
from core.runs.moved_model import base_model_place

POLICY, REFERENCE = "policy", "reference"


def arms_of(
    run: RunFolder, *, step: int = 0, policy: bool = True, reference: bool = True, against: RunFolder | None = None
) -> tuple[Arm, ...]:
    """Return who answers, and check that their weights are there.

    Args:
        run: whose policy, and whose reference.
        step: of the checkpoint of the policy; 0 is the run's result.
        policy: whether the policy answers.
        reference: whether its reference does.
        against: another run, whose result answers too.

    Raises:
        NotFound: when a run has no such weights, or its base model is gone.
        UsageError: when nobody is left to answer, or the other run is the same one.
    """
    found = []
    if policy:
        found.append(_arm(run, POLICY, "aligned", step))
    if reference:
        found.append(_arm(run, REFERENCE, "reference", step))
    if against is not None:
        record = against.record()
        if record.run_id == run.record().run_id:
            raise UsageError("A run is not talked to beside itself.", "Name another run.")
        name = record.name if record.name not in (POLICY, REFERENCE) else record.run_id
        found.append(_arm(against, name, "run", 0))
    if not found:
        raise UsageError("Nobody is left to answer.", "Keep the policy, its reference or another run.")
    return tuple(found)


def _arm(run: RunFolder, name: str, kind: ArmKind, step: int) -> Arm:
    record, place = run.record(), run.path.resolve()
    policy_folder(place, step)
    base = base_model_place(place, record.model_dir)
    if not base.exists():
        raise NotFound(
            f"The base model of the run {record.name} is gone: {base}. The run and its results are safe.",
            "Put the model back where it was, or copy it to the models folder of the workspace.",
        )
    inputs = {key: value for key, value in record.inputs.items() if key in ("model", "tokenizer", "template")}
    return Arm(name, kind, str(place), record.run_id, step, inputs={**inputs, "base": base.name, "run": record.name})


def generation_of(arm: Arm, exchange: Exchange, reply: Reply) -> GenerationRecord:
    """Return how an answer of a talk was made, with the weights that made it."""
    settings, prompt = exchange.settings, exchange.prompts[arm.name]
    weights = policy_sha256(Path(arm.run_dir), arm.step) if arm.is_policy else ""
    named = {
        "arm": arm.name,
        "kind": POLICY if arm.is_policy else REFERENCE,
        "run": arm.run_id,
        "run_name": arm.inputs.get("run", ""),
        "checkpoint": (f"step {arm.step}" if arm.step else "result") if arm.is_policy else "",
        "policy_sha256": weights,
        "finish_reason": "stop" if reply.finished else "length",
        "tokens": len(reply.token_ids),
        "prompt_tokens": reply.prompt_tokens,
        "dropped_turns": reply.dropped_turns,
    }
    return GenerationRecord(
        model=arm.inputs.get("base", ""),
        model_sha256=arm.inputs.get("model", ""),
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=settings.top_k,
        max_new_tokens=settings.max_new_tokens,
        seed=reply.seed,
        repetition_penalty=settings.repetition_penalty,
        system_prompt=next((turn.content for turn in prompt.messages if turn.role == "system"), None),
        template_sha256=arm.inputs.get("template", ""),
        finished=reply.finished,
        extra={key: value for key, value in named.items() if value not in ("", 0)},
    )
