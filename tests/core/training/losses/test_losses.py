"""Each loss against an independent closed form, finite differences, its start value and its symmetries."""

from __future__ import annotations

import math

import pytest
import torch

from core.domain.errors import UsageError
from core.domain.losses import LOSSES, StartCase, start_value
from core.domain.run_config import RunConfig
from core.training.losses import (
    LossInputs,
    check_combination,
    check_labels,
    evaluate,
    gradient_to_logps,
    gradient_weight,
    length_weights,
    likelihood_lengths,
    preference_term,
    wpo_weights,
)
from core.training.losses.registry import LOSS_FUNCTIONS, losses_without_function, preference_loss
from core.training.text.encoded_pair import EncodedPair

SETTINGS = {
    "robust": {"label_smoothing": 0.1},
    "exo_pair": {"label_smoothing": 0.01},
    "aot": {"label_smoothing": 0.05},
    "aot_unpaired": {"label_smoothing": 0.05},
    "r_dpo": {"r_dpo_alpha": 0.02},
    "davidson": {"tie_nu": 0.7},
    "rao_kupper": {"tie_nu": 0.7},
}


QUANTILES = ("aot", "aot_unpaired")
OF_ONE_PAIR = [name for name in LOSSES if name not in QUANTILES]


def config_of(loss: str, **values) -> RunConfig:
    return RunConfig(loss=loss, **{"beta": 0.1, **SETTINGS.get(loss, {}), **values})


def random_batch(seed: int = 0, n: int = 6, requires_grad: bool = False) -> LossInputs:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(3, 30, (n, 2), generator=generator).double()
    reference = -tokens * (1 + torch.rand((n, 2), generator=generator, dtype=torch.float64))
    policy = reference + 6 * torch.randn((n, 2), generator=generator, dtype=torch.float64)
    policy = torch.minimum(policy, -0.05 * tokens)
    ties = torch.arange(n) % 3 == 2
    return LossInputs.of(policy.requires_grad_(requires_grad), reference, tokens, is_tie=ties)


def log_s(x: float) -> float:
    return -math.log1p(math.exp(-x))


def by_hand(
    name: str, w: float, v: float, lw: float, ll: float, nw: float, nl: float, tie: bool, c: RunConfig
) -> float:
    """Formulas as published, in scalars; ``w`` and ``v`` are log-ratios, ``lw`` and ``ll`` log-probs."""
    b, e = c.beta, c.label_smoothing
    z = b * (w - v)
    s = 1 / (1 + math.exp(-z))
    sw, sl = 1 / (1 + math.exp(-b * w)), 1 / (1 + math.exp(-b * v))

    def odds(lp: float, n: float) -> float:
        p = math.exp(lp / n)
        return math.log(p / (1 - p))

    k = 1 + 2 * c.tie_nu
    n_davidson = math.exp(z / 2) + math.exp(-z / 2) + 2 * c.tie_nu
    win_rk = 1 / (1 + k * math.exp(-z))
    return {
        "sigmoid": lambda: -math.log(s),
        "robust": lambda: -((1 - e) * math.log(s) - e * math.log(1 - s)) / (1 - 2 * e),
        "ipo": lambda: (w / nw - v / nl - 0.5 / b) ** 2,
        "hinge": lambda: max(0.0, 1 - z),
        "sigmoid_norm": lambda: -log_s(b * (w / nw - v / nl)),
        "apo_zero": lambda: (1 - sw) + sl,
        "apo_down": lambda: sw + (1 - s),
        "exo_pair": lambda: s * math.log(s / (1 - e)) + (1 - s) * math.log((1 - s) / e),
        "nca_pair": lambda: -math.log(sw) - 0.5 * math.log(1 - sw) - 0.5 * math.log(1 - sl),
        "sppo_hard": lambda: (w - 1 / (2 * b)) ** 2 + (v + 1 / (2 * b)) ** 2,
        "bco_pair": lambda: -math.log(sw) - math.log(1 - sl),
        "discopop": lambda: (
            -(1 - 1 / (1 + math.exp(-z / c.discopop_tau))) * math.log(s)
            + math.exp(-z) / (1 + math.exp(-z / c.discopop_tau))
        ),
        "dpop": lambda: -log_s(b * (w - v - c.dpop_lambda * max(0.0, -w))),
        "r_dpo": lambda: -log_s(z + c.r_dpo_alpha * (nw - nl)),
        "simpo": lambda: -log_s(b * (lw / nw - ll / nl) - c.simpo_gamma),
        "orpo": lambda: -c.orpo_lambda * log_s(odds(lw, nw) - odds(ll, nl)),
        "davidson": lambda: -math.log((2 * c.tie_nu if tie else math.exp(z / 2)) / n_davidson),
        "rao_kupper": lambda: -math.log(1 - win_rk - 1 / (1 + k * math.exp(z)) if tie else win_rk),
    }[name]()


