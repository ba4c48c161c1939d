"""Check the header of a safetensors file with the standard library: a damaged or hostile file is refused by name.

Layout: 8 bytes little-endian length, that many bytes of JSON, then the tensors' bytes without gaps.
"""

from __future__ import annotations

import math
import stat
from pathlib import Path
from typing import Any

from core import bounded
from core.domain.errors import BadInput, ModelRefused

_MAX_HEADER = 16 * 1024 * 1024
"""Bytes; a header of this size names about 150,000 tensors. Python needs some twenty times as much for it."""
_DEPTH = 4
_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "U16": 2, "U32": 4,
    "U64": 8, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
}  # fmt: skip


def check_safetensors(path: Path) -> dict[str, Any]:
    """Return the header after checking it against the file's size.

    Raises:
        ModelRefused: when the file is cut short, has bytes that belong to no tensor, or is not safetensors.
    """
    info = path.stat()
    size = info.st_size
    if not stat.S_ISREG(info.st_mode):
        raise _damaged(path, "it is not a regular file")
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 10 or length > size - 8:
            raise _damaged(path, "its header is cut short")
        if length > _MAX_HEADER:
            raise _damaged(path, f"its header of {length:,} bytes is larger than that of any model")
        raw = handle.read(length)
    try:
        bounded.require_shallow(raw, path.name, _DEPTH)
        header = bounded.parse_json(raw, path.name)
        spans = [_span(name, entry) for name, entry in header.items() if name != "__metadata__"]
    except (BadInput, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise _damaged(path, "its header is not readable") from error
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise _damaged(path, "its tensors overlap or leave gaps")
        position = end
    if 8 + length + position != size:
        raise _damaged(path, f"it has {size:,} bytes where its header says {8 + length + position:,}")
    return header


def parameter_count(folder: Path) -> int:
    """Return how many numbers the safetensors files in ``folder`` hold, read from their headers.

    Raises:
        ModelRefused: when a file is damaged.
    """
    headers = [check_safetensors(file) for file in sorted(folder.glob("*.safetensors"))]
    return sum(
        math.prod(entry["shape"]) for header in headers for name, entry in header.items() if name != "__metadata__"
    )


def _span(name: str, entry: dict[str, Any]) -> tuple[int, int]:
    begin, end = entry["data_offsets"]
    if any(type(number) is not int or number < 0 for number in (begin, end, *entry["shape"])):
        raise ValueError(name)
    if not 0 <= begin <= end or end - begin != math.prod(entry["shape"]) * _BYTES[entry["dtype"]]:
        raise ValueError(name)
    return int(begin), int(end)


def _damaged(path: Path, reason: str) -> ModelRefused:
    return ModelRefused(f"{path.name} is damaged: {reason}.", "Copy or download the file again.")
