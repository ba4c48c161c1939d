"""``evaluate`` and ``evaluations``: measure a run on suites, and look at what was measured.

With a workspace the evaluation lies in its folder ``evaluations``; a run folder alone is evaluated beside itself or
where ``--out`` says. The workspace libraries are imported in the function that opens a workspace.
"""

from __future__ import annotations

import shlex
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.bounded import read_utf8
from core.cli.failures import report
from core.cli.measured_matrix import calibration_lines, margin_lines, matrix_lines
from core.cli.output import say, say_json, say_note, table
from core.cli.run_settings import read_changes
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError, UserError, WorkspaceInUse
from core.domain.evaluation_settings import EVALUATION_SETTINGS, EvaluationConfig
from core.domain.ids import new_uid
from core.domain.measured_evidence import MeasuredEvidence, read_estimate
from core.domain.number_text import estimate_text
from core.domain.run_events import Failed, Finished
from core.domain.time_spans import duration
from core.runs.evaluations import control
from core.runs.evaluations.arm_costs import arm_costs
from core.runs.evaluations.cost import ExpectedCost
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EVALUATION_JSON, PLACE, EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.lines import evaluation_json, evaluation_line
from core.runs.evaluations.status import evaluation_status
from core.runs.evaluations.verify import evaluation_problems
from core.runs.evaluations.words import done_words, left_words, work_words
from core.runs.finding import left_out
from core.runs.folder import RunFolder
from core.runs.run_control import find_run
from core.services.evaluations.making import expected_bare, make_bare
from core.services.evaluations.requests import EvaluationRequest
from core.services.evaluations.views import EvaluationInfo

if TYPE_CHECKING:
    from core.services.application import Application

_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_RUBRIC_BYTES = 256 << 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("evaluate")(evaluate_run)
    app.command("evaluations")(evaluations)


