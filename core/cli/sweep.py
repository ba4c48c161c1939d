"""``sweep``: the same run under several values of some settings and several seeds, one after the other.

Reference log-probs do not depend on beta, loss, rate, rank or seed, so a sweep over these pays for one
reference pass: the first run computes it, all others find it in the cache. The same command goes on with what is
missing: runs of this name with these settings, data and model are not trained again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import typer

from core.cli.failures import report
from core.cli.output import say_note
from core.cli.run_settings import read_settings, with_template_arguments, without_measured
from core.cli.sweep_table import SweepRow, row_of, show
from core.cli.train import (
    bare_run,
    model_path,
    note_end,
    opened_beside,
    require_dataset,
    version_request,
    work_on,
    workspace_run,
)
from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.errors import UsageError, UserError, WorkspaceInUse
from core.domain.run_events import Failed
from core.domain.run_record import LIVE_STATES, Charter, RunRecord
from core.domain.sweep import SweepPlan, read_sweep
from core.runs import run_control
from core.runs.creation import with_fixed_settings
from core.runs.folder import RunFolder, pairs_text
from core.runs.input_pairs import read_pairs
from core.runs.queue_file import held_machine
from core.runs.status import read_status
from core.services.runs.charter_file import read_charter
from core.services.runs.run_frontier import HELD_OUT
from core.services.runs.sweeps import SWEEP_TAG, SweepBase, made_before


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(sweep)


def sweep(
    workspace: Annotated[Path | None, typer.Argument(help="Workspace folder; leave out with --pairs.")] = None,
    over: Annotated[
        list[str] | None, typer.Option(help="key=v1,v2,...; for example beta=0.01,0.1,0.3; several form a grid.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="Seeds of every combination, such as 0,1,2.")] = "",
    dataset: Annotated[str, typer.Option(help="Dataset version of the workspace: its id or title.")] = "",
    pairs: Annotated[Path | None, typer.Option(help="JSONL of prompt / chosen / rejected.")] = None,
    model: Annotated[str, typer.Option(help="Model folder, or 'starter'.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for the run folders (with --pairs).")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value; may be given many times.")] = None,
    template_args: Annotated[
        list[str] | None, typer.Option("--template-arg", help="name=value for the chat template; many times.")
    ] = None,
    charter_file: Annotated[Path | None, typer.Option("--charter", help="YAML file with the charter.")] = None,
    charter_settings: Annotated[
        list[str] | None, typer.Option("--charter-set", help="key=value of the charter, many times.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the runs are called, before the value.")] = "sweep",
    by: Annotated[
        str,
        typer.Option(help="What is traded for KL: held_out_accuracy; of evaluated runs win_rate or another number."),
    ] = HELD_OUT,
    launch: Annotated[int, typer.Option(min=1, help="Processes on this machine, one a GPU.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line as JSON, then table and frontier.")] = False,
) -> int:
    """Train once for each combination of values and compare. The reference is computed once.

    A run that fails does not end the sweep. Ctrl+C stops and saves; the same command then goes on with what is missing.
    """
    charter = read_charter(charter_file, charter_settings or [])
    plan = read_sweep(over or [], seeds)
    given = with_template_arguments(settings or [], template_args or [])
    if pairs is not None and out is None:
        raise UsageError("No folder for the runs is named.", "Add --out with a new folder.")
    if pairs is None and workspace is None:
        raise UsageError("There is nothing to train on.", "Name a workspace and --dataset, or a file with --pairs.")
    if by != HELD_OUT and workspace is None:
        raise UsageError(f"A file of pairs has no {by}; only runs of a workspace are evaluated.", "Leave --by out.")
    source: SweepSource
    if pairs is not None and out is not None:
        source = _FileSweep(pairs, model, out, charter, name)
    else:
        assert workspace is not None
        source = _WorkspaceSweep(workspace, dataset, model, charter, name)
    first = plan.configs(read_settings(given if pairs is not None else without_measured(given)))[0]
    if by == HELD_OUT and (unmeasured := [name for name in ("eval_every", "kl_every") if not getattr(first, name)]):
        say_note(f"{unmeasured[0]} is 0: these runs will have no place on a frontier.")
    folders = source.made(plan, given)
    began = min((folder.record().created_ms for folder in folders.values()), default=now_ms())
    fixed = (
        given if {"template_date", "template_args", "template"} & plan.over.keys() else with_day(given, model, began)
    )
    rows: list[SweepRow] = []
    try:
        with held_machine(run_control.runs_place(workspace)) if workspace is not None else nullcontext():
            _train_all(source, plan, fixed, folders, rows, as_json=as_json, launch=launch)
    finally:  # show what was trained also when something went wrong
        if rows:
            show(plan, rows, by=by, workspace=workspace, as_json=as_json)
    if workspace is not None:
        note_end(workspace)
    failed = [row for row in rows if row.state not in ("finished", "stopped")]
    if failed:
        report(
            f"{counted(len(failed), 'run')} of {len(plan.points)} did not finish.", failed[0].message, as_json=as_json
        )
    return 1 if failed else 0


class SweepSource(Protocol):
    """Where the pairs of a sweep come from, and where its runs lie."""

    def made(self, plan: SweepPlan, settings: list[str]) -> dict[int, RunFolder]:
        """Return the runs that are there already, by the place of their point in the plan."""
        ...

    def make(self, plan: SweepPlan, place: int, settings: list[str]) -> Path:
        """Make the run of a point and return its folder."""
        ...


def _train_all(
    source: SweepSource,
    plan: SweepPlan,
    settings: list[str],
    folders: dict[int, RunFolder],
    rows: list[SweepRow],
    *,
    as_json: bool,
    launch: int,
) -> None:
    """Work on every run that is not finished, and append a row for each; end early when asked to stop."""
    for place, point in enumerate(plan.points):
        try:
            folder = folders.get(place) or RunFolder(source.make(plan, place, [*settings, *point.words]))
            status = read_status(folder)
            if status.state in LIVE_STATES:
                raise WorkspaceInUse(f"Process {status.pid} is working on this run.", "Wait for it, then go on.")
            if status.state == "finished":
                say_note(f"{point.label}: finished before; it was not trained again.")
                rows.append(row_of(point, folder))
                continue
            last = work_on(folder.path, as_json=as_json, processes=launch)
        except UserError as error:
            if isinstance(error, UsageError) and not rows:
                raise  # it would be the same for every run
            say_note(f"{point.label}: {error.message} The sweep goes on.")
            rows.append(SweepRow(point.label, "", state="failed", message=str(error), settings=dict(point.values)))
            continue
        rows.append(row_of(point, folder, last))
        if isinstance(last, Failed):
            say_note(f"{point.label} failed: {last.message} {last.hint} The sweep goes on.".replace("  ", " "))
        elif last.reason.startswith("stopped"):
            left = len(plan.points) - place
            say_note(f"Stopped. {counted(left, 'run')} of {len(plan.points)} left; the same command goes on with them.")
            return


def with_day(settings: list[str], model: str, began_ms: int) -> list[str]:
    """Return the settings with the day on which the sweep began, where the model's template writes the date.

    Its runs then differ in the one setting only, also past midnight, and share one reference pass.

    Args:
        settings: the words of ``--set``.
        model: as given on the command line.
        began_ms: when the sweep began, in UTC milliseconds since 1970.

    Raises:
        UsageError: when no model is named, or a setting cannot be read.
    """
    config = read_settings(without_measured(settings))
    day = with_fixed_settings(config, model_path(model), began_ms).template_date
    return settings if day == config.template_date else [*settings, f"template_date={day}"]


@dataclass(frozen=True, slots=True)
class _FileSweep:
    """A sweep over a file of pairs, each run a folder in ``out``."""

    pairs: Path
    model: str
    out: Path
    charter: Charter
    name: str

    def made(self, plan: SweepPlan, settings: list[str]) -> dict[int, RunFolder]:
        """Return the runs that are there already.

        Raises:
            UsageError: when a folder that a run needs holds something else.
        """
        targets = self._targets(plan)
        taken = [target for target in targets if target.exists() and (not target.is_dir() or any(target.iterdir()))]
        if not taken:
            return {}
        data = pairs_text([pair for pair in read_pairs(self.pairs) if pair.split != "test"]).encode()

        def same_data(folder: RunFolder, _record: RunRecord) -> bool:
            return folder.pairs_file.is_file() and folder.pairs_file.read_bytes() == data

        base = SweepBase(read_settings(settings), model_path(self.model), same_data)
        folders = [RunFolder(target) for target in taken]
        titles = _titles(self.name, plan)
        found = made_before(base, plan, [folder for folder in folders if folder.exists()], titles)
        known = {folder.path for folder in found.values()}
        if other := next((target for target in taken if target not in known), None):
            raise UsageError(
                f"{other} exists already and is no run of this sweep; no run was started.",
                "Name another folder with --out.",
            )
        return found

    def make(self, plan: SweepPlan, place: int, settings: list[str]) -> Path:
        """Make the run of a point."""
        target, title = self._targets(plan)[place], _titles(self.name, plan)[place]
        return bare_run(self.pairs, self.model, target, settings, title, self.charter)

    def _targets(self, plan: SweepPlan) -> list[Path]:
        return [self.out / name for name in plan.folder_names()]


@dataclass(frozen=True, slots=True)
class _WorkspaceSweep:
    """A sweep over a dataset version, its runs in the workspace."""

    workspace: Path
    dataset: str
    model: str
    charter: Charter
    name: str

    def made(self, plan: SweepPlan, settings: list[str]) -> dict[int, RunFolder]:
        """Return the runs that are there already."""
        require_dataset(self.dataset)
        with opened_beside(self.workspace) as app:
            request = version_request(app, self.dataset, self.model, settings)
            assert request.dataset_id is not None
            root = app.datasets.get(request.dataset_id).root_sha256

        def same_data(_folder: RunFolder, record: RunRecord) -> bool:
            return record.dataset.get("root_sha256") == root

        base = SweepBase(request.config, Path(request.model_path), same_data, request.measured_smoothing)
        folders = run_control.list_runs(run_control.runs_place(self.workspace))
        return made_before(base, plan, folders, _titles(self.name, plan))

    def make(self, plan: SweepPlan, place: int, settings: list[str]) -> Path:
        """Make the run of a point."""
        title = _titles(self.name, plan)[place]
        return workspace_run(self.workspace, self.dataset, self.model, settings, title, self.charter, tags=(SWEEP_TAG,))


def _titles(name: str, plan: SweepPlan) -> Sequence[str]:
    return [f"{name}-{point.suffix}" for point in plan.points]
