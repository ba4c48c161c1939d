"""One step of a run, made before the run starts: whether it works, and what its pieces of work cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from core.domain.pair import TrainingPair
from core.domain.preflight_report import Check
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, GateReport, PhaseChanged, RunEvent, RunStarted, StepDone, Warned
from core.runs.child_processes.look_costs import LookCosts
from core.runs.child_processes.template_checks import TOLD_BEFORE
from core.runs.progress_words import phase_words
from core.training.control_protocol import NoControl
from core.training.engine import train
from core.unfinished import temporary_folder

_PROCESS_STATUS = Path("/proc/self/status")


class TriedStep:
    """One step of the real engine in a temporary folder, and the measurements before it on a few pairs.

    Args:
        config: settings of the run to come.
        model_dir: its base model.
        pairs: of the step.
        on_check: called with each check as soon as it is known.
        on_phase: called with the name of each phase.
        prompts: token ids of the whole run's prompts, for the cost of its answers.
    """

    def __init__(
        self,
        config: RunConfig,
        model_dir: Path,
        pairs: list[TrainingPair],
        on_check: Callable[[Check], None],
        on_phase: Callable[[str], None],
        prompts: tuple[tuple[int, ...], ...] = (),
    ) -> None:
        quiet = {"eval_every": 0, "kl_every": 0, "sample_every": 0, "checkpoint_every": 0, "kl_budget": 0.0}
        quiet |= {"best_metric": "off", "patience": 0}
        size = {"batch_size": max(1, len(pairs))}
        self.config = config.with_values({"steps": 1, "shuffle": False, "scheduler": "constant", **size, **quiet})
        self.model_dir, self.pairs = model_dir, pairs
        self.looks = LookCosts(config, prompts)
        self.step: StepDone | None = None
        self.gate: GateReport | None = None
        self.device = self.forward = ""
        self.reference_s = 0.0
        self.peak = 0
        self.saved_bytes = 0
        self._on_check, self._on_phase = on_check, on_phase

    def run(self) -> None:
        """Run the engine and keep the facts of its events."""
        with temporary_folder(prefix="pairwright-preflight-") as place:
            clock, settings = _PhaseClock(), self.config
            events = train(
                settings,
                self.pairs,
                model_dir=self.model_dir,
                run_dir=place,
                control=NoControl(),
                probe=self.looks,
            )
            for event in events:
                clock.tick(event)
                self._take(event)
            self.reference_s = clock.seconds.get("reference", 0.0)
            self.peak = _peak_memory(self.device)
            self.saved_bytes = sum(p.stat().st_size for p in place.rglob("*") if p.is_file())

    def _take(self, event: RunEvent) -> None:
        match event:
            case RunStarted():
                self.device = event.device
                self._on_check(precision_check(event.device, event.dtype))
            case PhaseChanged(phase="forward", done=1):
                self.forward = event.detail
            case PhaseChanged():
                self._on_phase(phase_words(event.phase, event.detail))
            case GateReport():
                self.gate = event
            case StepDone():
                self.step = event
            case Warned() if event.code not in TOLD_BEFORE:
                self._on_check(Check("engine", "warn", event.message))
            case Failed():
                self._on_check(Check("step", "bad", event.message, event.hint))


def precision_check(device: str, dtype: str) -> Check:
    """Return the check that says what the run computes in, and where.

    >>> precision_check("cuda:0", "bfloat16").text
    'Weights and activations are bfloat16, on cuda:0.'
    """
    text = f"Weights and activations are {dtype}, on {device}."
    if device == "cpu" and dtype == "bfloat16":
        return Check("precision", "warn", text, "Most processors compute faster in float32: set dtype=float32.")
    return Check("precision", "ok", text)


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
