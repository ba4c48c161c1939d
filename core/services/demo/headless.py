"""The whole loop without a screen: a fresh demo workspace, trained, with a summary of what came out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import durable
from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.services.demo.build import DEMO_CONFIG, build_demo


def run_headless(
    out: Path, model: Path, say: Callable[[str], None], config: RunConfig = DEMO_CONFIG, on_event: Any = None
) -> dict[str, Any]:
    """Build the demo at ``out/workspace``, train, and write ``out/summary.json``.

    Returns:
        Counts, dataset sha256, step-0 loss, first and last held-out margin and accuracy, KL with its error
        (nats per response), wall seconds.

    Raises:
        UsageError: when ``out`` holds a workspace already.
    """
    from core.services.application import Application

    started, workspace = time.monotonic(), out / "workspace"
    if workspace.exists():
        raise UsageError(f"{workspace} exists already.", "Name another folder, or remove it.")
    out.mkdir(parents=True, exist_ok=True)
    run_id = build_demo(workspace, model, say, config, on_event)
    with Application.open(workspace, read_only=True) as app:
        summary = summarise(app, run_id)
    summary["wall_seconds"] = round(time.monotonic() - started, 1)
    durable.write_json(out / "summary.json", summary)
    return summary


def summarise(app: Any, run_id: str) -> dict[str, Any]:
    """Return what a run of the workspace came to, as plain values."""
    reader, info = app.runs.reader(run_id), app.workspace.info()
    dataset = app.datasets.list()[-1]
    evals, kls, status = reader.evals("dev"), reader.kls(), reader.status()
    gate = next((e.event for e in reader.events() if e.event.event == "gate"), None)
    first, last = (evals[0], evals[-1]) if evals else (None, None)
    return {
        "counts": {**info.counts, **{f"dataset_{key}": value for key, value in dataset.counts.items()}},
        "dataset": dataset.title,
        "dataset_sha256": dataset.root_sha256,
        "run": run_id,
        "state": status.state,
        "message": status.message,
        "steps": status.step,
        "step0_loss": gate.loss if gate else None,
        "step0_h_max": gate.h_max if gate else None,
        "held_out": {
            "pairs": last.pairs if last else 0,
            "margin_first": first.margin if first else None,
            "margin_last": last.margin if last else None,
            "accuracy_first": first.accuracy if first else None,
            "accuracy_last": last.accuracy if last else None,
            "accuracy_of_reference_ranking": last.ref_accuracy if last else None,
        },
        "kl": {
            "first": kls[0].kl if kls else None,
            "last": kls[-1].kl if kls else None,
            "standard_error": kls[-1].se if kls else None,
            "unit": "nats per response",
        },
    }
