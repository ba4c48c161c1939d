"""DPO written out in the plainest way: one unpadded row a call, the model's own logits, torch's AdamW.

What a run prints as its step losses must be these numbers, whatever forward pass it took.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import logsigmoid

from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.training.policy.model import load_model
from core.training.steps.data_order import DataOrder
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import encode_pairs
from tests.core.training.forward.scorer_twin import twin_logps

PLAIN = RunConfig(
    steps=3, batch_size=2, lr=1e-2, warmup=0.0, scheduler="constant", clip=0.0, lora_r=2, lora_alpha=4.0,
    device="cpu", threads=1, eval_every=0, kl_every=0, sample_every=0, checkpoint_every=0,
)  # fmt: skip


def plain_losses(model_dir: Path, config: RunConfig, pairs: Sequence[TrainingPair]) -> list[float]:
    """Return the loss of each step of a sigmoid run with the settings of ``PLAIN`` but for length, rank and seed."""
    model = load_model(model_dir, config)
    train = [pair for pair in pairs if pair.split == "train"]
    encoded, _ = encode_pairs(train, model.tokenizer, config)
    with torch.no_grad(), model.reference() as reference:
        forget = rope_restorer(reference)
        known = [h_of(reference, pair, forget) for pair in encoded]
    forget = rope_restorer(model.model)
    order = DataOrder(len(encoded), config)
    optimizer = torch.optim.AdamW(
        list(model.trainable().values()), lr=config.lr, betas=(config.adam_beta1, config.adam_beta2),
        eps=config.adam_eps, weight_decay=config.weight_decay,
    )  # fmt: skip
    losses = []
    for step in range(1, config.steps + 1):
        optimizer.zero_grad()
        batch = order.batch(step)
        loss = torch.stack(
            [-logsigmoid(config.beta * (h_of(model.model, encoded[i], forget) - known[i])) for i in batch]
        ).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def h_of(model: Any, pair: EncodedPair, forget: Callable[[], None]) -> torch.Tensor:
    """Log-prob of chosen minus that of rejected; ``forget`` is called before each of the two rows."""
    sums = []
    for side in ("chosen", "rejected"):
        forget()
        one = pair if side == "chosen" else replace(pair, chosen_ids=pair.rejected_ids, chosen_mask=pair.rejected_mask)
        sums.append(twin_logps(model, replace(one, rejected_ids=(), rejected_mask=()))[0].sum())
    return sums[0] - sums[1]


def rope_restorer(model: Any) -> Callable[[], None]:
    """Return a function that puts every rotary module of the model back to a copy made now."""
    places = [
        (module, name, deepcopy(child))
        for module in model.modules()
        for name, child in module.named_children()
        if hasattr(child, "inv_freq")
    ]

    def restore() -> None:
        for module, name, saved in places:
            setattr(module, name, deepcopy(saved))

    return restore
