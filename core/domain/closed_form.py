"""The objective that DPO starts from, on a few answers to one prompt, where its optimum can be computed exactly.

On answers y_1 ... y_K with reference shares w_k and rewards r_k, the distribution q that maximises
E_q[r] - beta KL(q || w) is w_k exp(r_k / beta) / Z(beta), and the maximum is beta log Z(beta). All sums run over the K
answers alone; in logarithms, so that no exponential overflows. Log-probs, displacements and KL are in nats, rewards in
nats times the beta of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.errors import UsageError

_HALVINGS = 64
_NOISE = 1e-11
"""A KL or gap below it is rounding."""
_FAR = 60.0
"""Orders of e below and above the spread of the rewards between which every beta of a frontier lies."""


def log_sum_exp(values: Sequence[float]) -> float:
    """Return log(sum of exp(value)).

    >>> round(log_sum_exp([1000.0, 1000.0]) - 1000.0, 6)
    0.693147
    """
    largest = max(values)
    return largest + math.log(math.fsum(math.exp(value - largest) for value in values))


def normalised(log_weights: Sequence[float]) -> tuple[float, ...]:
    """Return log-weights shifted so that their exponentials add up to one.

    >>> [round(math.exp(value), 6) for value in normalised([0.0, math.log(3)])]
    [0.25, 0.75]
    """
    total = log_sum_exp(log_weights)
    return tuple(value - total for value in log_weights)


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best distribution over the answers at one beta.

    Attributes:
        beta: price of a nat of KL; infinity keeps the reference, 0 takes the answers with the largest reward.
        shares: of each answer, adding up to one.
        reward: expected reward E[r]. kl: KL(optimum || reference shares), nats.
        log_z: log Z(beta); infinity at beta 0. value: E[r] - beta KL, which is beta log Z.
    """

    beta: float
    shares: tuple[float, ...]
    reward: float
    kl: float
    log_z: float
    value: float

    @property
    def effective(self) -> float:
        """Effective number of answers: the inverse of the sum of squared shares (inverse Simpson), 1 to K."""
        return 1 / math.fsum(share * share for share in self.shares)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a distribution over the answers stands.

    Attributes:
        reward, kl: its expected reward and its KL to the reference shares.
        gap: how much less reward it has than the optimum with the same KL, >= 0.
    """

    reward: float
    kl: float
    gap: float


@dataclass(frozen=True, slots=True)
class AnswersObjective:
    """Reward minus beta times KL, on K answers.

    Attributes:
        log_shares: logarithms of the reference shares, adding up to one. rewards: of each answer.
    """

    log_shares: tuple[float, ...]
    rewards: tuple[float, ...]

    @classmethod
    def of(cls, log_weights: Sequence[float], rewards: Sequence[float]) -> AnswersObjective:
        """Return the objective for reference weights that need not add up to one.

        Raises:
            UsageError: for fewer than two answers, or a number that is not finite.
        """
        if len(rewards) < 2:
            raise UsageError("An optimum needs two answers to choose between.", "Draw more answers, or give one.")
        if not all(math.isfinite(value) for value in (*log_weights, *rewards)):
            raise UsageError("A log-prob of these answers is not finite; no optimum can be computed from it.")
        return cls(normalised(log_weights), tuple(rewards))

    @property
    def shares(self) -> tuple[float, ...]:
        """Reference shares of the answers."""
        return tuple(math.exp(value) for value in self.log_shares)

    @property
    def best(self) -> float:
        """The largest reward, which no distribution exceeds."""
        return max(self.rewards)

    @property
    def largest_kl(self) -> float:
        """KL of the optimum as beta goes to 0, nats: minus the logarithm of the best answers' reference share."""
        best = [value for value, reward in zip(self.log_shares, self.rewards, strict=True) if reward == self.best]
        return max(0.0, -log_sum_exp(best))

    def at(self, beta: float) -> Optimum:
        """Return the optimum at a beta from 0 to infinity, both included.

        Raises:
            UsageError: for another beta.
        """
        if math.isnan(beta) or beta < 0:
            raise UsageError(f"Beta {beta:g} is no price.", "Choose a number above 0.")
        if beta == 0:
            return self._greedy()
        terms = [share + reward / beta for share, reward in zip(self.log_shares, self.rewards, strict=True)]
        log_z = log_sum_exp(terms)
        logs = [term - log_z for term in terms]
        shares = tuple(math.exp(value) for value in logs)
        reward = self._expected(shares)
        parts = zip(shares, logs, self.log_shares, strict=True)
        kl = _known(math.fsum(share * (log - before) for share, log, before in parts))
        return Optimum(beta, shares, reward, kl, log_z, reward if math.isinf(beta) else beta * log_z)

    def _greedy(self) -> Optimum:
        kept = [
            value if reward == self.best else -math.inf
            for value, reward in zip(self.log_shares, self.rewards, strict=True)
        ]
        shares = tuple(math.exp(value) for value in normalised(kept))
        return Optimum(0.0, shares, self.best, self.largest_kl, math.inf, self.best)

    def frontier(self, low: float, high: float, points: int = 121) -> tuple[Optimum, ...]:
        """Return the optima from the reference (beta infinity) over ``points`` betas from ``high`` down to ``low``.

        Args:
            low: smallest beta, above 0.
            high: largest finite beta.
            points: betas between them, both included, at equal distances on a log axis.
        """
        steps = max(1, points - 1)
        ratio = math.log(low / high)
        return (self.at(math.inf), *(self.at(high * math.exp(ratio * i / steps)) for i in range(points)))

    def reward_at(self, kl: float) -> float:
        """Return the largest expected reward that a distribution with this KL (nats, >= 0) can have."""
        spread = self.best - min(self.rewards)
        if kl <= 0 or spread == 0:
            return self._expected(self.shares)
        if kl >= self.largest_kl:
            return self.best
        low, high = math.log(spread) - _FAR, math.log(spread) + _FAR
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.at(math.exp(middle)).kl > kl else (low, middle)
        return self.at(math.exp(high)).reward

    def placed(self, log_weights: Sequence[float]) -> Placed:
        """Return where the distribution with these weights (logarithms, of any sum) stands against the frontier."""
        logs = normalised(log_weights)
        shares = [math.exp(value) for value in logs]
        reward = self._expected(shares)
        terms = zip(shares, logs, self.log_shares, strict=True)
        kl = _known(math.fsum(share * (log - before) for share, log, before in terms if share))
        return Placed(reward, kl, _known(self.reward_at(kl) - reward))

    def _expected(self, shares: Sequence[float]) -> float:
        return math.fsum(share * reward for share, reward in zip(shares, self.rewards, strict=True))


def _known(value: float) -> float:
    """Return a number that cannot be negative without what rounding left of it."""
    return value if value > _NOISE else 0.0
