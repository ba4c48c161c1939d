"""Which plots a run has: title, unit, what the axis measures, a line at zero, curves, and what they are read from."""

from __future__ import annotations

from typing import NamedTuple

from app.widgets.plots.curves import CurveSpec

HELD_OUT = "plot_held_out"
"""The colour of what is measured on held-out pairs, in every plot with one measure."""
_SCALED = "nats × β"
HEADLINE, DRIFT, DATA, MACHINE = "Headline", "Drift", "Data", "Machine"
GROUPS = (HEADLINE, DRIFT, DATA, MACHINE)
"""Headings of the plot picker, in their order."""


class RunPlot(NamedTuple):
    """One plot of a run. ``axis`` says what is measured along y; parts of a loss are drawn where it has them.

    ``key`` is its stable name and ``group`` its heading in the picker. ``needs`` names what is read from the rows of
    the pairs for it, of ``core.services.runs.run_plots.PLOT_NAMES``; a plot without curves is a chart of that.
    """

    key: str
    group: str
    title: str
    unit: str
    axis: str
    zero: bool
    curves: tuple[CurveSpec, ...]
    needs: str = ""


PLOTS: tuple[RunPlot, ...] = (
    RunPlot(
        "margin",
        HEADLINE,
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
        "rewards",
        DRIFT,
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
        "displacement",
    ),
    RunPlot(
        "loss",
        HEADLINE,
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
        "kl",
        DRIFT,
        "KL to reference",
        "nats",
        "KL(policy ‖ reference), nats",
        True,
        (CurveSpec("kl.kl", "plot_kl", "KL", True, bars=True, unit="nats"),),
    ),
    RunPlot(
        "accuracy",
        HEADLINE,
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
        "token_kl",
        DRIFT,
        "Token KL, held-out",
        "nats per token",
        "KL along the answers of the data, nats per token",
        True,
        (
            CurveSpec("dev.kl_chosen", "plot_chosen", "chosen", True, unit="nats per token"),
            CurveSpec("dev.kl_rejected", "plot_rejected", "rejected", True, unit="nats per token"),
        ),
    ),
    RunPlot(
        "margins",
        HEADLINE,
        "Margin over steps",
        "nats",
        "h = margin / β, nats",
        True,
        (
            CurveSpec("spread.p95", "text", "p95", True, unit="nats", rings=False, dash=True),
            CurveSpec("spread.p50", "text", "p50", True, unit="nats", rings=False),
            CurveSpec("spread.p5", "text", "p5", True, unit="nats", rings=False, dash=True),
        ),
        "margins",
    ),
    RunPlot("displacement", DRIFT, "Displacement scatter", "nats", "", False, (), "displacement"),
    RunPlot("phase", DRIFT, "KL against margin", "nats", "", False, (), "phase"),
    RunPlot("slices", DATA, "Accuracy by slice", "", "", False, (), "slices"),
    RunPlot("weights", DATA, "Gradient weights", "", "", False, (), "weights"),
    RunPlot(
        "effective",
        DATA,
        "Effective pairs",
        "pairs",
        "(Σw)² / Σw², pairs",
        False,
        (CurveSpec("pull.effective", "plot_margin", "effective pairs", True, unit="pairs"),),
        "weights",
    ),
    RunPlot(
        "gap",
        DATA,
        "Train to held-out gap",
        _SCALED,
        "train probe − held-out, z, nats × β",
        True,
        (CurveSpec("gap.margin", "plot_margin", "gap", True, unit=_SCALED),),
        "gap",
    ),
    RunPlot(
        "accuracy_gap",
        DATA,
        "Accuracy gap",
        "",
        "train probe − held-out, share of pairs",
        True,
        (CurveSpec("gap.accuracy", "plot_accuracy", "gap", True),),
        "gap",
    ),
    RunPlot(
        "speed",
        MACHINE,
        "Tokens a second",
        "tokens/s",
        "tokens a second",
        False,
        (CurveSpec("tokens_per_s", "text2", "tokens/s", unit="tokens/s"),),
    ),
    RunPlot(
        "seconds",
        MACHINE,
        "Time of a step",
        "s",
        "seconds of an optimizer step",
        False,
        (CurveSpec("seconds", "text2", "seconds", unit="s"),),
    ),
    RunPlot(
        "memory",
        MACHINE,
        "Memory",
        "GiB",
        "memory of the process that trains, GiB",
        False,
        (
            CurveSpec("memory.resident", "text2", "resident", unit="GiB"),
            CurveSpec("memory.cuda_peak", "plot_kl", "card, peak", unit="GiB"),
        ),
    ),
    RunPlot(
        "grad_norm",
        MACHINE,
        "Gradient norm",
        "",
        "norm of the gradient before it is clipped",
        False,
        (CurveSpec("grad_norm", "plot_rejected", "norm"),),
    ),
    RunPlot(
        "lr",
        MACHINE,
        "Learning rate",
        "",
        "learning rate",
        False,
        (CurveSpec("lr", "plot_chosen", "learning rate", True, rings=False),),
    ),
)
"""The plots; those of the curves that every run has come first."""
BY_NAME: dict[str, RunPlot] = {plot.key: plot for plot in PLOTS}
CURVES = ("margin", "rewards", "loss", "kl", "accuracy", "token_kl")
"""The plots of curves that every run has."""
