"""What the Runs page shows, worked out away from widgets: one snapshot of a run, read on a background thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.runs.plot_series import read_curves, run_series
from app.runs.run_tiles import Headline, TileView, tiles
from app.widgets.plots.curves import Curve
from app.widgets.plots.run_series import ForkMark, RunSeries
from core.domain.estimate import Estimate
from core.domain.insight import Insight
from core.domain.look_plan import LooksPlanned, cadence_words, look_words
from core.domain.number_text import format_value, interval_text
from core.domain.run_events import RunStarted, SampleDone
from core.domain.run_record import RESUMABLE_STATES, RunRecord
from core.services.models.export import ExportForm
from core.services.runs.insights import start_loss
from core.services.runs.people_ceiling import PeopleCeiling
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_plots import PairPlots
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

STATE_TEXT: dict[str, tuple[str, str]] = {
    "created": ("Ready", "neutral"),
    "queued": ("Queued", "neutral"),
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
    "queued": ("clock", "text3"),
    "running": ("running", "accent"),
    "paused": ("pause", "warn"),
    "stopping": ("clock", "warn"),
    "finished": ("check_circle", "ok"),
    "stopped": ("check_circle", "text3"),
    "failed": ("warn", "bad"),
    "interrupted": ("warn", "warn"),
}
LIVE = ("running", "paused", "stopping")
RESUMABLE = RESUMABLE_STATES


@dataclass(frozen=True, slots=True)
class MonitorData:
    """A run at one moment, complete enough to draw the whole page."""

    run_id: str
    name: str
    record: RunRecord
    status: RunStatus
    series: RunSeries = field(default_factory=RunSeries)
    samples: tuple[SampleDone, ...] = ()
    log: tuple[str, ...] = ()
    insights: tuple[Insight, ...] = ()
    checkpoints: tuple[int, ...] = ()
    tiles: tuple[TileView, ...] = ()
    held_out_step: int = -1
    """Step of the newest held-out probe, -1 before the first."""
    has_result: bool = False
    """Whether the run folder holds a trained adapter or model."""

    @property
    def live(self) -> bool:
        """Whether a process is working on it."""
        return self.status.state in LIVE


def read_snapshot(
    service: RunsService,
    reader: RunReader,
    estimates: RunEstimates,
    metrics: Sequence[str],
    before: tuple[dict[str, Curve], ForkMark],
    name: str = "",
    plots: PairPlots | None = None,
    people: PeopleCeiling | None = None,
) -> MonitorData:
    """Read everything the page shows of one run.

    ``before`` is what the run measured that it was forked from; ``name`` is its name now, "" for the one it began with;
    ``plots`` what is drawn of all pairs; ``people`` how far people agree on the held-out ones.
    """
    plots = plots or PairPlots()
    record, status, kls = reader.record(), reader.status(), reader.kls()
    run_id = record.run_id
    curves = read_curves(reader, estimates, metrics, plots.curves)
    starts = [item.event for item in reader.log_events() if isinstance(item.event, RunStarted)]
    held_out, start, kl = estimates.last("dev"), start_loss(record.config), kls[-1] if kls else None
    plain = {name: reader.series(name) for name in ("accuracy", "margin", "loss", "tokens_per_s")}
    headline = Headline(held_out, estimates.last("train"), kl, plain, start)
    return MonitorData(
        run_id=run_id,
        name=name or record.name,
        record=record,
        status=status,
        series=run_series(
            curves,
            status.total_steps,
            before=before,
            kl=kl,
            held_out=held_out,
            start_loss=start,
            pairs=plots,
            people=people,
            resumes=tuple(float(event.resumed_from) for event in starts if event.attempt > 1),
        ),
        samples=tuple(reader.samples()),
        log=tuple(reader.log_tail(300)),
        insights=tuple(service.insights(run_id)),
        checkpoints=tuple(service.checkpoints(run_id)),
        tiles=tiles(headline),
        held_out_step=held_out.step if held_out is not None else -1,
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
    if snapshot.live and status.looks is not None and status.looks.factor > 1:
        parts.append(cadence_words(status.looks))
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


def list_line(info: RunInfo) -> str:
    """Return what stands under the name of a run in the list: one line, or two."""
    status = info.status
    if status.state in ("running", "paused", "stopping"):
        share = f" · {100 * status.step // status.total_steps} %" if status.total_steps else ""
        return f"step {status.step} / {status.total_steps}{share}" if status.total_steps else "starting"
    if status.state == "failed":
        return status.message.split(".")[0][:60] or "failed"
    if (probe := status.held_out) is not None:
        shares = Estimate(probe.accuracy, probe.accuracy_low, probe.accuracy_high, probe.pairs, "", "")
        value = f"held-out {format_value(probe.accuracy)}, n {probe.pairs}"
        return f"{value}\nstep {probe.step} {interval_text(shares, 3)}"
    if status.last is not None:
        return f"step {status.step}\nno held-out value"
    return STATE_TEXT.get(status.state, (status.state, ""))[0].lower()


def sample_cadence(snapshot: MonitorData) -> int:
    """Return the steps between two samples side by side; 0 where none are drawn."""
    plan = snapshot.status.looks
    return snapshot.record.config.sample_every if plan is None else plan.sample_every


def used(name: str, value: str, plan: LooksPlanned) -> str:
    """Return the value of a setting, with the cadence that the run keeps where it is another than was set."""
    every = {f"{kind}_every": steps for kind, steps in plan.every.items()}.get(name)
    return value if every is None or str(every) == value else f"{value} (every {every:,} in this run)"


def config_lines(snapshot: MonitorData) -> list[tuple[str, str]]:
    """Return the frozen configuration and its origin, name and value."""
    record = snapshot.record
    head = [
        ("run", record.run_id),
        ("fingerprint", record.fingerprint),
        ("model", record.model_dir),
        *[(f"sha256 of {name}", value) for name, value in record.inputs.items()],
        *record.charter.lines(f"loss {record.config.loss}, beta {record.config.beta:g}"),
        ("command line", record.command_line or "–"),
    ]
    if record.parent_run:
        head.insert(1, ("forked from", f"{record.parent_run}, step {record.parent_step}"))
    settings = [(name, str(value)) for name, value in record.config.to_plain().items()]
    if (plan := snapshot.status.looks) is not None:
        settings = [(name, used(name, value, plan)) for name, value in settings]
        head.append(("measurements", look_words(plan)))
    return head + settings + [(f"version of {name}", value) for name, value in record.versions.items()]
