"""Create an evaluation: find and hash the weights of its arms, freeze the request, publish the folder. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.domain.clock import now_ms
from core.domain.counting import counted, verb
from core.domain.errors import BadInput, UsageError
from core.domain.evaluation_record import DEV, Arm, EvaluatedSuite, EvaluationRecord
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.ids import new_uid, sha256_text
from core.domain.run_record import RunRecord
from core.domain.suite import Suite, SuiteItem
from core.domain.threshold import Threshold
from core.evaluation.constraints import checked_constraint
from core.generation.endpoint import Endpoint
from core.model_files.template_files import template_files
from core.runs.creation import versions
from core.runs.evaluations.arm_inputs import inputs_of_run
from core.runs.evaluations.folder import EvaluationFolder, publish
from core.runs.evaluations.suite_items import answered, drawn, flat, index_aligned
from core.runs.evaluations.templates import alternates, template_of_training
from core.runs.folder import RunFolder

_IN = "what an arm was trained or tuned on"


@dataclass(frozen=True, slots=True)
class SealedSuite:
    """A sealed test that is to be opened by the evaluator.

    Attributes:
        rows, sha256: as its header says.
        person, reason: who opens it, and why.
        used_for: what its items were used to tune, in words.
    """

    title: str
    path: Path
    keys: Path
    sha256: str
    rows: int
    person: str
    reason: str
    used_for: str = ""


@dataclass(frozen=True, slots=True)
class NewEvaluation:
    """What a new evaluation is made of.

    Attributes:
        run_dir: folder of the run that is evaluated. step: of the checkpoint; 0 is its result.
        suites: open suites. sealed: sealed tests.
        arms: the arms besides the reference; their ``inputs`` are filled in here.
        rubric: title and text of the rubric that an arm has as system prompt; "" for none.
        templates: answer suites in several languages under other chat templates too.
        leave_out_leaks: leave out items of open suites that have a copy in what an arm was trained on.
    """

    run_dir: Path
    suites: Sequence[Suite] = ()
    sealed: Sequence[SealedSuite] = ()
    arms: Sequence[Arm] = ()
    step: int = 0
    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    limit: int = 0
    name: str = ""
    rubric: tuple[str, str] = ("", "")
    command_line: str = ""
    notes: tuple[str, ...] = ()
    expected_s: float = 0.0
    templates: bool = False
    leave_out_leaks: bool = False


def create_evaluation(path: Path, new: NewEvaluation, *, evaluation_id: str = "") -> EvaluationFolder:
    """Publish the folder of a new evaluation at ``path``; nothing is left behind when that fails.

    Raises:
        UsageError: without suites, with two arms of one name, for an endpoint elsewhere, or when ``path`` exists.
        NotFound: when the run has no such policy.
        Leaked: when an item of an open suite stands in what an arm was trained or tuned on.
    """
    # It loads datasketch, which the window must not load when it starts.
    from core.runs.evaluations.leak_gate import require_no_open_leak

    record, items = make_record(new, evaluation_id or new_uid())
    require_no_open_leak(record, items)
    return publish(path, record, items)


def make_record(new: NewEvaluation, evaluation_id: str) -> tuple[EvaluationRecord, dict[str, Sequence[SuiteItem]]]:
    """Return the content of ``evaluation.json`` and the items of each open suite.

    Raises:
        BadInput: also for a constraint that nothing can check.
    """
    run = RunFolder(new.run_dir).record()
    if new.limit < 0:
        raise UsageError("The limit of items cannot be below 0.", "Leave it out to take all items.")
    titles = [*(suite.title for suite in new.suites), *(sealed.title for sealed in new.sealed)]
    if not titles:
        raise UsageError("There is nothing to evaluate on.", "Name at least one suite.")
    if len(set(titles)) < len(titles):
        raise UsageError("A suite is named twice.", "Name each once.")
    arms = tuple(_with_inputs(arm) for arm in _with_reference(new))
    names = {arm.name for arm in arms}
    if len(names) < len(arms):
        raise UsageError("Two arms have the same name.", "Name each arm once.")
    if lone := next((arm for arm in arms if arm.guard and arm.base not in names), None):
        raise UsageError(f"{lone.name} guards {lone.base}, which is no arm of this evaluation.", "Add that arm.")
    items, left_out = _drawn_items(new, sorted({arm.run_dir for arm in arms if arm.run_dir}))
    for item in (item for own in items.values() for item in own):
        for constraint in item.constraints:
            checked_constraint(constraint)  # now, not after everything is answered
    suites = [_evaluated(suite, items[suite.title], new.config) for suite in new.suites]
    suites += [_sealed(sealed, new) for sealed in new.sealed]
    title, text = new.rubric
    trained_with = _template_of(run)
    record = EvaluationRecord(
        evaluation_id=evaluation_id,
        name=new.name or f"{run.name}{f' step {new.step}' if new.step else ''}",
        created_ms=now_ms(),
        run=_about(run, new),
        run_config=run.config.to_plain(),
        arms=arms,
        suites=tuple(suites),
        config=new.config,
        limit=new.limit,
        rubric={"title": title, "sha256": sha256_text(text)} if text else {},
        versions=versions(),
        command_line=new.command_line,
        expected_s=new.expected_s,
        notes=(*new.notes, *left_out),
        training_template=trained_with,
        templates=_templates(new, suites, trained_with),
        trained_pairs=_trained_pairs(new, suites, run),
    )
    if len({arm.name for arm in (*arms, *record.template_arms)}) < len(arms) + len(record.template_arms):
        raise UsageError("An arm has the name of another one under a template.", "Name the arm otherwise.")
    return record, dict(items)


def _drawn_items(new: NewEvaluation, runs: Sequence[str]) -> tuple[dict[str, tuple[SuiteItem, ...]], list[str]]:
    """Return the items of each open suite that are evaluated, and a sentence where leaks were left out."""
    # It loads datasketch, which the window must not load when it starts.
    from core.runs.evaluations.leak_gate import without_leaks

    found: dict[str, tuple[SuiteItem, ...]] = {}
    told = []
    for suite in new.suites:
        kept = suite.items
        if new.leave_out_leaks and not suite.title.startswith(f"{DEV} v"):
            kept = without_leaks(suite.items, runs)
            if n := len(suite.items) - len(kept):
                has = verb(n, "has", "have")
                told.append(f"{counted(n, 'item')} of {suite.title} {has} a copy or near copy in {_IN}: left out.")
            if not kept:
                raise UsageError(f"Every item of {suite.title} has a copy or near copy in {_IN}.", "Leave it out.")
        found[suite.title] = drawn(kept, new.limit)
    return found, told


def _template_of(run: RunRecord) -> str:
    """Return the name of the template that the run was trained with; "" for one that is not known here."""
    files = template_files(Path(run.model_dir))
    source = str(files.chat_template) if files is not None else ""
    return template_of_training(source, run.config.template)


def _templates(new: NewEvaluation, suites: Sequence[EvaluatedSuite], trained_with: str) -> tuple[str, ...]:
    if not new.templates:
        return ()
    if not any(suite.aligned or suite.pairs for suite in suites):
        raise UsageError(
            "No suite asks the same in several languages or has pairs, so nothing can be tried under other templates.",
            "Add the built-in suite languages, or dev.",
        )
    return alternates(trained_with)


def _trained_pairs(new: NewEvaluation, suites: Sequence[EvaluatedSuite], run: RunRecord) -> int:
    """Return how many training pairs are measured: as many as there are held-out ones, at most what is set."""
    held_out = sum(suite.pairs for suite in suites if suite.is_held_out_of(str(run.dataset.get("title", ""))))
    return min(new.config.trained_pairs, held_out, run.n_train)


def _with_reference(new: NewEvaluation) -> list[Arm]:
    """Return the arms with the run's reference first: every difference is to it."""
    run_id = RunFolder(new.run_dir).record().run_id
    own = {"run_dir": str(Path(new.run_dir).resolve()), "run_id": run_id, "step": new.step}
    arms = list(new.arms) or [Arm("aligned", "aligned")]
    rest = [arm if arm.url or arm.run_dir else replace(arm, **own) for arm in arms if arm.kind != "reference"]
    return [Arm("reference", "reference", **own), *rest]


