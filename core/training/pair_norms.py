"""The norm of the gradient of single pairs: one forward and one backward pass for each, weights unchanged.

Source of what it shows: the gradient of DPO, Rafailov et al. 2023, arXiv 2305.18290, section 4: a pair pulls with
beta * s(-z) times the difference of the gradients of both log-probs; its weight alone leaves the second factor out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from core.domain.run_events import PairMetrics
from core.training.forward.scorer import Scorer
from core.training.losses.evaluate_pairs import LossEvaluator
from core.training.policy.model import LoadedModel
from core.training.text.encoded_pair import EncodedPair


def pair_norms(
    model: LoadedModel, scorer: Scorer, evaluator: LossEvaluator, pairs: Sequence[EncodedPair]
) -> Iterator[tuple[PairMetrics, float]]:
    """Yield of each pair what the ledger would hold, and the L2 norm of the gradient of its loss.

    The gradient is by the trainable weights of ``model``, for an adapter those of the adapter alone. No weight changes.

    Args:
        model: policy and reference.
        scorer: of the model.
        evaluator: of the run's objective.
        pairs: each is a step of its own.
    """
    weights = list(model.trainable().values())
    for pair in pairs:
        model.model.zero_grad(set_to_none=True)
        try:
            with torch.enable_grad():
                scores = scorer.score([pair], token_weights=evaluator.token_weights, stats=evaluator.config.wpo)
                losses = evaluator.evaluate([pair], scores)
                scores.logps.backward(losses.gradient.to(scores.logps))
            squares = [one.grad.double().square().sum().item() for one in weights if one.grad is not None]
        finally:
            model.model.zero_grad(set_to_none=True)
        yield losses.rows[0], sum(squares) ** 0.5
