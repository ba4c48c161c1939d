"""The preference losses: one row each, in plain Python.

The choices of the setting ``loss``, the form's help, the rule for ties and the truth gate's expected first loss are
all read from these rows. To add a loss, write one row here and one function in ``core/training/losses`` that is
decorated with :func:`core.training.losses.registry.preference_loss`; a test names a row or function without its twin.

Notation of the formulas: w is the chosen and l the rejected response; l(.) is a log-prob and D(.) a log-prob minus the
reference's, both in nats; r = beta D; z = beta (Dw - Dl); s is the logistic function; |.| counts response tokens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Settings = Mapping[str, Any]
"""The plain values of a run's settings by name, as ``RunConfig.to_plain`` returns them."""


@dataclass(frozen=True, slots=True)
class StartCase:
    """One pair at policy = reference: log-prob sums (nats) of the model itself, token counts and label."""

    logp_chosen: float
    logp_rejected: float
    tokens_chosen: int
    tokens_rejected: int
    target: float = 1.0
    is_tie: bool = False

    def swapped(self) -> StartCase:
        """Return the case with the label the other way round."""
        return StartCase(
            self.logp_rejected, self.logp_chosen, self.tokens_rejected, self.tokens_chosen, 1 - self.target, self.is_tie
        )


StartValue = Callable[[StartCase, Settings], float]


@dataclass(frozen=True, slots=True)
class PreferenceLoss:
    """What is known of a loss without torch.

    Attributes:
        key: value of the setting ``loss``, and the name that its function is registered under.
        title: name in the literature.
        formula: one line, in the notation of this module.
        source: where it was published.
        start_value: closed form of the loss of one hard-labelled pair at policy = reference. It is written apart from
            the torch function, so that the truth gate finds a mistake in either.
        parameters: settings that this loss reads and most others do not.
        uses_reference: the reference's log-probs enter the loss.
        accepts_ties: pairs called a tie may be trained on.
        whole_step: the losses of a step depend on each other, so all its log-probs are needed first.
        per_token: log-probs enter as means per token, so that the gradient of a sum is divided by the length.
        own_smoothing: ``label_smoothing`` is a part of the formula and is not mixed in outside.
        likelihood: factor of the chosen response's negative log-likelihood per token that belongs to the loss.
        margin_scale: setting that multiplies the margin in the loss; the gradient weight is divided by it.
        any_divergence: the formula is one of rewards alone, so that they may be those of another f-divergence.
    """

    key: str
    title: str
    formula: str
    source: str
    start_value: StartValue
    parameters: tuple[str, ...] = ()
    uses_reference: bool = True
    accepts_ties: bool = False
    whole_step: bool = False
    per_token: bool = False
    own_smoothing: bool = False
    likelihood: float = 0.0
    margin_scale: str = "beta"
    any_divergence: bool = False

    @property
    def help(self) -> str:
        """One line for forms: title, formula and source."""
        return f"{self.title}: {self.formula} ({self.source})"


def _constant(value: float) -> StartValue:
    return lambda _case, _settings: value


_LN2 = _constant(math.log(2))
_TWO_LN2 = _constant(2 * math.log(2))
_ONE = _constant(1.0)


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _exo(_case: StartCase, settings: Settings) -> float:
    noise = settings["label_smoothing"] or 1e-3
    return -math.log(2) - (math.log(1 - noise) + math.log(noise)) / 2


def _r_dpo(case: StartCase, settings: Settings) -> float:
    return _softplus(-settings["r_dpo_alpha"] * (case.tokens_chosen - case.tokens_rejected))


def _simpo(case: StartCase, settings: Settings) -> float:
    difference = case.logp_chosen / case.tokens_chosen - case.logp_rejected / case.tokens_rejected
    return _softplus(settings["simpo_gamma"] - settings["beta"] * difference)


def _orpo(case: StartCase, settings: Settings) -> float:
    def odds(logp: float, tokens: int) -> float:
        mean = logp / tokens
        return mean - math.log(-math.expm1(mean))

    difference = odds(case.logp_chosen, case.tokens_chosen) - odds(case.logp_rejected, case.tokens_rejected)
    return settings["orpo_lambda"] * _softplus(-difference)


def _tie_model(case: StartCase, settings: Settings) -> float:
    """Return the value of both tie models: a tie has probability nu / (1 + nu), and each side half of the rest."""
    nu = settings["tie_nu"]
    return math.log((1 + nu) / nu) if case.is_tie else math.log(2 * (1 + nu))


