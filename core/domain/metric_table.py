"""What every number of a run is called, measured in, and which way is good: one table for all screens.

Keys are the field names of the run events, so that a plot, a tooltip, a table header, the command line
and the glossary say the same of the same number. The sentences here are the ones a user reads.
"""

from __future__ import annotations

import math

from core.domain.losses import LOSS_ROWS
from core.domain.metric import Metric

_BOTH = ("step", "eval")

METRICS: tuple[Metric, ...] = (
    Metric(
        "loss",
        "Loss",
        "nats",
        "lower",
        "The preference loss, averaged over pairs; the sigmoid loss starts at ln 2 = 0.693, where the policy still "
        "equals the reference.",
        "mean of -log sigma(z)",
        _BOTH,
        reference=math.log(2.0),
    ),
    Metric(
        "margin",
        "Reward margin",
        "nats * beta",
        "higher",
        "How much more the policy prefers the chosen answer than the reference does, times beta; it starts at 0 and "
        "cannot be compared between runs with different beta.",
        "z = beta * h",
        _BOTH,
        reference=0.0,
    ),
    Metric(
        "h",
        "Margin without beta",
        "nats",
        "higher",
        "The reward margin before it is multiplied by beta, so that runs with different beta can be compared.",
        "h = (log pi - log ref)(chosen) - (log pi - log ref)(rejected)",
        _BOTH,
        reference=0.0,
    ),
    Metric(
        "accuracy",
        "Reward accuracy",
        "share",
        "higher",
        "Share of pairs whose margin is above 0, a margin of exactly 0 counting one half; it starts at 50 %.",
        "mean of 1[z > 0] + 1/2 * 1[z = 0]",
        _BOTH,
        reference=0.5,
    ),
    Metric(
        "accuracy_low",
        "Accuracy, lower limit",
        "share",
        "higher",
        "Lower end of the 95 % Wilson interval of the accuracy.",
        events=("eval",),
    ),
    Metric(
        "accuracy_high",
        "Accuracy, upper limit",
        "share",
        "higher",
        "Upper end of the 95 % Wilson interval of the accuracy.",
        events=("eval",),
    ),
    Metric(
        "ref_accuracy",
        "Reference accuracy",
        "share",
        "neither",
        "Share of pairs whose chosen answer the reference alone already finds more likely; what training has to beat.",
        "mean of 1[log ref(chosen) > log ref(rejected)]",
        ("eval",),
        reference=0.5,
    ),
    Metric(
        "reward_chosen",
        "Chosen reward",
        "nats * beta",
        "higher",
        "Implicit reward of the chosen answer; below 0 the policy has become less likely to write it than the "
        "reference.",
        "beta * (log pi - log ref)(chosen)",
        _BOTH,
        reference=0.0,
    ),
    Metric(
        "reward_rejected",
        "Rejected reward",
        "nats * beta",
        "lower",
        "Implicit reward of the rejected answer; it should fall below that of the chosen one.",
        "beta * (log pi - log ref)(rejected)",
        _BOTH,
        reference=0.0,
    ),
    Metric(
        "logp_chosen",
        "Log-prob of chosen",
        "nats",
        "neither",
        "Log-probability that the policy gives to the whole chosen answer, its end token included.",
        "log pi(chosen)",
        _BOTH,
    ),
    Metric(
        "logp_rejected",
        "Log-prob of rejected",
        "nats",
        "neither",
        "Log-probability that the policy gives to the whole rejected answer, its end token included.",
        "log pi(rejected)",
        _BOTH,
    ),
    Metric(
        "displacement_chosen",
        "Displacement of chosen",
        "nats",
        "higher",
        "Change of the chosen answer's log-prob since the start; a mean log-ratio on the data, not a KL.",
        "(log pi - log ref)(chosen)",
        _BOTH,
        reference=0.0,
    ),
    Metric(
        "displacement_rejected",
        "Displacement of rejected",
        "nats",
        "lower",
        "Change of the rejected answer's log-prob since the start; a mean log-ratio on the data, not a KL.",
        "(log pi - log ref)(rejected)",
        _BOTH,
        reference=0.0,
    ),
    Metric(
        "gradient_weight",
        "Gradient weight",
        "",
        "neither",
        "How hard a pair still pulls: 1/2 at the start, near 0 once the pair is learned, near 1 when it is ranked "
        "wrongly.",
        "sigma(-z)",
        reference=0.5,
    ),
    Metric(
        "grad_norm",
        "Gradient norm",
        "",
        "neither",
        "Length of the gradient over all trained weights, before clipping.",
        "L2 norm",
    ),
    Metric("lr", "Learning rate", "", "neither", "Step size that the optimizer used in this step.", decimals=3),
    Metric(
        "micro_batches",
        "Forward passes",
        "passes",
        "neither",
        "How many forward passes the step was split into.",
        decimals=6,
    ),
    Metric(
        "tokens_per_s",
        "Throughput",
        "tokens/s",
        "higher",
        "Response tokens that the run learned from, per second.",
        decimals=3,
    ),
    Metric(
        "resident_bytes",
        "Memory",
        "bytes",
        "lower",
        "Resident memory of the process that trains, after the step; of several processes, the first one's.",
        decimals=6,
    ),
    Metric(
        "cuda_peak_bytes",
        "Peak memory of the card",
        "bytes",
        "lower",
        "The most memory that the tensors of the run have taken on the card so far; runs without a card have none.",
        decimals=6,
    ),
    Metric("epoch", "Epoch", "", "neither", "Passes over the training pairs made so far.", decimals=3),
    Metric(
        "pairs",
        "Pairs",
        "pairs",
        "neither",
        "Number of pairs that the means of this row are taken over.",
        events=_BOTH,
        decimals=6,
    ),
    Metric(
        "truncated",
        "Truncated pairs",
        "pairs",
        "lower",
        "Pairs of the step that were cut to fit the maximum length.",
        decimals=6,
    ),
    Metric("seconds", "Step time", "s", "lower", "Wall time of the step.", decimals=3),
    Metric(
        "entropy",
        "Entropy",
        "nats/token",
        "neither",
        "How spread out the policy's next-token distribution is on the answers, on average; a steep fall means "
        "that it becomes overconfident.",
        "mean of -sum_v pi(v) log pi(v)",
    ),
    Metric(
        "token_accuracy",
        "Token accuracy",
        "share",
        "neither",
        "Share of answer tokens that are the policy's own first choice.",
    ),
    Metric(
        "kl_chosen",
        "Token KL on chosen",
        "nats/token",
        "neither",
        "Exact distance of policy from reference over the whole vocabulary, averaged over the positions of the "
        "chosen answers.",
        "mean of sum_v pi(v) log(pi(v) / ref(v))",
        ("eval",),
        reference=0.0,
    ),
    Metric(
        "kl_rejected",
        "Token KL on rejected",
        "nats/token",
        "neither",
        "Exact distance of policy from reference over the whole vocabulary, averaged over the positions of the "
        "rejected answers.",
        "mean of sum_v pi(v) log(pi(v) / ref(v))",
        ("eval",),
        reference=0.0,
    ),
    Metric(
        "kl_chosen_se",
        "Standard error of the token KL on chosen",
        "nats/token",
        "lower",
        "Uncertainty of the token KL on the chosen answers over pairs.",
        events=("eval",),
    ),
    Metric(
        "kl_rejected_se",
        "Standard error of the token KL on rejected",
        "nats/token",
        "lower",
        "Uncertainty of the token KL on the rejected answers over pairs.",
        events=("eval",),
    ),
    Metric(
        "kl",
        "KL to reference",
        "nats/answer",
        "neither",
        "How far the policy has moved from the reference on answers that the policy itself writes; compare it "
        "with the margin gained.",
        "E over y ~ pi of sum_t KL(pi(. | y_<t) || ref(. | y_<t))",
        ("kl",),
        reference=0.0,
    ),
    Metric(
        "se", "Standard error of the KL", "nats/answer", "lower", "Uncertainty of the KL over prompts.", "", ("kl",)
    ),
    Metric(
        "k1",
        "Plain KL estimate",
        "nats/answer",
        "neither",
        "The KL by the log-ratio of the sampled tokens only, on the same answers: right on average, much noisier, "
        "and able to fall below 0.",
        "mean of log pi(y) - log ref(y)",
        ("kl",),
        reference=0.0,
    ),
    Metric(
        "k1_se",
        "Standard error of the plain estimate",
        "nats/answer",
        "lower",
        "Uncertainty of the plain KL estimate over prompts.",
        "",
        ("kl",),
    ),
    Metric(
        "per_token",
        "KL per token",
        "nats/token",
        "neither",
        "The KL divided by the number of tokens in the sampled answers.",
        "",
        ("kl",),
        reference=0.0,
    ),
    Metric("samples", "Answers sampled", "answers", "neither", "Answers behind the KL.", "", ("kl",), 6),
    Metric("horizon", "Horizon", "tokens", "neither", "Longest answer that was sampled for the KL.", "", ("kl",), 6),
    Metric(
        "censored",
        "Cut at the horizon",
        "share",
        "lower",
        "Share of sampled answers that had not ended at the horizon; the KL counts them up to there only.",
        "",
        ("kl",),
    ),
)
LOSS_PARTS: dict[str, tuple[str, str, str]] = {
    "nll": ("Likelihood part of the loss", "nats per token", "How unlikely the chosen answers are to the policy."),
    "preference_loss": ("Preference part of the loss", "nats", "The loss without the likelihood added to it."),
    "router_loss": ("Routers' loss", "", "How unevenly a mixture's experts are used; even is the experts a token has."),
    **{
        f"loss_{key}": (f"{row.title} in the mix", "nats", "The loss before its weight.")
        for key, row in LOSS_ROWS.items()
    },
}
"""Parts that are curves of their own where a loss has them: name, unit, meaning."""
SPLIT_NAMES: dict[str, str] = {"train": "train probe", "dev": "held out", "test": "sealed test"}
"""What the splits are called in the title of a curve."""
