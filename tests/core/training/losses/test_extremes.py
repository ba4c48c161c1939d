"""Losses stay finite and right where margins are extreme: closed forms in 60 digits, gradients included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import torch

from core.domain.losses import LOSSES, TIE_LOSSES
from core.domain.run_config import RunConfig
from core.training.losses import LossInputs, evaluate, gradient_to_logps, gradient_weight

mpmath.mp.dps = 60
MARGINS = (-1e6, -1e3, -709.0, 0.0, 709.0, 1e3, 1e6)
SETTINGS: dict[str, dict[str, float]] = {
    "robust": {"label_smoothing": 0.1},
    "exo_pair": {"label_smoothing": 0.01},
    "aot": {"label_smoothing": 0.05},
    "aot_unpaired": {"label_smoothing": 0.05},
    "r_dpo": {"r_dpo_alpha": 0.02},
}
TOKENS = (7, 11)
Number = Any


def softplus(x: Number) -> Number:
    return mpmath.log1p(mpmath.exp(x)) if x < 0 else x + mpmath.log1p(mpmath.exp(-x))


def s(x: Number) -> Number:
    return 1 / (1 + mpmath.exp(-x))


def closed_form(name: str, c: RunConfig, tie: bool) -> Callable[[Number, Number], Number]:
    """The published formula as a function of both log-ratios, the reference's log-probs being 0 (nats)."""
    b, e = mpmath.mpf(c.beta), mpmath.mpf(c.label_smoothing)
    n = [mpmath.mpf(count) for count in TOKENS]
    tau, nu = mpmath.mpf(c.discopop_tau), mpmath.mpf(c.tie_nu)
    lam, k = mpmath.mpf(c.dpop_lambda), 1 + 2 * mpmath.mpf(c.tie_nu)

    def odds(logp: Number, count: Number) -> Number:
        mean = min(logp / count, -(mpmath.mpf(2) ** -52))
        return mean - mpmath.log(-mpmath.expm1(mean))

    def discopop(w: Number, v: Number) -> Number:
        z = b * (w - v)
        return s(-z / tau) * softplus(-z) + s(z / tau) * mpmath.exp(-z)

    def rao_kupper(w: Number, v: Number) -> Number:
        z, shift = b * (w - v), mpmath.log(k)
        win = softplus(shift - z)
        return win + softplus(z + shift) - mpmath.log(k * k - 1) if tie else win

    def davidson(w: Number, v: Number) -> Number:
        z = b * (w - v)
        norm = mpmath.log(1 + mpmath.exp(-z) + 2 * nu * mpmath.exp(-z / 2))
        return norm - mpmath.log(2 * nu) + z / 2 if tie else norm

    def exo(w: Number, v: Number) -> Number:
        z = b * (w - v)
        return s(z) * (-softplus(-z) - mpmath.log(1 - e)) + s(-z) * (-softplus(z) - mpmath.log(e))

    forms: dict[str, Callable[[Number, Number], Number]] = {
        "sigmoid": lambda w, v: softplus(-b * (w - v)),
        "robust": lambda w, v: ((1 - e) * softplus(-b * (w - v)) - e * softplus(b * (w - v))) / (1 - 2 * e),
        "ipo": lambda w, v: (w / n[0] - v / n[1] - 1 / (2 * b)) ** 2,
        "hinge": lambda w, v: max(mpmath.mpf(0), 1 - b * (w - v)),
        "sigmoid_norm": lambda w, v: softplus(-b * (w / n[0] - v / n[1])),
        "apo_zero": lambda w, v: s(-b * w) + s(b * v),
        "apo_down": lambda w, v: s(b * w) + s(-b * (w - v)),
        "exo_pair": exo,
        "nca_pair": lambda w, v: softplus(-b * w) + softplus(b * w) / 2 + softplus(b * v) / 2,
        "sppo_hard": lambda w, v: (w - 1 / (2 * b)) ** 2 + (v + 1 / (2 * b)) ** 2,
        "bco_pair": lambda w, v: softplus(-b * w) + softplus(b * v),
        "aot": lambda w, v: (1 - e) * softplus(-b * (w - v)) + e * softplus(b * (w - v)),
        "aot_unpaired": lambda w, v: (1 - e) * softplus(-b * (w - v)) + e * softplus(b * (w - v)),
        "discopop": discopop,
        "dpop": lambda w, v: softplus(-b * (w - v - lam * max(mpmath.mpf(0), -w))),
        "r_dpo": lambda w, v: softplus(-b * (w - v) - mpmath.mpf(c.r_dpo_alpha) * (n[0] - n[1])),
        "simpo": lambda w, v: softplus(mpmath.mpf(c.simpo_gamma) - b * (w / n[0] - v / n[1])),
        "orpo": lambda w, v: mpmath.mpf(c.orpo_lambda) * softplus(odds(v, n[1]) - odds(w, n[0])),
        "davidson": davidson,
        "rao_kupper": rao_kupper,
    }
    return forms[name]


