"""Mixes of losses and other divergences, against formulas written here."""

from __future__ import annotations

import math

import pytest
import torch

from core.domain.errors import UsageError
from core.domain.loss_mix import accepts_ties, mixed_start_value, needs_whole_step
from core.domain.losses import LOSS_ROWS, LOSSES, StartCase
from core.domain.run_config import RunConfig
from core.training.losses import (
    LossInputs,
    check_combination,
    evaluate,
    gradient_to_logps,
    gradient_weight,
    likelihood_factor,
    preference_term,
)

POLICY = [[-9.0, -14.0], [-20.0, -11.0], [-4.0, -4.5]]
REFERENCE = [[-10.0, -12.0], [-18.0, -12.0], [-4.0, -4.0]]
TOKENS = [[7, 11], [5, 4], [3, 2]]
BETA = 0.1


def inputs(*, grad: bool = False, scale: float = 1.0) -> LossInputs:
    policy = torch.tensor(POLICY, dtype=torch.float64) * scale
    return LossInputs.of(policy.requires_grad_(grad), torch.tensor(REFERENCE) * scale, torch.tensor(TOKENS))


def log_ratios() -> list[tuple[float, float]]:
    return [(p[0] - r[0], p[1] - r[1]) for p, r in zip(POLICY, REFERENCE, strict=True)]


def minus_log_s(x: float) -> float:
    return math.log1p(math.exp(-x))


def test_that_a_mix_is_the_weighted_sum_of_its_losses_and_the_likelihood() -> None:
    config = RunConfig(loss_mix="sigmoid=0.8, bco_pair=0.2, sft=0.5")
    found = evaluate(inputs(), config)
    for i, (w, v) in enumerate(log_ratios()):
        sigmoid, bco = minus_log_s(BETA * (w - v)), minus_log_s(BETA * w) + minus_log_s(-BETA * v)
        assert found.preference[i].item() == pytest.approx(0.8 * sigmoid + 0.2 * bco, rel=1e-12)
        nll = -POLICY[i][0] / TOKENS[i][0]
        assert found.losses[i].item() == pytest.approx(0.8 * sigmoid + 0.2 * bco + 0.5 * nll, rel=1e-12)
        assert found.terms["loss_sigmoid"][i].item() == pytest.approx(sigmoid, rel=1e-12)
        assert found.terms["loss_bco_pair"][i].item() == pytest.approx(bco, rel=1e-12)


def test_that_an_empty_mix_and_a_weight_of_one_change_nothing() -> None:
    plain = evaluate(inputs(), RunConfig())
    assert torch.equal(plain.losses, evaluate(inputs(), RunConfig(loss_mix="sigmoid=1")).losses)
    assert RunConfig().fingerprint() != RunConfig(loss_mix="sft=1").fingerprint()


def test_that_the_main_loss_weighs_one_unless_it_is_named() -> None:
    both = preference_term(inputs(), RunConfig(loss_mix="hinge=0.5"))
    parts = [preference_term(inputs(), RunConfig(loss=loss)) for loss in ("sigmoid", "hinge")]
    torch.testing.assert_close(both, parts[0] + 0.5 * parts[1])


def test_that_the_start_value_of_a_mix_is_that_of_its_parts_with_soft_labels() -> None:
    config = RunConfig(loss_mix="ipo=0.3, exo_pair=2", label_smoothing=0.1)
    case = StartCase(-20.0, -30.0, 7, 11, target=0.8)
    same = LossInputs.of(
        torch.tensor([[-20.0, -30.0]]).double(),
        torch.tensor([[-20.0, -30.0]]),
        torch.tensor([[7, 11]]),
        target=torch.tensor([0.8]),
    )
    value = mixed_start_value(case, config, config.to_plain())
    assert preference_term(same, config).item() == pytest.approx(value, rel=1e-12)


def test_that_the_gradient_weight_of_a_mix_is_the_weighted_sum() -> None:
    weights = []
    for config in (RunConfig(loss_mix="simpo=0.5"), RunConfig(), RunConfig(loss="simpo")):
        batch = inputs(grad=True)
        weights.append(gradient_weight(batch, evaluate(batch, config).preference, config))
    torch.testing.assert_close(weights[0], weights[1] + 0.5 * weights[2])


@pytest.mark.parametrize("mix", ["nothing=1", "sigmoid", "sft=-1", "sigmoid=0", "bco_pair=nan", "sft=1,sft=2"])
def test_that_a_mix_that_cannot_be_read_is_refused(mix: str) -> None:
    with pytest.raises(UsageError, match="loss_mix"):
        RunConfig(loss_mix=mix)


