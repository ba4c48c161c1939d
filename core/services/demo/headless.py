"""The whole loop without a window: a new demo workspace, a run on it, and a summary of the results."""

from __future__ import annotations

import time
from pathlib import Path

from core import durable
from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import GateReport
from core.services.application import Application
from core.services.demo.build import OnEvent, Say, build_demo
from core.services.demo.config import DEMO_CONFIG


def run_headless(
    out: Path, model: Path, say: Say, config: RunConfig = DEMO_CONFIG, on_event: OnEvent | None = None
) -> dict[str, object]:
    """Build the demo at ``out/workspace``, train, and write ``out/summary.json``.

    Returns:
        Counts, dataset sha256, step-0 loss, first and last held-out margin and accuracy, KL with its error
        (nats per response), wall seconds.

    Raises:
        UsageError: when ``out`` holds a workspace already.
    """
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


def summarise(app: Application, run_id: str) -> dict[str, object]:
    """Return the results of a run of the workspace as plain values."""
    reader, info = app.runs.reader(run_id), app.workspace.info()
    dataset = app.datasets.list()[-1]
    evals, kls, status = reader.evals("dev"), reader.kls(), reader.status()
    gate = next((e.event for e in reader.events() if isinstance(e.event, GateReport)), None)
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
            "accuracy_last_low": last.accuracy_low if last else None,
            "accuracy_last_high": last.accuracy_high if last else None,
            "accuracy_of_reference_ranking": last.ref_accuracy if last else None,
        },
        "kl": {
            "first": kls[0].kl if kls else None,
            "last": kls[-1].kl if kls else None,
            "standard_error": kls[-1].se if kls else None,
            "samples": kls[-1].samples if kls else 0,
            "horizon_tokens": kls[-1].horizon if kls else 0,
            "share_cut": kls[-1].censored if kls else None,
            "unit": "nats in the first horizon_tokens tokens",
        },
    }