def log_ratios(name: str, z: float, beta: float) -> tuple[float, float]:
    """Return log-ratios (nats) that give about the margin ``z``; log-probs of a model where no reference enters."""
    if name in ("simpo", "orpo"):
        return (min(0.0, z / beta), -max(0.0, z / beta)) if z else (-5.0, -5.0)
    return z / beta / 2, -z / beta / 2


@pytest.mark.parametrize(("name", "tie"), [*((name, False) for name in LOSSES), *((name, True) for name in TIE_LOSSES)])
def test_that_a_loss_and_its_gradient_equal_the_closed_form_at_extreme_margins(name: str, tie: bool) -> None:
    config = RunConfig(loss=name, **SETTINGS.get(name, {}))  # type: ignore[arg-type]
    form = closed_form(name, config, tie)
    for z in MARGINS:
        w, v = log_ratios(name, z, config.beta)
        policy = torch.tensor([[w, v]], dtype=torch.float64, requires_grad=True)
        batch = LossInputs.of(policy, torch.zeros(1, 2), torch.tensor([TOKENS]), is_tie=torch.tensor([tie]))
        objective = evaluate(batch, config)
        expected = form(mpmath.mpf(w), mpmath.mpf(v))
        assert objective.preference.item() == pytest.approx(float(expected), rel=1e-10, abs=1e-300), z
        gradient = gradient_to_logps(objective.preference, policy)[0].tolist()
        for i, slope in enumerate(gradient):
            wanted = derivative(form, w, v, i)
            assert slope == pytest.approx(float(wanted), rel=1e-8, abs=1e-12), (z, i)
        weight = gradient_weight(batch, objective.preference, config)
        assert torch.isfinite(objective.losses).all() and torch.isfinite(weight).all()


def derivative(form: Callable[[Number, Number], Number], w: float, v: float, which: int) -> Number:
    """The one-sided derivative that torch takes too, from below where a formula has a corner."""
    step = mpmath.mpf(10) ** -25
    at, before = [mpmath.mpf(w), mpmath.mpf(v)], [mpmath.mpf(w), mpmath.mpf(v)]
    after = [mpmath.mpf(w), mpmath.mpf(v)]
    before[which] -= step
    after[which] += step
    low, high = (form(*at) - form(*before)) / step, (form(*after) - form(*at)) / step
    return low if abs(low) < abs(high) else high


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_that_soft_labels_keep_extreme_margins_finite(name: str, smoothing: float) -> None:
    target = 1.0 if name.startswith("aot") else 0.6
    for z in MARGINS:
        config = RunConfig(loss=name, label_smoothing=smoothing)
        policy = torch.tensor([log_ratios(name, z, config.beta)], dtype=torch.float64, requires_grad=True)
        inputs = LossInputs.of(policy, torch.zeros(1, 2), torch.tensor([TOKENS]), target=torch.tensor([target]))
        objective = evaluate(inputs, config)
        assert torch.isfinite(objective.losses).all(), z
        assert torch.isfinite(gradient_to_logps(objective.losses, policy)).all(), z


@pytest.mark.parametrize("tau", [1e-6, 0.05, 1.0])
def test_that_discopop_is_finite_over_all_its_temperatures(tau: float) -> None:
    config = RunConfig(loss="discopop", discopop_tau=tau)
    policy = torch.tensor([[z * 5, -z * 5] for z in MARGINS], dtype=torch.float64, requires_grad=True)
    losses = evaluate(LossInputs.of(policy, torch.zeros(7, 2), torch.ones(7, 2)), config).losses
    assert torch.isfinite(losses).all()
    assert torch.isfinite(gradient_to_logps(losses, policy)).all()
