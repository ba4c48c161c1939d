"""More than a hundred families of causal LMs as tiny random models, built from their configs alone.

A family is a model type with the settings that change how it computes: windows, ropes, experts, states, biases. Rows of
a test should be longer than 16 tokens, so that windows of 16 take effect, and than 160, so that every rope does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tests.tiny_models import tiny_tokenizer

_COMMON = {
    "vocab_size": 400, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 1024, "initializer_range": 0.2, "bos_token_id": None,
    "eos_token_id": 0, "pad_token_id": 1, "tie_word_embeddings": False,
}  # fmt: skip
_HEAD = {"head_dim": 8}
_MIXED = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 16}
_MOE = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "num_local_experts": 4}
_GPT2 = {"n_positions": 1024, "n_embd": 32, "n_layer": 2, "n_head": 4}
_MAMBA2 = {
    "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_chunk_size": 16,
    "mamba_expand": 2, "mamba_d_conv": 4,
}  # fmt: skip
_DELTA = {
    "linear_key_head_dim": 8, "linear_value_head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "linear_conv_kernel_dim": 4, "layer_types": ["linear_attention", "full_attention"],
}  # fmt: skip
_LATENT = {
    "q_lora_rank": 8, "kv_lora_rank": 8, "qk_nope_head_dim": 4, "qk_rope_head_dim": 4, "v_head_dim": 8,
    "num_key_value_heads": 4,
}  # fmt: skip
_GEMMA4 = {"global_head_dim": 8, "vocab_size_per_layer_input": 400}
_LONGROPE = {
    "rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [6.0] * 4, "rope_theta": 10000.0,
    "original_max_position_embeddings": 64, "partial_rotary_factor": 1.0,
}  # fmt: skip


def _rope(kind: str, **more: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "factor": 2.0, "rope_theta": 10000.0, **more}}


FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama tied": ("llama", {"tie_word_embeddings": True}),
    "llama biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama rope linear": ("llama", _rope("linear")),
    "llama rope yarn": ("llama", _rope("yarn", original_max_position_embeddings=64)),
    "llama rope llama3": (
        "llama",
        _rope("llama3", low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64),
    ),
    "llama rope dynamic": ("llama", {**_rope("dynamic"), "max_position_embeddings": 160}),
    "smollm3": ("smollm3", {"no_rope_layers": [1, 0]}),
    "qwen2": ("qwen2", {}),
    "qwen2 windows": ("qwen2", {"use_sliding_window": True, "max_window_layers": 1, "sliding_window": 16}),
    "qwen3": ("qwen3", _HEAD),
    "mistral": ("mistral", {**_HEAD, "sliding_window": None}),
    "mistral windows": ("mistral", {**_HEAD, "sliding_window": 16}),
    "ministral": ("ministral", {**_HEAD, **_MIXED}),
    "gemma": ("gemma", _HEAD),
    "gemma2": ("gemma2", {**_HEAD, "query_pre_attn_scalar": 8, "sliding_window": 16}),
    "gemma3": ("gemma3_text", {**_HEAD, **_MIXED, "query_pre_attn_scalar": 8}),
    "vaultgemma": ("vaultgemma", {**_HEAD, **_MIXED, "query_pre_attn_scalar": 8}),
    "phi": ("phi", {}),
    "phi3": ("phi3", {}),
    "phi3 windows": ("phi3", {"sliding_window": 16}),
    "phi3 longrope": ("phi3", {"rope_parameters": _LONGROPE, "original_max_position_embeddings": 64}),
    "gpt2": ("gpt2", _GPT2),
    "gpt_bigcode": ("gpt_bigcode", _GPT2),
    "gpt_bigcode many heads": ("gpt_bigcode", {**_GPT2, "multi_query": False}),
    "gpt_neo": (
        "gpt_neo",
        {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "window_size": 16},
    ),
    "gpt_neo window 256": (
        "gpt_neo",
        {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "window_size": 256},
    ),
    "gpt_neox": ("gpt_neox", {}),
    "gpt_neox serial": ("gpt_neox", {"use_parallel_residual": False}),
    "gptj": ("gptj", {**_GPT2, "rotary_dim": 4}),
    "codegen": ("codegen", {**_GPT2, "rotary_dim": 4, "n_ctx": 1024}),
    "opt": ("opt", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    "opt projected": ("opt", {"ffn_dim": 48, "word_embed_proj_dim": 16, "do_layer_norm_before": False}),
    "xglm": ("xglm", {"d_model": 32, "ffn_dim": 48, "num_layers": 2, "attention_heads": 4}),
    "bloom": ("bloom", {"n_layer": 2, "n_head": 4}),
    "mpt": ("mpt", {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 1024}),
    "falcon": ("falcon", {"alibi": False, "new_decoder_architecture": False}),
    "falcon alibi": ("falcon", {"alibi": True}),
    "falcon new": ("falcon", {"alibi": False, "new_decoder_architecture": True, "num_kv_heads": 2}),
    "stablelm": ("stablelm", {}),
    "olmo": ("olmo", {}),
    "olmo clipped": ("olmo", {"clip_qkv": 2.0}),
    "olmo2": ("olmo2", {}),
    "olmo3": ("olmo3", _MIXED),
    "granite": ("granite", {"logits_scaling": 2.0, "embedding_multiplier": 3.0, "attention_multiplier": 0.5}),
    "cohere": ("cohere", {"logit_scale": 0.5}),
    "cohere2": ("cohere2", {**_HEAD, **_MIXED, "logit_scale": 0.5}),
    "starcoder2": ("starcoder2", {"sliding_window": None}),
    "starcoder2 windows": ("starcoder2", {"sliding_window": 16}),
    "nemotron": ("nemotron", _HEAD),
    "glm": ("glm", _HEAD),
    "glm4": ("glm4", _HEAD),
    "exaone4": ("exaone4", {**_HEAD, **_MIXED, "sliding_window_pattern": 2}),
    "apertus": ("apertus", {}),
    "ernie4_5": ("ernie4_5", _HEAD),
    "seed_oss": ("seed_oss", _HEAD),
    "hunyuan": ("hunyuan_v1_dense", _HEAD),
    "persimmon": ("persimmon", {}),
    "arcee": ("arcee", {}),
    "helium": ("helium", _HEAD),
    "dbrx": (
        "dbrx",
        {
            "d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 1024,
            "attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10000.0},
            "ffn_config": {"ffn_hidden_size": 24, "moe_num_experts": 4, "moe_top_k": 2, "hidden_size": 32},
        },
    ),
    "gpt_oss": ("gpt_oss", {**_HEAD, **_MOE, **_MIXED}),
    "mixtral": ("mixtral", {**_HEAD, **_MOE, "sliding_window": None}),
    "qwen2_moe": ("qwen2_moe", {**_MOE, "shared_expert_intermediate_size": 24}),
    "qwen3_moe": ("qwen3_moe", {**_HEAD, **_MOE}),
    "olmoe": ("olmoe", _MOE),
    "granitemoe": ("granitemoe", _MOE),
    "phimoe": ("phimoe", {**_HEAD, **_MOE, "sliding_window": None}),
    "dots1": (
        "dots1",
        {**_HEAD, **_MOE, "n_routed_experts": 4, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
         "n_shared_experts": 1, "sliding_window": None},
    ),
    "glm4_moe": (
        "glm4_moe",
        {**_HEAD, **_MOE, "n_routed_experts": 4, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
         "n_shared_experts": 1},
    ),
    "ernie4_5_moe": ("ernie4_5_moe", {**_MOE, "moe_num_experts": 4, "moe_k": 2, "moe_layer_start_index": 1}),
    "hunyuan_v1_moe": ("hunyuan_v1_moe", {**_HEAD, "num_experts": 4, "moe_topk": 2}),
    "deepseek_v2": (
        "deepseek_v2",
        {"kv_lora_rank": 8, "q_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8,
         "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "n_group": 1, "topk_group": 1,
         "first_k_dense_replace": 1, "n_shared_experts": 1, "num_key_value_heads": 4},
    ),
    "deepseek_v3": (
        "deepseek_v3",
        {"kv_lora_rank": 8, "q_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8,
         "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "n_group": 1, "topk_group": 1,
         "first_k_dense_replace": 1, "n_shared_experts": 1, "num_key_value_heads": 4, "num_mtp_layers": 0},
    ),
    "jetmoe": ("jetmoe", {"kv_channels": 8, "num_key_value_heads": 2, "num_local_experts": 4}),
    "minimax": ("minimax", {**_HEAD, **_MOE, "layer_types": ["full_attention", "linear_attention"], "block_size": 8}),
    "lfm2": ("lfm2", {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False}),
    "qwen3_next": (
        "qwen3_next",
        {**_HEAD, **_MOE, "shared_expert_intermediate_size": 24, "layer_types": ["linear_attention", "full_attention"],
         "linear_key_head_dim": 8, "linear_value_head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 4},
    ),
    "granitemoehybrid": (
        "granitemoehybrid",
        {**_MAMBA2, **_MOE, "shared_intermediate_size": 24, "layer_types": ["mamba", "attention"]},
    ),
    "recurrent_gemma": (
        "recurrent_gemma",
        {"lru_width": 32, "attention_window_size": 16, "block_types": ["recurrent", "attention"],
         "tie_word_embeddings": True},
    ),
    "rwkv": ("rwkv", {"attention_hidden_size": 32, "context_length": 1024}),
    "mamba": ("mamba", {"state_size": 4}),
    "mamba2": ("mamba2", {"state_size": 8, "num_heads": 8, "head_dim": 8, "n_groups": 1, "chunk_size": 16}),
    "falcon_mamba": ("falcon_mamba", {"state_size": 4}),
    "falcon_h1": ("falcon_h1", {**_MAMBA2, "mamba_d_ssm": 64}),
    "bamba": ("bamba", {**_MAMBA2, "attn_layer_indices": [1]}),
    "zamba2": (
        "zamba2",
        {**_MAMBA2, "layers_block_type": ["mamba", "hybrid"], "num_mem_blocks": 1, "mamba_ngroups": 1,
         "n_mamba_heads": 8, "mamba_headdim": 8, "chunk_size": 16},
    ),
    "lfm2_moe": (
        "lfm2_moe",
        {**_MOE, "layer_types": ["conv", "full_attention"], "num_dense_layers": 1, "conv_L_cache": 3},
    ),
    "qwen3_5": ("qwen3_5_text", {**_HEAD, **_DELTA}),
    "qwen3_5_moe": ("qwen3_5_moe_text", {**_HEAD, **_MOE, **_DELTA, "shared_expert_intermediate_size": 24}),
    "olmo_hybrid": ("olmo_hybrid", _DELTA),
    "ministral3": ("ministral3", _HEAD),
    "nanochat": ("nanochat", {}),
    "gemma3n": (
        "gemma3n_text",
        {**_HEAD, **_MIXED, "vocab_size_per_layer_input": 400, "hidden_size_per_layer_input": 8, "laurel_rank": 4,
         "altup_num_inputs": 2, "num_kv_shared_layers": 0, "activation_sparsity_pattern": [0.5, 0.0]},
    ),
    "gemma4": ("gemma4_text", {**_HEAD, **_MIXED, **_GEMMA4, "hidden_size_per_layer_input": 0}),
    "gemma4 inputs by layer": ("gemma4_text", {**_HEAD, **_MIXED, **_GEMMA4, "hidden_size_per_layer_input": 8}),
    "minimax_m2": ("minimax_m2", {**_HEAD, **_MOE}),
    "granitemoeshared": ("granitemoeshared", {**_MOE, "shared_intermediate_size": 24}),
    "granite_swa": ("granite_swa", _MIXED),
    "exaone_moe": (
        "exaone_moe",
        {**_HEAD, **_MIXED, **_MOE, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1},
    ),
    "flex_olmo": ("flex_olmo", _MOE),
    "mimo_v2_flash": ("mimo_v2_flash", {**_HEAD, **_MIXED, **_MOE}),
    "solar_open": (
        "solar_open",
        {**_HEAD, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "n_group": 1,
         "topk_group": 1},
    ),
    "glm4_moe_lite": (
        "glm4_moe_lite",
        {**_LATENT, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24,
         "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1, "n_shared_experts": 1},
    ),
    "youtu": ("youtu", _LATENT),
    "hyperclovax": ("hyperclovax", {}),
    "internlm3": ("internlm3", _HEAD),
    "jais2": ("jais2", {}),
    "diffllama": ("diffllama", {}),
    "biogpt": ("biogpt", {}),
    "openai-gpt": ("openai-gpt", _GPT2),
    "gpt_neox_japanese": ("gpt_neox_japanese", {}),
    "jamba": (
        "jamba",
        {**_MOE, "attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 4, "mamba_d_conv": 4,
         "use_mamba_kernels": False},
    ),
}  # fmt: skip
"""Name of a family -> its model type and what its config says beyond the common sizes."""
BY_HAND = {
    "mamba": "in_proj,x_proj", "mamba2": "in_proj", "falcon_mamba": "in_proj,x_proj", "falcon_h1": "q_proj,v_proj",
    "jamba": "in_proj,q_proj", "bamba": "q_proj,v_proj,gate_proj,up_proj,down_proj", "zamba2": "q_proj,v_proj",
}  # fmt: skip
"""Adapter targets of families whose every linear layer PEFT does not take."""


def family_model(name: str, *, seed: int = 0) -> Any:
    """Return a random model of the family in evaluation mode; the global random state is left as it was."""
    from transformers import AutoConfig, AutoModelForCausalLM

    kind, changes = FAMILIES[name]
    config = AutoConfig.for_model(kind, **{**_COMMON, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
        except ValueError:
            model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.float().eval()


def save_family(folder: Path, name: str) -> Path:
    """Write the family's model and a tokenizer with a chat template as a Hugging Face folder and return it."""
    family_model(name).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder
