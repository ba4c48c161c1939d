"""Presets and texts of the Train page. No widgets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

from app.widgets.plots.curves import exact_text
from core.domain.counting import counted, number
from core.domain.dataset import DatasetVersion
from core.domain.model_info import ModelInfo
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import SETTINGS, RunConfig

PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "quick": ("Quick look", {"steps": 30, "eval_every": 10, "kl_every": 15, "sample_every": 15, "lr": 5e-5}),
    "standard": ("Standard", {}),
    "careful": ("Careful", {"lr": 5e-6, "beta": 0.2, "epochs": 1.0, "eval_every": 10, "kl_every": 25}),
}
_FROM_MODEL = ("template",)
"""Settings that follow the model and not the preset."""


def text_of(value: object) -> str:
    """Return a setting as it is typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return exact_text(value) if isinstance(value, int | float) else str(value)


def preset(name: str) -> RunConfig:
    """Return the configuration of a preset."""
    return RunConfig().with_values(PRESETS[name][1])


def preset_of(config: RunConfig) -> str | None:
    """Return the preset that a configuration is, or None."""
    return next((name for name in PRESETS if not _differences(config, preset(name))), None)


def default_name(config: RunConfig, taken: Collection[str] = ()) -> str:
    """Return a run's name by what matters most, with a number where a run has that name already.

    >>> default_name(RunConfig(), ["dpo-b0.1-lr1e-05-r16"])
    'dpo-b0.1-lr1e-05-r16-2'
    """
    method = f"r{config.lora_r}" if config.lora_r else "full"
    loss = "dpo" if config.loss == "sigmoid" else config.loss
    name = f"{loss}-b{config.beta:g}-lr{config.lr:g}-{method}"
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def changed_fields(config: RunConfig) -> list[str]:
    """Return the settings that differ from the defaults."""
    return _differences(config, RunConfig(), ())


def changes_line(config: RunConfig) -> str:
    """Return which settings differ from the defaults, by the labels of the form; "" when none does."""
    labels = [SETTINGS[name].label for name in changed_fields(config)]
    return f"{counted(len(labels), 'setting')} changed: {', '.join(labels)}" if labels else ""


def preset_line(name: str | None) -> str:
    """Return what a preset sets; None is a form that follows none of them.

    >>> preset_line("standard")
    'Standard: the defaults.'
    """
    if name is None:
        return "Own settings, of no preset."
    title, values = PRESETS[name]
    parts = [f"{SETTINGS[key].label} {text_of(value)}" for key, value in values.items()]
    return f"{title}: {'; '.join(parts)}." if parts else f"{title}: the defaults."


def problems(values: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with single settings as they are typed, by name."""
    found = {name: SETTINGS[name].problem_of(value) for name, value in values.items()}
    return {name: problem for name, problem in found.items() if problem}


def problems_line(found: Mapping[str, str]) -> str:
    """Return which fields hold something that cannot be, "" when none does."""
    labels = [SETTINGS[name].label for name in found]
    return f"{', '.join(labels)}: what is wrong stands at the field." if found else ""


def _differences(config: RunConfig, other: RunConfig, without: tuple[str, ...] = _FROM_MODEL) -> list[str]:
    names = (f.name for f in fields(RunConfig) if f.name not in without)
    return [name for name in names if getattr(config, name) != getattr(other, name)]


def data_line(version: DatasetVersion) -> str:
    """Return what a dataset version holds and where it comes from."""
    counts, left_out = version.counts, sum(part.count for part in version.left_out)
    parts = [f"{counts.get('test', 0)} sealed for the test"]
    if left_out:
        parts.append(f"{left_out} left out when frozen")
    parts += [", ".join(version.rubric_titles)] if version.rubric_titles else []
    return " · ".join([*parts, f"sha256 {version.root_sha256[:12]}"])


def model_line(info: ModelInfo) -> str:
    """Return size, longest sequence, template and place of a model."""
    parts = [f"{info.size_text} parameters"] if info.size_text else []
    if info.context:
        parts.append(f"context {number(info.context)}")
    parts.append("own chat template" if info.has_template else "no chat template: trained as plain text")
    return " · ".join([*parts, str(info.path)])


def span(seconds: float) -> str:
    """Return a time as an estimate is said: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


Row = tuple[str, str, str]
"""Level (ok, warn, bad), title, text."""
_TITLES = {
    "refusals": "Refusals",
    "model": "Model",
    "tokens": "Tokens",
    "template": "Chat template",
    "answers": "Texts",
    "engine": "Engine",
    "precision": "Precision",
    "step": "Dry step",
    "looks": "Measurements",
    "gate": "Truth gate",
    "memory": "Memory",
    "disk": "Disk",
    "time": "Time",
}


def early_rows(checks: Sequence[Check]) -> list[Row]:
    """Return the checks that are known while the preflight goes on, the newest of each kind but the engine's notes."""
    kept: dict[tuple[str, str], Check] = {}
    for check in checks:
        kept[check.key, check.text if check.key == "engine" else ""] = check
    return [(c.level, _TITLES.get(c.key, str(c.key)), f"{c.text} {c.hint}".strip()) for c in kept.values()]


def check_rows(report: PreflightReport) -> list[Row]:
    """Return the checks of a preflight, the dry step among them before what it says of memory and time."""
    rows = [(c.level, _TITLES.get(c.key, str(c.key)), f"{c.text} {c.hint}".strip()) for c in report.checks]
    place = next((i for i, row in enumerate(rows) if row[1] == "Memory"), len(rows))
    if report.gate is not None and report.gate.passed:
        took = f"One step in {report.step_seconds:.2f} s" if report.step_seconds else "One step"
        how = f", forward pass {report.forward}" if report.forward else ""
        loss = f"loss {report.gate.loss:.4f} = its closed form {report.gate.expected_loss:.4f}"
        rows.insert(place, ("ok", "Dry step", f"{took}{how}. Truth gate passed: {loss}."))
    return rows


def total_line(report: PreflightReport) -> str:
    """Return steps, time and memory of the run in one line."""
    if not report.total_steps:
        return ""
    memory = f" · about {report.memory_bytes / 2**30:.1f} GiB" if report.memory_bytes else ""
    low, high = span(report.eta_low_s), span(report.eta_high_s)
    between = f" ({low} to {high})" if report.eta_high_s else ""
    return f"{counted(report.total_steps, 'step')} · about {span(report.eta_s)}{between} on {report.device}{memory}"