def _with_inputs(arm: Arm) -> Arm:
    if arm.url:
        Endpoint(arm.url)  # refuses what prompts may not be sent to
        return arm
    if arm.kind == "reference_with_rubric" and not arm.system_prompt:
        raise UsageError(
            "The arm reference_with_rubric needs the text of a rubric.",
            "Evaluate a run on a dataset version of a workspace, or name a text file with --rubric.",
        )
    inputs = inputs_of_run(Path(arm.run_dir), arm.step)
    if arm.guard:
        inputs["guardrail"] = Threshold.from_plain(arm.guard).sha256
    return replace(arm, inputs=inputs)


def _evaluated(suite: Suite, items: Sequence[SuiteItem], config: EvaluationConfig) -> EvaluatedSuite:
    return EvaluatedSuite(
        title=suite.title,
        sha256=suite.sha256,
        total=len(suite.items),
        used=len(items),
        answered=len(answered(items, config)),
        pairs=sum(item.expected == "preference" for item in items),
        aligned=len(flat(index_aligned(items))),
        texts=sum(item.expected == "neutral" for item in items),
        origin=suite.origin,
        licence=suite.licence,
    )


def _sealed(sealed: SealedSuite, new: NewEvaluation) -> EvaluatedSuite:
    if not (sealed.person.strip() and sealed.reason.strip()):
        raise BadInput(
            f"The sealed test of {sealed.title} is opened with a person and a reason; each opening is noted.",
            "Say who opens it and why (--person NAME --reason WHY).",
        )
    used = min(new.limit or sealed.rows, sealed.rows)
    return EvaluatedSuite(
        title=sealed.title,
        sha256=sealed.sha256,
        total=sealed.rows,
        used=used,
        answered=used if new.config.answer_pairs else 0,
        pairs=used,
        origin="sealed",
        sealed=str(sealed.path),
        keys=str(sealed.keys),
        person=sealed.person,
        reason=sealed.reason,
        used_for=sealed.used_for,
    )


def _about(run: RunRecord, new: NewEvaluation) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "name": run.name,
        "folder": str(Path(new.run_dir).resolve()),
        "step": new.step,
        "fingerprint": run.fingerprint,
        "model": Path(run.model_dir).name,
        "dataset": run.dataset,
    }
