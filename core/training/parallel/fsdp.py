"""Full fine-tuning in several processes: weights, gradients and optimizer state in shards (FSDP2).

Between two uses every process holds 1/N of each weight, of its gradient and of AdamW's moments: 16 bytes a
parameter in float32 become 16/N. A decoder layer is gathered for its own forward and backward pass.
Gradients are summed over processes, not averaged, because each pair's gradient is divided by the pairs of the whole
step before the backward pass.

Gathering weights needs every process, so all of them must call the policy equally often: a step is cut into as many
passes on each (:class:`core.training.steps.gradient.GradientAccumulator`), and what only the first process does
(probes, writing files) happens while every process holds the whole weights (:meth:`Sharded.whole`).

The reference is not sharded: each process reads the weights of the folder when it needs them and frees them when the
reference log-probs are computed. A process therefore needs memory for the weights twice before the first step.
Source: Zhao et al. 2023 (arXiv 2304.11277); ``torch.distributed.fsdp.fully_shard``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from core.training.forward.prefix_shared import PrefixSharedScorer
from core.training.forward.scorer import ResponseHidden, Scorer, Scores, TokenWeights
from core.training.policy.model import LoadedModel
from core.training.text.encoded_pair import EncodedPair

T = TypeVar("T")


def is_sharded(tensor: Tensor) -> bool:
    """Return whether this process holds only a part of ``tensor``."""
    return hasattr(tensor, "full_tensor")


def whole(tensor: Tensor) -> Tensor:
    """Return the whole tensor of a sharded one, and any other unchanged. Every process must call it."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor  # type: ignore[operator]


def sharded_like(parameter: Tensor, value: Tensor) -> Tensor:
    """Return ``value``, which every process holds whole, sharded like ``parameter``."""
    placements = getattr(parameter, "placements", None)
    if placements is None or value.shape != parameter.shape:
        return value
    # Imported here: it takes 0.6 s, and only a run in several processes needs it.
    from torch.distributed.tensor import distribute_tensor

    mesh = parameter.device_mesh  # type: ignore[attr-defined]
    return distribute_tensor(value.to(parameter.device), mesh, placements, src_data_rank=None)


class _Root(nn.Module):
    """The outermost sharded module: within its call embedding, last norm and head are gathered."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base

    def forward(self, call: Callable[[], tuple[Tensor | None, T]]) -> tuple[Tensor | None, T]:
        """Return the result of ``call``: a tensor for the backward pass, and any other value."""
        return call()


class Sharded:
    """A sharded policy whose weights all train. Every process creates one, at the same point of the run."""

    def __init__(self, model: LoadedModel, processes: int) -> None:
        # Imported here: they take 0.6 s, and only a run in several processes needs them.
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

        self._base = model.base
        self._stored = frozenset(model.base.state_dict())
        mesh = init_device_mesh(model.device.type, (processes,))
        policy = MixedPrecisionPolicy(reduce_dtype=torch.float32 if model.dtype.itemsize < 4 else None)
        layers: list[Any] = [fully_shard(m, mesh=mesh, mp_policy=policy) for m in decoder_layers(model.base)]
        self._root: Any = fully_shard(_Root(model.base), mesh=mesh, mp_policy=policy)
        # By default prefetching follows the calls since the last backward pass. The first process makes more of them,
        # because it probes alone, so the processes would wait for each other.
        for part, ahead in pairwise([layers[0], *layers, self._root] if layers else []):
            ahead.set_modules_to_backward_prefetch([part])
        self._parts = [m for m in self._root.modules() if hasattr(m, "set_gradient_divide_factor")]
        for part in self._parts:
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)
        self.is_whole = False
        with torch.no_grad():
            self.call(lambda: (None, None))  # the outermost module must be called first

    def call(self, call: Callable[[], tuple[Tensor | None, T]]) -> T:
        """Run ``call``, which computes with the policy, together with all other processes."""
        if self.is_whole:
            return call()[1]
        tensor, value = self._root(call)
        if tensor is None or not tensor.requires_grad:
            self._root.reshard()  # otherwise it stays gathered until a backward pass
        return value

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Gather all weights in every process within the context, so that one process can work alone."""
        self._root.set_reshard_after_forward(False)
        for part in self._parts:
            part.unshard()
        self.is_whole = True
        try:
            yield
        finally:
            self.is_whole = False
            self._root.set_reshard_after_forward(True)
            self._root.set_reshard_after_forward(False, recurse=False)
            for part in self._parts:
                part.reshard()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the tensors of a model file while the model is gathered; the model's method would shard it again."""
        tensors = [*self._base.named_parameters(remove_duplicate=False), *self._base.named_buffers()]
        return {name: tensor.detach() for name, tensor in tensors if name in self._stored}


def decoder_layers(base: Any) -> list[nn.Module]:
    """Return the repeated layers of a transformers decoder: the outermost, longest list of modules in it."""
    lists = [
        (-name.count("."), len(m), m) for name, m in base.get_decoder().named_modules() if type(m) is nn.ModuleList
    ]
    return list(max(lists, key=lambda found: found[:2])[2]) if lists else []


class ShardedScorer:
    """Implements :class:`core.training.forward.scorer.Scorer` with a sharded policy; calls the decoder once a pass."""

    def __init__(self, scorer: Scorer, sharded: Sharded) -> None:
        self._scorer = scorer
        self._sharded = sharded
        self.name = scorer.name
        self.kernel_id = scorer.kernel_id

    def score(
        self,
        pairs: Sequence[EncodedPair],
        *,
        policy: bool = True,
        token_weights: TokenWeights | None = None,
        stats: bool = True,
    ) -> Scores:
        """Score ``pairs``: as policy together with the other processes, as reference alone."""

        def call() -> tuple[Tensor, Scores]:
            scores = self._scorer.score(pairs, token_weights=token_weights, stats=stats)
            scores.logps = scores.logps.clone()  # hooks on a view are lost when the view is changed in place
            return scores.logps, scores

        if not policy:
            return self._scorer.score(pairs, policy=False, token_weights=token_weights, stats=stats)
        with self._one_call():
            return self._sharded.call(call)

    def response_hidden(self, pairs: Sequence[EncodedPair], *, policy: bool = True) -> ResponseHidden:
        """Return hidden states of all response positions, without grad."""

        def call() -> tuple[None, ResponseHidden]:
            return None, self._scorer.response_hidden(pairs)

        if not policy:
            return self._scorer.response_hidden(pairs, policy=False)
        with self._one_call():
            return self._sharded.call(call)

    @contextmanager
    def _one_call(self) -> Iterator[None]:
        """Pack all pairs of a pass into one sequence, so that every process calls the decoder once."""
        if not isinstance(self._scorer, PrefixSharedScorer) or self._sharded.is_whole:
            yield
            return
        before, self._scorer.pack_tokens = self._scorer.pack_tokens, sys.maxsize
        try:
            yield
        finally:
            self._scorer.pack_tokens = before
