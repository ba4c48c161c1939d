"""What the truth gate can refuse, by the name of the cause."""

from __future__ import annotations

GATE_CAUSES: dict[str, str] = {
    "reference_is_base": "Training starts from an adapter, but the reference is the base model.",
    "adapter_changes_base": "The adapter's initialisation changes the base weights (PiSSA, OLoRA, LoftQ).",
    "dropout": "Dropout is on, so policy and reference differ by chance.",
    "stale_cache": "The cached reference log-probs do not belong to these tokens and weights.",
    "double_bos": "The text begins with two BOS tokens.",
    "missing_eos": "A response does not end with the model's stop token.",
    "merged_boundary": "A token spans the end of the prompt and the start of the response.",
    "template_roles": "The chat template loses, repeats or swaps messages.",
    "rewritten_answer": "The chat template changes an answer, so that another text would be trained.",
    "all_masked": "A response has no token left to learn from.",
    "identical_answers": "Both responses of a pair are the same tokens.",
    "template_refuses": "The chat template refuses conversations of the data.",
    "weight": "The weight of a pair is not a number from 0 up.",
    "frozen_adapter": "No gradient reaches the weights that should train.",
    "wrong_dtype": "The weights have another dtype than the run asks for.",
    "loss_closed_form": "The loss at policy = reference is not its closed form.",
    "base_changed": "A step changed weights that should be frozen.",
    "non_finite": "A loss or log-prob is not a finite number.",
    "broken_weights": "Weights of the model are all zero or not finite numbers.",
    "tied_head": "The adapter is on an output head or embedding that are one weight.",
    "too_long": "Pairs are longer than the model's table of positions.",
    "unknown_tokens": "The tokenizer gives tokens that the model has no embedding for.",
}
