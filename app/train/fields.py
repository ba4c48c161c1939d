"""The settings of a run as the form names them: label, what it means, in which group it stands."""

from __future__ import annotations

from dataclasses import dataclass, fields

from core.domain.run_config import DTYPES, FORWARDS, LOSSES, SCHEDULERS, RunConfig

MEASURED = "measured"
"""Stands in place of a number for the flip rate that retests and gold items have shown."""
SWITCH = ("no", "yes")
CHOICES: dict[str, tuple[str, ...]] = {
    "loss": LOSSES,
    "scheduler": SCHEDULERS,
    "dtype": DTYPES,
    "forward": FORWARDS,
    "template": ("model", "none"),
    "reference": ("auto", "base", "init"),
    "quantize": ("none", "4bit"),
    "grad_checkpointing": ("auto", "on", "off"),
    "rpo_average": ("tokens", "pairs"),
    "wpo": SWITCH,
    "shuffle": SWITCH,
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One setting of the form: its name, its label, a hint, its choices if it has any."""

    name: str
    label: str
    hint: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """What it can be, empty when it is typed."""
        return CHOICES.get(self.name, ())


F = FieldSpec
MAIN: tuple[FieldSpec, ...] = (
    F("loss", "Loss", "sigmoid is DPO; every loss's formula stands in its docstring"),
    F("beta", "β", "pull to the reference; margin z = β·h"),
    F("lr", "Learning rate", "peak, after the warm-up"),
    F("lora_r", "LoRA rank", "0 trains every weight"),
    F("batch_size", "Pairs in a step", "effective batch, however it is cut into micro-batches"),
    F("epochs", "Epochs", "passes over the train split"),
    F("steps", "Steps", "0: as many as the epochs need"),
    F("max_length", "Longest pair", "tokens of prompt and response; longer pairs lose their oldest turns; 0: no limit"),
)
GROUPS: tuple[tuple[str, tuple[FieldSpec, ...]], ...] = (
    (
        "Schedule and optimiser",
        (
            F("warmup", "Warm-up", "below 1 a share of the steps, else a number of steps"),
            F("scheduler", "Schedule", "shape of the learning rate after the warm-up"),
            F("shuffle", "Shuffle", "a new order each epoch, drawn from the seed"),
            F("seed", "Seed", "of order and sampling"),
            F("clip", "Gradient norm", "clipped to this; 0 is off"),
            F("weight_decay", "Weight decay", "of AdamW"),
            F("adam_beta1", "Adam β₁", "memory of the mean"),
            F("adam_beta2", "Adam β₂", "memory of the square"),
            F("adam_eps", "Adam ε", "keeps the step finite"),
        ),
    ),
    (
        "Adapter and reference",
        (
            F("lora_alpha", "LoRA α", "numerator of the scale α / rank"),
            F("lora_targets", "LoRA layers", "all-linear, or module names joined by commas"),
            F("init_adapter", "Start from adapter", "folder of a PEFT adapter; empty for a fresh one"),
            F("reference", "Reference", "base: adapter off; init: a frozen copy of the start; auto chooses"),
            F("ref_refresh_every", "Refresh reference", "steps after which it moves towards the policy; 0 is off"),
            F("ref_refresh_mix", "Refresh share", "how far it moves, up to 1"),
            F("template", "Chat template", "the model's own, or none for plain text"),
            F("min_response", "Shortest response", "tokens; a pair cut below this is dropped"),
        ),
    ),
    (
        "Speed and memory",
        (
            F("dtype", "Numbers", "of weights and activations; log-softmax is float32 or wider always"),
            F("device", "Device", "auto, cpu, cuda, cuda:N, mps"),
            F("micro_batch", "Micro-batch", "pairs in a forward pass; 0 takes the largest that fits"),
            F("grad_checkpointing", "Checkpointing", "computes activations twice to save memory"),
            F("forward", "Forward pass", "auto takes the fastest that agrees with the plain one"),
            F("quantize", "Base weights", "4bit needs CUDA and the quant extra"),
            F("threads", "Threads", "of the processor; 0 chooses"),
        ),
    ),
    (
        "Measuring and saving",
        (
            F("eval_every", "Held-out probe", "steps between probes; 0 is off"),
            F("probe_pairs", "Pairs of a probe", "of each split, always the same ones"),
            F("kl_every", "On-policy KL", "steps between estimates; 0 is off"),
            F("kl_prompts", "Prompts of the KL", "answered by the policy for each estimate"),
            F("kl_max_new_tokens", "Tokens of the KL", "longest answer of an estimate"),
            F("kl_budget", "KL budget", "the run stops when the KL surely passed it; 0 is off"),
            F("sample_every", "Samples", "steps between side-by-side samples; 0 is off"),
            F("checkpoint_every", "Checkpoints", "steps between them; a last one is always made"),
            F("keep_checkpoints", "Checkpoints kept", "the newest so many"),
        ),
    ),
    (
        "Loss",
        (
            F(
                "label_smoothing",
                "Flipped labels",
                f"assumed share; '{MEASURED}' takes what retests and gold items found",
            ),
            F("rpo_alpha", "RPO α", "weight of the added log-likelihood of chosen; 0 is off"),
            F("rpo_average", "RPO mean", "over all chosen tokens, or over pairs"),
            F("ld_alpha", "LD-DPO α", "weight of the part beyond the shorter length; 1 is off"),
            F("wpo", "WPO weights", "by the pairs' on-policy probability"),
            F("dpop_lambda", "DPOP λ", "for the loss dpop"),
            F("r_dpo_alpha", "R-DPO α", "for the loss r_dpo"),
            F("simpo_gamma", "SimPO γ", "for the loss simpo"),
            F("orpo_lambda", "ORPO λ", "for the loss orpo"),
            F("tie_nu", "Tie ν", "for davidson and rao_kupper"),
            F("discopop_tau", "DiscoPOP τ", "for the loss discopop"),
        ),
    ),
)


def groups() -> list[tuple[str, list[FieldSpec]]]:
    """Return the groups of the advanced fold; a setting that nobody sorted stands in a last group by its name."""
    config = {f.name for f in fields(RunConfig)}
    found = [(title, [spec for spec in specs if spec.name in config]) for title, specs in GROUPS]
    sorted_in = {spec.name for spec in MAIN} | {spec.name for _, specs in GROUPS for spec in specs}
    others = [F(f.name, f.name.replace("_", " ")) for f in fields(RunConfig) if f.name not in sorted_in]
    return found + ([("Other", others)] if others else [])
