"""What every scorer must equal: each response by itself, full logits, no padding, nothing shared."""

from __future__ import annotations

import random
from contextlib import contextmanager

import torch

from core.training.text.encoded_pair import EncodedPair
from tests.tiny_models import tiny_model

UPSTREAM = torch.tensor([[0.7, -0.3]])
"""What a loss might want of the log-probs of chosen and rejected."""


class BarePolicy:
    """A model without adapters; the reference is a second model or the same one."""

    def __init__(self, model, reference=None):
        self.model, self._reference, self.tokenizer = model, reference or model, None

    @contextmanager
    def reference(self):
        yield self._reference


class AdapterPolicy(BarePolicy):
    """A PEFT model; the reference is the model with its adapter switched off."""

    @contextmanager
    def reference(self):
        with self.model.disable_adapter():
            yield self.model


def adapter_policy(family="llama", *, dtype=torch.float32, r=4, targets="all-linear", spread=0.1, **changes):
    """A tiny model under a LoRA whose B is not zero, so that policy and reference differ."""
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        config = LoraConfig(r=r, lora_alpha=2 * r, target_modules=targets, task_type="CAUSAL_LM")
        model = get_peft_model(tiny_model(family, **changes), config).to(dtype).eval()
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=spread)
    return AdapterPolicy(model)


def random_pairs(count=3, *, seed=0, vocabulary=200, longest=12, masked=True):
    """Pairs of random lengths; some answers begin with a token that still belongs to the prompt."""
    rng = random.Random(seed)

    def ids(n):
        return tuple(rng.randrange(3, vocabulary) for _ in range(n))

    pairs = []
    for number in range(count):
        chosen, rejected = ids(rng.randint(1, longest)), ids(rng.randint(1, longest))
        skip = [int(masked and number % 2 == 1 and len(answer) > 2) for answer in (chosen, rejected)]
        masks = [(0,) * s + (1,) * (len(a) - s) for s, a in zip(skip, (chosen, rejected), strict=True)]
        pairs.append(EncodedPair(f"p{number}", ids(rng.randint(1, longest)), chosen, rejected, *masks))
    return pairs


def long_pair(prompt=70, chosen=90, rejected=40) -> EncodedPair:
    """A pair whose row spans several tiles of the attention."""
    generator = torch.Generator().manual_seed(5)
    ids = [tuple(torch.randint(3, 200, (n,), generator=generator).tolist()) for n in (prompt, chosen, rejected)]
    return EncodedPair("long", *ids, (1,) * chosen, (1,) * rejected)


def twin_logps(model, pair: EncodedPair):
    """Log-probs of the response tokens of chosen and rejected, each (tokens,), differentiable."""
    out = []
    for answer, mask in ((pair.chosen_ids, pair.chosen_mask), (pair.rejected_ids, pair.rejected_mask)):
        if not answer:
            continue
        ids = torch.tensor([pair.prompt_ids + answer])
        logp = torch.log_softmax(model(input_ids=ids, use_cache=False).logits[0, :-1].double(), -1)
        wanted = [len(pair.prompt_ids) + j for j, flag in enumerate(mask) if flag and j + len(pair.prompt_ids)]
        out.append(logp[[w - 1 for w in wanted], ids[0, wanted]])
    return out


def twin_scores(model, pairs):
    """(n, 2) sums of the twin's log-probs."""
    return torch.stack([torch.stack([v.sum() for v in twin_logps(model, pair)]) for pair in pairs])


def gradients(loss, model):
    """Gradient of every trainable tensor, by name."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    grads = torch.autograd.grad(loss, [p for _, p in named], allow_unused=True)
    return {n: g for (n, _), g in zip(named, grads, strict=True)}


def assert_same_gradients(found, expected, *, rtol):
    """Each tensor's gradient within ``rtol`` of its own largest entry."""
    assert found.keys() == expected.keys()
    for name, want in expected.items():
        if want is None:
            assert found[name] is None or not found[name].any(), name
            continue
        scale = want.abs().max().clamp_min(1e-12)
        assert (found[name] - want).abs().max() / scale < rtol, name
