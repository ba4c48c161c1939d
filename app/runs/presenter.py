"""What the Runs page shows, worked out away from widgets: one snapshot of a run, read on a background thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.widgets.plots.curves import format_value
from core.domain.counting import counted, number
from core.domain.insight import Insight
from core.domain.run_events import SampleDone
from core.domain.run_record import RunRecord
from core.services.models.export import ExportForm
from core.services.runs.views import (
    RunInfo,
    RunReader,
    RunStatus,
    duration,
    pending_words,
    phase_words,
    state_words,
    time_left_words,
)

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.runs.service import RunsService

Series = tuple[Sequence[float], Sequence[float]]

STATE_TEXT: dict[str, tuple[str, str]] = {
    "created": ("Ready", "neutral"),
    "running": ("Training", "accent"),
    "paused": ("Paused", "warn"),
    "stopping": ("Stopping…", "warn"),
    "finished": ("Finished", "ok"),
    "stopped": ("Stopped", "neutral"),
    "failed": ("Failed", "bad"),
    "interrupted": ("Interrupted", "warn"),
}
STATE_ICON: dict[str, tuple[str, str]] = {
    "created": ("circle", "text3"),
    "running": ("running", "accent"),
    "paused": ("pause", "warn"),
    "stopping": ("clock", "warn"),
    "finished": ("check_circle", "ok"),
    "stopped": ("check_circle", "text3"),
    "failed": ("warn", "bad"),
    "interrupted": ("warn", "warn"),
}
LIVE = ("running", "paused", "stopping")
RESUMABLE = ("created", "stopped", "failed", "interrupted")


@dataclass(frozen=True, slots=True)
class MonitorData:
    """A run at one moment, complete enough to draw the whole page."""

    run_id: str
    name: str
    record: RunRecord
    status: RunStatus
    series: dict[str, Series] = field(default_factory=dict)
    samples: tuple[SampleDone, ...] = ()
    log: tuple[str, ...] = ()
    insights: tuple[Insight, ...] = ()
    checkpoints: tuple[int, ...] = ()
    tiles: tuple[TileView, ...] = ()
    has_result: bool = False
    """Whether the run folder holds a trained adapter or model."""

    @property
    def live(self) -> bool:
        """Whether a process is working on it."""
        return self.status.state in LIVE


def read_snapshot(service: RunsService, reader: RunReader, run_id: str, metrics: Sequence[str]) -> MonitorData:
    """Read everything the page shows of one run."""
    record, status = reader.record(), reader.status()
    series: dict[str, Series] = {name: reader.series(name) for name in metrics}
    return MonitorData(
        run_id=run_id,
        name=record.name,
        record=record,
        status=status,
        series=series,
        samples=tuple(reader.samples()),
        log=tuple(reader.log_tail(300)),
        insights=tuple(service.insights(run_id)),
        checkpoints=tuple(service.checkpoints(run_id)),
        tiles=tuple(tiles(series)),
        has_result=any((reader.folder.path / name).is_dir() for name in ("adapter", "model")),
    )


def refused_forms(snapshot: MonitorData) -> dict[ExportForm, str]:
    """Return the forms in which this run cannot be exported, with the reason."""
    if snapshot.record.config.lora_r:
        return {}
    return {"adapter": "This run trained every weight; it has no adapter."}


def subtitle(snapshot: MonitorData) -> str:
    """Return model, data and device in a few words."""
    record = snapshot.record
    title = str(record.dataset.get("title") or record.dataset.get("path") or "pairs file")
    model = record.model_dir.rstrip("/").rsplit("/", 1)[-1]
    device = f" · {snapshot.status.device}" if snapshot.status.device else ""
    return f"{model} · {title} ({record.n_train:,} train, {record.n_dev:,} held-out){device}"


def progress_text(snapshot: MonitorData) -> str:
    """Return where the run stands: step, time, estimate, and a request that it has not answered yet."""
    status = snapshot.status
    total = f" / {status.total_steps}" if status.total_steps else ""
    parts = [f"step {status.step}{total}"]
    if status.last is not None and status.step:
        config = snapshot.record.config
        parts.append(f"epoch {status.last.epoch:.2f}" + ("" if config.steps else f" / {config.epochs:g}"))
    if status.elapsed_s:
        paused = f" ({duration(status.paused_s)} paused)" if status.paused_s >= 1 else ""
        parts.append(f"{duration(status.elapsed_s)} elapsed{paused}")
    if left := time_left_words(status):
        parts.append(left)
    if waiting := pending_words(status):
        parts.append(waiting.rstrip("."))
    elif snapshot.live and status.phase and status.phase != "train":
        share = f" {status.phase_done}/{status.phase_total}" if status.phase_total else ""
        parts.append(f"{phase_words(status.phase, status.phase_detail)}{share}")
    return " · ".join(parts)


def state_chip(status: RunStatus) -> tuple[str, str]:
    """Return what a run does, in a word or two, and its tone."""
    words, tone = STATE_TEXT.get(status.state, (status.state, "neutral"))
    return (state_words(status) if status.state in LIVE else words), tone


def with_request(snapshot: MonitorData, command: str) -> MonitorData:
    """Return the snapshot with a request that was just made, to show it before the run is read again."""
    return replace(snapshot, status=replace(snapshot.status, requested=command)) if snapshot.live else snapshot


@dataclass(frozen=True, slots=True)
class TileView:
    """One tile: its value, how it changed, and whether that is good."""

    name: str
    colour: str
    value: str
    delta: str = ""
    tone: str = "neutral"
    hint: str = ""
    """What the value is, where that is not plain: "mean of 10 steps"."""


TILES: tuple[tuple[str, str, str, int], ...] = (
    ("Loss", "loss", "plot_loss", -1),
    ("Reward margin", "margin", "plot_margin", 1),
    ("Reward accuracy", "accuracy", "plot_accuracy", 1),
    ("KL to reference", "kl.kl", "plot_kl", 0),
    ("Tokens a second", "tokens_per_s", "text3", 0),
)
_WINDOW = 10
"""Steps averaged for a tile; its change is against the window before."""


def tiles(series: dict[str, Series]) -> list[TileView]:
    """Return the five tiles of the monitor; all but the KL are means over the last ten steps."""
    views = []
    for name, metric, colour, good in TILES:
        values = [v for v in series.get(metric, ((), ()))[1] if math.isfinite(v)]
        window = 1 if metric == "kl.kl" else _WINDOW
        if not values:
            views.append(TileView(name, colour, "–"))
            continue
        now = sum(values[-window:]) / len(values[-window:])
        before = values[-2 * window : -window]
        text = number(now) if metric == "tokens_per_s" else format_value(now)
        used = len(values[-window:])
        hint = f"mean of {counted(used, 'step')}" if used > 1 else "newest value"
        if not before or metric == "tokens_per_s":
            views.append(TileView(name, colour, text, hint=hint))
            continue
        delta, tone = _change(now, sum(before) / len(before), good)
        views.append(TileView(name, colour, text, delta, tone, hint))
    return views


def _change(now: float, before: float, good: int) -> tuple[str, str]:
    """Return how a value moved and whether that is good; what does not show in its digits is no change."""
    change = now - before
    if format_value(now) == format_value(before):
        return "steady", "neutral"
    tone = "neutral" if good == 0 else ("ok" if change * good > 0 else "warn")
    return f"{'▲' if change > 0 else '▼'} {format_value(abs(change), 3)}", tone


def list_line(info: RunInfo) -> str:
    """Return the second line of a run in the list."""
    status = info.status
    if status.state in ("running", "paused", "stopping"):
        share = f" · {100 * status.step // status.total_steps} %" if status.total_steps else ""
        return f"step {status.step} / {status.total_steps}{share}" if status.total_steps else "starting"
    if status.state == "failed":
        return status.message.split(".")[0][:60] or "failed"
    if status.last is not None:
        return f"margin {status.last.margin:.2f} · step {status.step}"
    return STATE_TEXT.get(status.state, (status.state, ""))[0].lower()


def config_lines(snapshot: MonitorData) -> list[tuple[str, str]]:
    """Return the frozen configuration and its origin, name and value."""
    record = snapshot.record
    head = [
        ("run", record.run_id),
        ("fingerprint", record.fingerprint),
        ("model", record.model_dir),
        *[(f"sha256 of {name}", value) for name, value in record.inputs.items()],
        ("target behaviour", record.charter.target_behaviour or "–"),
        ("regression metric", record.charter.regression_metric or "–"),
        ("command line", record.command_line or "–"),
    ]
    if record.parent_run:
        head.insert(1, ("forked from", f"{record.parent_run}, step {record.parent_step}"))
    settings = [(name, str(value)) for name, value in record.config.to_plain().items()]
    return head + settings + [(f"version of {name}", value) for name, value in record.versions.items()]
