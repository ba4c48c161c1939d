"""Gradient norms of single pairs against autograd on the whole objective, written out again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import logsigmoid

from core.domain.errors import BadInput
from core.runs.folder import RunFolder
from core.runs.gradient_pass import GradientPass
from core.runs.pair_gradients import pair_gradients


def test_that_the_norm_of_each_pair_is_that_of_autograd_and_the_worst_pairs_are_named(trained_run: RunFolder) -> None:
    folder, config = trained_run, trained_run.record().config
    before = {path: path.read_bytes() for path in folder.path.rglob("*.safetensors")}
    found = pair_gradients(folder.path, worst=2, drawn=3)
    assert {path: path.read_bytes() for path in folder.path.rglob("*.safetensors")} == before
    run = GradientPass(folder, Path(folder.record().model_dir), 0)
    weights = list(run._model.trainable().values())
    pairs = {pair.pair_id: pair for pair in run.pairs}
    for one in found.pairs:
        pair = pairs[one.pair_id]
        with torch.no_grad():
            reference = run._scorer.score([pair], policy=False, stats=False).logps.double()
        policy = run._scorer.score([pair], stats=False).logps.double()
        z = config.beta * ((policy - reference)[0, 0] - (policy - reference)[0, 1])
        slopes = torch.autograd.grad(-logsigmoid(z), weights, allow_unused=True)
        by_hand = torch.stack([g.double().norm() for g in slopes if g is not None]).norm().item()
        assert one.norm == pytest.approx(by_hand, rel=1e-4) and one.norm > 0
        assert one.weight == pytest.approx(torch.sigmoid(-z).item(), abs=1e-6)
    assert [one.is_worst for one in found.pairs[:2]] == [True, True]
    assert found.mean.n == 3 and found.weights == sum(one.numel() for one in weights)
    assert found.mean.estimator.startswith("mean L2 norm") and found.mean.unit == "nats"
    json.dumps(found.to_plain(), allow_nan=False)
    with pytest.raises(BadInput, match="2 to 512 drawn ones"):
        pair_gradients(folder.path, drawn=1)
