"""The settings of a run that say what it computes with, when it measures and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.run_settings import ALWAYS, NEVER, WHEN_CHANGED, SettingGroup
from core.domain.template_settings import TemplateSettings

compute = SettingGroup("Speed and memory")
measuring = SettingGroup("Evaluation and checkpoints")


@dataclass(frozen=True, slots=True)
class MeasuringSettings(TemplateSettings):
    """The settings of the groups "Speed and memory" and "Evaluation and checkpoints"."""

    dtype: str = compute(
        "auto",
        ALWAYS,
        "Precision (dtype)",
        "Of weights and activations: auto is bfloat16 on an NVIDIA GPU that has it, else float32; fixed when the run "
        "is created.",
        choices=("auto", "float32", "bfloat16", "float64"),
    )
    device: str = compute("auto", NEVER, "Device", "Where it trains: auto, cpu, cuda, cuda:N or mps.")
    micro_batch: int = compute(
        0, NEVER, "Micro-batch", "Pairs in a forward pass; 0 takes the largest that fits.", bounds=(0, 10**6)
    )
    grad_checkpointing: str = compute(
        "auto",
        NEVER,
        "Gradient checkpointing",
        "Computes activations twice to save memory; auto turns it on when memory is short.",
        choices=("auto", "on", "off"),
    )
    forward: str = compute(
        "auto",
        NEVER,
        "Forward pass",
        "auto takes the fastest that agrees with the plain one.",
        choices=("auto", "lean", "shared", "separate"),
    )
    quantize: str = compute(
        "none",
        ALWAYS,
        "Base quantization",
        "4bit (QLoRA) saves memory and needs the quant extra; slow on the CPU.",
        choices=("none", "4bit"),
    )
    threads: int = compute(0, NEVER, "CPU threads", "Threads of torch; 0 chooses.", bounds=(0, 4096))

    eval_every: int = measuring(
        20, NEVER, "Eval every (steps)", "Steps between two measurements of the probe set; 0 is off.", bounds=(0, 10**9)
    )
    probe_pairs: int = measuring(
        32,
        NEVER,
        "Probe pairs per split",
        "Pairs of each split in the probe set; usually 32 to 256.",
        bounds=(0, 10**6),
    )
    probe_seed: int = measuring(
        0,
        NEVER,
        "Probe seed",
        "Draws the probe set and the prompts that are answered; runs with the same one are measured on the same pairs, "
        "whatever their own seed.",
        bounds=(-(2**63), 2**63 - 1),
    )
    kl_every: int = measuring(
        50, NEVER, "KL every (steps)", "Steps between two estimates of the on-policy KL; 0 is off.", bounds=(0, 10**9)
    )
    kl_prompts: int = measuring(
        16, NEVER, "KL prompts", "Prompts that the policy answers for an estimate; usually 16 to 64.", bounds=(0, 10**5)
    )
    kl_max_new_tokens: int = measuring(
        128,
        NEVER,
        "KL max new tokens",
        "Longest answer of an estimate of the KL; usually 64 to 256.",
        bounds=(1, 10**5),
    )
    kl_budget: float = measuring(
        0.0,
        ALWAYS,
        "KL budget (nats)",
        "The run stops when the lower bound of the KL to the reference passes it; 0 is off; usually 5 to 20.",
        bounds=(0.0, 1e9),
    )
    sample_every: int = measuring(
        50, NEVER, "Sample every (steps)", "Steps between two side-by-side samples; 0 is off.", bounds=(0, 10**9)
    )
    look_share: float = measuring(
        0.15,
        NEVER,
        "Share of measurements",
        "Most of a run's work that probes, KL and samples may take; where they would take more they come less often; "
        "1 keeps the cadences as they are set.",
        bounds=(0.0, 1.0),
    )
    best_metric: str = measuring(
        "off",
        WHEN_CHANGED,
        "Best checkpoint by",
        "A number of the held-out pairs; its best checkpoint is kept and becomes the result; off takes the last step.",
        choices=("off", "loss", "accuracy", "margin", "h"),
    )
    patience: int = measuring(
        0,
        WHEN_CHANGED,
        "Patience (evals)",
        "The run stops after so many evals in a row without a better one; 0 is off; usually 3 to 5.",
        bounds=(0, 10**6),
        only_with="best_metric",
    )
    checkpoint_every: int = measuring(
        50,
        NEVER,
        "Checkpoint every (steps)",
        "Steps between two checkpoints; 0 keeps only the last one.",
        bounds=(0, 10**9),
    )
    keep_checkpoints: int = measuring(
        2,
        NEVER,
        "Checkpoints kept",
        "How many of the newest checkpoints are kept; 0 keeps all; usually 2.",
        bounds=(0, 10**6),
    )
