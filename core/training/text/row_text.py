"""The text of one row: prompt, answer and the chat template's tail, with the answer's place in characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.conversation import Message
from core.training.text.chat_template import ChatFormat, render


@dataclass(frozen=True, slots=True)
class RowText:
    """A rendered row.

    Attributes:
        text: prompt, answer and the template's tail.
        start: characters of the prompt, generation header included.
        end: character at which the answer's text ends. stop: character of the stop token, -1 when there is none.
    """

    text: str
    start: int
    end: int
    stop: int


def chat_row(tokenizer: Any, chat: ChatFormat, messages: Sequence[Message], prompt_text: str, answer: str) -> RowText:
    """Render a finished conversation; the answer follows the rendering of the prompt alone.

    Some templates render the finished conversation with another prompt (without the thinking header, for example).
    The row is then the prompt, the answer and the template's tail, as in generation.
    """
    text = render(tokenizer, [*messages, Message("assistant", answer)], generation_prompt=False)
    if not (text.startswith(prompt_text) and text.endswith(chat.tail)) or len(text) < len(prompt_text) + len(chat.tail):
        text = prompt_text + answer + chat.tail
    end = len(text) - len(chat.tail)
    return RowText(text, len(prompt_text), end, end + chat.stop_at if chat.stop_at >= 0 else -1)


def plain_row(chat: ChatFormat, prompt_text: str, answer: str) -> RowText:
    """Return plain prompt and answer, ended by EOS once."""
    if chat.tail and answer.endswith(chat.tail):
        answer = answer[: -len(chat.tail)]
    end = len(prompt_text) + len(answer)
    return RowText(prompt_text + answer + chat.tail, len(prompt_text), end, end if chat.stop_at >= 0 else -1)
