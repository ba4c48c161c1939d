"""Conversations written as lists of messages, in the common spellings.

A text stays a text. Whether the texts of a column are messages, as JSON or as Python prints them, is decided once, from
the whole sample (:func:`shape_of`), never from one row: an answer may well be JSON that looks like a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from core.domain.conversation import Message, Prompt, Role
from core.services.importing.formats.python_texts import is_printed, printed_value
from core.services.importing.formats.transcripts import prompt_from_text
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json, printable
from core.services.importing.reading import Remarks

_ROLES: dict[str, Role] = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "function_call": "assistant",
    "observation": "tool",
}
_TEXT_PARTS = ("text", "input_text", "output_text")
_OTHER_PARTS = {
    "image": "a picture",
    "image_url": "a picture",
    "input_image": "a picture",
    "audio": "sound",
    "input_audio": "sound",
    "output_audio": "sound",
    "video": "a video",
    "video_url": "a video",
    "file": "a file",
    "input_file": "a file",
    "tool_use": "a tool call",
    "tool_call": "a tool call",
    "tool_result": "the result of a tool",
}
_READ = {"role", "from", "content", "value", "parts", "tool_calls", "function_call"}
_NOTHING: tuple[object, ...] = (None, "", [], {}, False)
_MOSTLY = 0.9  # of the texts of a column, from which it counts as JSON of messages throughout
_KEPT_AS_TEXT = "{} reads like a list of messages and is kept as the text that it is"
_NO_LIST = "{} is a text among lists of messages and is read as a text"


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """What the cells of a column are, by the sample.

    Attributes:
        as_json: its texts are JSON of messages throughout, or such lists as Python prints them (``as_python``).
        messages: most cells are messages, as lists or as JSON.
        objects: most cells are objects that are no messages; ``keys`` are theirs, the commonest first.
    """

    as_json: bool = False
    as_python: bool = False
    messages: bool = False
    objects: bool = False
    keys: tuple[str, ...] = ()


def shape_of(values: Iterable[object], limits: Limits) -> ColumnShape:
    """Return what the cells of a column are; blank ones say nothing."""
    texts = lists = as_json = as_python = others = 0
    keys: dict[str, int] = {}
    for value in values:
        if isinstance(value, str):
            if value and not value.isspace():
                texts += 1
                found = _may_be_messages(value) and _is_json_of_messages(value, limits)
                as_json += found
                as_python += found and is_printed(value)
        elif isinstance(value, list | dict) and value:
            if _is_messages(value):
                lists += 1
            elif isinstance(value, dict):
                others += 1
                for key in value:
                    keys[str(key)] = keys.get(str(key), 0) + 1
    json_throughout = as_json > 0 and as_json >= _MOSTLY * texts
    structured = lists + (texts if json_throughout else 0)
    plain = texts - (texts if json_throughout else 0)
    return ColumnShape(
        as_json=json_throughout,
        as_python=json_throughout and as_python > 0,
        messages=structured > plain + others,
        objects=others > plain + structured,
        keys=tuple(sorted(keys, key=lambda key: -keys[key])[:12]),
    )


def read_messages(
    value: object, name: str, limits: Limits, remarks: Remarks | None = None, *, as_json: bool = True
) -> list[Message]:
    """Return the messages of a list, of one message, or of the JSON text of either.

    Args:
        value: the cell.
        name: of the column, for the reasons.
        limits: what a field may hold.
        remarks: takes note of what a message holds beside its text.
        as_json: read a text that is JSON. Pass the column's shape where a text may be just a text.

    Raises:
        RowRejected: naming the message and what is wrong with it.
    """
    if as_json and isinstance(value, str) and _may_be_messages(value):
        value = _parsed(value, limits)
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise RowRejected(f"{name} is {describe_type(value)}, not a list of messages")
    return [_message(item, f"message {i} of {name}", limits, remarks) for i, item in enumerate(value, 1)]


def looks_like_messages(value: object) -> bool:
    """Say whether a cell holds messages, as a list or as one object; a text never does."""
    items = cast("list[object]", value if isinstance(value, list) else [value])
    return bool(items) and all(
        isinstance(m, dict) and any(key in m for key in ("content", "value", "parts", "tool_calls")) for m in items
    )


def read_prompt(
    value: object, name: str, limits: Limits, remarks: Remarks | None = None, *, as_json: bool = False
) -> Prompt:
    """Return a prompt from a text or from messages; for the arguments see :func:`read_messages`.

    Raises:
        RowRejected: when it is missing, blank, or ends with an answer.
    """
    if isinstance(value, str):
        if messages := _from_text(value, name, limits, remarks, as_json):
            return prompt_of(messages, name)
    elif looks_like_messages(value) or isinstance(value, list):
        return prompt_of(read_messages(value, name, limits, remarks), name)
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


def read_answer(
    value: object, name: str, limits: Limits, remarks: Remarks | None = None, *, as_json: bool = False
) -> str:
    """Return an answer from a text or from one assistant message. An empty answer is an answer.

    Raises:
        RowRejected: for anything else.
    """
    if isinstance(value, str):
        messages = _from_text(value, name, limits, remarks, as_json)
        if not messages:
            return check_text(value, name, limits)
    elif looks_like_messages(value):
        messages = read_messages(value, name, limits, remarks)
    else:
        return check_text(value, name, limits)
    if len(messages) != 1 or messages[0].role != "assistant":
        raise RowRejected(f"{name} is not one message of the assistant")
    return messages[0].content


def _from_text(value: str, name: str, limits: Limits, remarks: Remarks | None, as_json: bool) -> list[Message]:
    """Return the messages of a text in a column of JSON; empty where the text is a text. Tell the odd one."""
    odd = _may_be_messages(value) and _is_json_of_messages(value, limits)
    if as_json:
        if odd:
            return read_messages(value, name, limits, remarks)
        if value and remarks is not None:
            remarks.count(_NO_LIST.format(name))
    elif odd and remarks is not None:
        remarks.count(_KEPT_AS_TEXT.format(name))
    return []


def _is_json_of_messages(text: str, limits: Limits) -> bool:
    if not any(key in text for key in ("content", "value", "parts", "tool_calls")):
        return False
    try:
        return _is_messages(_parsed(text, limits))
    except RowRejected:
        return False


def _may_be_messages(text: str) -> bool:
    return text.lstrip()[:1] in ("[", "{") or is_printed(text)


def _parsed(text: str, limits: Limits) -> object:
    """Return what a text holds as JSON, or as Python printed it.

    Raises:
        RowRejected: when it is neither.
    """
    value = printed_value(text) if is_printed(text) else None
    return parse_json(text.strip(), limits) if value is None else value


def _is_messages(value: object) -> bool:
    """Say whether every item is a message by a known speaker."""
    items = cast("list[object]", value if isinstance(value, list) else [value])
    return looks_like_messages(items) and all(_speaker(cast("dict[str, object]", m)) in _ROLES for m in items)


def _speaker(item: Mapping[str, object]) -> str:
    found = item.get("role")
    return str(item.get("from") if found is None else found).lower()


def _message(item: object, name: str, limits: Limits, remarks: Remarks | None) -> Message:
    """Return one message. Keys that hold null are as good as absent: Arrow fills them in."""
    if not isinstance(item, dict):
        raise RowRejected(f"{name} is {describe_type(item)}, not a message")
    role = _ROLES.get(_speaker(item))
    if role is None:
        raise RowRejected(f"{name} has the unknown role {_speaker(item)[:40]!r}")
    content = item.get("content")
    content = (
        next((item[key] for key in ("value", "parts") if item.get(key) is not None), None)
        if content is None
        else content
    )
    if item.get("tool_calls") or item.get("function_call"):
        if content in (None, "", []):
            raise RowRejected(f"{name} is a tool call without text")
        if remarks is not None:
            remarks.count("a tool call beside the text of a message is not kept")
    if remarks is not None and not item.keys() <= _READ:
        for key in sorted(str(key) for key, held in item.items() if key not in _READ and held not in _NOTHING):
            remarks.count(f"{printable(key)[:40]} beside the text of a message is not kept")
    return Message(role, _content(content, name, limits))


def _content(value: object, name: str, limits: Limits) -> str:
    """Return a message's text; a list of text parts is joined."""
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return check_text(value, name, limits)
    return "".join(_part(part, name, limits) for part in value)


def _part(part: object, name: str, limits: Limits) -> str:
    if isinstance(part, str):
        return check_text(part, name, limits)
    if not isinstance(part, dict):
        raise RowRejected(f"{name} holds {describe_type(part)} among its parts")
    kind = part.get("type")
    if kind in _TEXT_PARTS or (kind is None and "text" in part):
        return check_text(part.get("text"), name, limits)
    if kind == "refusal":
        return check_text(part.get("refusal"), name, limits)
    if kind in _OTHER_PARTS:
        raise RowRejected(f"{name} holds {_OTHER_PARTS[kind]}; only texts can be read")
    raise RowRejected(f"{name} holds a part of the type {str(kind)[:40]!r}; only texts can be read")
