"""Conversations written as lists of messages, in the common spellings."""

from __future__ import annotations

from core.domain.conversation import Message, Prompt, Role
from core.services.importing.formats.transcripts import prompt_from_text
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "function_call": "assistant",
    "observation": "tool",
}


def read_messages(value: object, name: str, limits: Limits) -> list[Message]:
    """Return the messages of a list, of one message, or of the JSON text of either.

    Raises:
        RowRejected: naming the message and what is wrong with it.
    """
    if isinstance(value, str) and value[:1] in "[{":
        value = parse_json(value, limits)
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise RowRejected(f"{name} is {describe_type(value)}, not a list of messages")
    return [_message(item, f"message {i} of {name}", limits) for i, item in enumerate(value, 1)]


def looks_like_messages(value: object) -> bool:
    """Say whether a value holds messages, parsed or as JSON text."""
    if isinstance(value, str):
        return value.startswith(("[{", '{"role"', '{"from"')) and ('"content"' in value or '"value"' in value)
    items = value if isinstance(value, list) else [value]
    return bool(items) and all(isinstance(m, dict) and ("content" in m or "value" in m) for m in items)


def read_prompt(value: object, name: str, limits: Limits) -> Prompt:
    """Return a prompt from a text or from messages.

    Raises:
        RowRejected: when it is missing, blank, or ends with an answer.
    """
    if looks_like_messages(value):
        return prompt_of(read_messages(value, name, limits), name)
    text = check_text(value, name, limits)
    if not text.strip():
        raise RowRejected(f"{name} is empty")
    return prompt_from_text(text)


def prompt_of(messages: list[Message], name: str) -> Prompt:
    """Return the prompt that the messages make.

    Raises:
        RowRejected: when there are none, they say nothing, or the last is the assistant's.
    """
    if not messages or not any(m.content.strip() for m in messages):
        raise RowRejected(f"{name} is empty")
    if messages[-1].role == "assistant":
        raise RowRejected(f"{name} ends with a message of the assistant; there is nothing left to answer")
    return Prompt(tuple(messages))


def read_answer(value: object, name: str, limits: Limits) -> str:
    """Return an answer from a text or from one assistant message. An empty answer is an answer.

    Raises:
        RowRejected: for anything else.
    """
    if isinstance(value, str) or not looks_like_messages(value):
        return check_text(value, name, limits)
    messages = read_messages(value, name, limits)
    if len(messages) != 1 or messages[0].role != "assistant":
        raise RowRejected(f"{name} is not one message of the assistant")
    return messages[0].content


def _message(item: object, name: str, limits: Limits) -> Message:
    if not isinstance(item, dict):
        raise RowRejected(f"{name} is {describe_type(item)}, not a message")
    speaker = item.get("role", item.get("from"))
    role = _ROLES.get(str(speaker).lower())
    if role is None:
        raise RowRejected(f"{name} has the unknown role {str(speaker)[:40]!r}")
    return Message(role, _content(item.get("content", item.get("value")), name, limits))


def _content(value: object, name: str, limits: Limits) -> str:
    """Return a message's text; a list of text parts is joined."""
    if not isinstance(value, list):
        return check_text(value, name, limits)
    parts = []
    for part in value:
        if not isinstance(part, dict) or part.get("type") != "text":
            raise RowRejected(f"{name} holds something other than text")
        parts.append(check_text(part.get("text"), name, limits))
    return "".join(parts)
