"""The frozen configuration of a run: its settings, each declared once, and the fingerprint.

To add a setting, write one field below, in :mod:`core.domain.basic_settings` (the first three groups), in
:mod:`core.domain.template_settings` or in :mod:`core.domain.measuring_settings`: a default that leaves runs as they
are, ``WHEN_CHANGED`` when it changes the objective or ``NEVER`` when it does not, a label and a hint. Form, command
line, checks and fingerprint follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.domain.errors import UsageError
from core.domain.ids import sha256_json
from core.domain.loss_mix import check_mix
from core.domain.measuring_settings import MeasuringSettings
from core.domain.named_numbers import named_numbers
from core.domain.run_settings import (
    ALWAYS,
    NEVER,
    WHEN_CHANGED,
    RunSetting,
    SettingGroup,
    current_names,
    fingerprint_values,
    settings_of,
)
from core.domain.template_settings import checked_template_settings, in_one_spelling

MEASURED = "measured"
"""Given for ``label_smoothing``, it stands for the flip rate that retests and gold items have shown."""
BEFORE = {"look_share": 1.0, "dtype": "float32"}
"""What a stored run goes on with that was made before the setting existed, where that is not the default."""
AS_BEFORE = {"probe_seed": "seed"}
"""Settings for which such a run goes on with the value of another one."""
loss_details = SettingGroup("Loss details")


@dataclass(frozen=True, slots=True)
class RunConfig(MeasuringSettings):
    """Everything that decides what a run computes. What each setting means stands in its hint."""

    label_smoothing: float = loss_details(
        0.0,
        ALWAYS,
        "Label smoothing",
        f"Assumed share of wrong labels; '{MEASURED}' takes the flip rate of retests and gold items; usually 0 to 0.2.",
        bounds=(0.0, 0.4999),
    )
    loss_mix: str = loss_details(
        "",
        WHEN_CHANGED,
        "Loss mix",
        "Further losses, as name=weight joined by commas; sft is the chosen response's negative log-likelihood per "
        "token; the main loss has the weight 1 unless it is named; for example sigmoid=0.8, sft=0.2.",
    )
    f_divergence: str = loss_details(
        "reverse_kl",
        WHEN_CHANGED,
        "Divergence",
        "What holds the policy near the reference: the reverse KL is DPO, the others are f-DPO.",
        choices=("reverse_kl", "js_divergence", "alpha_divergence"),
    )
    f_alpha: float = loss_details(
        0.5,
        WHEN_CHANGED,
        "Divergence alpha",
        "Of the alpha divergence: near 0 it is the reverse KL, 1 is the forward KL; usually 0.3 to 0.7.",
        bounds=(1e-3, 1.0),
        only_with="f_divergence",
    )
    rpo_alpha: float = loss_details(
        0.0,
        ALWAYS,
        "RPO alpha",
        "Weight of the added negative log-likelihood of the chosen response, per token; 0 is off; usually up to 1.",
        bounds=(0.0, 1e3),
    )
    rpo_average: str = loss_details(
        "tokens",
        ALWAYS,
        "RPO average",
        "tokens takes the mean over all chosen tokens of a step, pairs the mean of each pair's mean.",
        choices=("tokens", "pairs"),
    )
    router_aux_loss: float = loss_details(
        0.0,
        WHEN_CHANGED,
        "Router loss weight",
        "Weight of the loss that spreads a response's tokens over the experts of a mixture; usually 0.001 to 0.01.",
        bounds=(0.0, 10.0),
    )
    ld_alpha: float = loss_details(
        1.0,
        ALWAYS,
        "LD-DPO alpha",
        "Weight of the part of a response beyond the shorter one's length; 1 is off; usually 0.3 to 1.",
        bounds=(0.0, 1.0),
    )
    wpo: bool = loss_details(
        False, ALWAYS, "WPO weighting", "Weights each pair by its probability under the policy (WPO)."
    )
    dpop_lambda: float = loss_details(
        5.0, ALWAYS, "DPOP lambda", "Penalty of the loss dpop; usually 5 to 50.", bounds=(0.0, 1e6)
    )
    r_dpo_alpha: float = loss_details(
        0.0,
        ALWAYS,
        "R-DPO alpha",
        "Length penalty of the loss r_dpo, per token; usually 0.001 to 0.05.",
        bounds=(0.0, 1e3),
    )
    simpo_gamma: float = loss_details(
        0.5, ALWAYS, "SimPO gamma", "Target margin of the loss simpo; usually 0.3 to 1.6.", bounds=(0.0, 1e6)
    )
    orpo_lambda: float = loss_details(
        0.1, ALWAYS, "ORPO lambda", "Weight of the odds ratio in the loss orpo; usually 0.1.", bounds=(1e-6, 1e3)
    )
    tie_nu: float = loss_details(
        1.0,
        ALWAYS,
        "Tie nu (ν)",
        "How likely ties are in davidson and rao_kupper; usually 0.5 to 2.",
        bounds=(1e-6, 1e6),
    )
    discopop_tau: float = loss_details(
        0.05, ALWAYS, "DiscoPOP tau", "Temperature of the blend in the loss discopop; usually 0.05.", bounds=(1e-6, 1.0)
    )

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """Refuse a value out of bounds, and settings that contradict each other.

        A new config is checked by itself; one that an older program stored may lie outside of today's limits.

        Raises:
            UsageError: naming the setting and what it can be.
        """
        for name, setting in SETTINGS.items():
            setting.check(getattr(self, name))
        _check_together(self)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as they stand in ``run.json``."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> RunConfig:
        """Build a config from plain values; old names of settings are read.

        Raises:
            UsageError: for an unknown key or a value out of bounds.
        """
        return cls().with_values(row)

    @classmethod
    def as_stored(cls, row: Mapping[str, Any]) -> RunConfig:
        """Build a config from what a run stored; settings of a newer program are left out.

        Limits that were drawn since do not keep an old run from being opened; :meth:`check` applies them before it
        trains again.

        Raises:
            UsageError: for a value of another type, or one that is no choice.
        """
        given = current_names({k: v for k, v in row.items() if RENAMED.get(k, k) in SETTINGS}, SETTINGS, RENAMED)
        config = object.__new__(cls)
        given = {**{name: given[other] for name, other in AS_BEFORE.items() if other in given}, **given}
        for name, setting in SETTINGS.items():
            value = setting.read(given[name]) if name in given else BEFORE.get(name, setting.default)
            setting.check_kind(value)
            object.__setattr__(config, name, value)
        return config

    def with_values(self, values: Mapping[str, Any]) -> RunConfig:
        """Return a copy with ``values`` replaced; strings are read as the setting's type, old names as today's.

        Raises:
            UsageError: for an unknown key, an unreadable value, or a value out of bounds.
        """
        kept = {k: v for k, v in in_one_spelling(values).items() if not _is_refused(k, v)}
        given = current_names(kept, SETTINGS, RENAMED)
        return replace(self, **{name: SETTINGS[name].read(value) for name, value in given.items()})

    @property
    def method(self) -> str:
        """ "lora" or "full"."""
        return "lora" if self.lora_r > 0 else "full"

    @staticmethod
    def objective_keys() -> tuple[str, ...]:
        """Return the names of the settings that change the effective objective."""
        return tuple(name for name, setting in SETTINGS.items() if setting.fingerprint != NEVER)

    def fingerprint(self, **inputs: str) -> str:
        """Return the hash of all that changes the effective objective.

        What only changes speed, cadence or place is left out; ``inputs`` names the hashes of data, model, adapter
        and template.
        """
        plain = fingerprint_values(self.to_plain(), SETTINGS)
        return sha256_json({"config": plain, "inputs": dict(sorted(inputs.items()))})


SETTINGS: Mapping[str, RunSetting] = settings_of(RunConfig)
RENAMED: dict[str, str] = {}
"""Old name of a setting -> its name today. Stored runs and old command lines keep working."""


FRESH_ONLY = ("lora_rslora", "lora_dora", "rank_pattern", "alpha_pattern", "modules_to_save", "lora_experts")
"""Settings that shape a fresh adapter. One that training starts from brings its own."""


def _is_refused(name: str, value: Any) -> bool:
    """Say whether ``name`` asks for nothing and is left out; raise a UsageError where it would spoil all numbers."""
    if name != "lora_dropout":
        return False
    if str(value).strip() not in ("0", "0.0", ""):
        raise UsageError(
            "An adapter cannot have dropout: policy and reference would differ by chance, and with them every margin.",
            "Leave lora_dropout out. Against overfitting lower lora_r, epochs or lr, or raise beta.",
        )
    return True


def _check_together(config: RunConfig) -> None:
    checked_template_settings(config.template, config.template_args, config.template_date)
    check_mix(config)
    named_numbers(config.rank_pattern, "rank_pattern", low=1, high=4096, whole=True)
    named_numbers(config.alpha_pattern, "alpha_pattern", low=0, high=1e6)
    if config.patience and config.best_metric == "off":
        raise UsageError("patience waits for a better checkpoint, and best_metric names no number.", "Set best_metric.")
    if config.best_metric != "off" and config.eval_every == 0:
        raise UsageError("best_metric compares evals, and eval_every=0 makes none.", "Set eval_every.")
    asked = [name for name in FRESH_ONLY if getattr(config, name) != SETTINGS[name].default]
    if asked and config.lora_r == 0:
        raise UsageError(f"{asked[0]} shapes an adapter, and lora_r=0 trains all weights without one.", "Set lora_r.")
    if asked and config.init_adapter:
        raise UsageError(
            f"{' and '.join(asked)} would be ignored: training starts from an adapter, which brings its own.",
            "Leave out either them or init_adapter.",
        )
    if config.quantize != "none" and config.lora_r == 0:
        raise UsageError("A quantised base cannot be trained in full.", "Set lora_r above 0.")
    if config.ref_refresh_every and config.lora_r == 0:
        raise UsageError("Only the reference of an adapter can follow the policy.", "Set lora_r above 0.")
    if config.reference_model and config.reference != "auto":
        raise UsageError(
            f"reference={config.reference} would be ignored beside reference_model.", "Set reference=auto."
        )
    if config.reference_model and config.ref_refresh_every:
        raise UsageError("A third model cannot follow the policy as its reference.", "Set ref_refresh_every=0.")
    if config.ref_refresh_every and config.reference == "base":
        raise UsageError("The base cannot follow the policy as its reference.", "Set reference to auto.")
    if config.kl_budget > 0 and not (config.kl_every and config.kl_prompts > 1):
        raise UsageError(
            "A KL budget is held against the interval of a KL, and this run measures none.",
            "Set kl_every above 0 and kl_prompts above 1, or kl_budget to 0.",
        )
