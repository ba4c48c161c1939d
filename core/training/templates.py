"""What a model's chat template does, found out by rendering marker messages through it.

A template is a program of whoever made the model. It is rendered by transformers' sandbox, its size
and its output are limited, and before it may shape training data it must show every message of a
marked conversation exactly once and in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import ModelRefused
from core.domain.ids import sha256_text

_ASK, _ANSWER = "7Qa1mark", "8Rb2mark"


@dataclass(frozen=True, slots=True)
class ChatFormat:
    """How a template lays out a conversation.

    Attributes:
        tail: text after the answer of a finished conversation.
        stop_text: its first special token, which ends the response. stop_id: the id of that token.
        stop_at: characters of ``tail`` before ``stop_text``.
        sha256: hash of the template, stored with the run.
    """

    tail: str
    stop_text: str
    stop_id: int
    stop_at: int
    sha256: str


def render(tokenizer: Any, messages: list[dict[str, str]], *, generation_prompt: bool) -> str:
    """Render messages through the model's chat template, as text."""
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generation_prompt)


def render_prompt(tokenizer: Any, prompt: Prompt) -> str:
    """Render a prompt up to and including the generation header."""
    return render(tokenizer, prompt.to_plain(), generation_prompt=True)


def probe(tokenizer: Any) -> ChatFormat:
    """Find out how the tokenizer's chat template ends an answer.

    Raises:
        ModelRefused: when there is no template.
    """
    if not tokenizer.chat_template:
        raise ModelRefused(
            "This model has no chat template.",
            "Set template to none to train on plain text, or choose an instruction-tuned model.",
        )
    turns = [{"role": "user", "content": _ASK}, {"role": "assistant", "content": _ANSWER}]
    text = render(tokenizer, turns, generation_prompt=False)
    tail = text[text.rindex(_ANSWER) + len(_ANSWER) :]
    stop_text, stop_id, stop_at = _first_special(tokenizer, tail)
    return ChatFormat(tail, stop_text, stop_id, stop_at, sha256_text(str(tokenizer.chat_template)))


def _first_special(tokenizer: Any, tail: str) -> tuple[str, int, int]:
    best: tuple[str, int, int] | None = None
    for token_id, token in tokenizer.added_tokens_decoder.items():
        if not token.special:
            continue
        at = tail.find(token.content)
        if at >= 0 and (best is None or at < best[2]):
            best = (token.content, int(token_id), at)
    if best is not None:
        return best
    return (tokenizer.eos_token or "", -1 if tokenizer.eos_token_id is None else tokenizer.eos_token_id, -1)


def turn_end_id(tokenizer: Any) -> int | None:
    """Return the id of the token that ends an assistant's turn in the chat template, if there is one."""
    if not tokenizer.chat_template:
        return None
    found = probe(tokenizer)
    return found.stop_id if found.stop_at >= 0 else None
