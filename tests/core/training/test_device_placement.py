"""Every piece of a run makes its tensors on the device of the weights, as a card demands.

The model lies on torch's meta device, whose tensors have shapes and no numbers; an operation that mixes them with
tensors of the CPU raises, as on CUDA. Numbers that leave the device become zeros. (torch's fake CUDA tensors cannot be
indexed on a build without CUDA.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from core.domain.run_config import RunConfig
from core.runs.hosting.probes import StandardProbe
from core.training.control_protocol import NoControl
from core.training.forward.padded import PaddedScorer
from core.training.forward.prefix_shared import PrefixSharedScorer
from core.training.gate.gradient_checks import check_gradients
from core.training.gate.run import check_repeatable
from core.training.parallel.process_group import ProcessGroup
from core.training.policy.model import LoadedModel, load_model
from core.training.reference.cache import ReferenceCache, ReferenceIdentity
from core.training.steps.gradient import GradientAccumulator
from core.training.steps.interrupts import Interrupts
from core.training.steps.master_weights import master_values
from core.training.steps.micro_batches import MicroBatches
from core.training.steps.optimizer import clip_gradients, make_optimizer, optimizer_tensors
from core.training.steps.session import TrainSession
from core.training.text.tokenise import encode_pairs
from tests.tiny_models import tiny_pairs

ATEN = torch.ops.aten
MAY_MIX = (ATEN.copy_.default, ATEN._to_copy.default, ATEN.index.Tensor, ATEN.index_put_.default)
"""What CUDA computes with tensors of the CPU: copies, and an index from there."""
SETTINGS = {"lora_r": 2, "lora_alpha": 4, "device": "cpu", "batch_size": 4, "micro_batch": 2, "probe_pairs": 2}
LOOKS = {"kl_max_new_tokens": 3, "kl_prompts": 2}


class Card(TorchDispatchMode):
    """Answers what asks a tensor of the meta device for its numbers; all else is left to torch.

    Attributes:
        truth: what a boolean is.
    """

    truth = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        is_meta = [a.device.type == "meta" for a in args if isinstance(a, torch.Tensor)]
        if func is ATEN._local_scalar_dense.default and is_meta[0]:
            kind = args[0].dtype
            return self.truth if kind is torch.bool else 0.5 if kind.is_floating_point else 1
        if func in (ATEN.equal.default, ATEN.allclose.default) and any(is_meta):
            assert all(is_meta), "two devices"
            return True
        leaves = str(kwargs.get("device", "meta")) == "cpu"
        if func is ATEN._to_copy.default and is_meta[0] and leaves:
            return torch.zeros(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
        if func is ATEN.copy_.default and is_meta == [False, True]:
            return args[0].zero_()
        places = {t.device.type for t in tree_leaves(args) if isinstance(t, torch.Tensor) and t.ndim}
        assert len(places) < 2 or func in MAY_MIX, f"two devices in {func}"
        return func(*args, **kwargs)


def session_on_card(folder: Path, build: Callable[[LoadedModel], Any], **changes: Any) -> TrainSession:
    """A run's session whose model lies on the meta device."""
    config = RunConfig().with_values({**SETTINGS, **LOOKS, **changes})
    model = load_model(folder, config)
    pairs = [replace(pair, split="dev" if i > 5 else "train") for i, pair in enumerate(tiny_pairs(8))]
    encoded, _ = encode_pairs(pairs, model.tokenizer, config)
    model.model.to("meta")
    model.device = torch.device("meta")
    scorer = build(model)
    cache = ReferenceCache(None, ReferenceIdentity.of(model, scorer))
    return TrainSession(config, model, scorer, pairs, encoded, partial(cache.fetch, scorer=scorer), None, cache)


@pytest.mark.parametrize(
    ("build", "changes"),
    [
        (PrefixSharedScorer, {}),
        pytest.param(PaddedScorer, {}, marks=pytest.mark.slow),
        pytest.param(PaddedScorer, {"lora_r": 0, "dtype": "bfloat16"}, marks=pytest.mark.slow),
    ],
    ids=["shared", "separate", "all-weights-bfloat16"],
)
def test_that_reference_step_optimizer_probe_kl_samples_and_gate_stay_on_the_device(
    tiny_llama_dir: Path, build: Callable[[LoadedModel], Any], changes: dict[str, Any]
) -> None:
    with Card() as card:
        session = session_on_card(tiny_llama_dir, build, **changes)
        model, scorer = session.model, session.scorer
        if changes:
            model._copy = model.model  # the frozen copy would be read from its file
        encoded = list(session.encoded.values())
        train = [session.encoded[pair_id] for pair_id in session.train_ids]
        assert session.cache
        assert list(session.cache.fill(encoded, scorer, batch=4))[-1] == (8, 8)
        trainable = model.trainable()
        optimizer = make_optimizer(session.config, trainable, master_values(model, trainable))
        micro = MicroBatches.choose(session.config, scorer.name, "cuda")
        steps = GradientAccumulator(session, micro, Interrupts(NoControl()), ProcessGroup())
        assert list(steps.run(1, train[:4])) == []
        assert {p.grad.device.type for p in trainable.values() if p.grad is not None} == {"meta"}
        assert clip_gradients(trainable, 1.0) == 0.5
        optimizer.step()
        steps.clear()
        moments = {name: t.device.type for name, t in optimizer_tensors(optimizer, trainable).items()}
        assert {device for name, device in moments.items() if not name.endswith("step")} == {"meta"}
        events = [event.event for event in StandardProbe().run(session, 1, last=True)]
        assert (events.count("eval"), events.count("kl"), events.count("sample")) == (2, 1, 4)
        assert "a second pass is the same" in check_repeatable(train, scorer)
        card.truth = True
        assert f"all {len(trainable)} trainable tensors" in check_gradients(model, train, scorer)


def test_that_a_tensor_left_on_the_cpu_would_be_found() -> None:
    weights, left = torch.zeros(2, 2, device="meta"), torch.ones(2, 2)
    for mixed in (torch.matmul, torch.add, torch.equal, lambda a, b: a.index_select(0, b[0].long())):
        with Card(), pytest.raises(AssertionError, match="two devices"):
            mixed(weights, left)
