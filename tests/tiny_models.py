"""Tiny random models of every family the engine must carry, built without any network.

The tokenizer is a byte-level BPE trained on a handful of sentences; ids 0, 1, 2 are ``<|end|>``,
``<|pad|>``, ``<|start|>``. Weights come from a seeded generator and are wide enough
(``initializer_range``) that log-probs differ clearly between tokens.
"""

from __future__ import annotations

import json
import random
import tempfile
from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from core.domain.conversation import Message, Prompt
from core.domain.pair import TrainingPair

END, PAD, START = "<|end|>", "<|pad|>", "<|start|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|start|>' + message['role'] + '\\n' + message['content'] + '<|end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
)
CORPUS = (
    "user\n", "assistant\n", "system\n",
    "User: Explain the tides in one sentence.\nAssistant:", " The moon pulls the sea twice a day.",
    "Give me two facts about maple trees.\nKeep it short.", "Maple trees lose their leaves in autumn.",
    "How do I check a bicycle chain?", "Wipe it, look for rust, then measure its stretch.",
    "I cannot talk about that.", "No.", "Is a night train worth it?", "Yes, if you sleep well; perhaps not, otherwise.",
    "naïve café – opening hours", "Write a question about prime numbers.", "Is 91 a prime number?",
)  # fmt: skip
FAMILIES: tuple[str, ...] = (
    "llama", "smollm", "qwen2", "qwen3", "mistral", "gemma2", "gemma3", "phi", "phi3", "gpt2", "gpt_neox", "granite",
    "cohere", "olmo2", "starcoder2",
)  # fmt: skip
MIXTURES: tuple[str, ...] = ("mixtral", "qwen3_moe", "deepseek_v3", "olmoe", "gpt_oss")
NO_SDPA = ("gemma2", "gpt_oss")  # soft-capped attention scores have no fused kernel


def tiny_tokenizer(
    *, chat: bool = True, bos: bool = False, chat_template: str | None = None, vocab: int = 400
) -> PreTrainedTokenizerFast:
    """Byte-level BPE of at most ``vocab`` tokens; with ``bos`` it adds ``<|start|>`` by itself as Llama 3 does."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[END, PAD, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(CORPUS, trainer)
    if bos:
        from tokenizers.processors import TemplateProcessing

        core.post_processor = TemplateProcessing(
            single=f"{START} $A", pair=f"{START} $A {START} $B", special_tokens=[(START, 2)]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token=END, pad_token=PAD, bos_token=START if bos else None
    )
    if chat:
        tokenizer.chat_template = chat_template or CHAT_TEMPLATE
    return tokenizer


def tiny_config(family: str, vocab: int = 400, **changes):
    """Config of a two-layer model of ``family``: 32 wide, 4 heads, 2 key-value heads where the family has them."""
    import transformers as tf

    common = {
        "vocab_size": vocab,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        "bos_token_id": None,
        "eos_token_id": 0,
        "pad_token_id": 1,
    }
    plain = {k: v for k, v in common.items() if k != "num_key_value_heads"}
    makers = {
        "llama": lambda: tf.LlamaConfig(**common, tie_word_embeddings=False),
        "smollm": lambda: tf.LlamaConfig(**common, tie_word_embeddings=True, rope_theta=100000.0),
        "qwen2": lambda: tf.Qwen2Config(**common, tie_word_embeddings=True),
        "qwen3": lambda: tf.Qwen3Config(**common, head_dim=8, tie_word_embeddings=True),
        "mistral": lambda: tf.MistralConfig(**common, head_dim=8, sliding_window=None),
        "gemma2": lambda: tf.Gemma2Config(
            **common, head_dim=8, query_pre_attn_scalar=8, sliding_window=16, attn_logit_softcapping=5.0,
            final_logit_softcapping=3.0,
        ),
        "gemma3": lambda: tf.Gemma3TextConfig(
            **common, head_dim=8, query_pre_attn_scalar=8, sliding_window=16,
            layer_types=["sliding_attention", "full_attention"],
        ),
        "phi": lambda: tf.PhiConfig(**common),
        "phi3": lambda: tf.Phi3Config(**common),
        "gpt2": lambda: tf.GPT2Config(
            vocab_size=vocab, n_positions=512, n_embd=32, n_layer=2, n_head=4, initializer_range=0.2, bos_token_id=None,
            eos_token_id=0, pad_token_id=1,
        ),
        "gpt_neox": lambda: tf.GPTNeoXConfig(**plain),
        "granite": lambda: tf.GraniteConfig(
            **common, logits_scaling=2.0, embedding_multiplier=3.0, attention_multiplier=0.5, residual_multiplier=0.7
        ),
        "cohere": lambda: tf.CohereConfig(**common, logit_scale=0.5),
        "olmo2": lambda: tf.Olmo2Config(**common),
        "starcoder2": lambda: tf.Starcoder2Config(**common),
        "mixtral": lambda: tf.MixtralConfig(**common, num_local_experts=4, num_experts_per_tok=2, sliding_window=None),
        "qwen3_moe": lambda: tf.Qwen3MoeConfig(
            **common, head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16,
        ),
        "deepseek_v3": lambda: tf.DeepseekV3Config(
            **plain, num_key_value_heads=4, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=16,
            first_k_dense_replace=1, n_group=2, topk_group=1, n_shared_experts=1, q_lora_rank=16, kv_lora_rank=8,
            qk_rope_head_dim=4, qk_nope_head_dim=8, v_head_dim=8,
        ),
        "olmoe": lambda: tf.OlmoeConfig(**common, num_experts=4, num_experts_per_tok=2),
        "gpt_oss": lambda: tf.GptOssConfig(
            **common, head_dim=8, num_local_experts=4, num_experts_per_tok=2, sliding_window=16,
            layer_types=["sliding_attention", "full_attention"],
        ),
    }  # fmt: skip
    config = makers[family]()
    for key, value in changes.items():
        setattr(config, key, value)
    return config


def tiny_model(
    family: str = "llama", *, seed: int = 0, vocab: int = 400, dtype: torch.dtype = torch.float32, **changes
):
    """Random model of ``family`` in evaluation mode; the global random state is left as it was."""
    from transformers import AutoModelForCausalLM

    config = tiny_config(family, vocab, **changes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        attention = "eager" if family in NO_SDPA else "sdpa"
        model = AutoModelForCausalLM.from_config(config, attn_implementation=attention)
        with torch.no_grad():  # norms and biases at their defaults would hide a wrong formula
            for _, parameter in model.named_parameters():
                if parameter.ndim == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.to(dtype).eval()


def save_tiny(
    folder: Path, family: str = "llama", *, chat: bool = True, bos: bool = False, seed: int = 0, **changes
) -> Path:
    """Write a tiny model and its tokenizer as a Hugging Face folder and return it.

    Each is made once in a process and its files are written again: training the tokenizer and making the model take
    longer than most tests of them. The files are new ones, with times of their own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _saved(family, chat, bos, seed, json.dumps(changes, sort_keys=True)).items():
        (folder / name).write_bytes(content)
    return folder


