"""Verifies that an export gives the logits of the trained policy on a few texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.domain.errors import ModelRefused

PROBES: tuple[str, ...] = (
    "The capital of France is",
    "Question: how do I check a bicycle chain?\nAnswer: First,",
    "0, 1, 1, 2, 3, 5, 8,",
    "naïve café – 漢字 🙂 \t end",
)
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-3, torch.bfloat16: 1.0, torch.float16: 0.25}
"""Largest accepted difference of one logit. Merging rounds W + BA once, which float32 shows in the fourth digit."""


@dataclass(frozen=True, slots=True)
class RunExport:
    """What was written and how close it is to the trained policy.

    Attributes:
        path: the folder. sha256: of its manifest.
        logits: how many were compared. max_difference: the largest between the two.
        same_top1: share of positions where both predict the same token.
    """

    path: Path
    sha256: str
    logits: int
    max_difference: float
    same_top1: float


def probe_ids(tokenizer: Any, probes: Sequence[str] = PROBES) -> list[list[int]]:
    """Return the probe texts as token ids."""
    return [ids for text in probes if (ids := tokenizer(text, add_special_tokens=False)["input_ids"])]


@torch.no_grad()
def all_logits(model: Any, texts: Sequence[list[int]]) -> list[Tensor]:
    """Return every logit of each text, (tokens, vocabulary) in the model's dtype on the CPU."""
    device = next(model.parameters()).device
    return [model(input_ids=torch.tensor([ids], device=device), use_cache=False).logits[0].cpu() for ids in texts]


def difference(expected: list[Tensor], found: list[Tensor], tolerance: float, what: str) -> tuple[int, float, float]:
    """Compare the logits of two models, as :func:`all_logits` returns them.

    Returns:
        How many were compared, the largest difference, and the share of positions with the same top token.

    Raises:
        ModelRefused: when one differs by more than ``tolerance``.
    """
    gap = max(float((a.double() - b.double()).abs().max()) for a, b in zip(expected, found, strict=True))
    same = torch.cat([a.argmax(-1) == b.argmax(-1) for a, b in zip(expected, found, strict=True)])
    if not gap <= tolerance:
        raise ModelRefused(
            f"{what} differs from the trained policy by up to {gap:.3g} in a logit; it was not kept.",
            "Export again in float32. If it stays, the base folder has changed since the training.",
        )
    return sum(a.numel() for a in expected), gap, float(same.double().mean())
