"""Texts of the dialog of a sweep. No widgets."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.counting import counted
from core.domain.preflight_report import PreflightReport
from core.domain.run_config import SETTINGS, RunConfig
from core.domain.sweep import SweepPlan
from core.services.runs.sweeps import SweepCost, reference_passes
from core.services.runs.views import duration

_USUAL: Mapping[str, tuple[str, ...]] = {
    "beta": ("0.05", "0.1", "0.3"),
    "lr": ("5e-06", "1e-05", "5e-05"),
    "lora_r": ("8", "16", "32"),
    "loss": ("sigmoid", "ipo", "hinge"),
    "epochs": ("1", "2", "3"),
}
"""Values that are often compared."""


def title_of(name: str) -> str:
    """Return what a choice of settings calls one: its label and its key."""
    return f"{SETTINGS[name].label} ({name})"


def about_words(about: str) -> str:
    """Return what the dialog begins with."""
    return f"All else as in {about}. Several settings form a grid; every combination is trained under every seed."


def suggested(name: str, config: RunConfig) -> str:
    """Return values to begin with: usual ones, else that of the run."""
    if not name:
        return ""
    known = _USUAL.get(name)
    if known is not None and all(not SETTINGS[name].choices or value in SETTINGS[name].choices for value in known):
        return ", ".join(known)
    value = getattr(config, name)
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def plan_words(plan: SweepPlan) -> str:
    """Return how many runs there are, and of what."""
    parts = [f"{key} {', '.join(values)}" for key, values in plan.over.items()]
    return f"{counted(len(plan.points), 'run')}: {' × '.join(parts)}"


def reference_words(plan: SweepPlan) -> str:
    """Return how often the reference is computed."""
    passes, runs = reference_passes(plan), len(plan.points)
    if runs == 1:
        return ""
    if passes == 1:
        return "One reference pass: the first run computes it, the others find it in the cache."
    return (
        f"{counted(passes, 'reference pass', 'reference passes')} for {counted(runs, 'run')}: tokens or weights vary."
    )


def cost_words(cost: SweepCost, report: PreflightReport) -> str:
    """Return time and disk of all runs, and where these numbers come from."""
    problem = next((f" {check.text} {check.hint}" for check in report.checks if check.level == "bad"), "")
    saved = f" ({duration(cost.saved_seconds)} less by the shared reference)" if cost.saved_seconds >= 1 else ""
    need, free = cost.disk_bytes / 2**30, cost.disk_free_bytes / 2**30
    room = "" if need <= free else "; that is more than is free"
    return (
        f"About {duration(cost.seconds)}{saved} and {need:.1f} GiB of disk, of {free:.1f} GiB free{room}. "
        f"From the preflight of the first run on {report.device}; the others are taken to be as long.{problem}"
    )