def test_that_every_row_of_a_loss_has_a_function() -> None:
    missing = losses_without_function()
    assert missing == [], (
        f"The losses {missing} have a row in core/domain/losses.py but no function in core/training/losses that is "
        "decorated with @preference_loss(key)."
    )


def test_that_a_function_without_a_row_is_refused_with_the_name_of_the_loss() -> None:
    with pytest.raises(LookupError, match="The loss 'new_loss' has a function but no row in core/domain/losses"):
        preference_loss("new_loss")
    with pytest.raises(LookupError, match="The loss 'sigmoid' has two functions"):
        preference_loss("sigmoid")
    assert set(LOSS_FUNCTIONS) == set(LOSSES)


@pytest.mark.parametrize("name", OF_ONE_PAIR)
def test_that_a_loss_equals_its_published_formula(name: str) -> None:
    batch, config = random_batch(), config_of(name)
    values = LOSS_FUNCTIONS[name].losses(batch, config)
    for i, value in enumerate(values.tolist()):
        w, v = batch.chosen[i].item(), batch.rejected[i].item()
        lw, ll = batch.policy[i].tolist()
        expected = by_hand(name, w, v, lw, ll, *batch.tokens[i].tolist(), bool(batch.is_tie[i]), config)
        assert value == pytest.approx(expected, rel=1e-9)


def test_that_aot_compares_quantiles_and_gives_each_loss_back_to_its_pair() -> None:
    batch, config = random_batch(), config_of("aot")
    policy = (batch.policy[:, 0] - batch.policy[:, 1]).tolist()
    reference = sorted((batch.reference[:, 0] - batch.reference[:, 1]).tolist())
    e = config.label_smoothing
    for i, value in enumerate(LOSS_FUNCTIONS["aot"].losses(batch, config).tolist()):
        z = config.beta * (policy[i] - reference[sorted(policy).index(policy[i])])
        assert value == pytest.approx(-(1 - e) * log_s(z) - e * log_s(-z), rel=1e-9)


def test_that_unpaired_aot_does_not_ask_which_rejected_answer_belongs_to_which_chosen_one() -> None:
    batch, config = random_batch(), config_of("aot_unpaired")
    chosen, rejected = batch.chosen.tolist(), sorted(batch.rejected.tolist())
    e, values = config.label_smoothing, LOSS_FUNCTIONS["aot_unpaired"].losses(batch, config)
    for i, value in enumerate(values.tolist()):
        z = config.beta * (chosen[i] - rejected[sorted(chosen).index(chosen[i])])
        assert value == pytest.approx(-(1 - e) * log_s(z) - e * log_s(-z), rel=1e-9)
    order = [3, 0, 5, 1, 4, 2]
    policy, reference = batch.policy.clone(), batch.reference.clone()
    policy[:, 1], reference[:, 1] = policy[order, 1], reference[order, 1]
    again = LOSS_FUNCTIONS["aot_unpaired"].losses(LossInputs.of(policy, reference, batch.tokens), config)
    torch.testing.assert_close(again, values)


@pytest.mark.parametrize("name", LOSSES)
def test_that_the_gradient_equals_finite_differences(name: str) -> None:
    batch, config = random_batch(seed=3), config_of(name)

    def losses(policy: torch.Tensor) -> torch.Tensor:
        return LOSS_FUNCTIONS[name].losses(
            LossInputs.of(policy, batch.reference, batch.tokens, is_tie=batch.is_tie), config
        )

    assert torch.autograd.gradcheck(losses, (batch.policy.clone().requires_grad_(),), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_that_the_loss_at_the_reference_is_its_start_value(name: str, smoothing: float) -> None:
    config = config_of(name, label_smoothing=smoothing)
    batch = random_batch(seed=5)
    target = torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.0] if name in QUANTILES else [1.0, 0.8, 1.0, 0.6, 0.5, 1.0])
    same = LossInputs.of(batch.policy, batch.policy, batch.tokens, target=target, is_tie=batch.is_tie)
    for i, value in enumerate(preference_term(same, config).tolist()):
        (lw, ll), (nw, nl) = same.policy[i].tolist(), same.tokens[i].tolist()
        case = StartCase(lw, ll, int(nw), int(nl), same.target[i].item(), bool(same.is_tie[i]))
        assert value == pytest.approx(start_value(case, config.to_plain()), rel=1e-9)


