"""Which plots a run has: title, unit, what the axis measures, a line at zero, curves."""

from __future__ import annotations

from typing import NamedTuple

from app.widgets.plots.curves import CurveSpec

HELD_OUT = "plot_held_out"
"""The colour of what is measured on held-out pairs, in every plot with one measure."""
_SCALED = "nats × β"


class RunPlot(NamedTuple):
    """One plot of a run. ``axis`` says what is measured along y; parts of a loss are drawn where it has them."""

    title: str
    unit: str
    axis: str
    zero: bool
    curves: tuple[CurveSpec, ...]


PLOTS: tuple[RunPlot, ...] = (
    RunPlot(
        "Reward margin",
        "",
        "z = β·h, nats × β",
        True,
        (
            CurveSpec("margin", "plot_margin", "batch", probe="train.margin", unit=_SCALED),
            CurveSpec("train.margin", "plot_margin", "train probe", True, unit=_SCALED),
            CurveSpec("dev.margin", HELD_OUT, "held-out", True, unit=_SCALED),
        ),
    ),
    RunPlot(
        "Chosen and rejected",
        "",
        "reward = β · log-ratio, held-out, nats × β",
        True,
        (
            CurveSpec("reward_chosen", "plot_chosen", "chosen", probe="dev.reward_chosen", unit=_SCALED),
            CurveSpec("reward_rejected", "plot_rejected", "rejected", probe="dev.reward_rejected", unit=_SCALED),
            CurveSpec("dev.reward_chosen", "plot_chosen", "chosen", True, unit=_SCALED),
            CurveSpec("dev.reward_rejected", "plot_rejected", "rejected", True, unit=_SCALED),
        ),
    ),
    RunPlot(
        "Loss",
        "",
        "loss a pair, nats",
        False,
        (
            CurveSpec("loss", "plot_loss", "batch", probe="train.loss", unit="nats"),
            CurveSpec("train.loss", "plot_loss", "train probe", True, unit="nats"),
            CurveSpec("dev.loss", HELD_OUT, "held-out", True, unit="nats"),
            CurveSpec("extra.preference_loss", "plot_chosen", "preference", unit="nats"),
            CurveSpec("extra.nll", "plot_rejected", "likelihood", unit="nats per token"),
            CurveSpec("extra.router_loss", "plot_kl", "routers"),
        ),
    ),
    RunPlot(
        "KL to reference",
        "nats",
        "KL(policy ‖ reference), nats",
        True,
        (CurveSpec("kl.kl", "plot_kl", "KL", True, bars=True, unit="nats"),),
    ),
    RunPlot(
        "Accuracy",
        "",
        "share of pairs ranked right, ties ½",
        False,
        (
            CurveSpec("accuracy", "plot_accuracy", "batch", probe="train.accuracy"),
            CurveSpec("train.accuracy", "plot_accuracy", "train probe", True),
            CurveSpec("dev.accuracy", HELD_OUT, "held-out", True),
        ),
    ),
    RunPlot(
        "Token KL, held-out",
        "nats per token",
        "KL along the answers of the data, nats per token",
        True,
        (
            CurveSpec("dev.kl_chosen", "plot_chosen", "chosen", True, unit="nats per token"),
            CurveSpec("dev.kl_rejected", "plot_rejected", "rejected", True, unit="nats per token"),
        ),
    ),
)
"""The plots in their order."""
