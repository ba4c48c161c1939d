"""Sweeps: which of their runs were made before, so that an interrupted one goes on with what is missing."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.errors import BadInput, UserError
from core.domain.preflight_report import PreflightReport
from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord
from core.domain.sweep import SEED, SweepPlan
from core.runs.creation import with_fixed_settings
from core.runs.folder import RunFolder
from core.services.runs.views import RunRequest, command_line

SWEEP_TAG = "sweep"
_TOKENS = ("max_length", "template", "template_args", "template_date", "rewritten_answers", "row_rules", "min_response")
_SCORING = ("dtype", "quantize", "device", "forward", "reference", "reference_model", "init_adapter")
_REFERENCE = frozenset((*_TOKENS, *_SCORING))
"""Settings of which the reference log-probs depend: what the tokens are, and which weights score them how."""


@dataclass(frozen=True, slots=True)
class SweepBase:
    """What all runs of a sweep share.

    Attributes:
        config: their settings but for those that vary. model_dir: their base model.
        same_data: whether a run folder holds the pairs of this sweep.
        measured_smoothing: the label smoothing comes from the dataset version, and is not compared.
    """

    config: RunConfig
    model_dir: Path
    same_data: Callable[[RunFolder, RunRecord], bool]
    measured_smoothing: bool = False


def made_before(
    base: SweepBase, plan: SweepPlan, folders: Sequence[RunFolder], titles: Sequence[str]
) -> dict[int, RunFolder]:
    """Return the run of each point that is there already: of this name, settings, model and data.

    Args:
        base: what the runs share.
        plan: the points, by their place in it.
        folders: to look in, the newest first.
        titles: the name of each point's run.
    """
    found: dict[int, RunFolder] = {}
    configs = plan.configs(base.config)
    for folder in folders:
        try:
            record = folder.record()
            places = [n for n, title in enumerate(titles) if title == record.name and n not in found]
            places = [n for n in places if _is_same(base, configs[n], record)]
            if places and base.same_data(folder, record):
                found[places[0]] = folder
        except UserError:
            continue
    return found


def _is_same(base: SweepBase, config: RunConfig, record: RunRecord) -> bool:
    """Return whether a run has these settings and this model; its template's day and its precision are its own."""
    if record.parent_run or record.unknown_settings or record.model_dir != str(base.model_dir.resolve()):
        return False
    own: dict[str, object] = {"template_date": record.config.template_date} if not config.template_date else {}
    if config.dtype == "auto":
        own["dtype"] = record.config.dtype
    if base.measured_smoothing:
        own["label_smoothing"] = record.config.label_smoothing
    return with_fixed_settings(config.with_values(own), base.model_dir, record.created_ms) == record.config


def sweep_requests(request: RunRequest, plan: SweepPlan, *, began_ms: int) -> list[RunRequest]:
    """Return the runs of a sweep; the day that a chat template writes is that on which the sweep began.

    Its runs then differ in what varies alone, also past midnight, and share one reference pass.

    Args:
        request: what they share; its name begins theirs.
        plan: what varies.
        began_ms: UTC milliseconds.

    Raises:
        UsageError: for a setting or value that cannot be, before anything was made.
    """
    configs = plan.configs(request.config)
    fixed = with_fixed_settings(request.config, Path(request.model_path), began_ms).template_date
    takes_day = not {"template", "template_args", "template_date"} & plan.over.keys()
    name, tags = request.name or SWEEP_TAG, tuple(dict.fromkeys((*request.tags, SWEEP_TAG)))
    return [
        replace(
            request,
            config=config.with_values({"template_date": fixed}) if takes_day else config,
            name=f"{name}-{point.suffix}",
            tags=tags,
        )
        for point, config in zip(plan.points, configs, strict=True)
    ]


def request_of(record: RunRecord) -> RunRequest:
    """Return the run that a sweep over an existing run begins with: its data, model, settings and charter.

    Raises:
        BadInput: when the run does not say what it was trained on.
    """
    version, path = record.dataset.get("id"), str(record.dataset.get("path") or "")
    if not isinstance(version, int) and not path:
        raise BadInput("This run does not say what it was trained on.", "Begin the sweep under Train.")
    return RunRequest(
        record.model_dir,
        dataset_id=version if isinstance(version, int) else None,
        pairs_path="" if isinstance(version, int) else path,
        config=record.config,
        name=SWEEP_TAG,
        charter=replace(record.charter, counts={}),
    )


def reference_passes(plan: SweepPlan) -> int:
    """Return how often the reference is computed: once, unless tokens, weights or number format vary."""
    return math.prod(len(values) for key, values in plan.over.items() if key in _REFERENCE)


@dataclass(frozen=True, slots=True)
class SweepCost:
    """What a sweep takes, from the preflight of its first run.

    Attributes:
        seconds: of all runs one after the other. saved_seconds: what one shared reference pass saves of it.
        disk_bytes, disk_free_bytes: for checkpoints and results of all runs.
    """

    seconds: float
    saved_seconds: float
    disk_bytes: int
    disk_free_bytes: int


def sweep_cost(report: PreflightReport, plan: SweepPlan) -> SweepCost:
    """Return the cost of all runs; each is taken to be as long as the first."""
    runs, passes = len(plan.points), reference_passes(plan)
    saved = (runs - passes) * report.reference_seconds
    return SweepCost(runs * report.eta_s - saved, saved, runs * report.disk_bytes, report.disk_free_bytes)


def sweep_command_line(request: RunRequest, plan: SweepPlan, *, workspace: Path, dataset: str) -> str:
    """Return the call of ``pairwright sweep`` that trains the same runs without the queue.

    Args:
        request: what they share.
        plan: what varies.
        workspace: of the dataset version.
        dataset: its title.
    """
    words = shlex.split(command_line(request, workspace=workspace, dataset=dataset, out="RUNS"))
    kept: list[str] = [words[0], "sweep"]
    pairs = iter(words[2:])
    for word in pairs:
        if not word.startswith("--"):
            kept.append(word)
            continue
        value = next(pairs)
        if word == "--set" and value.partition("=")[0] in plan.over:
            continue
        field = {"--target": "target_behaviour", "--regression": "regression_metric"}.get(word)
        kept += ["--charter-set", f"{field}={value}"] if field else [word, value]
    for key, values in plan.over.items():
        kept += ["--seeds", ",".join(values)] if key == SEED else ["--over", f"{key}={','.join(values)}"]
    return shlex.join(kept)