def test_that_a_mix_follows_the_strictest_of_its_losses() -> None:
    assert accepts_ties(RunConfig(loss="davidson", loss_mix="rao_kupper=1"))
    assert not accepts_ties(RunConfig(loss="davidson", loss_mix="hinge=1"))
    assert needs_whole_step(RunConfig(loss_mix="aot=0.5"))
    with pytest.raises(UsageError, match="wpo cannot be used with aot"):
        check_combination(RunConfig(loss_mix="aot=0.5", wpo=True))
    with pytest.raises(UsageError, match="ld_alpha"):
        check_combination(RunConfig(loss_mix="sft=0.5", ld_alpha=0.5))
    assert likelihood_factor(RunConfig(loss="orpo", loss_mix="sft=0.5", rpo_alpha=0.25)) == 1.75


def f_prime(divergence: str, log_ratio: float, alpha: float) -> float:
    """The derivative of the divergence's generator at u = pi / ref, as f-DPO writes it, 0 at u = 1."""
    u = math.exp(log_ratio)
    return {
        "reverse_kl": lambda: math.log(u),
        "js_divergence": lambda: math.log(2 * u / (1 + u)),
        "alpha_divergence": lambda: (1 - u**-alpha) / alpha,
    }[divergence]()


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("divergence", ["reverse_kl", "js_divergence", "alpha_divergence"])
def test_that_rewards_of_a_divergence_are_beta_times_its_derivative(divergence: str, alpha: float) -> None:
    config = RunConfig(f_divergence=divergence, f_alpha=alpha)
    found = evaluate(inputs(), config)
    for i, (w, v) in enumerate(log_ratios()):
        rewards = [BETA * f_prime(divergence, d, alpha) for d in (w, v)]
        assert found.rewards[i].tolist() == pytest.approx(rewards, rel=1e-12, abs=1e-15)
        assert found.preference[i].item() == pytest.approx(minus_log_s(rewards[0] - rewards[1]), rel=1e-12)


def test_that_a_small_alpha_is_nearly_the_reverse_kl() -> None:
    near = preference_term(inputs(), RunConfig(f_divergence="alpha_divergence", f_alpha=1e-3))
    torch.testing.assert_close(near, preference_term(inputs(), RunConfig()), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("divergence", ["js_divergence", "alpha_divergence"])
@pytest.mark.parametrize("loss", [key for key, row in LOSS_ROWS.items() if row.any_divergence])
def test_that_a_divergence_keeps_start_value_and_gradient_of_a_loss(loss: str, divergence: str) -> None:
    config = RunConfig(loss=loss, f_divergence=divergence)
    same = LossInputs.of(torch.tensor(REFERENCE).double(), torch.tensor(REFERENCE), torch.tensor(TOKENS))
    for i, value in enumerate(preference_term(same, config).tolist()):
        case = StartCase(*REFERENCE[i], *TOKENS[i])
        assert value == pytest.approx(mixed_start_value(case, config, config.to_plain()), rel=1e-9)

    def losses(policy: torch.Tensor) -> torch.Tensor:
        return preference_term(LossInputs.of(policy, torch.tensor(REFERENCE), torch.tensor(TOKENS)), config)

    leaf = torch.tensor(POLICY, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(losses, (leaf,), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("divergence", ["js_divergence", "alpha_divergence"])
def test_that_extreme_log_ratios_stay_finite_under_a_divergence(divergence: str) -> None:
    for size in (1e3, 1e6, 1e7):
        policy = torch.tensor([[size, -size], [-size, size], [-size, -size]], dtype=torch.float64, requires_grad=True)
        config = RunConfig(f_divergence=divergence, f_alpha=1.0)
        losses = evaluate(LossInputs.of(policy, torch.zeros(3, 2), torch.ones(3, 2)), config).losses
        gradient = gradient_to_logps(losses, policy)
        assert torch.isfinite(losses).all()
        assert torch.isfinite(gradient.float()).all()
        assert (gradient[1, 0] < 0) or divergence == "js_divergence"


@pytest.mark.parametrize("loss", [key for key in LOSSES if not LOSS_ROWS[key].any_divergence])
def test_that_a_loss_not_made_of_rewards_refuses_other_divergences(loss: str) -> None:
    with pytest.raises(UsageError, match=f"{loss} is not defined for f_divergence"):
        RunConfig(loss=loss, f_divergence="js_divergence")