def test_that_every_loss_names_its_source_and_its_formula_in_its_docstring() -> None:
    for name, found in LOSS_FUNCTIONS.items():
        text = found.losses.__doc__ or ""
        assert ":" in text.splitlines()[0], name
        assert "arXiv" in text or "Journal" in text, name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sigmoid", 0.693147),
        ("robust", 0.693147),
        ("sigmoid_norm", 0.693147),
        ("aot", 0.693147),
        ("hinge", 1.0),
        ("ipo", 25.0),
        ("exo_pair", 2.76123),
        ("nca_pair", 1.38629),
        ("bco_pair", 1.38629),
        ("sppo_hard", 50.0),
        ("apo_zero", 1.0),
        ("apo_down", 1.0),
        ("discopop", 0.84657),
        ("dpop", 0.693147),
        ("r_dpo", 0.693147),
        ("davidson", math.log(4)),
        ("rao_kupper", math.log(4)),
        ("simpo", 0.982181),  # of these means per token; no reference enters
        ("orpo", 0.0764716),
    ],
)
def test_that_the_oracle_table_stands_at_beta_one_tenth(name: str, value: float) -> None:
    assert start_value(StartCase(-20.0, -30.0, 7, 11), RunConfig(loss=name).to_plain()) == pytest.approx(
        value, abs=1e-5
    )


def test_that_label_smoothing_really_makes_sigmoid_conservative() -> None:
    batch = random_batch()
    smoothed = evaluate(batch, RunConfig(label_smoothing=0.3)).losses
    z = 0.1 * batch.h
    expected = 0.7 * torch.nn.functional.softplus(-z) + 0.3 * torch.nn.functional.softplus(z)
    torch.testing.assert_close(smoothed, expected)
    assert not torch.allclose(smoothed, evaluate(batch, RunConfig()).losses)


def test_that_a_conservative_loss_is_stationary_where_the_model_agrees_with_the_noise() -> None:
    policy = torch.tensor([[math.log(0.9 / 0.1) / 0.1, 0.0]], dtype=torch.float64, requires_grad=True)
    batch = LossInputs.of(policy, torch.zeros(1, 2), torch.ones(1, 2))
    gradient = gradient_to_logps(evaluate(batch, RunConfig(label_smoothing=0.1)).losses, policy)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", OF_ONE_PAIR)
def test_that_a_target_of_one_half_does_not_care_which_answer_is_called_chosen(name: str) -> None:
    batch, config = random_batch(), config_of(name)
    half = torch.full((6,), 0.5)
    soft = LossInputs.of(batch.policy, batch.reference, batch.tokens, target=half, is_tie=batch.is_tie)
    torch.testing.assert_close(preference_term(soft, config), preference_term(soft.swapped(), config))


@pytest.mark.parametrize("name", LOSSES)
def test_that_swapping_the_answers_flips_the_sign_of_the_margin(name: str) -> None:
    batch, config = random_batch(), config_of(name)
    torch.testing.assert_close(evaluate(batch, config).margin, -evaluate(batch.swapped(), config).margin)


@pytest.mark.parametrize("name", OF_ONE_PAIR)
def test_that_a_pair_does_not_feel_its_neighbours_or_its_place(name: str) -> None:
    batch, config = random_batch(), config_of(name)
    whole = evaluate(batch, config).losses
    order = [4, 2, 0]
    some = LossInputs.of(batch.policy[order], batch.reference[order], batch.tokens[order], is_tie=batch.is_tie[order])
    torch.testing.assert_close(evaluate(some, config).losses, whole[order], rtol=0, atol=0)


def test_that_the_gradient_weight_is_one_half_at_the_start_and_s_of_minus_z_later() -> None:
    batch = random_batch(requires_grad=True)
    weight = gradient_weight(batch, evaluate(batch, RunConfig()).preference, RunConfig())
    torch.testing.assert_close(weight, torch.sigmoid(-0.1 * batch.h.detach()))
    start = LossInputs.of(batch.reference.clone().requires_grad_(), batch.reference, batch.tokens)
    assert gradient_weight(start, evaluate(start, RunConfig()).preference, RunConfig()).eq(0.5).all()


def test_that_the_gradient_weight_of_a_loss_per_token_is_not_thinned_by_length() -> None:
    batch = random_batch(requires_grad=True)
    config = RunConfig(loss="sigmoid_norm", beta=2.0)
    weight = gradient_weight(batch, evaluate(batch, config).preference, config)
    torch.testing.assert_close(weight, torch.sigmoid(-2.0 * batch.h_per_token.detach()))


def test_that_a_pairs_own_weight_multiplies_its_loss() -> None:
    batch = random_batch()
    weight = torch.tensor([0.0, 0.5, 1.0, 2.0, 1.0, 1.0])
    weighted = LossInputs.of(batch.policy, batch.reference, batch.tokens, weight=weight)
    torch.testing.assert_close(
        evaluate(weighted, RunConfig()).losses, evaluate(batch, RunConfig()).losses * weight.double()
    )


