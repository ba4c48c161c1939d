"""The ranking of training pairs before a run, against a plain forward pass of the model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.domain.pair_similarity import SimilarPairs
from core.domain.run_config import RunConfig
from core.runs.evaluations.similarity_program import rank
from core.runs.folder import PAIRS, pairs_text
from core.training.text.tokenise import PairEncoder
from tests.tiny_models import save_tiny, tiny_pairs

CONFIG = RunConfig(lora_r=2, lora_alpha=4, device="cpu", max_length=128, threads=1)


def test_that_pairs_are_ranked_as_the_models_own_states_say_and_unusable_ones_are_counted(tmp_path: Path) -> None:
    place = save_tiny(tmp_path / "model")
    pairs = [replace(pair, split="train") for pair in tiny_pairs(5)]
    pairs[3] = replace(pairs[3], rejected=pairs[3].chosen)
    held_out = replace(pairs[0], pair_id="other", split="dev")
    (tmp_path / PAIRS).write_text(pairs_text([*pairs, held_out]), encoding="utf-8")
    request = {"config": CONFIG.to_plain(), "model_dir": str(place), "pairs_dir": str(tmp_path)}
    found = SimilarPairs.from_plain(json.loads(json.dumps(rank(request, lambda *_: None))))
    usable = [pair for pair in pairs if pair is not pairs[3]]
    assert found.of == 5 and {pair.pair_id for pair in found.pairs} == {pair.pair_id for pair in usable}
    values = [pair.by_length for pair in found.pairs]
    assert values == sorted(values, reverse=True)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(place).eval(), AutoTokenizer.from_pretrained(place)
    encoder = PairEncoder(tokenizer, CONFIG)
    known = {pair.pair_id: pair for pair in found.pairs}
    for pair in usable:
        before, means = encoder.prompt_ids(pair.prompt), []
        for answer in (pair.chosen, pair.rejected):
            ids = [*before, *tokenizer(answer)["input_ids"], tokenizer.eos_token_id]
            with torch.no_grad():
                states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
            means.append(states[len(before) - 1 : -1].double().mean(0))
        by_hand = float(means[0] @ means[1] - means[0] @ means[0])
        assert known[pair.pair_id].by_length == pytest.approx(by_hand, rel=1e-3, abs=1e-4)
