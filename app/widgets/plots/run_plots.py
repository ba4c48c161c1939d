"""Which plots a run has: title, unit, a line at zero, curves."""

from __future__ import annotations

from app.widgets.plots.curves import CurveSpec

HELD_OUT = "plot_held_out"
"""The colour of what is measured on held-out pairs, in every plot."""
PLOTS: tuple[tuple[str, str, bool, tuple[CurveSpec, ...]], ...] = (
    (
        "Reward margin",
        "",
        True,
        (CurveSpec("margin", "plot_margin", "train"), CurveSpec("dev.margin", HELD_OUT, "held-out", True)),
    ),
    (
        "Rewards",
        "",
        True,
        (
            CurveSpec("reward_chosen", "plot_chosen", "chosen"),
            CurveSpec("reward_rejected", "plot_rejected", "rejected"),
        ),
    ),
    (
        "Loss",
        "",
        False,
        (
            CurveSpec("loss", "plot_loss", "train"),
            CurveSpec("dev.loss", HELD_OUT, "held-out", True),
            CurveSpec("extra.preference_loss", "plot_chosen", "preference"),
            CurveSpec("extra.nll", "plot_rejected", "likelihood"),
            CurveSpec("extra.router_loss", "plot_kl", "routers"),
        ),
    ),
    ("KL to reference", "nats per response", True, (CurveSpec("kl.kl", "plot_kl", "KL", True),)),
    (
        "Accuracy",
        "",
        False,
        (CurveSpec("accuracy", "plot_accuracy", "train"), CurveSpec("dev.accuracy", HELD_OUT, "held-out", True)),
    ),
    (
        "Token KL, held-out",
        "nats per token",
        True,
        (
            CurveSpec("dev.kl_chosen", "plot_chosen", "chosen", True),
            CurveSpec("dev.kl_rejected", "plot_rejected", "rejected", True),
        ),
    ),
)
"""Title, unit, a line at zero, curves. Parts of the loss (``extra.``) are drawn where the loss has them."""
