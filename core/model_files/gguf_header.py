"""Read the header of a GGUF file within limits, and compare its sizes with its tensors before a model is built.

A header may claim a billion layers, or tensors that the file does not hold; a library that believes it takes all memory
or does not end. The layout is that of the GGUF specification, versions 2 and 3, little endian: counts, key and value
pairs, then name, shape, type and offset of every tensor.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.domain.errors import ModelRefused

_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MAX_KEYS, _MAX_TENSORS, _MAX_ITEMS = 10_000, 1_000_000, 4_000_000
_MAX_KEY, _MAX_TEXT = 64 * 1024, 16 * 1024 * 1024
_MAX_LENGTH = 1 << 24
_LARGER = 8
"""How much larger than the largest dimension of a tensor a size may be."""
_LAYER = re.compile(r"(?:^|\.)blk\.(\d+)\.")
_SIZES = (
    "embedding_length", "feed_forward_length", "vocab_size", "attention.head_count", "attention.head_count_kv",
    "attention.key_length", "attention.value_length", "rope.dimension_count", "expert_count", "expert_used_count",
    "expert_feed_forward_length", "ssm.inner_size", "ssm.state_size", "ssm.conv_kernel",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a header says.

    Attributes:
        values: key -> number or text. lengths: key -> number of items, of arrays.
        shapes: tensor -> its dimensions, the fastest first.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class BadHeader(Exception):
    """The header is cut short or says something that no file can mean; the message is the end of a sentence."""


def read_header(path: Path) -> GgufHeader:
    """Return what the header of a GGUF file of version 2 or 3 says; texts and arrays are read within limits.

    Raises:
        BadHeader: when it cannot be so.
    """
    with path.open("rb") as handle:
        handle.seek(8)
        tensors, keys = _unpack(handle, "<QQ")
        if not 0 < tensors <= _MAX_TENSORS or keys > _MAX_KEYS:
            raise BadHeader(f"its header says {tensors:,} tensors and {keys:,} entries")
        values: dict[str, Any] = {}
        lengths: dict[str, int] = {}
        for _ in range(keys):
            key, (kind,) = _text(handle, _MAX_KEY), _unpack(handle, "<I")
            if kind == _ARRAY:
                lengths[key] = _skip_array(handle)
            else:
                values[key] = _value(handle, kind)
        shapes, furthest = _tensors(handle, tensors)
        if handle.tell() + furthest > path.stat().st_size:
            raise BadHeader("a tensor lies behind its end")
    return GgufHeader(values, lengths, shapes)


def check_header(name: str, header: GgufHeader) -> None:
    """Refuse a header whose sizes are not those of its tensors.

    Raises:
        ModelRefused: naming the entry that does not fit.
    """
    kind = str(header.values.get("general.architecture", ""))
    largest = max((max(shape, default=0) for shape in header.shapes.values()), default=0)
    for entry in _SIZES:
        value = header.values.get(f"{kind}.{entry}")
        if value is not None and (type(value) is not int or not 0 <= value <= max(largest, 1) * _LARGER):
            raise _refused(
                name, f"{kind}.{entry} is {_short(value)}, and its largest tensor has {largest:,} rows", entry
            )
    length = header.values.get(f"{kind}.context_length")
    if length is not None and (type(length) is not int or not 0 < length <= _MAX_LENGTH):
        raise _refused(name, f"{kind}.context_length is {_short(length)}, which no model has", "context_length")
    _require_layers(name, kind, header)
    _require_embeddings(name, kind, header)


def _require_layers(name: str, kind: str, header: GgufHeader) -> None:
    wanted = header.values.get(f"{kind}.block_count")
    found = 1 + max((int(match[1]) for key in header.shapes if (match := _LAYER.search(key))), default=-1)
    extra = header.values.get(f"{kind}.nextn_predict_layers", 0)
    spare = extra if type(extra) is int and 0 <= extra < 16 else 0
    if wanted is not None and (type(wanted) is not int or not found <= wanted <= found + spare):
        raise _refused(
            name, f"{kind}.block_count is {_short(wanted)}, and its weights have {found:,} layers", "block_count"
        )


def _require_embeddings(name: str, kind: str, header: GgufHeader) -> None:
    shape = header.shapes.get("token_embd.weight")
    if shape is None or len(shape) != 2:
        return
    width, rows = shape
    wanted = header.values.get(f"{kind}.embedding_length")
    if wanted is not None and wanted != width:
        raise _refused(
            name, f"{kind}.embedding_length is {wanted:,}, and its embeddings have {width:,}", "embedding_length"
        )
    tokens = header.lengths.get("tokenizer.ggml.tokens")
    if tokens is not None and tokens > rows:
        raise _refused(name, f"its tokenizer has {tokens:,} tokens, and its embeddings have {rows:,} rows", "tokens")


def _tensors(handle: BinaryIO, count: int) -> tuple[dict[str, tuple[int, ...]], int]:
    """Return the shapes, and the largest offset behind the header."""
    shapes: dict[str, tuple[int, ...]] = {}
    furthest = 0
    for _ in range(count):
        name, (dimensions,) = _text(handle, _MAX_KEY), _unpack(handle, "<I")
        if not 0 < dimensions <= 4:
            raise BadHeader(f"its tensor {name[:60]!r} has {dimensions:,} dimensions")
        shape = _unpack(handle, f"<{dimensions}Q")
        _, offset = _unpack(handle, "<IQ")
        if not all(0 < size < 1 << 40 for size in shape):
            raise BadHeader(f"its tensor {name[:60]!r} has the shape {shape}")
        shapes[name] = tuple(shape)
        furthest = max(furthest, offset)
    return shapes, furthest


def _value(handle: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(handle, _MAX_TEXT)
    if kind not in _NUMBERS:
        raise BadHeader(f"an entry is of the unknown kind {kind:,}")
    return _unpack(handle, _NUMBERS[kind])[0]


def _skip_array(handle: BinaryIO) -> int:
    """Read over an array of numbers or texts and return its length."""
    kind, count = _unpack(handle, "<IQ")
    if count > _MAX_ITEMS:
        raise BadHeader(f"an entry is a list of {count:,} values")
    if kind == _STRING:
        for _ in range(count):
            _skip(handle, _length(handle, _MAX_TEXT))
    elif kind in _NUMBERS:
        _skip(handle, count * struct.calcsize(_NUMBERS[kind]))
    else:
        raise BadHeader("an entry is a list of lists or of an unknown kind")
    return count


def _skip(handle: BinaryIO, size: int) -> None:
    if len(handle.read(size)) < size:
        raise BadHeader("its header is cut off")


def _length(handle: BinaryIO, limit: int) -> int:
    (size,) = _unpack(handle, "<Q")
    if size > limit:
        raise BadHeader(f"its header holds a text of {size:,} bytes")
    return size


def _text(handle: BinaryIO, limit: int) -> str:
    size = _length(handle, limit)
    raw = handle.read(size)
    if len(raw) < size:
        raise BadHeader("its header is cut off")
    return raw.decode("utf-8", "replace")


def _unpack(handle: BinaryIO, layout: str) -> tuple[Any, ...]:
    raw = handle.read(struct.calcsize(layout))
    if len(raw) < struct.calcsize(layout):
        raise BadHeader("its header is cut off")
    return struct.unpack(layout, raw)


def _refused(name: str, reason: str, entry: str) -> ModelRefused:
    return ModelRefused(
        f"The header of {name} does not describe its weights: {reason}.",
        f"Download the file again from its origin; nothing was loaded. The entry is {entry}.",
    )


def _short(value: Any) -> str:
    return f"{value:,}" if type(value) is int else repr(value)[:60]
