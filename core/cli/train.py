"""``train``: a run from a dataset version of a workspace or from a file of pairs, or a run that is resumed.

The workspace libraries are imported in the function that opens a workspace: training from a file of pairs works where
no database library is installed.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.failures import report
from core.cli.output import as_id, say, say_note
from core.cli.preflight import show_preflight
from core.cli.run_settings import read_settings, show_settings, with_template_arguments, without_measured
from core.cli.similar_pairs import show_similar
from core.cli.token_proof import show_proof
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError, UserError, WorkspaceInUse
from core.domain.pair_similarity import SimilarPairs
from core.domain.run_events import Failed, Finished, RunEvent
from core.domain.run_record import Charter
from core.paths import cache_dir
from core.runs.creation import NewRun, create_run
from core.runs.event_lines import json_line, line_of
from core.runs.hosting.driver import HostOptions, drive
from core.runs.hosting.torchrun import run_processes
from core.runs.input_pairs import read_pairs
from core.runs.run_reader import RunReader
from core.services.models.conversion import starter_model
from core.services.runs.charter_file import read_charter, with_built_in
from core.services.runs.insights import insights_of
from core.services.runs.start_preflight import preflight, similar_pairs, token_proof
from core.services.runs.views import RunRequest, command_line

if TYPE_CHECKING:
    from core.services.application import Application

_STARTER = "starter"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train")(train)


def train(
    workspace: Annotated[Path | None, typer.Argument(help="Workspace folder; leave out with --pairs.")] = None,
    dataset: Annotated[str, typer.Option(help="Dataset version of the workspace: its id or title.")] = "",
    pairs: Annotated[Path | None, typer.Option(help="JSONL of prompt / chosen / rejected.")] = None,
    model: Annotated[str, typer.Option(help="Model folder, or 'starter'.")] = "",
    out: Annotated[Path | None, typer.Option(help="Run folder to make (with --pairs).")] = None,
    resume: Annotated[Path | None, typer.Option(help="Run folder to resume.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value, many times; label_smoothing=measured takes the flip rate."),
    ] = None,
    template_args: Annotated[
        list[str] | None,
        typer.Option(
            "--template-arg",
            help="name=value for the chat template, many times: enable_thinking=false, tools=@tools.json.",
        ),
    ] = None,
    proof: Annotated[
        bool, typer.Option("--proof", help="Print the tokens of some pairs and what is scored; train nothing.")
    ] = False,
    rank: Annotated[
        bool,
        typer.Option("--rank", help="Rank the pairs by how alike their answers are to the model; train nothing."),
    ] = False,
    list_settings: Annotated[
        bool, typer.Option("--settings", help="Print every key of --set, and train nothing.")
    ] = False,
    name: Annotated[str, typer.Option(help="What the run is called.")] = "",
    target: Annotated[str, typer.Option(help="Charter: the behaviour that should change.")] = "",
    regression: Annotated[str, typer.Option(help="Charter: the metric that must not get worse.")] = "",
    charter_file: Annotated[
        Path | None, typer.Option("--charter", help="YAML file: target behaviour, variable, examples, metric, test.")
    ] = None,
    charter_settings: Annotated[
        list[str] | None, typer.Option("--charter-set", help="key=value of the charter, many times.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Check model, tokens, memory, disk and time with one dry step; train nothing."),
    ] = False,
    create_only: Annotated[bool, typer.Option("--create-only", help="Make the run folder; do not train yet.")] = False,
    launch: Annotated[int, typer.Option(min=1, help="Processes on this machine, one a GPU.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line as JSON.")] = False,
) -> int:
    """Train a policy with DPO and print its events. Ctrl+C stops and saves; a second one stops now."""
    if list_settings:
        show_settings(as_json)
        return 0
    charter = read_charter(charter_file, charter_settings or [], target_behaviour=target, regression_metric=regression)
    words = with_template_arguments(settings or [], template_args or [])
    if check and resume is None and pairs is not None:
        return check_file(pairs, model, words, charter, as_json=as_json)
    if check and resume is None and workspace is not None:
        return check_version(workspace, dataset, model, words, charter, as_json=as_json)
    if check:
        raise UsageError("There is nothing to check.", "Name a workspace and --dataset, or a file with --pairs.")
    if resume is not None:
        if words or proof or rank:
            raise UsageError(
                "A run that is resumed keeps its settings.", "Leave --set, --template-arg, --proof and --rank out."
            )
        run_dir = resume
    elif (proof or rank) and (pairs is not None or workspace is not None):
        show_before(workspace, dataset, pairs, model_path(model), words, as_json=as_json, rank=rank)
        return 0
    elif pairs is not None:
        run_dir = bare_run(pairs, model, out, words, name, charter)
    elif workspace is not None:
        run_dir = workspace_run(workspace, dataset, model, words, name, charter)
    else:
        raise UsageError("There is nothing to train on.", "Name a workspace and --dataset, or a file with --pairs.")
    if create_only:
        say(str(run_dir))
        return 0
    code = code_of(work_on(run_dir, as_json=as_json, processes=launch), as_json)
    if workspace is not None and resume is None:
        note_end(workspace)
    return code


def show_before(
    workspace: Path | None,
    dataset: str,
    pairs: Path | None,
    model: Path,
    settings: list[str],
    *,
    as_json: bool,
    rank: bool,
) -> None:
    """Print the proof of what a run with these settings would train, or the ranking of its pairs.

    Raises:
        UsageError: when no dataset version is named, or the chat template ignores a setting.
    """
    config = read_settings(without_measured(settings))
    if pairs is not None:
        found = (similar_pairs if rank else token_proof)(config, model, read_pairs(pairs))
    else:
        assert workspace is not None
        require_dataset(dataset)
        with opened_beside(workspace) as app:
            key = as_id(dataset)
            version = app.datasets.get(dataset if key is None else key)
            request = RunRequest(dataset_id=version.id, model_path=str(model), config=config)
            found = app.runs.similar_pairs(request) if rank else app.runs.token_proof(request)
    if isinstance(found, SimilarPairs):
        show_similar(found, as_json=as_json)
    else:
        show_proof(found, as_json=as_json)


def model_path(model: str) -> Path:
    """Return the model's path; ``starter`` is converted on first use.

    Raises:
        UsageError: when none is named.
    """
    if not model:
        raise UsageError("No model is named.", "Add --model with a model folder, or --model starter.")
    if model == _STARTER:
        return starter_model()
    return Path(model).expanduser()


def check_file(pairs: Path, model: str, settings: list[str], charter: Charter, *, as_json: bool) -> int:
    """Check a run from a file of pairs; return the exit code."""
    config, place, found = read_settings(settings), model_path(model), read_pairs(pairs)
    return show_preflight(
        lambda on_check: preflight(config, place, found, place=Path.cwd(), charter=charter, on_check=on_check),
        as_json=as_json,
    )


def check_version(
    workspace: Path, dataset: str, model: str, settings: list[str], charter: Charter, *, as_json: bool
) -> int:
    """Check a run from a dataset version of a workspace; return the exit code."""
    require_dataset(dataset)
    with opened_beside(workspace) as app:
        request = replace(version_request(app, dataset, model, settings), charter=charter)
        return show_preflight(lambda on_check: app.runs.preflight(request, on_check=on_check), as_json=as_json)


def bare_run(pairs: Path, model: str, out: Path | None, settings: list[str], name: str, charter: Charter) -> Path:
    """Make a run from a file of pairs and return its folder.

    Raises:
        UsageError: when no folder is named, it exists, or the charter names no built-in suite of benign requests.
    """
    if out is None:
        raise UsageError("No run folder is named.", "Add --out with a new folder.")
    config, place = read_settings(settings), model_path(model)
    charter = with_built_in(charter)
    request = RunRequest(
        str(place.resolve()), pairs_path=str(pairs.resolve()), config=config, name=name, charter=charter
    )
    new = NewRun(
        config=config,
        model_dir=place,
        pairs=read_pairs(pairs),
        name=name,
        dataset={"title": pairs.name, "path": str(pairs.resolve())},
        charter=charter,
        command_line=command_line(request, out=str(out.resolve())),
    )
    return create_run(out, new).path


def workspace_run(
    workspace: Path,
    dataset: str,
    model: str,
    settings: list[str],
    name: str,
    charter: Charter,
    *,
    tags: tuple[str, ...] = (),
) -> Path:
    """Make a run from a dataset version of a workspace and return its folder.

    Raises:
        UsageError: when no dataset version is named.
    """
    require_dataset(dataset)
    with opened_beside(workspace) as app:
        request = replace(version_request(app, dataset, model, settings), name=name, charter=charter, tags=tags)
        # With the workspace open in a window, the run is made beside it, and the window adds it to its list.
        create = app.runs.create_beside if app.read_only else app.runs.create
        return Path(create(request).value.folder)


def require_dataset(dataset: str) -> None:
    """Raise UsageError when no dataset version is named."""
    if not dataset:
        raise UsageError("No dataset version is named.", "Add --dataset with its id or title.")


def version_request(app: Application, dataset: str, model: str, settings: list[str]) -> RunRequest:
    """Return the run that the options ask for."""
    given = without_measured(settings)
    key = as_id(dataset)
    return RunRequest(
        dataset_id=app.datasets.get(dataset if key is None else key).id,
        model_path=str(model_path(model)),
        config=read_settings(given),
        measured_smoothing=len(given) < len(settings),
    )


def opened_beside(workspace: Path) -> Application:
    """Open a workspace for a moment: for writing, or for reading while a window has it."""
    try:
        return open_workspace(workspace)
    except WorkspaceInUse:
        return open_workspace(workspace, read_only=True)


def note_end(workspace: Path) -> None:
    """Note in the workspace how the run ended, unless a window has it open, which notes it itself."""
    with suppress(UserError), open_workspace(workspace) as app:
        app.runs.follow()


def work_on(run_dir: Path, *, as_json: bool, processes: int = 1) -> Finished | Failed:
    """Work on the run in this process, or in several others, print its events, and return the last."""

    def show(event: RunEvent) -> None:
        line = json_line(event) if as_json else line_of(event)
        if line:
            say(line)

    signals = (signal.SIGINT, signal.SIGTERM)
    if processes > 1:
        last = run_processes(run_dir, processes, show, signals=signals)
    else:
        options = HostOptions(host="terminal", on_event=show, cache_dir=cache_dir(), signals=signals, reset=True)
        last = drive(run_dir, options)
    for insight in () if as_json else insights_of(RunReader(run_dir)):
        if insight.severity != "info":
            say_note(f"{insight.title} ({insight.severity}, {insight.span_words}). {insight.why} See: runs insights")
    return last


def code_of(last: Finished | Failed, as_json: bool) -> int:
    """Return the exit code, and say on standard error why a run failed."""
    if isinstance(last, Finished):
        return 0
    report(last.message, last.hint, as_json=as_json)
    return 1
