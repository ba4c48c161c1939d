"""One half of the benchmark of the preflight, in a process of its own: what it predicts, or what the run then takes.

``python -m tests.benchmarks.preflight_runner predict|measure FOLDER MODEL SETTINGS`` prints one line of JSON. FOLDER
holds ``pairs.jsonl`` of a run folder. All seconds are processor seconds, so that other work on the machine does not
decide what is found: the clock of the whole process is replaced.
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

time.monotonic = time.process_time
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
        "interval": [report["eta_low_s"], report["eta_high_s"]],
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
    spent = _by_kind(events)
    looks = sum(sum(spent.get(kind, ())) for kind in ("start", *KINDS.values()))
    found = {kind: _mean(spent.get(kind, ())) for kind in ("step", *KINDS.values())}
    return {
        **found,
        "reference": sum(spent.get("reference", ())),
        "all": sum(sum(values) for kind, values in spent.items() if kind != "other"),
        "memory": _peak(),
        "share": looks / (looks + sum(spent["step"])),
        "spent": {kind: [round(value, 2) for value in values] for kind, values in spent.items()},
    }


def _by_kind(events: Iterator[RunEvent]) -> dict[str, list[float]]:
    """Return the seconds that led to each event, by kind; measurements of the start are a kind of their own."""
    spent: dict[str, list[float]] = {}
    before, phase, held = time.monotonic(), "", 0.0
    for event in events:
        now = time.monotonic()
        seconds, before, held = held + now - before, now, 0.0
        if isinstance(event, Failed):
            raise SystemExit(event.message)
        if isinstance(event, LooksPlanned):
            print(event, file=sys.stderr)
        if isinstance(event, PhaseChanged) and event.phase in ("evaluate", "kl", "sample", "train"):
            held, phase = seconds, event.phase  # a report within a measurement or a step
            continue
        kind = "step" if isinstance(event, StepDone) else KINDS.get(type(event), "")
        if kind and getattr(event, "step", 1) == 0:
            kind = "start"
        if kind == "eval" and getattr(event, "split", "") == "train" and spent.get("eval"):
            spent["eval"][-1] += seconds  # both splits are one measurement
        elif kind == "sample" and seconds < 0.05 and spent.get("sample"):
            spent["sample"][-1] += seconds  # one of several that were drawn together
        else:
            spent.setdefault(kind or ("reference" if phase == "reference" else "other"), []).append(seconds)
        phase = event.phase if isinstance(event, PhaseChanged) else phase
    return spent


def _mean(values: Any) -> float:
    return sum(values) / len(values) if values else 0.0


def _peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    what, place, model_dir, settings = sys.argv[1:]
    work = {"predict": predicted, "measure": measured}[what]
    print(json.dumps(work(Path(place), Path(model_dir), RunConfig().with_values(json.loads(settings)))))