def evaluate_run(
    workspace: Annotated[Path | None, typer.Argument(help="Workspace folder, or a run folder alone.")] = None,
    run: Annotated[str, typer.Argument(help="Run of the workspace: its id, name or folder.")] = "",
    suites: Annotated[
        list[str] | None,
        typer.Option("--suite", help="Title of a suite, dev, sealed:DATASET, or a JSONL file; many times."),
    ] = None,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            "--arm",
            help="Besides the reference: aligned (the default), aligned_without_system, reference_with_rubric, "
            "run:NAME or run:NAME@STEP, endpoint:URL or endpoint:URL#MODEL, guarded:THRESHOLD or "
            "guarded:THRESHOLD@ARM; many times.",
        ),
    ] = None,
    checkpoint: Annotated[int, typer.Option(help="Step of the checkpoint; 0 is the run's result.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="Most items of a suite; 0 takes all.", min=0)] = 0,
    templates: Annotated[
        bool,
        typer.Option(
            "--templates",
            help="Under plain text and two other chat templates too: answer suites in several languages, score pairs.",
        ),
    ] = False,
    leave_out_leaks: Annotated[
        bool, typer.Option("--leave-out-leaks", help="Leave out items of open suites that stand in what was trained.")
    ] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, many times.")] = None,
    rubric: Annotated[Path | None, typer.Option(help="Text for the arm reference_with_rubric.")] = None,
    person: Annotated[str, typer.Option(help="Who opens a sealed test.")] = "",
    reason: Annotated[str, typer.Option(help="Why a sealed test is opened.")] = "",
    name: Annotated[str, typer.Option(help="What the evaluation is called.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder to make, without a workspace.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Evaluation folder to resume.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Time the model and say how long it takes; measure nothing.")
    ] = False,
    create_only: Annotated[bool, typer.Option("--create-only", help="Make the folder; measure nothing yet.")] = False,
    list_settings: Annotated[bool, typer.Option("--settings", help="Print every key of --set.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One event a line as JSON; the last is the evidence.")
    ] = False,
) -> int:
    """Measure a run on suites and print the evidence. Ctrl+C cancels; resume goes on where it stopped."""
    if list_settings:
        _show_settings(as_json)
        return 0
    if resume is not None:
        return work_on(EvaluationFolder(resume), as_json=as_json)
    if workspace is None:
        raise UsageError("There is nothing to evaluate.", "Name a workspace and a run, or a run folder.")
    place, run_dir = run_of(workspace, run)
    request = EvaluationRequest(
        run=run_dir,
        suites=tuple(suites or ()),
        arms=tuple(arms or ()),
        step=checkpoint,
        config=EvaluationConfig().with_values(read_changes(settings or [])),
        limit=limit,
        name=name,
        rubric=_text_of(rubric),
        person=person,
        reason=reason,
        templates=templates,
        leave_out_leaks=leave_out_leaks,
    )
    request = _with_command_line(request, place, settings or [])
    if check:
        _show_cost(_expected(place, request), as_json)
        return 0
    folder = _make(place, request, out)
    if create_only:
        say(str(folder.path))
        return 0
    code = work_on(folder, as_json=as_json)
    if place is not None and any(suite.sealed for suite in folder.record().suites):
        with suppress(UserError), open_workspace(place) as app:  # a window that has it open does this itself
            app.datasets.take_openings()
    return code


def run_of(first: Path, name: str) -> tuple[Path | None, Path]:
    """Return the workspace, None without one, and the run folder that the two words name."""
    if name:
        return first, find_run(name, first).path
    if not RunFolder(first).exists():
        raise UsageError("No run is named.", "Name a workspace and a run, or a run folder.")
    above = first.resolve().parent.parent
    return (above if (above / "workspace.db").exists() else None), first


def _text_of(path: Path | None) -> tuple[str, str]:
    if path is None:
        return "", ""
    return path.name, read_utf8(path.expanduser(), _RUBRIC_BYTES)


def _with_command_line(request: EvaluationRequest, place: Path | None, settings: list[str]) -> EvaluationRequest:
    words = ["pairwright", "evaluate", *([str(place)] if place else []), str(request.run)]
    options = (("--suite", request.suites), ("--arm", request.arms), ("--set", settings))
    for option, values in options:
        words += [word for value in values for word in (option, value)]
    for option, value in (("--checkpoint", request.step), ("--limit", request.limit)):
        words += [option, str(value)] if value else []
    words += ["--templates"] if request.templates else []
    words += ["--leave-out-leaks"] if request.leave_out_leaks else []
    fields = {key: getattr(request, key) for key in EvaluationRequest.__dataclass_fields__}
    return EvaluationRequest(**{**fields, "command_line": shlex.join(words)})


def _make(place: Path | None, request: EvaluationRequest, out: Path | None) -> EvaluationFolder:
    if place is None:
        return make_bare(request, out or request.run.resolve().parent / PLACE / new_uid())
    if out is not None:
        raise UsageError("An evaluation of a workspace lies in its own folder.", "Leave --out out.")
    with _opened(place) as app:
        return EvaluationFolder(Path(app.evaluations.create(request).value.folder))


def _expected(place: Path | None, request: EvaluationRequest) -> ExpectedCost:
    if place is None:
        return expected_bare(request)
    with _opened(place) as app:
        return app.evaluations.expected(request)


def _show_cost(cost: ExpectedCost, as_json: bool) -> None:
    if as_json:
        ways = [{"option": one.option, "seconds": one.seconds, "loses": one.loses} for one in cost.cheaper]
        say_json({"seconds": cost.seconds, "parts": dict(cost.parts), "cheaper": ways})
        return
    say(cost.sentence())
    for one in cost.cheaper:
        say(f"  with {one.option}: {duration(one.seconds)}; {one.loses}")


def _opened(workspace: Path) -> Application:
    """Open a workspace for a moment: for writing, or for reading while a window has it."""
    try:
        return open_workspace(workspace)
    except WorkspaceInUse:
        return open_workspace(workspace, read_only=True)


def work_on(folder: EvaluationFolder, *, as_json: bool) -> int:
    """Work on the evaluation in this process, print its events and then its evidence; return the exit code."""

    def show(event: Any) -> None:
        line = evaluation_json(event) if as_json else evaluation_line(event)
        if line:
            say(line)

    signals = (signal.SIGINT, signal.SIGTERM)
    last = evaluate(folder.path, EvaluationHost(host="terminal", on_event=show, signals=signals, reset=True))
    if isinstance(last, Failed):
        report(last.message, last.hint, as_json=as_json)
        return 1
    if isinstance(last, Finished) and last.reason != "completed":
        say_note(f"Cancelled; the answers so far are kept. Go on with: evaluate --resume {folder.path}")
        return 1
    show_evidence(folder.evidence() or {}, as_json=as_json)
    return 0


def show_evidence(evidence: dict[str, Any], *, as_json: bool) -> None:
    """Print the evidence: as one line of JSON, or as a table for each suite."""
    if as_json:
        say_json(MeasuredEvidence.from_plain(evidence).line())
        return
    for title, suite in evidence["suites"].items():
        sealed = ", sealed" if suite["sealed"] else ""
        say(f"\n{title} ({suite['items']:,} of {suite['of']:,} items{sealed})")
        arms = list(dict.fromkeys(arm for found in suite["metrics"].values() for arm in found))
        rows = [
            [metric, *(_cell(found.get(arm)) for arm in arms), _difference(suite["differences"].get(metric, {}))]
            for metric, found in suite["metrics"].items()
        ]
        say(table(rows, ("metric", *arms, "difference to the reference")))
        for line in (*matrix_lines(suite), *margin_lines(suite), *calibration_lines(suite)):
            say(line)
        _show_guarded(suite.get("guarded", {}))
    for note in (*evidence["watermarks"], *evidence["notes"]):
        say(f"note: {note}")


def _show_guarded(guarded: dict[str, Any]) -> None:
    """Print what each guardrail changed: the arm with it against the same arm without it, on the same items."""
    for arm, found in guarded.items():
        for metric, arms in found["differences"].items():
            say(f"{arm} − {found['base']}, {metric}: {estimate_text(read_estimate(arms[arm]))}")


def _cell(row: dict[str, Any] | None) -> str:
    return "" if row is None else estimate_text(read_estimate(row))


def _difference(arms: dict[str, Any]) -> str:
    return "; ".join(f"{arm} {estimate_text(read_estimate(row))}" for arm, row in arms.items())


def evaluations(
    workspace: Annotated[Path, typer.Argument(help="Workspace, or a folder of evaluations.")],
    evaluation: Annotated[str, typer.Argument(help="One of them: its id, the beginning of it, name or folder.")] = "",
    pause: Annotated[bool, typer.Option("--pause", help="Pause it after its batch.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop it after its batch; it can be resumed.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with it, in a process of its own.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check its files against their hashes.")] = False,
    as_json: _Json = False,
) -> int:
    """List the evaluations of a workspace, or show and control one of them."""
    if not evaluation:
        _list(workspace, as_json)
        return 0
    folder = control.find_evaluation(evaluation, workspace)
    if sum((pause, cancel, resume, verify)) > 1:
        raise UsageError("Only one thing can be asked of an evaluation at once.", "Leave the others out.")
    if verify:
        return _verify(folder, as_json)
    if pause:
        control.pause(folder)
    elif cancel:
        control.cancel(folder)
    elif resume:
        control.resume(folder)
    return _show(folder, as_json)


def _info(folder: EvaluationFolder) -> EvaluationInfo:
    return EvaluationInfo.of(folder.path, folder.record(), evaluation_status(folder))


def _list(place: Path, as_json: bool) -> None:
    place = control.evaluations_place(place)
    folders = control.list_evaluations(place)
    found = [_info(folder) for folder in folders]
    for name in left_out(place, folders, EVALUATION_JSON):
        say_note(f"The evaluation in {name} cannot be read and is not listed. Restore its folder from a copy.")
    if as_json:
        say_json([info.to_plain() for info in found])
    elif not found:
        say("No evaluations yet. Make one with: evaluate WS RUN --suite NAME")
    else:
        rows = [
            [i.evaluation_id, i.name, i.state, f"{100 * i.status.share:.0f} %", ", ".join(i.to_plain()["suites"])]
            for i in found
        ]
        say(table(rows, ("id", "name", "state", "done", "suites")))


def _show(folder: EvaluationFolder, as_json: bool) -> int:
    """Print state and evidence; return 1, with a note, where a part of the folder was altered."""
    problems = list(evaluation_problems(folder))
    info, evidence = _info(folder), folder.evidence()
    costs = arm_costs(EvaluationLedger(folder.ledger).batches().values())
    if as_json:
        plain = {arm: cost.to_plain() for arm, cost in costs.items()}
        say_json({**info.to_plain(), "evidence": evidence, "costs": plain, "problems": problems})
        return 1 if problems else 0
    status = info.status
    say(f"{info.name} ({info.evaluation_id}): {status.state}")
    for line in (work_words(status), done_words(status), left_words(status), status.hint):
        if line:
            say(line)
    if evidence is not None:
        show_evidence(evidence, as_json=False)
    for arm, cost in costs.items():
        numbers = (cost.seconds, cost.speed, cost.memory)
        say(f"{arm}: {', '.join(estimate_text(one) for one in numbers if one.n)} (on the machine that measured it)")
    for problem in problems:
        say_note(f"{problem} These numbers are not what was measured.")
    return 1 if problems else 0


def _verify(folder: EvaluationFolder, as_json: bool) -> int:
    found = list(evaluation_problems(folder))
    if as_json:
        say_json({"ok": not found, "problems": found})
    else:
        say("\n".join(found) or "Every file is as it was written.")
    return 1 if found else 0


def _show_settings(as_json: bool) -> None:
    known = EVALUATION_SETTINGS.values()
    if as_json:
        say_json([{"name": s.name, "default": s.default, "hint": s.hint, "values": s.values_text} for s in known])
        return
    rows = [(s.group, f"{s.name}={s.default}", f"{s.label}. {s.hint} ({s.values_text})") for s in known]
    say(table(rows, ("group", "default", "meaning")))
