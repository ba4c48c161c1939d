"""TR-DPO: a reference that moves towards the policy; off unless ``ref_refresh_every`` is set.

After every ``ref_refresh_every`` optimizer steps the reference adapter becomes
``mix * policy + (1 - mix) * reference``, tensor by tensor; mix = 1 copies the policy bit for bit. It moves after
the probes of that step, which therefore measure against the reference of that step, and not after the last step.
Gorbatovski et al. 2024 (arXiv 2404.09656), who recommend mix 0.6 every 512 steps. The tensors
that train, A and B, are mixed each on their own, as the paper mixes the weights it trains; up to a term of second
order in their difference this mixes the product B A.

After a move h, margin, KL and a KL budget measure the distance to the moved reference, so they fall there.
Log-probs of a reference that moves are neither read from the cache nor stored in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from core.domain.run_config import RunConfig
from core.training.forward.scorer import Scorer
from core.training.policy import adapters
from core.training.policy.model import LoadedModel
from core.training.reference.cache import TokenLogps
from core.training.text.encoded_pair import EncodedPair


def is_due(config: RunConfig, step: int) -> bool:
    """Return whether the reference moves after optimizer step ``step``."""
    return config.ref_refresh_every > 0 and step % config.ref_refresh_every == 0


def refresh(model: LoadedModel, mix: float) -> None:
    """Move the reference adapter by the share ``mix`` of the way to the policy's."""
    policy = adapters.adapter_tensors(model.model)
    with torch.no_grad():
        for name, tensor in reference_tensors(model).items():
            tensor.lerp_(policy[adapters.policy_name(name)], mix)


def reference_tensors(model: LoadedModel) -> dict[str, Tensor]:
    """Return the tensors of the reference adapter by name."""
    return {n: t.detach() for n, t in adapters.adapter_tensors(model.model, adapters.REFERENCE).items()}


def restore(model: LoadedModel, stored: dict[str, Tensor]) -> None:
    """Copy the reference of a checkpoint into the model.

    Raises:
        KeyError: when its tensors are not those of this model.
    """
    tensors = reference_tensors(model)
    if different := sorted(stored.keys() ^ tensors.keys()):
        raise KeyError(different[0])
    for name, tensor in tensors.items():
        tensor.copy_(stored[name])


class LiveReference:
    """Computes reference log-probs on each request, without a cache.

    Args:
        scorer: the forward pass of the run.
        batch: pairs of a forward pass; 1 makes each pair's numbers independent of all others.
    """

    def __init__(self, scorer: Scorer, batch: int) -> None:
        self._scorer = scorer
        self._batch = batch

    def fetch(self, encoded: Sequence[EncodedPair]) -> dict[str, TokenLogps]:
        """Return the log-probs of every pair under the reference as it is now, by pair id."""
        found: dict[str, TokenLogps] = {}
        for start in range(0, len(encoded), self._batch):
            part = encoded[start : start + self._batch]
            scores = self._scorer.score(part, policy=False, stats=False)
            for pair, (chosen, rejected) in zip(part, scores.token_logps, strict=True):
                found[pair.pair_id] = chosen.detach().cpu().clone(), rejected.detach().cpu().clone()
        return found
