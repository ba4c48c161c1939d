"""The frontier of runs by their own probes: held-out accuracy against on-policy KL, and which run another one beats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.domain.frontier import RunFrontier, RunPoint, judged
from core.domain.ids import sha256_json
from core.domain.kl_estimate import is_identity, kl_estimate
from core.domain.number_text import format_value
from core.domain.run_config import SETTINGS, RunConfig
from core.domain.run_record import RunRecord
from core.domain.run_settings import fingerprint_values
from core.runs.folder import RunFolder
from core.runs.run_reader import RunReader
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.views import RunInfo

HELD_OUT = "held_out_accuracy"
_FREE = ("beta", "seed", "lr", "batch_size", "epochs", "steps", "label_smoothing")
_FREE_GROUP = "Schedule and optimizer"
"""What may vary without making another objective: how strongly, how long and how fast a run is trained."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one run measured, and what it shares with others: held-out pairs, model and horizon; its objective."""

    record: RunRecord
    folder: RunFolder
    step: int
    note: str
    kl: Estimate
    quality: Estimate
    alike: str
    objective: str
    reference: Estimate | None


def run_frontier(folders: Sequence[RunFolder], varied: Sequence[str] = ()) -> RunFrontier:
    """Return the runs by KL and held-out accuracy, each with interval and n. Nothing is trained or sampled for it.

    Args:
        folders: of the runs.
        varied: the settings that tell them apart; those of the objective that differ when empty.
    """
    found: list[_Measured] = []
    left_out: list[str] = []
    for folder in folders:
        try:
            record = folder.record()
            one = _measured(folder, record)
        except UserError as error:
            left_out.append(f"{folder.path.name}: {error.message}")
            continue
        if isinstance(one, str):
            left_out.append(f"{record.name}: {one}")
        else:
            found.append(one)
    names = tuple(varied) or varied_settings([one.record.config for one in found])
    points = _points(found, names)
    ordered = sorted(points, key=lambda point: (point.group, point.kl.value, point.run_id))
    reference = {p.group: one.reference for p, one in zip(points, found, strict=True) if one.reference is not None}
    told = tuple(judged(point, ordered, higher=True) for point in ordered)
    return RunFrontier(HELD_OUT, names, told, tuple(left_out), reference)


def varied_settings(configs: Sequence[RunConfig]) -> tuple[str, ...]:
    """Return the settings of the objective that differ between runs, in the order of the form; the seed comes last."""
    plains = [config.to_plain() for config in configs]
    names = [name for name in RunConfig.objective_keys() if len({repr(plain[name]) for plain in plains}) > 1]
    return tuple(sorted(names, key=lambda name: name == "seed"))


def _measured(folder: RunFolder, record: RunRecord) -> _Measured | str:
    """Return what the run measured, or why it has no place."""
    reader = RunReader(folder.path)
    reader.poll()
    probe = RunEstimates(reader).last("dev")
    if probe is None:
        return "nothing was measured on held-out pairs."
    if not probe.step:
        return "its held-out pairs were only measured before the first step."
    kls = [event for event in reader.kls() if not is_identity(event) and event.step]
    if not kls:
        return "its KL to the reference was not measured after the first step (kl_every, look_share)."
    kl = next((event for event in reversed(kls) if event.step == probe.step), kls[-1])
    note = "" if kl.step == probe.step else f"accuracy of step {probe.step}, KL of step {kl.step}"
    quality = probe.values["accuracy"]
    data = record.dataset.get("root_sha256") or record.dataset.get("path") or record.dataset.get("title", "")
    alike = sha256_json([data, record.n_dev, probe.n, record.inputs.get("model", record.model_dir), kl.horizon])
    step = 0 if note else probe.step
    reference = probe.values.get("ref_accuracy")
    return _Measured(record, folder, step, note, kl_estimate(kl), quality, alike, _objective(record), reference)


def _objective(record: RunRecord) -> str:
    """Return the hash of all of the fingerprint that does not vary freely."""
    values = fingerprint_values(record.config.to_plain(), SETTINGS)
    kept = {n: v for n, v in values.items() if n not in _FREE and SETTINGS[n].group != _FREE_GROUP}
    inputs = {name: value for name, value in record.inputs.items() if name != "pairs"}
    return sha256_json([kept, inputs])


def _points(found: Sequence[_Measured], names: Sequence[str]) -> list[RunPoint]:
    groups: dict[str, int] = {}
    usual: dict[str, str] = {}
    for one in found:
        groups.setdefault(one.alike, len(groups) + 1)
    for alike in groups:
        counts = Counter(one.objective for one in found if one.alike == alike)
        usual[alike] = counts.most_common(1)[0][0]  # of equally many the first given
    return [
        RunPoint(
            run_id=one.record.run_id,
            name=one.record.name,
            folder=str(one.folder.path),
            values=_values(one.record.config, names),
            step=one.step,
            group=groups[one.alike],
            other_objective=one.objective != usual[one.alike],
            kl=one.kl,
            quality=one.quality,
            note=one.note,
        )
        for one in found
    ]


def _values(config: RunConfig, names: Sequence[str]) -> Mapping[str, str]:
    plain: Mapping[str, Any] = config.to_plain()
    return {name: f"{plain[name]:g}" if isinstance(plain[name], float) else str(plain[name]) for name in names}


def frontier_of_runs(infos: Sequence[RunInfo]) -> RunFrontier:
    """Return the frontier of runs as a list shows them, under their present names."""
    found = run_frontier([RunFolder(Path(info.folder)) for info in infos])
    names = {info.run_id: info.name for info in infos}
    return replace(found, points=tuple(replace(p, name=names.get(p.run_id, p.name)) for p in found.points))


def place_words(point: RunPoint, found: RunFrontier) -> str:
    """Return whether a point is on the frontier, or which run beats it and whether the intervals say so too."""
    if not point.beaten_by:
        return "on the frontier"
    by = next((other.label for other in found.points if other.run_id == point.beaten_by), point.beaten_by)
    return f"beaten by {by}" + ("" if point.clearly else ", within the intervals")


def kl_words(estimate: Estimate) -> str:
    """Return a KL with ± 1.96 standard errors, its horizon and n."""
    half = (estimate.high - estimate.value) if estimate.has_interval else None
    spread = "(no interval)" if half is None else f"± {format_value(half)}"
    return f"{format_value(estimate.value)} {spread} {estimate.unit}, n {estimate.n:,}"
