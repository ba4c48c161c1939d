"""The settings of an evaluation, declared like those of a run: default, label, hint and limits in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.domain.run_settings import ALWAYS, NEVER, WHEN_CHANGED, RunSetting, SettingGroup, current_names, settings_of

decoder = SettingGroup("Answers")
divergence = SettingGroup("KL")
numbers = SettingGroup("Numbers")
machine = SettingGroup("Machine")


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """How the arms answer and what is measured. What each setting means stands in its hint."""

    max_new_tokens: int = decoder(
        128, ALWAYS, "Max new tokens", "Longest answer; usually 64 to 512.", bounds=(1, 10**5)
    )
    temperature: float = decoder(
        0.0, ALWAYS, "Temperature", "0 takes the most likely token; 1 samples the model unchanged.", bounds=(0.0, 99.0)
    )
    top_p: float = decoder(
        1.0, ALWAYS, "Top-p", "Keeps the most likely tokens with this probability; 1 is off.", bounds=(1e-6, 1.0)
    )
    top_k: int = decoder(0, ALWAYS, "Top-k", "Keeps so many most likely tokens; 0 is off.", bounds=(0, 10**6))
    repetition_penalty: float = decoder(
        1.0, WHEN_CHANGED, "Repetition penalty", "Above 1 tokens that stand there already are less likely; 1 is off.",
        bounds=(0.01, 99.0),
    )  # fmt: skip
    seed: int = decoder(0, ALWAYS, "Seed", "Each item's own seed follows from it; all arms share them.")
    answer_pairs: bool = decoder(
        True, ALWAYS, "Answer preference prompts", "Also samples an answer to each prompt of preference items."
    )

    kl_prompts: int = divergence(
        32, ALWAYS, "KL prompts", "Prompts of each suite for the sequence KL; 0 is off; usually 32 to 64.",
        bounds=(0, 10**5),
    )  # fmt: skip
    kl_max_new_tokens: int = divergence(
        48, ALWAYS, "KL max new tokens", "Horizon of the sequence KL; usually 48 to 256.", bounds=(1, 10**5)
    )
    kl_budget: float = divergence(
        0.0, ALWAYS, "KL budget (nats)", "The KL that the policy should stay below; 0 is none.", bounds=(0.0, 1e9)
    )

    trained_pairs: int = numbers(
        32, ALWAYS, "Training pairs", "Measured beside held-out pairs to see what was memorised; 0 is off.",
        bounds=(0, 10**5),
    )  # fmt: skip
    min_slice: int = numbers(
        30, ALWAYS, "Smallest slice", "A slice with fewer items is shown as too small.", bounds=(1, 10**6)
    )

    device: str = machine("auto", NEVER, "Device", "Where the models compute: auto, cpu, cuda, cuda:N or mps.")
    threads: int = machine(0, NEVER, "CPU threads", "Threads of torch; 0 chooses.", bounds=(0, 4096))
    batch_answers: int = machine(
        16, ALWAYS, "Answers at once", "Most answers that are sampled together; usually 8 to 64.", bounds=(1, 4096)
    )
    batch_tokens: int = machine(
        16384, ALWAYS, "Tokens at once", "Bounds the memory: tokens of all rows sampled together.", bounds=(64, 10**9)
    )

    def __post_init__(self) -> None:
        for name, setting in EVALUATION_SETTINGS.items():
            setting.check(getattr(self, name))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as they stand in ``evaluation.json``."""
        return asdict(self)

    def with_values(self, values: Mapping[str, Any]) -> EvaluationConfig:
        """Return a copy with ``values`` replaced; strings are read as the setting's type.

        Raises:
            UsageError: for an unknown key, an unreadable value, or a value out of bounds.
        """
        given = current_names(values, EVALUATION_SETTINGS, {})
        return replace(self, **{name: EVALUATION_SETTINGS[name].read(value) for name, value in given.items()})


EVALUATION_SETTINGS: Mapping[str, RunSetting] = settings_of(EvaluationConfig)
