"""The one reader of small files that others made: regular files only, up to a limit, JSON of bounded depth.

A folder from elsewhere may hold a pipe that never ends, a link to a device, a file of gigabytes without content, or
JSON nested a million times. Each is refused with a sentence before it costs time or memory.
"""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any, BinaryIO

from core.domain.errors import BadInput

MIB = 1 << 20
JSON_BYTES = 64 * MIB
MAX_DEPTH = 64
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(range(256)).translate(None, b"[]{}")
_OPEN = b"[{"


def read_bytes(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most ``limit`` bytes.

    Raises:
        BadInput: when it is missing, not a regular file, unreadable, or larger.
    """
    with open_regular(path) as file:
        too_large = os.fstat(file.fileno()).st_size > limit  # before memory is filled; a file that grows is seen below
        data = b"" if too_large else _read(file, path, limit + 1)
    if too_large or len(data) > limit:
        raise BadInput(
            f"{path.name} is larger than {_size(limit)}; it was not read.", "Check whether it is the right file."
        )
    return data


def read_head(path: Path, limit: int) -> bytes:
    """Return the first ``limit`` bytes of a regular file.

    Raises:
        BadInput: when it is missing, not a regular file, or unreadable.
    """
    with open_regular(path) as file:
        return _read(file, path, limit)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; a pipe or a device is refused and never waited for.

    Raises:
        BadInput: when it is missing, not a regular file, or may not be opened.
    """
    try:
        # Without O_NONBLOCK opening a pipe waits for a writer. What is opened is looked at, not what the name says.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist.", "Check the name.") from error
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror or error}.", "Check the file and its rights."
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadInput(f"{path.name} is not a regular file; it was not read.", "Put a regular file in its place.")
    return os.fdopen(handle, "rb")


def read_utf8(path: Path, limit: int) -> str:
    """Return a text that is taken as it is: bytes that are no UTF-8 are refused, a byte order mark is left out.

    Raises:
        BadInput: see :func:`read_bytes`, or when it is not UTF-8.
    """
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text; it was not read.", "Save it as UTF-8, then try again.") from error


def read_text(path: Path, limit: int) -> str:
    """Return a UTF-8 text file; bytes that are none become the replacement character.

    Raises:
        BadInput: see :func:`read_bytes`.
    """
    return read_bytes(path, limit).decode("utf-8", "replace")


def read_json(path: Path, limit: int = JSON_BYTES) -> Any:
    """Return the value of a JSON file.

    Raises:
        BadInput: when it cannot be read, is larger than ``limit`` bytes, nested deeper than ``MAX_DEPTH``, names a key
            twice, or is not JSON.
    """
    return parse_json(read_bytes(path, limit), path.name)


def read_object(path: Path, limit: int = JSON_BYTES) -> dict[str, Any]:
    """Return the object of a JSON file; see :func:`read_json`.

    Raises:
        BadInput: also when the file holds something else than an object.
    """
    value = read_json(path, limit)
    if not isinstance(value, dict):
        raise BadInput(f"{path.name} does not hold a JSON object.", "Copy the file again.")
    return value


def parse_json(data: bytes, name: str) -> Any:
    """Return the value of JSON text; ``name`` stands in the message.

    Raises:
        BadInput: see :func:`read_json`.
    """
    require_shallow(data, name)
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        why = "a number has thousands of digits" if "int_max_str_digits" in str(error) else str(error)
        raise BadInput(f"{name} is not readable JSON: {why}.", "Copy the file again.") from error


def require_shallow(data: bytes, name: str, depth: int = MAX_DEPTH) -> None:
    """Refuse JSON that is nested deeper than ``depth`` before a parser builds it.

    Raises:
        BadInput: naming the file.
    """
    level = 0
    for sign in _STRING.sub(b"", data).translate(None, _NO_BRACKETS):
        level += 1 if sign in _OPEN else -1
        if level > depth:
            raise BadInput(f"{name} is nested more than {depth} levels deep; it was not read.", "Use another copy.")


def _read(file: BinaryIO, path: Path, limit: int) -> bytes:
    try:
        return file.read(limit)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.", "Copy it again.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set[str]()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # one pass: there may be millions
        raise ValueError(f"it names {twice[:60]!r} twice")
    return found


def _size(count: int) -> str:
    return f"{count // MIB} MiB" if count >= MIB else f"{count // 1024} KiB"
