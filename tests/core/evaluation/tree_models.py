"""Language models over a few tokens, small enough to enumerate every answer and to compute every quantity exactly.

A :class:`TreeModel` gives a next-token distribution at every prefix, so that all answers, their
probabilities, the KL of two models and the mean and spread of any estimator of it can be written down
without sampling. The policy that DPO should converge to is known in closed form, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.evaluation.sequence_kl import Estimates, estimates

Answer = tuple[int, ...]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TreeModel:
    """Next-token log-probs at every prefix of a tree of answers.

    Attributes:
        vocabulary: number of tokens; token 0 ends an answer.
        depth: longest answer in tokens; it is cut there.
        log_probs: prefix -> (vocabulary,) log-probs in nats.
    """

    vocabulary: int
    depth: int
    log_probs: Mapping[Answer, Array]

    def answers(self) -> Iterator[Answer]:
        """Yield every answer: one that has just ended, or is cut at ``depth``."""
        for prefix in prefixes(self.vocabulary, self.depth):
            for token in range(self.vocabulary):
                if token == 0 or len(prefix) + 1 == self.depth:
                    yield (*prefix, token)

    def log_prob(self, answer: Answer) -> float:
        """Return log pi(answer) in nats."""
        return math.fsum(float(self.log_probs[answer[:t]][token]) for t, token in enumerate(answer))

    def probabilities(self) -> dict[Answer, float]:
        """Return the probability of every answer; they sum to 1."""
        return {answer: math.exp(self.log_prob(answer)) for answer in self.answers()}


def prefixes(vocabulary: int, depth: int) -> Iterator[Answer]:
    """Yield every unfinished prefix shorter than ``depth``, shortest first."""
    level: list[Answer] = [()]
    for _ in range(depth):
        yield from level
        level = [(*prefix, token) for prefix in level for token in range(1, vocabulary)]


def random_models(vocabulary: int, depth: int, *, shift: float, seed: int = 0) -> tuple[TreeModel, TreeModel]:
    """Return (policy, reference): normal logits, and the same moved by ``shift`` times further normal numbers."""
    rng = np.random.default_rng(seed)
    policy: dict[Answer, Array] = {}
    reference: dict[Answer, Array] = {}
    for prefix in prefixes(vocabulary, depth):
        logits = rng.normal(size=vocabulary)
        reference[prefix] = _log_softmax(logits)
        policy[prefix] = _log_softmax(logits + shift * rng.normal(size=vocabulary))
    return TreeModel(vocabulary, depth, policy), TreeModel(vocabulary, depth, reference)


def exact_kl(policy: TreeModel, reference: TreeModel) -> float:
    """Return KL(policy || reference) over whole answers, nats per answer."""
    return math.fsum(
        math.exp(policy.log_prob(a)) * (policy.log_prob(a) - reference.log_prob(a)) for a in policy.answers()
    )


def answer_estimates(policy: TreeModel, reference: TreeModel, answer: Answer) -> Estimates:
    """Return what one answer says of the KL, by the code that runs on real models."""
    ratios, kls = [], []
    for t, token in enumerate(answer):
        log_pi, log_ref = policy.log_probs[answer[:t]], reference.log_probs[answer[:t]]
        ratios.append(float(log_pi[token] - log_ref[token]))
        kls.append(float(np.exp(log_pi) @ (log_pi - log_ref)))
    return estimates(torch.tensor(ratios, dtype=torch.float64), torch.tensor(kls, dtype=torch.float64))


@dataclass(frozen=True, slots=True)
class Spread:
    """Exact mean, standard deviation, minimum and maximum of an estimator over all answers of the policy."""

    mean: float
    sd: float
    low: float
    high: float


def estimator_spread(policy: TreeModel, reference: TreeModel) -> dict[str, Spread]:
    """Return the exact distribution of every estimator: no sampling, so that bias and variance are facts."""
    answers = list(policy.answers())
    weights = np.array([math.exp(policy.log_prob(a)) for a in answers])
    found = [answer_estimates(policy, reference, a) for a in answers]
    names = [name for name in Estimates.__slots__ if getattr(found[0], name) is not None]
    return {name: _spread(np.array([getattr(e, name) for e in found]), weights) for name in names}


def optimal_policy(reference: Mapping[Answer, float], reward: Callable[[Answer], float], beta: float) -> dict:
    """Return pi*(y) = ref(y) * exp(reward(y) / beta) / Z, the maximum of E[reward] - beta * KL(pi || ref).

    Source: Rafailov et al. 2023 (arXiv 2305.18290), equation 4.
    """
    answers = list(reference)
    logits = np.array([math.log(reference[a]) + reward(a) / beta for a in answers])
    return dict(zip(answers, np.exp(_log_softmax(logits)).tolist(), strict=True))


def _spread(values: Array, weights: Array) -> Spread:
    mean = float(weights @ values)
    return Spread(mean, math.sqrt(float(weights @ (values - mean) ** 2)), float(values.min()), float(values.max()))


def _log_softmax(logits: Array) -> Array:
    top = logits.max()
    return logits - top - math.log(float(np.exp(logits - top).sum()))
