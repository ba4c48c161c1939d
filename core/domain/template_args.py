"""Arguments of a chat template as one line of text: ``enable_thinking=false, reasoning_effort=high``.

A value is JSON (``false``, ``3``, ``[...]``, ``{...}``, ``"text"``); what is no JSON is text up to the next comma.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from core.domain.errors import UsageError

RESERVED = ("messages", "add_generation_prompt", "continue_final_message", "strftime_now", "raise_exception")
"""Names that the run itself gives to a template."""
_NAME = re.compile(r"\s*([A-Za-z]\w*)\s*=\s*")
_HINT = "Write name=value, several joined by commas, for example enable_thinking=false."


def read_arguments(text: str) -> dict[str, Any]:
    """Return the arguments in a line by name; a line that begins with a brace is one JSON object.

    Raises:
        UsageError: when it cannot be read, names one argument twice, or one that the run itself gives.

    >>> read_arguments('enable_thinking=false, date_string=26 Jul 2024, tools=[{"name": "f"}]')
    {'enable_thinking': False, 'date_string': '26 Jul 2024', 'tools': [{'name': 'f'}]}
    """
    found = _object(text) if text.lstrip().startswith("{") else _words(text)
    for name in found:
        if name in RESERVED:
            raise UsageError(f"The chat template gets {name} from the run itself.", "Leave this argument out.")
    return found


def spelled(arguments: Mapping[str, Any]) -> str:
    """Return arguments as the one line that :func:`read_arguments` reads back, sorted by name.

    Raises:
        UsageError: for a value that is no JSON.

    >>> spelled({"mode": "high", "enable_thinking": True, "word": "true"})
    'enable_thinking=true, mode=high, word="true"'
    """
    return ", ".join(f"{name}={_spelled(name, arguments[name])}" for name in sorted(arguments))


def one_argument(word: str) -> dict[str, Any]:
    """Return the argument in one ``name=value`` word of the command line; a comma in its text ends nothing.

    Raises:
        UsageError: when it has no name, or one that the run itself gives.
    """
    match = _NAME.match(word)
    if not match:
        raise UsageError(f"{word!r} is not an argument of a template.", _HINT)
    rest = word[match.end() :].strip()
    value, end = _json_value(rest, 0)
    found = {match.group(1): value if end == len(rest) and rest else rest}
    return read_arguments(spelled(found))


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The template arguments are no JSON object: {error}.", _HINT) from error
    for name in found:
        if not re.fullmatch(r"[A-Za-z]\w*", name):
            raise UsageError(f"{name!r} is no name of a template argument.", _HINT)
    return found


def _words(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    place = 0
    while text[place:].strip():
        match = _NAME.match(text, place)
        if not match:
            raise UsageError(f"{text[place:].strip()[:40]!r} is not an argument of a template.", _HINT)
        name, place = match.group(1), match.end()
        value, end = _json_value(text, place)
        comma = text.find(",", end)
        if end == place or text[end : comma if comma >= 0 else None].strip():  # no JSON, or text goes on behind it
            comma = text.find(",", place)
            value = text[place : comma if comma >= 0 else None].strip()
        if name in found:
            raise UsageError(f"The template argument {name} is given twice.", "Leave one of the two out.")
        found[name] = value
        place = comma + 1 if comma >= 0 else len(text)
    return found


def _json_value(text: str, place: int) -> tuple[Any, int]:
    """Return the JSON value at ``place`` and where it ends; ``place`` itself where there is none."""
    decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_once)
    try:
        return decoder.raw_decode(text, place)
    except (ValueError, RecursionError):
        return None, place


def _spelled(name: str, value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"The template argument {name} cannot be {value!r}.", _HINT) from error
    plain = isinstance(value, str) and value == value.strip() and value and not set(value) & set(',"{}[]\\\n')
    return value if plain and _json_value(value, 0)[1] == 0 else text


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands in it twice")
    return dict(pairs)
