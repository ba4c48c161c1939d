"""One half of the benchmark of the preflight, in a process of its own: what it predicts, or what the run then takes.

``python -m tests.benchmarks.preflight_runner predict|measure FOLDER MODEL SETTINGS`` prints one line of JSON. FOLDER
holds ``pairs.jsonl`` of a run folder.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.domain.look_plan import LooksPlanned
from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, Failed, KlDone, PhaseChanged, RunEvent, SampleDone, StepDone
from core.runs.child_processes.preflight_program import examine
from core.runs.folder import RunFolder
from core.runs.hosting.probes import StandardProbe
from core.training.control_protocol import NoControl
from core.training.engine import train

KINDS = {EvalDone: "eval", KlDone: "kl", SampleDone: "sample"}


def predicted(folder: Path, model: Path, config: RunConfig) -> dict[str, Any]:
    """Return what the preflight says."""
    begun = time.monotonic()
    request = {"config": config.to_plain(), "model_dir": str(model), "pairs_dir": str(folder), "place": str(folder)}
    report = examine(request, lambda _done, _total, _text: None, lambda _part: None)
    looks = report["look_seconds"]
    return {
        "step": report["step_seconds"],
        "reference": report["reference_seconds"],
        **{kind: looks.get(kind, 0.0) for kind in KINDS.values()},
        "all": report["eta_s"],
        "memory": report["memory_bytes"],
        "preflight": time.monotonic() - begun,
        "share": (report["looks"] or {}).get("share", 0.0),
    }


def measured(folder: Path, model: Path, config: RunConfig) -> dict[str, Any]:
    """Run it and return what its pieces took: wall seconds, and the processor's share of measurements."""
    run_dir = folder / "measured"
    run_dir.mkdir()
    pairs = RunFolder(folder).pairs()
    events = train(config, pairs, model_dir=model, run_dir=run_dir, control=NoControl(), probe=StandardProbe())
    wall, cpu = _by_kind(events, time.monotonic), {}
    cpu = wall.pop("cpu")
    steps, looks = cpu["step"], sum(sum(cpu.get(kind, ())) for kind in KINDS.values())
    found = {kind: _mean(wall.get(kind, ())) for kind in ("step", *KINDS.values())}
    return {
        **found,
        "reference": sum(wall.get("reference", ())),
        "all": sum(sum(values) for kind, values in wall.items() if kind != "other"),
        "memory": _peak(),
        "share": looks / (looks + sum(steps)),
        "cpu": {kind: [round(value, 2) for value in values] for kind, values in cpu.items()},
    }


def _by_kind(events: Iterator[RunEvent], _clock: object) -> dict[str, Any]:
    """Return the seconds that led to each event, by kind; measurements of the start are a kind of their own."""
    wall: dict[str, Any] = {}
    cpu: dict[str, list[float]] = {}
    before, phase, held = (time.monotonic(), time.process_time()), "", [0.0, 0.0]
    for event in events:
        now = (time.monotonic(), time.process_time())
        spent = [held[i] + now[i] - before[i] for i in (0, 1)]
        before, held = now, [0.0, 0.0]
        if isinstance(event, LooksPlanned):
            print(event, file=sys.stderr)
        if isinstance(event, Failed):
            raise SystemExit(event.message)
        kind = "step" if isinstance(event, StepDone) else KINDS.get(type(event), "")
        if kind and getattr(event, "step", 1) == 0:
            kind = "start" if spent[0] > 0.05 else "other"
        if not kind and isinstance(event, PhaseChanged) and event.phase in ("evaluate", "kl", "sample", "train"):
            held = spent  # a report within a measurement or a step
            phase = event.phase
            continue
        kind = kind or ("reference" if phase == "reference" else "other")
        if kind == "sample" and spent[0] < 0.05:  # the second of several that were drawn together
            continue
        if kind == "eval" and event.split == "train" and event.step and cpu.get("eval"):  # type: ignore[union-attr]
            wall["eval"][-1] += spent[0]
            cpu["eval"][-1] += spent[1]
        else:
            wall.setdefault(kind, []).append(spent[0])
            cpu.setdefault(kind, []).append(spent[1])
        phase = event.phase if isinstance(event, PhaseChanged) else phase
    return {**wall, "cpu": cpu}


def _mean(values: Any) -> float:
    return sum(values) / len(values) if values else 0.0


def _peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    what, place, model_dir, settings = sys.argv[1:]
    work = {"predict": predicted, "measure": measured}[what]
    print(json.dumps(work(Path(place), Path(model_dir), RunConfig().with_values(json.loads(settings)))))
