"""The first three groups of a run's settings: the main ones, schedule and optimizer, adapter and reference.

:class:`core.domain.run_config.RunConfig` adds the others. They stand apart only because one file would be too long.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.losses import LOSSES
from core.domain.run_settings import ALWAYS, NEVER, WHEN_CHANGED, SettingGroup

main = SettingGroup("Main settings")
schedule = SettingGroup("Schedule and optimizer")
adapter = SettingGroup("Adapter and reference")
_ALMOST_ONE = 1 - 1e-9
"""Highest decay of a moving mean: at 1 it would never forget its start, and AdamW refuses it."""


@dataclass(frozen=True, slots=True)
class BasicSettings:
    """The settings of the first three groups. What each means stands in its hint."""

    loss: str = main("sigmoid", ALWAYS, "Loss", "Preference loss; sigmoid is DPO.", choices=LOSSES)
    beta: float = main(
        0.1, ALWAYS, "Beta (β)", "Pull to the reference: margin z = β·h; usually 0.05 to 0.5.", bounds=(1e-6, 1e3)
    )
    lr: float = main(
        1e-5,
        ALWAYS,
        "Learning rate",
        "Peak, reached after the warm-up; usually 5e-6 to 5e-5 with LoRA, 1e-7 to 1e-6 for all weights.",
        bounds=(0.0, 10.0),
    )
    lora_r: int = main(
        16, ALWAYS, "LoRA rank", "Rank of the adapter; 0 trains every weight; usually 8 to 64.", bounds=(0, 4096)
    )
    batch_size: int = main(8, ALWAYS, "Batch size", "Pairs in an optimizer step; usually 8 to 128.", bounds=(1, 10**6))
    epochs: float = main(1.0, ALWAYS, "Epochs", "Passes over the train split; usually 1 to 3.", bounds=(0.0, 1e6))
    steps: int = main(
        0,
        ALWAYS,
        "Max steps (0 = by epochs)",
        "Optimizer steps; 0 makes as many as the epochs need.",
        bounds=(0, 10**9),
    )
    max_length: int = main(
        1024,
        ALWAYS,
        "Max length (tokens)",
        "Tokens of prompt and response; a longer pair loses its oldest turns; 0 is no limit; usually 512 to 4096.",
        bounds=(0, 10**7),
    )

    warmup: float = schedule(
        0.1,
        ALWAYS,
        "Warm-up",
        "Below 1 a share of the steps, else a number; none in a run of one step; usually 0.03 to 0.1.",
        bounds=(0.0, 1e9),
    )
    scheduler: str = schedule(
        "linear",
        ALWAYS,
        "LR schedule",
        "Shape of the learning rate after the warm-up; wsd stays at the peak and falls in a line at the end.",
        choices=("constant", "linear", "cosine", "wsd"),
    )
    lr_floor: float = schedule(
        0.0,
        WHEN_CHANGED,
        "LR floor",
        "Share of the peak that linear, cosine and wsd end at; usually 0 to 0.1.",
        bounds=(0.0, 1.0),
    )
    wsd_decay: float = schedule(
        0.2,
        WHEN_CHANGED,
        "WSD decay",
        "Below 1 the share of the steps, else the number, in which wsd falls at the end; usually 0.1 to 0.2.",
        bounds=(0.0, 1e9),
    )
    shuffle: bool = schedule(
        True, ALWAYS, "Shuffle", "Draws a new order for each epoch from the seed; otherwise the order of the file."
    )
    seed: int = schedule(
        0,
        ALWAYS,
        "Seed",
        "Seed of the adapter's start, the order and the sampling; any number.",
        bounds=(-(2**63), 2**63 - 1),
    )
    clip: float = schedule(
        1.0,
        ALWAYS,
        "Max gradient norm",
        "Clips the gradient of a step to this norm; 0 is off; usually 1.",
        bounds=(0.0, 1e9),
    )
    optimizer: str = schedule(
        "adamw",
        WHEN_CHANGED,
        "Optimizer",
        "adamw_8bit keeps AdamW's moments in 8 bits, a quarter of their memory; it needs the quant extra.",
        choices=("adamw", "adamw_8bit"),
    )
    weight_decay: float = schedule(
        0.0, ALWAYS, "Weight decay", "Decay of AdamW; usually 0 for LoRA, up to 0.1.", bounds=(0.0, 10.0)
    )
    adam_beta1: float = schedule(
        0.9, ALWAYS, "Adam β₁", "Decay of AdamW's mean of the gradient; usually 0.9.", bounds=(0.0, _ALMOST_ONE)
    )
    adam_beta2: float = schedule(
        0.999,
        ALWAYS,
        "Adam β₂",
        "Decay of AdamW's mean of the squared gradient; usually 0.95 to 0.999.",
        bounds=(0.0, _ALMOST_ONE),
    )
    adam_eps: float = schedule(1e-8, ALWAYS, "Adam ε", "Added to AdamW's divisor; usually 1e-8.", bounds=(1e-30, 1.0))

    lora_alpha: float = adapter(
        32.0, ALWAYS, "LoRA alpha", "The adapter's scale is alpha / rank; usually one or two ranks.", bounds=(0.0, 1e6)
    )
    lora_targets: str = adapter(
        "all-linear", ALWAYS, "LoRA target modules", "all-linear, or names of modules joined by commas."
    )
    lora_rslora: bool = adapter(
        False, WHEN_CHANGED, "rsLoRA scale", "Makes the adapter's scale alpha / √rank, for high ranks (rsLoRA)."
    )
    lora_dora: bool = adapter(
        False, WHEN_CHANGED, "DoRA", "Trains the length of each row of a weight apart from its direction (DoRA)."
    )
    rank_pattern: str = adapter(
        "",
        WHEN_CHANGED,
        "Ranks by module",
        "Other ranks of some modules, as name=rank joined by commas; a name may be a pattern of PEFT's rank_pattern.",
    )
    alpha_pattern: str = adapter(
        "",
        WHEN_CHANGED,
        "Alphas by module",
        "Other alphas of some modules, as name=alpha joined by commas; a module with another rank usually has one.",
    )
    modules_to_save: str = adapter(
        "",
        WHEN_CHANGED,
        "Modules trained in full",
        "Names of modules joined by commas whose weights train as they are and are stored with the adapter.",
    )
    lora_experts: bool = adapter(
        False,
        WHEN_CHANGED,
        "Train experts",
        "In a mixture of experts, adapts the experts too; they have most of its weights. Routers stay as they are.",
    )
    init_adapter: str = adapter(
        "", NEVER, "Start from adapter", "Folder of a PEFT adapter to start from; empty makes a fresh one."
    )
    reference: str = adapter(
        "auto",
        ALWAYS,
        "Reference",
        "base: adapter off; init: a frozen copy of the start; auto: init when it starts from an adapter.",
        choices=("auto", "base", "init"),
    )
    reference_model: str = adapter(
        "",
        NEVER,
        "Reference model",
        "Folder of a third model with the same tokenizer as the reference; empty keeps the one above.",
    )
    ref_refresh_every: int = adapter(
        0,
        WHEN_CHANGED,
        "Reference refresh (steps)",
        "Steps after which the reference's adapter moves towards the policy's (TR-DPO); 0 is off; usually 100 to 1000.",
        bounds=(0, 10**9),
    )
    ref_refresh_mix: float = adapter(
        0.6,
        WHEN_CHANGED,
        "Reference refresh mix",
        "How far a refresh moves the reference, up to 1, which makes it the policy; usually 0.5 to 1.",
        bounds=(1e-6, 1.0),
        only_with="ref_refresh_every",
    )
    template: str = adapter(
        "model",
        ALWAYS,
        "Chat template",
        "model is the model's own template, none is plain text.",
        choices=("model", "none"),
    )
    min_response: int = adapter(
        1, ALWAYS, "Min response (tokens)", "A pair whose response is cut below this is dropped.", bounds=(1, 10**6)
    )
    max_left_out: float = adapter(
        0.1,
        NEVER,
        "Max share left out",
        "Share of pairs that may be left out, one always; with more the run is refused; 1 is no limit; usually 0.1.",
        bounds=(0.0, 1.0),
    )
