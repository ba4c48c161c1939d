"""Read pairs for a run without a workspace, from JSON lines of prompt / chosen / rejected.

Texts are kept byte for byte: a string is a prompt of one user turn and is not parsed. Files in other formats, or with
bad rows, can be imported into a workspace, which lists bad rows instead of stopping.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from core.bounded import open_regular
from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput
from core.domain.pair import TrainingPair

_LINE_BYTES = 8 << 20
_SPLITS = ("train", "dev", "test")
_HINT = "Correct the line, or import the file into a workspace, which leaves bad rows out and lists them."


def read_pairs(path: Path) -> list[TrainingPair]:
    """Return the pairs of a JSONL file (plain or gz) in file order.

    Each line is an object with ``prompt`` (text or messages; may be missing when ``chosen`` and
    ``rejected`` are whole conversations), ``chosen`` and ``rejected`` (text or messages), and optionally
    ``id``, ``weight``, ``target``, ``is_tie`` and ``split``. Without ``split`` every pair trains.

    Raises:
        BadInput: naming the first line that cannot be used, and why.
    """
    path = Path(path)
    pairs: list[TrainingPair] = []
    seen: dict[str, int] = {}
    try:
        with open_regular(path) as file, _unpacked(file, path.suffix) as lines:
            for number, line in _lines(lines):
                pair = _pair(_object(line, number), number)
                if pair.pair_id in seen:
                    raise _bad(number, f"its id {pair.pair_id!r} was used in line {seen[pair.pair_id]} already")
                seen[pair.pair_id] = number
                pairs.append(pair)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.", "The file must be UTF-8 text, plain or gz.") from error
    if not pairs:
        raise BadInput(f"{path} holds no pair.", "It needs one JSON object a line: prompt, chosen, rejected.")
    return pairs


def _unpacked(file: BinaryIO, suffix: str) -> BinaryIO | gzip.GzipFile:
    return gzip.GzipFile(fileobj=file) if suffix == ".gz" else file


def _lines(handle: BinaryIO | gzip.GzipFile) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := handle.readline(_LINE_BYTES + 1):
        number += 1
        if len(line) > _LINE_BYTES:
            raise _bad(number, f"it is longer than {_LINE_BYTES >> 20} MiB")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _bad(number, f"it is not JSON ({str(error)[:80]})") from error
    if not isinstance(row, dict):
        raise _bad(number, "it is not an object with prompt, chosen and rejected")
    return row


def _pair(row: dict[str, Any], number: int) -> TrainingPair:
    for key in ("chosen", "rejected"):
        if key not in row:
            raise _bad(number, f"it has no {key!r}")
    prompt, chosen, rejected = _texts(row, number)
    if chosen == rejected:
        raise _bad(number, "chosen and rejected are the same text")
    split = row.get("split", "train")
    if split not in _SPLITS:
        raise _bad(number, f"its split is {split!r}, not train, dev or test")
    return TrainingPair(
        pair_id=_identity(row, number),
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        split=split,
        weight=_number(row, "weight", 0.0, 1e6, number),
        target=_number(row, "target", 0.5, 1.0, number),
        is_tie=_switch(row, "is_tie", number),
    )


def _identity(row: dict[str, Any], number: int) -> str:
    value = row.get("id", row.get("pair_id", f"line-{number}"))
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise _bad(number, "its id is neither text nor a whole number")
    return str(value)


def _number(row: dict[str, Any], key: str, low: float, high: float, number: int) -> float:
    value = row.get(key, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _bad(number, f"its {key} is {value!r}, not a number from {low:g} to {high:g}")
    return float(value)


def _switch(row: dict[str, Any], key: str, number: int) -> bool:
    value = row.get(key, False)
    if value not in (True, False):
        raise _bad(number, f"its {key} is {value!r}, not true or false")
    return bool(value)


def _texts(row: dict[str, Any], number: int) -> tuple[Prompt, str, str]:
    """Return prompt and both answers from any mix of texts and messages."""
    if "prompt" not in row:
        return _whole_conversations(row, number)
    value = row["prompt"]
    prompt = Prompt.from_text(_text(value, "prompt", number)) if isinstance(value, str) else None
    prompt = prompt or _prompt(_messages(value, "prompt", number), number)
    return prompt, _answer(row["chosen"], "chosen", number), _answer(row["rejected"], "rejected", number)


def _whole_conversations(row: dict[str, Any], number: int) -> tuple[Prompt, str, str]:
    if isinstance(row["chosen"], str) or isinstance(row["rejected"], str):
        raise _bad(number, "it has no 'prompt'")
    chosen = _messages(row["chosen"], "chosen", number)
    rejected = _messages(row["rejected"], "rejected", number)
    if chosen[:-1] != rejected[:-1]:
        raise _bad(number, "chosen and rejected answer different prompts")
    return (
        _prompt(chosen[:-1], number),
        _answer([_plain(chosen[-1])], "chosen", number),
        _answer([_plain(rejected[-1])], "rejected", number),
    )


def _prompt(messages: list[Message], number: int) -> Prompt:
    if not messages:
        raise _bad(number, "its prompt has no message")
    if messages[-1].role == "assistant":
        raise _bad(number, "its prompt ends with a message of the assistant")
    return Prompt(tuple(messages))


def _answer(value: Any, name: str, number: int) -> str:
    if isinstance(value, str):
        return _text(value, name, number)
    messages = _messages(value, name, number)
    if len(messages) != 1 or messages[0].role != "assistant":
        raise _bad(number, f"its {name} is not one message of the assistant")
    return messages[0].content


def _messages(value: Any, name: str, number: int) -> list[Message]:
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _bad(number, f"its {name} is neither text nor a list of messages")
    found = []
    for item in value:
        if "role" not in item or "content" not in item:
            raise _bad(number, f"a message of its {name} lacks role or content")
        found.append(Message(item["role"], _text(item["content"], name, number)))
    try:
        return list(Prompt(tuple(found)).messages) if found else []
    except BadInput as error:
        raise _bad(number, f"in its {name}: {error.message}") from error


def _text(value: Any, name: str, number: int) -> str:
    if not isinstance(value, str):
        raise _bad(number, f"its {name} is not text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _bad(number, f"its {name} holds half of a surrogate pair, which is not a character") from error
    if "\x00" in value:
        raise _bad(number, f"its {name} holds a NUL character")
    return value


def _plain(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def _bad(number: int, reason: str) -> BadInput:
    return BadInput(f"Line {number} cannot be used: {reason}. Nothing was started.", _HINT)
