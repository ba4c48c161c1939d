"""Short runs of the real engine on a tiny model, and controls and probes that follow a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import MACHINE_FIELDS, RunEvent, StepDone, Warned
from core.training.control_protocol import Command, NoControl
from core.training.engine import train
from core.training.steps.session import TrainSession
from tests.tiny_models import tiny_pairs

SETTINGS: dict[str, Any] = {
    "steps": 4,
    "batch_size": 3,
    "lr": 3e-3,
    "warmup": 0.0,
    "lora_r": 2,
    "lora_alpha": 4.0,
    "device": "cpu",
    "threads": 1,
    "forward": "shared",
    "checkpoint_every": 2,
    "look_share": 1.0,
}


def some_pairs(train_count: int = 8, dev_count: int = 2) -> list[TrainingPair]:
    """Tiny pairs, the last ``dev_count`` held out."""
    pairs = tiny_pairs(train_count + dev_count)
    return [*pairs[:train_count], *(replace(pair, split="dev") for pair in pairs[train_count:])]


def run(model_dir: Path, run_dir: Path, *, pairs: list[TrainingPair] | None = None, **options: Any) -> list[RunEvent]:
    """Run the engine to its end and return all events; unknown options are settings."""
    return list(start(model_dir, run_dir, pairs=pairs, **options))


def start(
    model_dir: Path, run_dir: Path, *, pairs: list[TrainingPair] | None = None, **options: Any
) -> Iterator[RunEvent]:
    """Return the engine's generator."""
    arguments = {
        key: options.pop(key)
        for key in ("control", "probe", "resume", "run_id", "cache_dir", "inputs", "created_ms")
        if key in options
    }
    arguments.setdefault("control", NoControl())
    config = RunConfig().with_values({**SETTINGS, **options})
    return train(config, some_pairs() if pairs is None else pairs, model_dir=model_dir, run_dir=run_dir, **arguments)


def run_until(model_dir: Path, run_dir: Path, step: int, **options: Any) -> None:
    """Kill the run after the event of ``step``: nothing that comes after it happens."""
    events = start(model_dir, run_dir, **options)
    for event in events:
        if isinstance(event, StepDone) and event.step == step:
            break
    events.close()  # type: ignore[attr-defined]  # it is a generator


def kinds(events: list[RunEvent]) -> list[str]:
    """Names of the events, in order."""
    return [event.event for event in events]


def steps_of(events: list[RunEvent]) -> list[StepDone]:
    """The steps without what the machine and its clock decide."""
    none = dict.fromkeys(MACHINE_FIELDS, 0)
    return [replace(e, **none) for e in events if isinstance(e, StepDone)]


class Script:
    """A control that answers polls from a list of commands, the last one for ever, and counts waits."""

    def __init__(self, *commands: Command, checkpoints: int = 0) -> None:
        self.commands = list(commands)
        self.polls = self.waits = 0
        self._checkpoints = checkpoints

    def command(self) -> Command:
        self.polls += 1
        return self.commands.pop(0) if len(self.commands) > 1 else self.commands[0]

    def take_checkpoint_request(self) -> bool:
        self._checkpoints -= 1
        return self._checkpoints >= 0

    def wait(self, seconds: float) -> None:
        self.waits += 1


class Switch(NoControl):
    """A control that a test turns by hand between two events."""

    def __init__(self) -> None:
        self.now: Command = "run"

    def command(self) -> Command:
        return self.now


class Watcher:
    """A probe that notes when it was called and does what ``act`` says."""

    def __init__(self, act: Callable[[TrainSession, int], None] | None = None) -> None:
        self.calls: list[tuple[int, bool]] = []
        self._act = act

    def run(self, session: TrainSession, step: int, *, last: bool) -> Iterator[RunEvent]:
        self.calls.append((step, last))
        if self._act is not None:
            self._act(session, step)
        yield Warned("looked", f"at step {step}", step)
