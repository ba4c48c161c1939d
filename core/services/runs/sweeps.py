"""Sweeps: which of their runs were made before, so that an interrupted one goes on with what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.errors import UserError
from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord
from core.domain.sweep import SweepPlan
from core.runs.creation import with_fixed_settings
from core.runs.folder import RunFolder
from core.services.runs.views import RunRequest

SWEEP_TAG = "sweep"


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
    """Return whether a run has these settings and this model; the day that its template writes is its own."""
    if record.parent_run or record.unknown_settings or record.model_dir != str(base.model_dir.resolve()):
        return False
    own: dict[str, object] = {"template_date": record.config.template_date} if not config.template_date else {}
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
