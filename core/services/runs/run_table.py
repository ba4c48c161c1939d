"""One line a run: what was tried, how far it came, and what its last measurements say, for tables and comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from core.domain.estimate import Estimate
from core.domain.number_text import format_value
from core.domain.run_filter import FilteredRun
from core.domain.run_record import ARCHIVED, LIVE_STATES, RESUMABLE_STATES, RunState
from core.domain.time_spans import duration
from core.runs.forking import saved_steps
from core.runs.run_reader import RunReader
from core.services.runs.views import RunInfo


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a table shows of one run.

    Attributes:
        steps, total_steps: optimizer steps done and planned.
        accuracy: of the held-out probe at ``measured_step``, with its Wilson interval (95 %) over ``pairs`` pairs; None
            where there is no held-out probe. margin: its mean reward margin (nats * beta).
        h: mean of h = margin / beta of the same probe in nats; its interval is a bootstrap by prompt, NaN where the
            rows of the pairs are missing.
        kl: the newest on-policy KL in nats per response of at most ``kl_horizon`` tokens, with its standard error.
        elapsed_s: wall time of all attempts in seconds.
        seed: of the run. fingerprint: hash of all that changes its objective.
        resume_step: the step from which a run that ended early would continue; None where it cannot be resumed.
    """

    run_id: str
    name: str
    state: RunState
    model: str
    dataset: str
    loss: str
    lr: float
    beta: float
    method: str
    steps: int
    total_steps: int
    created_ms: int
    elapsed_s: float
    accuracy: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    pairs: int = 0
    margin: float | None = None
    h: float | None = None
    h_low: float = math.nan
    h_high: float = math.nan
    measured_step: int = 0
    kl: float | None = None
    kl_se: float | None = None
    kl_samples: int = 0
    kl_horizon: int = 0
    tags: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False
    parent_run: str = ""
    resume_step: int | None = None
    seed: int = 0
    fingerprint: str = ""

    @property
    def accuracy_words(self) -> str:
        """Held-out accuracy with its interval, pairs and step; "" where it was not measured."""
        if self.accuracy is None:
            return ""
        interval = f"[{self.accuracy_low:.3f}, {self.accuracy_high:.3f}]"
        return f"{self.accuracy:.3f} {interval} n {self.pairs} at step {self.measured_step}"

    @property
    def short_accuracy(self) -> str:
        """Held-out accuracy with interval and pairs, for a narrow column; "" where it was not measured."""
        return self.accuracy_words.partition(" at step")[0]

    @property
    def h_words(self) -> str:
        """Held-out h with its interval; "" where it was not measured."""
        if self.h is None:
            return ""
        known = math.isfinite(self.h_low) and math.isfinite(self.h_high)
        interval = f" [{format_value(self.h_low, 3)}, {format_value(self.h_high, 3)}]" if known else ""
        return f"{format_value(self.h, 3)}{interval}"

    @property
    def short_kl(self) -> str:
        """On-policy KL in nats with its standard error, for a narrow column; "" where it was not measured."""
        return "" if self.kl is None else f"{self.kl:.3f} ± {self.kl_se:.3f}"

    @property
    def kl_words(self) -> str:
        """On-policy KL with its standard error and horizon; "" where it was not measured."""
        if self.kl is None:
            return ""
        return f"{self.kl:.3f} ± {self.kl_se:.3f} nats, n {self.kl_samples}, first {self.kl_horizon} tokens"

    @property
    def time_words(self) -> str:
        """Wall time of all attempts."""
        return duration(self.elapsed_s)

    def filtered(self) -> FilteredRun:
        """Return what a filter looks at."""
        texts = {
            "name": self.name, "tag": "\n".join(self.tags), "state": self.state, "model": self.model,
            "dataset": self.dataset, "loss": self.loss, "note": self.note,
        }  # fmt: skip
        measured = {"accuracy": self.accuracy, "kl": self.kl, "h": self.h}
        numbers = {"beta": self.beta, "lr": self.lr, "seed": float(self.seed), "steps": float(self.steps)}
        numbers |= {name: math.nan if value is None else value for name, value in measured.items()}
        return FilteredRun(texts, numbers, "\n".join((*texts.values(), self.method)))


def summarise_run(info: RunInfo) -> RunSummary:
    """Return the line of one run; reads its ledger."""
    record, status, reader = info.record, info.status, RunReader(Path(info.folder))
    held_out, kls = reader.evals("dev"), reader.kls()
    probe, kl = (held_out[-1] if held_out else None), (kls[-1] if kls else None)
    config, h = record.config, _held_out_h(reader)
    return RunSummary(
        run_id=info.run_id,
        name=info.name,
        state=status.state,
        model=Path(record.model_dir).name,
        dataset=str(record.dataset.get("title") or ""),
        loss=config.loss,
        lr=config.lr,
        beta=config.beta,
        method=f"LoRA r {config.lora_r}" if config.lora_r else "all weights",
        steps=status.step,
        total_steps=status.total_steps,
        created_ms=record.created_ms,
        elapsed_s=status.elapsed_s,
        accuracy=probe.accuracy if probe else None,
        accuracy_low=probe.accuracy_low if probe else None,
        accuracy_high=probe.accuracy_high if probe else None,
        pairs=probe.pairs if probe else 0,
        margin=probe.margin if probe else None,
        h=h.value if h else None,
        h_low=h.low if h else math.nan,
        h_high=h.high if h else math.nan,
        measured_step=probe.step if probe else 0,
        kl=kl.kl if kl else None,
        kl_se=kl.se if kl else None,
        kl_samples=kl.samples if kl else 0,
        kl_horizon=kl.horizon if kl else 0,
        tags=tuple(tag for tag in info.tags if tag != ARCHIVED),
        note=info.note,
        archived=ARCHIVED in info.tags,
        parent_run=record.parent_run,
        resume_step=_resume_step(reader, status.state),
        seed=config.seed,
        fingerprint=record.fingerprint,
    )


def _held_out_h(reader: RunReader) -> Estimate | None:
    """Return the h of the newest held-out probe, made of its pairs where their rows are there."""
    from core.services.runs.run_estimates import RunEstimates  # loads numpy, for which the window does not wait

    newest = RunEstimates(reader).last("dev")
    return None if newest is None else newest.values.get("h")


def _resume_step(reader: RunReader, state: RunState) -> int | None:
    if state in LIVE_STATES or state not in RESUMABLE_STATES:
        return None
    saved = saved_steps(reader.folder)
    return saved[0] if saved else 0