def test_that_the_likelihood_term_averages_over_tokens_or_over_pairs_as_asked() -> None:
    batch = random_batch()
    counts = [int(c) for c in batch.tokens[:, 0]]
    for average, expected in (
        ("tokens", -batch.policy[:, 0].sum() / sum(counts)),
        ("pairs", (-batch.policy[:, 0] / batch.tokens[:, 0]).mean()),
    ):
        config = RunConfig(rpo_alpha=0.2, rpo_average=average)
        lengths = torch.tensor(likelihood_lengths(counts, config), dtype=torch.float64)
        inputs = LossInputs.of(batch.policy, batch.reference, batch.tokens, nll_length=lengths)
        objective = evaluate(inputs, config)
        assert objective.terms["nll"].mean().item() == pytest.approx(expected.item(), rel=1e-12)
        plain = evaluate(batch, RunConfig()).losses.mean()
        assert objective.losses.mean().item() == pytest.approx((plain + 0.2 * expected).item(), rel=1e-12)


def test_that_orpo_brings_its_own_likelihood_per_pair() -> None:
    batch, config = random_batch(), RunConfig(loss="orpo")
    lengths = torch.tensor(likelihood_lengths([int(c) for c in batch.tokens[:, 0]], config))
    torch.testing.assert_close(lengths.double(), batch.tokens[:, 0])
    objective = evaluate(batch, config)
    torch.testing.assert_close(objective.terms["nll"], -batch.mean_logp[:, 0])
    torch.testing.assert_close(objective.losses, objective.terms["nll"] + objective.terms["preference_loss"])


def test_that_log_odds_stay_exact_where_a_probability_nears_one() -> None:
    from core.training.losses.pairwise import log_odds

    value = log_odds(torch.tensor([-1e-9, -0.3, -40.0], dtype=torch.float64))
    assert value.tolist() == pytest.approx([math.log(1e9), math.log(math.exp(-0.3) / (1 - math.exp(-0.3))), -40.0])


def test_that_a_win_a_loss_and_a_tie_add_up_to_one() -> None:
    batch = random_batch()
    for name in ("davidson", "rao_kupper"):
        config = config_of(name)

        def chance(inputs: LossInputs, tie: bool, config: RunConfig = config, name: str = name) -> torch.Tensor:
            flags = torch.full((6,), tie)
            row = LossInputs.of(inputs.policy, inputs.reference, inputs.tokens, is_tie=flags)
            return torch.exp(-LOSS_FUNCTIONS[name].losses(row, config))

        total = chance(batch, False) + chance(batch.swapped(), False) + chance(batch, True)
        torch.testing.assert_close(total, torch.ones_like(total))


def test_that_a_tie_pulls_both_answers_together() -> None:
    for name in ("davidson", "rao_kupper"):
        policy = torch.tensor([[5.0, 0.0], [0.0, 5.0]], dtype=torch.float64, requires_grad=True)
        batch = LossInputs.of(policy, torch.zeros(2, 2), torch.ones(2, 2), is_tie=torch.tensor([True, True]))
        gradient = gradient_to_logps(evaluate(batch, RunConfig(loss=name)).losses, policy)
        assert gradient[0, 0] > 0 > gradient[0, 1]
        assert gradient[1, 0] < 0 < gradient[1, 1]


def test_that_wpo_weights_multiply_both_mean_alignments() -> None:
    weights = wpo_weights(torch.tensor([[-2.0, -6.0]]), torch.tensor([[4, 3]]))
    assert weights.item() == pytest.approx(math.exp(-0.5) * math.exp(-2.0))
    batch = random_batch()
    weighted = evaluate(batch, RunConfig(wpo=True), torch.full((6,), 0.25)).losses
    torch.testing.assert_close(weighted, 0.25 * evaluate(batch, RunConfig()).losses)


def test_that_length_weights_leave_the_shared_length_and_thin_the_rest() -> None:
    pair = EncodedPair("p", (1,), (2, 3, 4), (5, 6, 7, 8, 9), (1, 1, 1), (0, 1, 1, 1, 1))
    assert length_weights(pair, 0.25) == ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.25])


def test_that_settings_a_loss_would_ignore_are_refused() -> None:
    with pytest.raises(UsageError, match="wpo"):
        check_combination(RunConfig(loss="aot", wpo=True))
    with pytest.raises(UsageError, match="ld_alpha"):
        check_combination(RunConfig(ld_alpha=0.5, rpo_alpha=0.1))
    pair = EncodedPair("p", (1,), (2,), (3,), (1,), (1,), target=0.8)
    with pytest.raises(UsageError, match="soft labels"):
        check_labels([pair], RunConfig(loss="aot"))
    check_labels([pair], RunConfig())
