"""``sweep``: the same run under several values of one setting, one after the other.

Reference log-probs do not depend on beta, loss, rate, rank or seed, so a sweep over these pays for one
reference pass: the first run computes it, all others find it in the cache.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json, table
from core.cli.run_settings import read_settings, with_template_arguments, without_measured
from core.cli.train import bare_run, code_of, model_path, work_on, workspace_run
from core.domain.clock import now_ms
from core.domain.errors import UsageError
from core.domain.number_text import format_value
from core.domain.run_events import Failed, Finished
from core.runs.creation import with_fixed_settings
from core.runs.run_reader import RunReader
from core.services.runs.charter_file import read_charter


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(sweep)


@dataclass(frozen=True, slots=True)
class SweepRow:
    """Outcome of one value: newest held-out probe, on-policy KL, last batch, and the cost of the reference.

    ``dev_h`` in nats can be compared between values of beta; ``margin`` is beta · h of the last batch alone.
    """

    value: str
    run: str
    step: int
    loss: float | None
    margin: float | None
    accuracy: float | None
    dev_accuracy: float | None
    dev_accuracy_low: float | None
    dev_accuracy_high: float | None
    dev_pairs: int
    dev_h: float | None
    kl: float | None
    kl_se: float | None
    kl_horizon: int
    reference_computed: int | None
    reference_from_cache: int | None


def sweep(
    workspace: Annotated[Path | None, typer.Argument(help="Workspace folder; leave out with --pairs.")] = None,
    over: Annotated[str, typer.Option(help="key=v1,v2,...; for example beta=0.01,0.05,0.1,0.3,0.5.")] = "",
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
    launch: Annotated[int, typer.Option(min=1, help="Processes on this machine, one a GPU.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line as JSON, then the table.")] = False,
) -> int:
    """Train once for each value of one setting and compare. The reference is computed once."""
    charter = read_charter(charter_file, charter_settings or [])
    key, values = read_over(over)
    given = with_template_arguments(settings or [], template_args or [])
    if pairs is not None and out is None:
        raise UsageError("No folder for the runs is named.", "Add --out with a new folder.")
    if pairs is None and workspace is None:
        raise UsageError("There is nothing to train on.", "Name a workspace and --dataset, or a file with --pairs.")
    targets = run_folders(out, key, values) if pairs is not None and out is not None else {}
    check_all(key, values, given, targets)
    fixed = given if key in ("template_date", "template_args", "template") else with_day(given, model, now_ms())

    def make(value: str) -> Path:
        words, title = [*fixed, f"{key}={value}"], f"{name}-{key}-{value}"
        if pairs is not None:
            return bare_run(pairs, model, targets[value], words, title, charter)
        assert workspace is not None
        return workspace_run(workspace, dataset, model, words, title, charter)

    outcomes: list[SweepRow] = []
    try:
        for value in values:
            run_dir = make(value)
            last = work_on(run_dir, as_json=as_json, processes=launch)
            if isinstance(last, Failed):
                return code_of(last, as_json)
            outcomes.append(outcome_of(value, run_dir, last))
            if last.reason.startswith("stopped"):
                break
    finally:  # show what was trained also when a later value failed
        if outcomes:
            show(key, outcomes, as_json=as_json)
    return 0


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


def run_folders(out: Path, key: str, values: list[str]) -> dict[str, Path]:
    """Return each value's run folder, directly in ``out`` whatever characters the value has."""
    names = [f"{key}-{re.sub(r'[^A-Za-z0-9._+-]+', '-', value).strip('-.')[:60]}" for value in values]
    if len({name.casefold() for name in names}) < len(names):
        names = [f"{name}-{number}" for number, name in enumerate(names, 1)]
    return {value: out / name for value, name in zip(values, names, strict=True)}


def check_all(key: str, values: list[str], settings: list[str], targets: dict[str, Path]) -> None:
    """Refuse before the first run what would make a later one fail.

    Raises:
        UsageError: for a value out of bounds, or a run folder that exists.
    """
    for value in values:
        words = [*settings, f"{key}={value}"]
        read_settings(words if targets else without_measured(words))  # a file of pairs has no measured flip rate
    for target in targets.values():
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(f"{target} exists already; no run was started.", "Name another folder with --out.")


def read_over(text: str) -> tuple[str, list[str]]:
    """Return the setting that varies and its values, as they were typed.

    Raises:
        UsageError: when the text is not of the form key=v1,v2,... with different values.
    """
    key, mark, rest = text.partition("=")
    values = [value.strip() for value in rest.split(",") if value.strip()]
    if not mark or not values or len(set(values)) < len(values):
        raise UsageError(f"{text!r} is not a sweep.", "Write --over beta=0.05,0.1,0.3 with values that differ.")
    return key.strip(), values


def outcome_of(value: str, run_dir: Path, last: Finished) -> SweepRow:
    """Read the outcome of a run from its ledger."""
    reader = RunReader(run_dir)
    reader.poll()
    steps, evals, kls = reader.steps(), reader.evals("dev"), reader.kls()
    probe, kl = evals[-1] if evals else None, kls[-1] if kls else None
    return SweepRow(
        value=value,
        run=str(run_dir),
        step=last.step,
        loss=steps[-1].loss if steps else None,
        margin=steps[-1].margin if steps else None,
        accuracy=steps[-1].accuracy if steps else None,
        dev_accuracy=probe.accuracy if probe else None,
        dev_accuracy_low=probe.accuracy_low if probe else None,
        dev_accuracy_high=probe.accuracy_high if probe else None,
        dev_pairs=probe.pairs if probe else 0,
        dev_h=probe.h if probe else None,
        kl=kl.kl if kl else None,
        kl_se=kl.se if kl else None,
        kl_horizon=kl.horizon if kl else 0,
        reference_computed=last.summary.get("reference_computed"),
        reference_from_cache=last.summary.get("reference_from_cache"),
    )


def show(key: str, outcomes: list[SweepRow], *, as_json: bool) -> None:
    """Print the outcomes side by side."""
    if as_json:
        say_json({"sweep": key, "runs": [{n: getattr(o, n) for n in SweepRow.__slots__} for o in outcomes]})
        return
    head = ("step", "held-out accuracy", "held-out h, nats", "KL, nats", "reference computed", "from cache")
    say(table([_cells(outcome) for outcome in outcomes], (key, *head)))


def _cells(row: SweepRow) -> list[str]:
    accuracy = f"{_text(row.dev_accuracy)} [{_text(row.dev_accuracy_low)}, {_text(row.dev_accuracy_high)}]"
    kl = f"{_text(row.kl)} ± {_text(row.kl_se)} in the first {row.kl_horizon} tokens"
    return [
        row.value,
        str(row.step),
        f"{accuracy} n {row.dev_pairs}" if row.dev_pairs else "",
        _text(row.dev_h),
        kl if row.kl is not None else "",
        _text(row.reference_computed),
        _text(row.reference_from_cache),
    ]


def _text(value: float | None) -> str:
    return "" if value is None else format_value(value) if isinstance(value, float) else str(value)
