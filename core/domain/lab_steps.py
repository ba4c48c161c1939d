"""The five steps from the objective to the gradient of DPO, each with the numbers of one prompt's answers.

5.1 the optimum, 5.2 the implicit reward, 5.3 the loss, 5.4 what beta buys, 5.5 the gradient weight.
Source: R. Rafailov et al., Direct Preference Optimization, arXiv 2305.18290, section 4 and appendix A.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from core.domain.closed_form import Optimum
from core.domain.number_text import format_value, signed
from core.domain.prompt_lab import PromptLab, Weighing, power_text

LN2 = math.log(2)


@dataclass(frozen=True, slots=True)
class LabFigure:
    """One number of a step: what it is, how it is written, its value (None where it is too large to be one).

    ``main`` is the number that the step ends in.
    """

    name: str
    text: str
    value: float | None
    main: bool = False


@dataclass(frozen=True, slots=True)
class LabStep:
    """One step of the derivation.

    Attributes:
        number: "5.1". title: in words. tex: its formula as LaTeX; plain: the same in one line of text.
        figures: this prompt's numbers, in the order of the formula. words: what they say.
    """

    number: str
    title: str
    tex: str
    plain: str
    figures: tuple[LabFigure, ...]
    words: str

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        figures = {figure.name: figure.value for figure in self.figures}
        return {
            "number": self.number, "title": self.title, "formula": self.plain, "figures": figures, "words": self.words
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepsView:
    """What the steps are shown of.

    Attributes:
        lab: the answers. weighing: of the reference. optimum: at the beta that is looked at.
        of: place of the answer of 5.1 and 5.2. winner, loser: places of y_w and y_l of 5.3 and 5.5.
    """

    lab: PromptLab
    weighing: Weighing
    optimum: Optimum
    of: int
    winner: int
    loser: int

    @property
    def h(self) -> float:
        """Displacement of y_w minus that of y_l, nats."""
        return self.lab.answers[self.winner].displacement - self.lab.answers[self.loser].displacement

    @property
    def margin(self) -> float:
        """Beta of the run times h."""
        return self.lab.beta * self.h


def lab_steps(view: StepsView) -> tuple[LabStep, ...]:
    """Return the five steps with the numbers of a view."""
    return _optimum(view), _reward(view), _loss(view), _price(view), _weight(view)


def sigmoid(value: float) -> float:
    """Return the logistic function, also far from 0.

    >>> sigmoid(0.0), sigmoid(-800.0), sigmoid(800.0)
    (0.5, 0.0, 1.0)
    """
    return 1 / (1 + math.exp(-value)) if value >= 0 else (small := math.exp(value)) / (1 + small)


def softplus(value: float) -> float:
    """Return log(1 + exp(value)), also far from 0; at -z it is the sigmoid loss of a margin z."""
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _optimum(view: StepsView) -> LabStep:
    lab, optimum, name = view.lab, view.optimum, view.lab.names[view.of]
    share = lab.objective(view.weighing).shares[view.of]
    reward, count = lab.rewards[view.of], len(lab.answers)
    figures = (
        _plain(f"π ref({name})", share),
        _power(f"e^({format_value(reward, 3)}/{format_value(optimum.beta, 3)})", reward / optimum.beta),
        _power(f"Z, sum of {count}", optimum.log_z),
        _plain(f"π*({name})", optimum.shares[view.of], main=True),
    )
    tex, plain = r"\pi^*(y) = \pi_{\mathrm{ref}}(y)\, e^{r/\beta} / Z", "π*(y) = π_ref(y) · e^(r/β) / Z"
    words = "The reference, reweighted. Small β trusts the reward, large β the reference."
    return LabStep("5.1", "The optimum", tex, plain, figures, words)


def _reward(view: StepsView) -> LabStep:
    lab, optimum, name = view.lab, view.optimum, view.lab.names[view.of]
    reward = lab.rewards[view.of]
    figures = (
        _signed(f"β log(π*({name})/π ref({name}))", reward - optimum.value),
        _signed("β log Z", optimum.value),
        _signed(f"r({name})", reward, main=True),
    )
    tex = r"r = \beta \log(\pi^*/\pi_{\mathrm{ref}}) + \beta \log Z"
    words = "Z(x) belongs to this prompt and is unknown in training: rewards of two prompts are never compared."
    return LabStep("5.2", "Implicit reward", tex, "r = β log(π*/π_ref) + β log Z", figures, words)


def _loss(view: StepsView) -> LabStep:
    lab, z = view.lab, view.margin
    best, worst = lab.names[view.winner], lab.names[view.loser]
    moved = [lab.answers[place].displacement for place in (view.winner, view.loser)]
    figures = (
        _signed(f"h of y_w = {best}, nats", moved[0]),
        _signed(f"h of y_l = {worst}, nats", moved[1]),
        _signed(f"z = {format_value(lab.beta, 3)} · {format_value(view.h, 3)}", z),
        _plain("σ(z)", sigmoid(z)),
        _plain("L", softplus(-z), main=True),
    )
    tex, plain = r"L = -\log \sigma(\beta_0 [h_w - h_l])", "L = −log σ(β₀ [h_w − h_l])"
    words = f"Z cancels in the difference. ln 2 = {format_value(LN2)} at step 0."
    return LabStep("5.3", "The loss", tex, plain, figures, words)


def _price(view: StepsView) -> LabStep:
    optimum = view.optimum
    figures = (
        _signed("E[r] at β", optimum.reward),
        _plain("KL, nats", optimum.kl),
        _signed("E[r] − β KL", optimum.reward - optimum.beta * optimum.kl),
        _signed("β log Z, the same", optimum.value, main=True),
    )
    tex, plain = r"\max\, E[r] - \beta\, KL(\pi \,\|\, \pi_{\mathrm{ref}})", "max E[r] − β KL(π || π_ref)"
    words = "The slope of the frontier at β is β: one more nat buys that much reward."
    return LabStep("5.4", "β sets the price", tex, plain, figures, words)


def _weight(view: StepsView) -> LabStep:
    lab, z = view.lab, view.margin
    weight = sigmoid(-z)
    figures = (
        _signed(f"z of {lab.names[view.winner]} over {lab.names[view.loser]}", z),
        _plain("σ(−z)", weight),
        _plain("at step 0", 0.5),
        _plain("factor β₀ σ(−z)", lab.beta * weight, main=True),
    )
    tex, plain = r"-\beta_0\, \sigma(-z)\, \nabla(h_w - h_l)", "−β₀ σ(−z) ∇(h_w − h_l)"
    words = f"Pairs already right push less; at z 3 only {format_value(sigmoid(-3.0), 3)}."
    return LabStep("5.5", "Gradient weight", tex, plain, figures, words)


def _plain(name: str, value: float, *, main: bool = False) -> LabFigure:
    return LabFigure(name, format_value(value), value, main)


def _signed(name: str, value: float, *, main: bool = False) -> LabFigure:
    return LabFigure(name, signed(value), value, main)


def _power(name: str, log_value: float) -> LabFigure:
    """Return a positive number that is known by its logarithm."""
    if abs(log_value) > 700:
        return LabFigure(name, power_text(log_value), None)
    return LabFigure(name, format_value(math.exp(log_value)), math.exp(log_value))
