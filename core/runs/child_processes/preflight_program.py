"""Child program: try a run before it is started. Tokenises all pairs and makes one step with the real engine.

The pairs of the step are spread over all lengths, the longest among them, so that its peak memory is close to the run's
and its time can be scaled. It passes the same truth gate. Nothing is left behind.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.pair import TrainingPair
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import RunConfig
from core.domain.run_events import (
    Failed,
    GateReport,
    PhaseChanged,
    RunEvent,
    RunStarted,
    StepDone,
    TokenReport,
    Warned,
)
from core.model_files.folder_check import check_model
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Progress, serve
from core.runs.folder import RunFolder
from core.training.control_protocol import NoControl
from core.training.engine import train
from core.training.memory_plan import ModelShape, plan_memory
from core.training.policy.read_model import read_tokenizer
from core.training.steps.data_order import total_steps
from core.training.text.tokenise import encode_pairs
from core.unfinished import temporary_folder

_ROOM = 1 << 30
_TOTAL = 4
_PROCESS_STATUS = Path("/proc/self/status")
_FORWARD_SHARE = 1 / 3
"""A forward pass without gradient costs about a third of a training step's forward and backward."""


def examine(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the report on the request ``{config, model_dir, pairs_dir, place}`` as plain values."""
    go_offline()
    config = RunConfig.from_plain(request["config"])
    model_dir, pairs = Path(request["model_dir"]), RunFolder(Path(request["pairs_dir"])).pairs()
    progress(0, _TOTAL, "Checking the model")
    checks = [_model_check(model_dir)]
    progress(1, _TOTAL, f"Tokenising {counted(len(pairs), 'pair')}")
    tokens, lengths = _tokenise(config, model_dir, pairs)
    checks.append(token_check(tokens))
    progress(2, _TOTAL, "One step as a test")
    tested = _TestedStep(config, model_dir, _spread(pairs, lengths, config.batch_size))
    tested.run(progress)
    progress(3, _TOTAL, "Counting")
    report = _report(config, pairs, tokens, lengths, tested, Path(request["place"]))
    progress(_TOTAL, _TOTAL, "Done")
    return replace(report, checks=(*checks, *tested.checks, *report.checks)).to_plain()


def _model_check(model_dir: Path) -> Check:
    """Refuse a model that is unsafe or incomplete, before anything is loaded."""
    check_model(model_dir)
    size = sum(p.stat().st_size for p in ([model_dir] if model_dir.is_file() else model_dir.glob("*.safetensors")))
    return Check("model", "ok", f"{model_dir.name} is safe to load ({size / 2**20:,.0f} MiB of weights).")


def _tokenise(config: RunConfig, model_dir: Path, pairs: Sequence[TrainingPair]) -> tuple[TokenReport, dict[str, int]]:
    encoded, report = encode_pairs(pairs, read_tokenizer(model_dir), config)
    return report, {pair.pair_id: pair.length for pair in encoded}


def token_check(tokens: TokenReport) -> Check:
    """Return the check of what tokenising does to the pairs: lengths, truncated and dropped pairs."""
    text = (
        f"Half of the rows below {tokens.p50}, 95 % below {tokens.p95}, longest {tokens.longest}; "
        f"{tokens.truncated} of {counted(tokens.pairs, 'pair')} truncated, {tokens.dropped} dropped, "
        f"{tokens.merged_boundaries} merged boundaries."
    )
    if tokens.dropped >= tokens.pairs:
        return Check("tokens", "bad", text, "Raise max_length.")
    if tokens.truncated * 10 > tokens.pairs or tokens.dropped:
        return Check("tokens", "warn", text, "Raise max_length, or leave the long pairs out.")
    return Check("tokens", "ok", text)


def _spread(pairs: Sequence[TrainingPair], lengths: dict[str, int], count: int) -> list[TrainingPair]:
    """Return up to ``count`` train pairs at even steps of length, the longest among them."""
    usable = sorted((p for p in pairs if p.split == "train" and p.pair_id in lengths), key=lambda p: lengths[p.pair_id])
    count = min(count, len(usable))
    return [usable[len(usable) - 1 - i * len(usable) // count] for i in range(count)]


class _TestedStep:
    """One step of the real engine in a temporary folder."""

    def __init__(self, config: RunConfig, model_dir: Path, pairs: list[TrainingPair]) -> None:
        quiet = {"eval_every": 0, "kl_every": 0, "sample_every": 0, "checkpoint_every": 0, "kl_budget": 0.0}
        self.config = config.with_values({"steps": 1, "shuffle": False, "scheduler": "constant", **quiet})
        self.model_dir, self.pairs = model_dir, pairs
        self.checks: list[Check] = []
        self.step: StepDone | None = None
        self.gate: GateReport | None = None
        self.device = self.forward = ""
        self.reference_s = 0.0
        self.peak = 0
        self.saved_bytes = 0

    def run(self, progress: Progress) -> None:
        """Run the engine and keep the facts of its events."""
        with temporary_folder(prefix="pairwright-preflight-") as place:
            clock = _PhaseClock()
            for event in train(self.config, self.pairs, model_dir=self.model_dir, run_dir=place, control=NoControl()):
                clock.tick(event)
                self._take(event, progress)
            self.reference_s = clock.seconds.get("reference", 0.0)
            self.peak = _peak_memory(self.device)
            self.saved_bytes = sum(p.stat().st_size for p in place.rglob("*") if p.is_file())

    def _take(self, event: RunEvent, progress: Progress) -> None:
        match event:
            case RunStarted():
                self.device = event.device
            case PhaseChanged(phase="load", done=1):
                self.forward = event.detail.removeprefix("forward pass: ")
            case PhaseChanged():
                progress(2, _TOTAL, f"One step as a test: {event.phase}")
            case GateReport():
                self.gate = event
            case StepDone():
                self.step = event
            case Warned():
                self.checks.append(Check("engine", "warn", event.message))
            case Failed():
                self.checks.append(Check("step", "bad", event.message, event.hint))


class _PhaseClock:
    """Adds up the seconds of each phase."""

    def __init__(self) -> None:
        self._now = time.monotonic
        self._phase, self._since = "", self._now()
        self.seconds: dict[str, float] = {}

    def tick(self, event: RunEvent) -> None:
        """Add the time since the last event to the phase that was running."""
        now = self._now()
        self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._since = now
        if isinstance(event, PhaseChanged):
            self._phase = event.phase


def _peak_memory(device: str) -> int:
    """Return the bytes that the tested step needed at most: of the card, or of this process."""
    if device.startswith("cuda"):
        import torch  # only where a card is used; core.runs imports no torch at module level

        return int(torch.cuda.max_memory_allocated())
    if _PROCESS_STATUS.exists():
        # Not ru_maxrss: after exec that still holds the peak of the process that started this one.
        lines = _PROCESS_STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    try:
        import resource  # exists on Unix only

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    except ImportError:
        return int(psutil.Process().memory_info().rss)


def _free_memory(device: str) -> int:
    """Return the bytes that a run could use on the device once this process has ended."""
    if device.startswith("cuda"):
        import torch  # as above

        return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved())
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)


def _report(
    config: RunConfig,
    pairs: Sequence[TrainingPair],
    tokens: TokenReport,
    lengths: dict[str, int],
    tested: _TestedStep,
    place: Path,
) -> PreflightReport:
    train = [lengths[p.pair_id] for p in pairs if p.split == "train" and p.pair_id in lengths]
    base = PreflightReport(tokens=tokens, gate=tested.gate, device=tested.device, forward=tested.forward)
    if not train or tested.step is None:
        return base
    steps = total_steps(len(train), config)
    scale = (sum(train) / len(train)) / (sum(lengths[p.pair_id] for p in tested.pairs) / len(tested.pairs))
    step_s = tested.step.seconds * scale * min(config.batch_size, len(train)) / len(tested.pairs)
    visited = min(len(train), steps * config.batch_size)
    reference_s = tested.reference_s * scale * visited / len(tested.pairs)
    eta = (
        steps * step_s
        + reference_s
        + _probe_seconds(config, pairs, steps, tested.step.seconds * scale / len(tested.pairs))
    )
    disk = 2 * tested.saved_bytes * (config.keep_checkpoints + 1) + _ROOM
    report = replace(
        base,
        total_steps=steps,
        step_seconds=step_s,
        reference_seconds=reference_s,
        eta_s=eta,
        memory_free_bytes=_free_memory(tested.device),
        disk_bytes=disk,
        disk_free_bytes=shutil.disk_usage(_existing_parent(place)).free,
    )
    report = _with_memory(report, config, sorted(lengths.values(), reverse=True), tested)
    return replace(report, checks=(_memory(report, tested.peak), _disk(report), _time(report)))


def _with_memory(
    report: PreflightReport, config: RunConfig, lengths: Sequence[int], tested: _TestedStep
) -> PreflightReport:
    """Add the memory of the run: by the engine's plan, or as measured where the model's shape is unknown."""
    try:
        shape = ModelShape.read(tested.model_dir)
    except BadInput:
        return replace(report, memory_bytes=tested.peak, micro_batch=config.micro_batch)
    plan = plan_memory(
        shape,
        config,
        lengths,
        forward=tested.forward,
        device=tested.device.partition(":")[0],
        available=report.memory_free_bytes,
    )
    return replace(
        report,
        memory_bytes=plan.total,
        memory_parts=tuple(line for line in plan.lines() if line[0] != "total"),
        micro_batch=plan.micro_batch,
    )


def _probe_seconds(config: RunConfig, pairs: Sequence[TrainingPair], steps: int, pair_s: float) -> float:
    """Return the seconds of all probes: for each pair its log-probs and two passes of hidden states."""
    if not config.eval_every:
        return 0.0
    probed = sum(min(config.probe_pairs, sum(p.split == split for p in pairs)) for split in ("train", "dev"))
    return (steps // config.eval_every + 2) * probed * pair_s * 3 * _FORWARD_SHARE


def _memory(report: PreflightReport, measured: int) -> Check:
    need, free = report.memory_bytes / 2**30, report.memory_free_bytes / 2**30
    text = (
        f"The run needs about {need:.1f} GiB (the tested step needed {measured / 2**30:.1f}); "
        f"{free:.1f} GiB are free on {report.device}."
    )
    if need > free:
        return Check("memory", "bad", text, "Lower micro_batch or max_length, or choose a smaller model.")
    if need > 0.9 * free:
        return Check("memory", "warn", text, "Close other programs, or lower micro_batch.")
    return Check("memory", "ok", text)


def _disk(report: PreflightReport) -> Check:
    need, free = report.disk_bytes / 2**30, report.disk_free_bytes / 2**30
    text = f"Checkpoints and result need up to {need:.1f} GiB; {free:.1f} GiB are free."
    return Check("disk", "ok" if need <= free else "bad", text, "" if need <= free else "Free some space.")


def _time(report: PreflightReport) -> Check:
    text = (
        f"{counted(report.total_steps, 'step')} of about {report.step_seconds:.2f} s: about "
        f"{_duration(report.eta_s)} in all."
    )
    return Check("time", "ok", text)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _existing_parent(place: Path) -> Path:
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


if __name__ == "__main__":
    sys.exit(serve(examine))
