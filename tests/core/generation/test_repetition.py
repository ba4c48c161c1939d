"""The repetition penalty: the same answers as transformers' ``generate``, by every decoder."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import RepetitionPenaltyLogitsProcessor

from core.domain.errors import BadInput
from core.generation.decoders import open_decoder
from core.generation.repetition import penalised
from core.generation.requests import Request
from core.generation.sampler import DecoderSettings, sample
from tests.tiny_models import tiny_model

PROMPTS = [[5, 9, 12], [30, 31, 32, 33, 34, 35, 36], [8, 8]]
GREEDY = {"temperature": 0.0, "max_new_tokens": 16}


@pytest.fixture(scope="module")
def llama() -> Any:
    return tiny_model("llama")


def generated(model: Any, prompt: list[int], penalty: float) -> tuple[int, ...]:
    """Return the answer of transformers to one prompt."""
    ids = torch.tensor([prompt])
    words = {"do_sample": False, "max_new_tokens": 16, "pad_token_id": 0, "eos_token_id": None}
    found = model.generate(ids, attention_mask=torch.ones_like(ids), repetition_penalty=penalty, **words)
    return tuple(found[0, len(prompt) :].tolist())


@pytest.mark.parametrize("kind", ["fused", "general", "plain"])
def test_that_every_decoder_answers_as_transformers_does_with_the_same_penalty(llama: Any, kind: str) -> None:
    plain = [generated(llama, prompt, 1.0) for prompt in PROMPTS]
    wanted = [generated(llama, prompt, 1.7) for prompt in PROMPTS]
    settings = DecoderSettings(**GREEDY, repetition_penalty=1.7)
    with open_decoder(llama, PROMPTS, kind=kind) as decoder:
        found = sample(llama, None, PROMPTS, [1, 2, 3], settings, stop_ids=(), decoder=decoder)
        without = sample(llama, None, PROMPTS, [1, 2, 3], DecoderSettings(**GREEDY), stop_ids=(), decoder=decoder)
    assert [answer.token_ids for answer in found] == wanted != plain
    assert [answer.token_ids for answer in without] == plain
    assert found[0].record().repetition_penalty == 1.7 and without[0].record().repetition_penalty == 1.0


def test_that_logits_change_as_the_processor_of_transformers_changes_them() -> None:
    logits = torch.randn(2, 40, generator=torch.Generator().manual_seed(3))
    kept, rows = logits.clone(), [[3, 7, 7, 20], [1, 2, 39, 2]]
    requests = [Request((row[0], row[1]), [0.0], 4, written=row[2:], penalty=1.4) for row in rows]
    wanted = RepetitionPenaltyLogitsProcessor(1.4)(torch.tensor(rows), logits.clone())
    assert torch.equal(penalised(logits, requests), wanted) and torch.equal(logits, kept)
    off = [Request((1,), [0.0], 4), Request((2,), [0.0], 4)]
    assert penalised(logits, off) is logits
    mixed = penalised(logits, [off[0], requests[1]])
    assert torch.equal(mixed[0], logits[0]) and torch.equal(mixed[1], wanted[1])


def test_that_a_penalised_answer_is_no_sample_of_the_models_own_distribution() -> None:
    assert DecoderSettings().is_whole and not DecoderSettings(repetition_penalty=1.1).is_whole
    with pytest.raises(BadInput, match="repetition penalty cannot be 0"):
        DecoderSettings(repetition_penalty=0.0)
