"""The truth gate's check that a gradient reaches what should train, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from core.domain.counting import counted
from core.domain.errors import GateFailed
from core.generation.footprint import trim_heap
from core.training.forward.scorer import Scorer
from core.training.parallel.fsdp import whole
from core.training.policy.model import LoadedModel
from core.training.text.encoded_pair import EncodedPair


def check_gradients(model: LoadedModel, pairs: Sequence[EncodedPair], scorer: Scorer) -> str:
    """Require that a gradient reaches every tensor that should train, and no other.

    With B = 0 the gradient of A is exactly zero in the first step; it must exist, and that of B be non-zero. On an
    embedding it is the other way round: PEFT starts with A = 0 there.
    """
    trainable = model.trainable()
    if not trainable:
        raise _frozen("No weight of the model is set to train")
    model.model.zero_grad(set_to_none=True)
    try:
        with torch.enable_grad():
            for pair in sorted(pairs, key=lambda p: p.length)[
                :2
            ]:  # one by one, to stay within the memory of one micro-batch
                trim_heap()
                logps = scorer.score([pair], stats=False).logps
                if not logps.requires_grad:
                    raise _frozen("The log-probs do not depend on any weight that trains")
                (logps[:, 0] - logps[:, 1]).sum().backward()
        missing = [name for name, p in trainable.items() if p.grad is None and not _waits_for_tokens(name)]
        if missing:
            raise _frozen(
                f"No gradient reaches {len(missing)} of {counted(len(trainable), 'tensor')} (the first is {missing[0]})"
            )
        still = [
            name
            for name, p in trainable.items()
            if not starts_without_gradient(name) and p.grad is not None and not whole(p.grad).any()
        ]
        if (model.is_peft and still) or len(still) == len(trainable):
            raise _still(still, len(trainable))
        norm = torch.stack(
            [whole(p.grad).double().norm().cpu() for p in trainable.values() if p.grad is not None]
        ).norm()
        leaking = [n for n, p in model.model.named_parameters() if not p.requires_grad and p.grad is not None]
        if leaking:
            raise GateFailed(
                f"A gradient reaches {len(leaking)} frozen weights (the first is {leaking[0]}).",
                "Load the model again; nothing was saved.",
                cause="base_changed",
            )
    finally:
        model.model.zero_grad(set_to_none=True)
    return f"a gradient reaches all {len(trainable)} trainable tensors, norm of h {float(norm):.3g}"


def starts_without_gradient(name: str) -> bool:
    """Return whether the named tensor of a fresh adapter has a partner that is zero, and so no gradient."""
    return ".lora_A." in name or ".lora_embedding_B." in name or _waits_for_tokens(name)


def _waits_for_tokens(name: str) -> bool:
    """Return whether the named tensor belongs to an expert, which may get none of the tokens of a few pairs."""
    return ".experts." in name


def _still(names: Sequence[str], trainable: int) -> GateFailed:
    """Return the refusal of tensors whose gradient is exactly zero: all that train, or some of them."""
    if len(names) == trainable:
        return _frozen(f"The gradient of all {counted(trainable, 'tensor')} is exactly zero (the first is {names[0]})")
    return GateFailed(
        f"The gradient of {len(names)} of {counted(trainable, 'tensor')} that should train is exactly zero (the first "
        f"is {names[0]}): they would stay as they are.",
        "Check lora_targets. If they are right, the model's own weights near these tensors are out of range, so that "
        "nothing passes: copy the model again from its origin, or try dtype=float32.",
        cause="frozen_adapter",
    )


def _frozen(what: str) -> GateFailed:
    return GateFailed(
        f"{what}, so the loss could not change.",
        "Check lora_targets and that the adapter is loaded as trainable.",
        cause="frozen_adapter",
    )
