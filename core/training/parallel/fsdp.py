"""Full fine-tuning in several processes: weights, gradients and optimizer state in shards (FSDP2).

Between two uses every process holds 1/N of each weight, of its gradient and of AdamW's moments: 16 bytes a
parameter in float32 become 16/N. A decoder layer is put together for the length of its own forward and backward.
Gradients are added up over processes, never averaged, since each pair's share was divided by the pairs of the
whole step before it went backward.

Gathering weights needs every process, so all of them must call the policy equally often: a step is cut into as many
passes on each (:class:`core.training.steps.gradient.GradientAccumulator`), and what only the first process does
(probes, writing files) happens while every process holds the whole weights (:meth:`Sharded.whole`).

The reference is not sharded: the weights of the folder are read by each process when they are needed and freed
when the reference log-probs are known. So a process must have room for the weights twice before the first step.
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
    """Return the whole of a tensor that is held in shards, and any other as it is. Every process must call it."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor  # type: ignore[operator]


def sharded_like(parameter: Tensor, value: Tensor) -> Tensor:
    """Return ``value``, which every process holds whole, in the shards that ``parameter`` is held in."""
    placements = getattr(parameter, "placements", None)
    if placements is None or value.shape != parameter.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    mesh = parameter.device_mesh  # type: ignore[attr-defined]
    return distribute_tensor(value.to(parameter.device), mesh, placements, src_data_rank=None)


class _Root(nn.Module):
    """The outermost sharded module: a call through it finds embedding, last norm and head put together."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base

    def forward(self, call: Callable[[], tuple[Tensor | None, T]]) -> tuple[Tensor | None, T]:
        """Return what ``call`` does: a tensor to go backward from, and anything else."""
        return call()


class Sharded:
    """A policy whose weights all train and are held in shards. Every process makes one, at the same point."""

    def __init__(self, model: LoadedModel, processes: int) -> None:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

        self._base = model.base
        self._stored = frozenset(model.base.state_dict())
        mesh = init_device_mesh(model.device.type, (processes,))
        policy = MixedPrecisionPolicy(reduce_dtype=torch.float32 if model.dtype.itemsize < 4 else None)
        layers: list[Any] = [fully_shard(m, mesh=mesh, mp_policy=policy) for m in decoder_layers(model.base)]
        self._root: Any = fully_shard(_Root(model.base), mesh=mesh, mp_policy=policy)
        # By default what is fetched ahead follows the calls since the last backward pass, and the first process,
        # which probes alone, makes more of them: all would then wait for each other.
        for part, ahead in pairwise([layers[0], *layers, self._root] if layers else []):
            ahead.set_modules_to_backward_prefetch([part])
        self._parts = [m for m in self._root.modules() if hasattr(m, "set_gradient_divide_factor")]
        for part in self._parts:
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)
        self.is_whole = False
        with torch.no_grad():
            self.call(lambda: (None, None))  # the outermost module must be the first to be called

    def call(self, call: Callable[[], tuple[Tensor | None, T]]) -> T:
        """Run ``call``, which computes with the policy, in step with all other processes."""
        if self.is_whole:
            return call()[1]
        tensor, value = self._root(call)
        if tensor is None or not tensor.requires_grad:
            self._root.reshard()  # otherwise kept whole until it went backward
        return value

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Hold all weights together in every process for the length of the context, so that one may work alone."""
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
        """Return what a file of the model holds, while it is whole (the model's own would put it in shards again)."""
        tensors = [*self._base.named_parameters(remove_duplicate=False), *self._base.named_buffers()]
        return {name: tensor.detach() for name, tensor in tensors if name in self._stored}


def decoder_layers(base: Any) -> list[nn.Module]:
    """Return the repeated layers of a transformers decoder: the outermost, longest list of modules in it."""
    lists = [
        (-name.count("."), len(m), m) for name, m in base.get_decoder().named_modules() if type(m) is nn.ModuleList
    ]
    return list(max(lists, key=lambda found: found[:2])[2]) if lists else []


class ShardedScorer:
    """Keeps :class:`core.training.forward.scorer.Scorer` with a sharded policy; one call of the decoder a pass."""

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
        """Score ``pairs``; as policy in step with the other processes, as reference alone."""

        def call() -> tuple[Tensor, Scores]:
            scores = self._scorer.score(pairs, token_weights=token_weights, stats=stats)
            scores.logps = scores.logps.clone()  # hooks on a view are lost when it is changed in place
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
        """Put all pairs of a pass into one sequence, so that processes with more pairs do not call more often."""
        if not isinstance(self._scorer, PrefixSharedScorer) or self._sharded.is_whole:
            yield
            return
        before, self._scorer.pack_tokens = self._scorer.pack_tokens, sys.maxsize
        try:
            yield
        finally:
            self._scorer.pack_tokens = before
