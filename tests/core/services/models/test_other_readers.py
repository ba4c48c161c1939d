"""Exports of a real run in the hands of other libraries: transformers, peft and gguf read what the run learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from gguf import GGUFReader
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.runs.folder import RunFolder
from core.services.models.export import export_run
from tests.core.runs.evaluations.conftest import trained_run
from tests.fakes.exports import export_here

__all__ = ["trained_run"]
pytestmark = pytest.mark.slow
TEXTS = ("Explain the tides.", "Start with the part you can see.", "No.", "café")


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    export_here(monkeypatch)


def logits(model: torch.nn.Module, tokens: list[torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([model.eval()(ids).logits[0] for ids in tokens])


def test_that_plain_transformers_and_gguf_read_the_policy_of_a_run(trained_run: RunFolder, tmp_path: Path) -> None:
    base = trained_run.record().model_dir
    export_run(trained_run, tmp_path / "adapter", "adapter")
    export_run(trained_run, tmp_path / "merged", "merged", dtype="float32")
    file = export_run(trained_run, tmp_path / "run.gguf", "gguf", dtype="f32").path

    read = {"dtype": torch.float32}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    tokens = [tokenizer(text, return_tensors="pt").input_ids for text in TEXTS]
    untrained = logits(AutoModelForCausalLM.from_pretrained(base, **read), tokens)
    policy = logits(
        PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, **read), tmp_path / "adapter"), tokens
    )
    assert (policy - untrained).abs().max() > 0.01, "the run moved the model"
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", **read)
    torch.testing.assert_close(logits(merged, tokens), policy, atol=1e-4, rtol=0)
    from_gguf = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="run.gguf", **read)
    torch.testing.assert_close(logits(from_gguf, tokens), policy, atol=1e-4, rtol=0)

    reader, config = GGUFReader(file), merged.config
    said = {name: field.contents() for name, field in reader.fields.items()}
    assert (said["general.architecture"], said["llama.block_count"]) == ("llama", config.num_hidden_layers)
    assert (said["llama.embedding_length"], said["llama.feed_forward_length"]) == (
        config.hidden_size, config.intermediate_size,
    )  # fmt: skip
    assert (said["llama.attention.head_count"], said["llama.attention.head_count_kv"]) == (
        config.num_attention_heads, config.num_key_value_heads,
    )  # fmt: skip
    assert said["tokenizer.ggml.eos_token_id"] == tokenizer.eos_token_id
    assert said["tokenizer.chat_template"] == tokenizer.chat_template
    assert len(said["tokenizer.ggml.tokens"]) == len(tokenizer) == config.vocab_size
    held = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in reader.tensors}
    weights = merged.state_dict()
    same = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    for block in range(config.num_hidden_layers):
        for ours, theirs in (("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
                             ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"),
                             ("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")):  # fmt: skip
            same[f"blk.{block}.{ours}.weight"] = f"model.layers.{block}.{theirs}.weight"
        # queries and keys stand in another order of rows there, as llama.cpp turns pairs of neighbours
        for ours, theirs in (("attn_q", "q_proj"), ("attn_k", "k_proj")):
            there = held[f"blk.{block}.{ours}.weight"].tolist()
            assert sorted(there) == sorted(weights[f"model.layers.{block}.self_attn.{theirs}.weight"].tolist())
    for ours, theirs in same.items():
        torch.testing.assert_close(held[ours], weights[theirs], atol=0, rtol=0)