_APO = "D'Oosterlinck et al. 2024, arXiv 2408.06266"
_ROWS: tuple[PreferenceLoss, ...] = (
    PreferenceLoss("sigmoid", "DPO", "-log s(z)", "Rafailov et al. 2023, arXiv 2305.18290", _LN2, any_divergence=True),
    PreferenceLoss(
        "robust",
        "Robust DPO",
        "[(1-e) -log s(z) - e -log s(-z)] / (1-2e), e = label smoothing",
        "Chowdhury et al. 2024, arXiv 2403.00409",
        _LN2,
        own_smoothing=True,
        any_divergence=True,
    ),
    PreferenceLoss(
        "ipo",
        "IPO",
        "(Dw/|w| - Dl/|l| - 1/(2 beta))^2",
        "Azar et al. 2023, arXiv 2310.12036",
        lambda _case, settings: 1 / (4 * settings["beta"] ** 2),
        per_token=True,
    ),
    PreferenceLoss(
        "hinge", "Hinge (RSO)", "max(0, 1 - z)", "Liu et al. 2023, arXiv 2309.06657", _ONE, any_divergence=True
    ),
    PreferenceLoss(
        "sigmoid_norm",
        "Length-normalised DPO",
        "-log s(beta (Dw/|w| - Dl/|l|))",
        "Lambert et al. 2024, arXiv 2411.15124",
        _LN2,
        per_token=True,
    ),
    PreferenceLoss("apo_zero", "APO-zero", "1 - s(rw) + s(rl)", _APO, _ONE, any_divergence=True),
    PreferenceLoss("apo_down", "APO-down", "s(rw) + 1 - s(z)", _APO, _ONE, any_divergence=True),
    PreferenceLoss(
        "exo_pair",
        "EXO",
        "KL((s(z), s(-z)) || (1-e, e)), e = label smoothing (0 stands for 0.001)",
        "Ji et al. 2024, arXiv 2402.00856",
        _exo,
        own_smoothing=True,
        any_divergence=True,
    ),
    PreferenceLoss(
        "nca_pair",
        "NCA",
        "-log s(rw) - log s(-rw)/2 - log s(-rl)/2",
        "Chen et al. 2024, arXiv 2402.05369",
        _TWO_LN2,
        any_divergence=True,
    ),
    PreferenceLoss(
        "sppo_hard",
        "SPPO with hard labels",
        "(Dw - 1/(2 beta))^2 + (Dl + 1/(2 beta))^2",
        "Wu et al. 2024, arXiv 2405.00675",
        lambda _case, settings: 1 / (2 * settings["beta"] ** 2),
    ),
    PreferenceLoss(
        "bco_pair",
        "BCO",
        "-log s(rw) - log s(-rl)",
        "Jung et al. 2024, arXiv 2404.04656",
        _TWO_LN2,
        any_divergence=True,
    ),
    PreferenceLoss(
        "aot",
        "AOT, paired",
        "-log s(beta (sort(lw - ll) - sort(ref)))",
        "Melnyk et al. 2024, arXiv 2406.05882",
        _LN2,
        whole_step=True,
        own_smoothing=True,
    ),
    PreferenceLoss(
        "aot_unpaired",
        "AOT, unpaired",
        "-log s(beta (sort(Dw) - sort(Dl)))",
        "Melnyk et al. 2024, arXiv 2406.05882",
        _LN2,
        whole_step=True,
        own_smoothing=True,
    ),
    PreferenceLoss(
        "discopop",
        "DiscoPOP",
        "(1-m) -log s(z) + m exp(-z), m = s(z/tau)",
        "Lu et al. 2024, arXiv 2406.08414",
        _constant((math.log(2) + 1) / 2),
        parameters=("discopop_tau",),
        any_divergence=True,
    ),
    PreferenceLoss(
        "dpop",
        "DPO-Positive",
        "-log s(z - beta lambda max(0, -Dw))",
        "Pal et al. 2024, arXiv 2402.13228",
        _LN2,
        parameters=("dpop_lambda",),
    ),
    PreferenceLoss(
        "r_dpo",
        "Length-regularised DPO",
        "-log s(z + alpha (|w| - |l|))",
        "Park et al. 2024, arXiv 2403.19159",
        _r_dpo,
        parameters=("r_dpo_alpha",),
        any_divergence=True,
    ),
    PreferenceLoss(
        "simpo",
        "SimPO",
        "-log s(beta (lw/|w| - ll/|l|) - gamma)",
        "Meng, Xia, Chen 2024, arXiv 2405.14734",
        _simpo,
        parameters=("simpo_gamma",),
        uses_reference=False,
        per_token=True,
    ),
    PreferenceLoss(
        "orpo",
        "ORPO",
        "-lw/|w| - lambda log s(logodds(w) - logodds(l))",
        "Hong, Lee, Thorne 2024, arXiv 2403.07691",
        _orpo,
        parameters=("orpo_lambda",),
        uses_reference=False,
        per_token=True,
        likelihood=1.0,
        margin_scale="orpo_lambda",
    ),
    PreferenceLoss(
        "davidson",
        "Davidson's tie model",
        "-log P(outcome), ties 2 nu exp(-z/2)",
        "Chen et al. 2024, arXiv 2409.17431",
        _tie_model,
        parameters=("tie_nu",),
        any_divergence=True,
        accepts_ties=True,
    ),
    PreferenceLoss(
        "rao_kupper",
        "Rao and Kupper's tie model",
        "-log P(outcome), wins s(z - log(1+2nu))",
        "Chen et al. 2024, arXiv 2409.17431",
        _tie_model,
        parameters=("tie_nu",),
        any_divergence=True,
        accepts_ties=True,
    ),
)
LOSS_ROWS: Mapping[str, PreferenceLoss] = {row.key: row for row in _ROWS}
LOSSES: tuple[str, ...] = tuple(LOSS_ROWS)
TIE_LOSSES: tuple[str, ...] = tuple(row.key for row in _ROWS if row.accepts_ties)
"""Losses that learn from ties; for all others tie pairs are left out."""


def start_value(case: StartCase, settings: Settings) -> float:
    """Return the preference loss of one pair at policy = reference, soft labels mixed in.

    WPO weights, the likelihood term and pair weights, which the objective adds around it, are left out.
    """
    row = LOSS_ROWS[settings["loss"]]
    noise = 0.0 if row.own_smoothing else settings["label_smoothing"]
    share = case.target * (1 - noise) + (1 - case.target) * noise
    return share * row.start_value(case, settings) + (1 - share) * row.start_value(case.swapped(), settings)
