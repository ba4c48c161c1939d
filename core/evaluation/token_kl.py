"""Exact token KL(policy || reference) over the whole vocabulary, in row tiles, on the responses of given pairs.

It is teacher-forced: the prefixes are those of the data, so that the value has no sampling noise. The KL on responses
that the policy writes itself is in :mod:`core.evaluation.sequence_kl`.

With d = log ref - log pi the KL is computed as sum_v pi(v) * (e^d - 1 - d). The added terms sum to zero because both
distributions sum to one, and every term is 0 or more: a rounding error cannot make the KL negative, and near the start
of training the float32 noise of d enters squared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from core.generation.lm import PolicyAndReference
from core.generation.lm_head import HeadSpec

Logits = Callable[[Tensor], Tensor]
"""Hidden rows (rows, width) to logits (rows, vocabulary)."""

DEFAULT_TILE = 128
"""Rows of a tile; about four tensors of tile x vocabulary exist at once (100 MB at 49 k tokens)."""

_EXP_SAFE = 20.0
"""Largest log-ratio for which e^d does not overflow in float32 products."""


class HiddenRows(Protocol):
    """Final hidden states of all positions that predict a response token.

    ``hidden`` (rows, width); ``targets`` (rows,) the predicted tokens; ``owner`` (rows,) 2 * pair + (0 chosen,
    1 rejected).
    """

    @property
    def hidden(self) -> Tensor:
        """Hidden states (rows, width)."""
        ...

    @property
    def targets(self) -> Tensor:
        """Predicted tokens (rows,) int64."""
        ...

    @property
    def owner(self) -> Tensor:
        """Response of each row (rows,) int64."""
        ...


@dataclass(frozen=True, slots=True)
class RowKl:
    """Per row, float64 on the CPU, in nats.

    Attributes:
        kl: (rows,) KL(policy || reference) of the next-token distributions.
        log_ratio: (rows,) log pi - log ref of the row's target, or None without targets.
        entropies: (rows, 2) entropy of the policy's and of the reference's distribution, or None where not asked for.
    """

    kl: Tensor
    log_ratio: Tensor | None = None
    entropies: Tensor | None = None


@dataclass(frozen=True, slots=True)
class TokenKl:
    """Token KL of ``n`` pairs; column 0 is chosen, column 1 rejected.

    Attributes:
        sums: (n, 2) float64, KL summed over a response's tokens, nats.
        tokens: (n, 2) int64, tokens summed over.
    """

    sums: Tensor
    tokens: Tensor

    def per_token(self, side: int) -> float:
        """Return nats per token over all responses of a side (0 chosen, 1 rejected): sum divided by count."""
        return _ratio(self.sums[:, side], self.tokens[:, side])

    @property
    def chosen(self) -> float:
        """Mean KL(policy || reference) on chosen responses, nats per token."""
        return self.per_token(0)

    @property
    def rejected(self) -> float:
        """Mean KL(policy || reference) on rejected responses, nats per token."""
        return self.per_token(1)

    def se(self, side: int) -> float:
        """Return the standard error of :meth:`per_token` over pairs (0 chosen, 1 rejected), NaN for fewer than two.

        Source: the linearised ratio estimator, W. G. Cochran, Sampling Techniques (1977), equation 6.13.
        """
        sums, tokens = self.sums[:, side].double(), self.tokens[:, side].double()
        pairs = len(sums)
        if pairs < 2 or float(tokens.sum()) == 0:
            return math.nan
        residuals = sums - self.per_token(side) * tokens
        return math.sqrt(pairs / (pairs - 1) * float(residuals @ residuals)) / float(tokens.sum())

    def joined(self, other: TokenKl) -> TokenKl:
        """Return the KL of the pairs of both, so that a probe can be measured a few pairs at a time."""
        return TokenKl(torch.cat([self.sums, other.sums]), torch.cat([self.tokens, other.tokens]))


def token_kl(
    policy: HiddenRows,
    reference: HiddenRows,
    pairs: int,
    policy_logits: Logits,
    reference_logits: Logits | None = None,
    *,
    tile: int = DEFAULT_TILE,
) -> TokenKl:
    """Return the exact token KL of each response.

    Args:
        policy: hidden rows of the policy.
        reference: hidden rows of the reference on the same tokens, in the same order.
        pairs: number of pairs the owners count up to.
        policy_logits: the policy's head.
        reference_logits: the reference's head; the policy's when None.
        tile: rows computed at once.

    Raises:
        ValueError: when the rows belong to different tokens.
    """
    if not torch.equal(policy.owner, reference.owner) or not torch.equal(policy.targets, reference.targets):
        raise ValueError("policy and reference rows belong to different tokens")
    rows = row_kl(policy.hidden, reference.hidden, policy_logits, reference_logits, tile=tile)
    owner = policy.owner.cpu()
    tokens = torch.bincount(owner, minlength=2 * pairs).view(pairs, 2)
    return TokenKl(_by_owner(rows.kl, owner, pairs), tokens)


@torch.no_grad()
def row_kl(
    policy_hidden: Tensor,
    reference_hidden: Tensor,
    policy_logits: Logits,
    reference_logits: Logits | None = None,
    *,
    targets: Tensor | None = None,
    entropies: bool = False,
    tile: int = DEFAULT_TILE,
) -> RowKl:
    """Return the KL of every row, computed ``tile`` rows at a time.

    Args:
        policy_hidden: (rows, width) final hidden states of the policy.
        reference_hidden: (rows, width) of the reference.
        policy_logits: the policy's head.
        reference_logits: the reference's head; the policy's when None.
        targets: (rows,) tokens whose log-ratio is computed too.
        entropies: compute the entropy of both distributions too.
        tile: rows computed at once.
    """
    reference_logits = reference_logits or policy_logits
    kls: list[Tensor] = []
    ratios: list[Tensor] = []
    spreads: list[Tensor] = []
    for start in range(0, policy_hidden.shape[0], tile):
        rows = slice(start, start + tile)
        log_pi = _log_softmax(policy_logits(policy_hidden[rows]))
        log_ref = _log_softmax(reference_logits(reference_hidden[rows]))
        if targets is not None:
            at = targets[rows, None]
            ratios.append((log_pi.gather(1, at).cpu().double() - log_ref.gather(1, at).cpu().double()).squeeze(1))
        if entropies:
            spreads.append(torch.stack([row_entropy(log_pi).cpu(), row_entropy(log_ref).cpu()], dim=1))
        kls.append(distribution_kl(log_pi, log_ref).cpu())
    both = (torch.cat(spreads) if spreads else torch.zeros(0, 2, dtype=torch.float64)) if entropies else None
    return RowKl(_join(kls), _join(ratios) if targets is not None else None, both)


def row_entropy(log_p: Tensor) -> Tensor:
    """Return the entropy of each row of log-probabilities (rows, vocabulary), float64, nats."""
    return _sum_rows(torch.special.entr(log_p.exp()))


def distribution_kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return KL(p || q) of each row of log-probabilities (rows, vocabulary), float64 and never negative.

    Equal rows give exactly 0. A token that q excludes (-inf) and p does not makes the row infinite.
    """
    d = log_q - log_p
    # NaN fails the comparison too, so a log-prob of -inf on either side takes the second branch.
    if bool((d.abs().amax() <= _EXP_SAFE) if d.numel() else True):
        terms = torch.expm1(d).sub_(d).mul_(log_p.exp())
    else:
        p, q = log_p.exp(), log_q.exp()
        terms = torch.where(d > 1, q - p - p * d, p * (torch.expm1(d.clamp_max(1)) - d))
        terms = torch.where(p == 0, q, terms)
    return _sum_rows(terms.clamp_min_(0))


