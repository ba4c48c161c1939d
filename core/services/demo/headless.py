"""The whole loop without a window: a new demo workspace, a run on it, and a summary of the results."""

from __future__ import annotations

import time
from pathlib import Path

from core import durable
from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import GateReport
from core.private_files import make_folders
from core.services.application import Application
from core.services.demo.build import OnEvent, Say, build_demo
from core.services.demo.config import DEMO_CONFIG
from core.unfinished import temporary_folder

SUMMARY = "summary.json"


def new_place(out: Path) -> Path:
    """Return the folder for the results, which is made where it is not there.

    Raises:
        UsageError: it is a file, or holds results already.
        UserError: it cannot be made or written to.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; the demo needs a folder for its results.", "Name a new folder.")
    if taken := [name for name in ("workspace", SUMMARY) if (out / name).exists()]:
        raise UsageError(f"{out / taken[0]} exists already; nothing was made.", "Name another folder, or remove it.")
    with durable.clear_errors(out):
        make_folders(out)
        with temporary_folder(out):  # what it says of a place that cannot be written, it says before any work
            return out


def run_headless(
    out: Path, model: Path, say: Say, config: RunConfig = DEMO_CONFIG, on_event: OnEvent | None = None
) -> dict[str, object]:
    """Build the demo at ``out/workspace``, train, and write ``out/summary.json``.

    Returns:
        Counts, dataset sha256, step-0 loss, first and last held-out margin and accuracy, KL with its error
        (nats per response), wall seconds.

    Raises:
        UsageError: when ``out`` is no place for the results.
    """
    started, workspace = time.monotonic(), new_place(out) / "workspace"
    run_id = build_demo(workspace, model, say, config, on_event)
    with Application.open(workspace, read_only=True) as app:
        summary = summarise(app, run_id)
    summary["wall_seconds"] = round(time.monotonic() - started, 1)
    durable.write_json(out / SUMMARY, summary)
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
