"""The inputs of a loss: log-probs, lengths and labels of a batch of pairs, without models or tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.training.losses.divergences import score_of


@dataclass(frozen=True, slots=True)
class LossInputs:
    """The numbers of ``n`` pairs; in two-column tensors column 0 is chosen, column 1 rejected.

    Attributes:
        policy: (n, 2) log-prob sums of the policy in nats; the only tensor that may carry a gradient.
        reference: (n, 2) log-prob sums of the reference, summed with the same token weights.
        tokens: (n, 2) response tokens, EOS included, as floats of the same dtype.
        target: (n,) probability that chosen is better, 1 for a hard label.
        is_tie: (n,) bool, the reviewers called it a tie.
        weight: (n,) factor on the pair's loss.
        nll_length: (n,) what the chosen log-prob is divided by in an added likelihood term.
    """

    policy: Tensor
    reference: Tensor
    tokens: Tensor
    target: Tensor
    is_tie: Tensor
    weight: Tensor
    nll_length: Tensor

    @classmethod
    def of(
        cls,
        policy: Tensor,
        reference: Tensor,
        tokens: Tensor,
        *,
        target: Tensor | None = None,
        is_tie: Tensor | None = None,
        weight: Tensor | None = None,
        nll_length: Tensor | None = None,
    ) -> LossInputs:
        """Return the inputs; what is None is filled in for hard, unweighted labels without ties."""
        counts = tokens.to(policy.dtype)
        ones = torch.ones_like(policy[:, 0].detach())
        return cls(
            policy=policy,
            reference=reference.to(policy.dtype),
            tokens=counts,
            target=ones if target is None else target.to(policy.dtype),
            is_tie=torch.zeros_like(ones, dtype=torch.bool) if is_tie is None else is_tie,
            weight=ones if weight is None else weight.to(policy.dtype),
            nll_length=counts[:, 0] if nll_length is None else nll_length.to(policy.dtype),
        )

    @property
    def chosen(self) -> Tensor:
        """(n,) log-ratio of the chosen response, log pi - log ref, in nats."""
        return self.policy[:, 0] - self.reference[:, 0]

    @property
    def rejected(self) -> Tensor:
        """(n,) log-ratio of the rejected response in nats."""
        return self.policy[:, 1] - self.reference[:, 1]

    @property
    def h(self) -> Tensor:
        """(n,) chosen log-ratio minus rejected log-ratio: the margin before beta, in nats."""
        return self.chosen - self.rejected

    @property
    def h_per_token(self) -> Tensor:
        """(n,) the same difference with each log-ratio divided by its number of tokens."""
        lengths = self.tokens.clamp(min=1)
        return self.chosen / lengths[:, 0] - self.rejected / lengths[:, 1]

    @property
    def mean_logp(self) -> Tensor:
        """(n, 2) the policy's log-prob per token."""
        return self.policy / self.tokens.clamp(min=1)

    def under(self, divergence: str, alpha: float) -> LossInputs:
        """Return the same pairs with each log-ratio replaced by the f'(u) of another divergence."""
        if divergence == "reverse_kl":
            return self
        return replace(self, policy=self.reference + score_of(self.policy - self.reference, divergence, alpha))

    def swapped(self) -> LossInputs:
        """Return the same pairs with the label the other way round."""
        return replace(self, policy=self.policy.flip(1), reference=self.reference.flip(1), tokens=self.tokens.flip(1))
