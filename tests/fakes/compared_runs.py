"""Finished runs whose held-out displacements are given pair by pair, so that differences can be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from core.domain.conversation import Prompt
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, Finished, KlDone, PairMetrics, RunEvent, RunStarted, SampleDone
from core.runs.creation import NewRun, create_run
from core.runs.hosting.driver import HostOptions, drive
from core.runs.run_reader import RunReader
from tests.fakes.scripted_engine import Scripted, _means

MOVED_A = ((1.0, -1.0), (0.5, 1.0), (2.0, 0.5), (-1.0, -0.5), (0.25, 0.0))
MOVED_B = ((3.0, -1.0), (1.5, 1.0), (2.5, -0.5), (-2.0, -0.5), (-0.25, 0.0))
PROMPTS = (0, 0, 1, 2, 3)
"""Displacements (nats) of five held-out pairs under two policies; and what each pair asks: the first two the same."""


def pairs_of(prompts: Sequence[int], flipped: Sequence[int] = ()) -> list[TrainingPair]:
    """Return a train pair, and a held-out pair for each number: the prompt that it asks."""
    found = [TrainingPair("t", Prompt.from_text("Train?"), "Yes.", "No.")]
    for place, asked in enumerate(prompts):
        texts = (f"Good {place}.", f"Bad {place}.")
        chosen, rejected = texts[::-1] if place in flipped else texts
        found.append(TrainingPair(f"d{place}", Prompt.from_text(f"Question {asked}?"), chosen, rejected, "dev"))
    return found


def row(config: RunConfig, pair_id: str, chosen: float, rejected: float) -> PairMetrics:
    """Return a row with these displacements (nats)."""
    h = chosen - rejected
    z = config.beta * h
    loss = math.log1p(math.exp(-z))
    return PairMetrics(pair_id, loss, -50 + chosen, -60 + rejected, -50, -60, h, z, 1 / (1 + math.exp(z)), 9, 9)


def made_run(
    place: Path,
    name: str,
    pairs: list[TrainingPair],
    moved: Sequence[tuple[float, float]],
    kl: float = 1.0,
    answers: Sequence[str] = (),
    **settings: object,
) -> RunReader:
    """Return a run below ``place``, measured at step 2 (half way) and 4; its model folder is made where needed.

    ``answers``: its samples at step 4, one for each question; at step 2 they are one word longer.
    """
    model = place / "model"
    if not model.exists():
        model.mkdir(parents=True)
        (model / "config.json").write_text('{"model_type": "llama"}')
        (model / "model.safetensors").write_bytes(b"weights")
    config = RunConfig().with_values({"steps": 4, **settings})
    folder = create_run(place / name, NewRun(config, model, pairs, name=name), run_id=name)
    held_out = [pair for pair in pairs if pair.split == "dev"]
    events: list[RunEvent | BaseException] = [RunStarted(name, 4, 1.0, 1, len(held_out), "cpu", "float32", "f")]
    for step, part in ((2, 0.5), (4, 1.0)):
        rows = tuple(
            row(config, pair.pair_id, part * c, part * r) for pair, (c, r) in zip(held_out, moved, strict=True)
        )
        limits = {"accuracy_low": 0.0, "accuracy_high": 1.0, "ref_accuracy": 1.0}
        events.append(EvalDone(step=step, split="dev", pairs=len(rows), rows=rows, **_means(config, rows), **limits))
        events.append(KlDone(step, part * kl, 0.3, part * kl, 0.4, 0.1, 16, 32, 0.0))
        for n, answer in enumerate(answers):
            text = answer if step == 4 else f"Well, {answer}"
            events.append(SampleDone(step, f"d{n}", f"Question {n}?", text, "The reference answers.", n))
    drive(folder.path, HostOptions(host="terminal", engine=Scripted([*events, Finished("completed", 4)])))
    return RunReader(folder.path)
