"""The objective of scored pairs: losses, the gradient by each log-prob, and the rows of the ledger.

It is computed on the CPU in float64, from a few numbers a response, whatever dtype the model has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.domain.run_config import RunConfig
from core.domain.run_events import PairMetrics
from core.training.forward.scorer import Scores, TokenWeights, sum_logps
from core.training.losses import (
    LossInputs,
    evaluate,
    gradient_to_logps,
    gradient_weight,
    length_weights,
    likelihood_lengths,
    wpo_weights,
)
from core.training.reference.cache import TokenLogps
from core.training.text.encoded_pair import EncodedPair


@dataclass(slots=True)
class PairLosses:
    """The losses of some pairs.

    Attributes:
        gradient: (n, 2) float64, d loss_i / d logp of chosen and rejected.
        rewards: (reward of chosen, reward of rejected) of each pair, in the order of ``rows``.
        terms: per-pair values of the parts of the loss that are plotted on their own.
    """

    gradient: Tensor
    rows: list[PairMetrics]
    rewards: list[tuple[float, float]]
    terms: dict[str, list[float]] = field(default_factory=dict)

    def select(self, positions: Sequence[int]) -> PairLosses:
        """Return the values at ``positions``."""
        return PairLosses(
            self.gradient[list(positions)],
            [self.rows[i] for i in positions],
            [self.rewards[i] for i in positions],
            {name: [values[i] for i in positions] for name, values in self.terms.items()},
        )


class LossEvaluator:
    """Computes the losses of scored pairs against the cached reference.

    Args:
        config: the objective.
        fetch: returns the per-token reference log-probs of pairs by pair id, computing what is not cached.
    """

    def __init__(self, config: RunConfig, fetch: Callable[[Sequence[EncodedPair]], Mapping[str, TokenLogps]]) -> None:
        self.config = config
        self._fetch = fetch
        self._sums: dict[str, tuple[float, float]] = {}

    @property
    def token_weights(self) -> TokenWeights | None:
        """Returns the weight of each token's log-prob (LD-DPO); None where all are 1."""
        alpha = self.config.ld_alpha
        return None if alpha >= 1 else lambda pair: length_weights(pair, alpha)

    def reference_logps(self, pair: EncodedPair) -> tuple[float, float]:
        """Return the reference's log-prob sums of chosen and rejected in nats, with the objective's token weights."""
        if pair.pair_id not in self._sums:
            self.prepare([pair])
        return self._sums[pair.pair_id]

    def prepare(self, pairs: Sequence[EncodedPair]) -> None:
        """Sum the reference log-probs of ``pairs``, fetching all of them together."""
        new = [pair for pair in pairs if pair.pair_id not in self._sums]
        found = self._fetch(new) if new else {}
        for pair in new:
            weights = self.token_weights(pair) if self.token_weights else (None, None)
            chosen, rejected = found[pair.pair_id]
            self._sums[pair.pair_id] = sum_logps(chosen, weights[0]), sum_logps(rejected, weights[1])

    def forget_reference(self) -> None:
        """Drop all reference log-probs, because the reference has moved; the next use computes them again."""
        self._sums.clear()

    def reference_scores(self, pairs: Sequence[EncodedPair]) -> Scores:
        """Return the reference's scores of ``pairs`` in the form of a policy's, without statistics."""
        self.prepare(pairs)
        found = self._fetch(pairs)
        counts = [[len(side) for side in found[pair.pair_id]] for pair in pairs]
        sums = [self.reference_logps(pair) for pair in pairs]
        return Scores(torch.tensor(sums, dtype=torch.float64), torch.tensor(counts, dtype=torch.int64))

    def likelihood_lengths(self, pairs: Sequence[EncodedPair]) -> list[float]:
        """Return the divisors of the likelihood term for the pairs of one optimizer step."""
        return likelihood_lengths([pair.response_tokens()[0] for pair in pairs], self.config)

    def evaluate(
        self, pairs: Sequence[EncodedPair], scores: Scores, lengths: Sequence[float] | None = None
    ) -> PairLosses:
        """Return the losses of ``pairs`` for their ``scores``.

        Args:
            pairs: the pairs that were scored.
            scores: their scores as policy; ``wpo`` must be in them when the objective weights by it.
            lengths: :meth:`likelihood_lengths` of the whole step that these pairs belong to; None takes these alone.
        """
        self.prepare(pairs)
        policy = scores.logps.detach().cpu().double().requires_grad_()
        tokens = scores.tokens.cpu()
        batch = LossInputs.of(
            policy,
            torch.tensor([self.reference_logps(pair) for pair in pairs], dtype=torch.float64),
            tokens,
            target=torch.tensor([pair.target for pair in pairs], dtype=torch.float64),
            is_tie=torch.tensor([pair.is_tie for pair in pairs]),
            weight=torch.tensor([pair.weight for pair in pairs], dtype=torch.float64),
            nll_length=torch.tensor(lengths or self.likelihood_lengths(pairs), dtype=torch.float64),
        )
        wpo = None
        if self.config.wpo:
            if scores.wpo is None:
                raise ValueError("wpo weights need a scorer's statistics")
            wpo = wpo_weights(scores.wpo.cpu().double(), tokens)
        with torch.enable_grad():
            objective = evaluate(batch, self.config, wpo)
            gradient = gradient_to_logps(objective.losses, policy)
            pull = gradient_weight(batch, objective.preference, self.config)
        losses, terms = objective.losses.detach(), dict(objective.terms)
        if scores.router is not None:
            terms["router_loss"] = scores.router.detach().cpu().double().mean(dim=1)
            losses = losses + self.config.router_aux_loss * terms["router_loss"]
        columns = (
            losses.tolist(),
            policy.tolist(),
            batch.reference.tolist(),
            batch.h.tolist(),
            objective.margin.tolist(),
            pull.tolist(),
            tokens.tolist(),
        )
        rows = [
            PairMetrics(
                pair_id=pair.pair_id,
                loss=loss,
                logp_chosen=logp[0],
                logp_rejected=logp[1],
                ref_chosen=ref[0],
                ref_rejected=ref[1],
                h=h,
                margin=margin,
                weight=weight,
                tokens_chosen=count[0],
                tokens_rejected=count[1],
                truncated=pair.truncated,
            )
            for pair, loss, logp, ref, h, margin, weight, count in zip(pairs, *columns, strict=True)
        ]
        rewards = [(float(w), float(v)) for w, v in objective.rewards.tolist()]
        return PairLosses(gradient, rows, rewards, {name: term.tolist() for name, term in terms.items()})