def heads_of(pair: PolicyAndReference) -> tuple[Logits, Logits]:
    """Return the heads of policy and reference as functions of hidden rows.

    A plain linear head that both share is read once. A head that is adapted or quantised is called within the
    reference's context, where it computes the reference.
    """
    policy = HeadSpec.from_model(pair.model)
    with pair.reference() as model:
        reference = HeadSpec.from_model(model)
    if reference.module is None:
        return policy.logits, reference.logits

    def reference_logits(hidden: Tensor) -> Tensor:
        with pair.reference() as model:
            return HeadSpec.from_model(model).logits(hidden)

    return policy.logits, reference_logits


def _log_softmax(logits: Tensor) -> Tensor:
    wide = logits if logits.dtype == torch.float64 else logits.float()
    return torch.log_softmax(wide, dim=-1)


def _sum_rows(terms: Tensor) -> Tensor:
    """Sum over the vocabulary in float64, except on Apple's GPU, which has none."""
    if terms.device.type == "mps":
        return terms.sum(dim=-1).cpu().double()
    return terms.sum(dim=-1, dtype=torch.float64)


def _by_owner(values: Tensor, owner: Tensor, pairs: int) -> Tensor:
    sums = torch.zeros(2 * pairs, dtype=torch.float64)
    return sums.index_add_(0, owner, values).view(pairs, 2)


def _join(parts: list[Tensor]) -> Tensor:
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)


def _ratio(sums: Tensor, counts: Tensor) -> float:
    total = int(counts.sum())
    return float(sums.sum()) / total if total else math.nan