@cache
def _saved(family: str, chat: bool, bos: bool, seed: int, changes: str) -> dict[str, bytes]:
    """Return the files of a model by name; ``changes`` to its config as JSON."""
    tokenizer = tiny_tokenizer(chat=chat, bos=bos)
    model = tiny_model(family, seed=seed, vocab=len(tokenizer), **json.loads(changes))
    with tempfile.TemporaryDirectory() as place:
        model.save_pretrained(place)
        tokenizer.save_pretrained(place)
        return {path.name: path.read_bytes() for path in Path(place).iterdir()}


_TOPICS = ("a bicycle chain", "sourdough bread", "prime numbers", "the tides", "café hours", "a night train")
_ASKS = ("Explain {t} in one sentence.", "How do I check {t}?", "Give me two facts about {t}.\nKeep it short.")
_GOOD = (
    "Start with {t}: it shows its state at a glance.",
    "Two facts: {t} changes slowly, and can be measured.",
    "Yes.",
)
_BAD = ("I cannot talk about {t}.", "{t} {t} {t} {t}", "Perhaps; perhaps not – who knows about {t}?")


def tiny_pairs(count: int = 8, *, seed: int = 0, system: bool = False, turns: int = 1) -> list[TrainingPair]:
    """Different pairs named ``p0``, ``p1``, ...; ``turns`` user turns with assistant turns between them."""
    rng = random.Random(seed)
    pairs = []
    for index in range(count):
        topic = rng.choice(_TOPICS)
        messages = [Message("system", "Answer briefly.")] if system else []
        for turn in range(turns):
            messages.append(Message("user", f"{index}. " + rng.choice(_ASKS).format(t=topic)))
            if turn < turns - 1:
                messages.append(Message("assistant", rng.choice(_GOOD).format(t=topic)))
        chosen, rejected = rng.choice(_GOOD).format(t=topic), rng.choice(_BAD).format(t=topic)
        pairs.append(TrainingPair(f"p{index}", Prompt(tuple(messages)), chosen, rejected))
    return pairs
