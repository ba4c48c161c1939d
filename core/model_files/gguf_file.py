"""Check a GGUF file by its header, before a parser opens it or a model is built."""

from __future__ import annotations

import struct
from pathlib import Path

from core.domain.errors import BadInput, ModelRefused
from core.model_files.gguf_header import BadHeader, check_header, read_header

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_UNREAD_SIZES = {"qwen3": {"attention.key_length": "head_dim"}}
"""Architecture -> entries of a header that transformers 5.23 does not read -> setting of its config that they are."""


def check_gguf(path: Path) -> None:
    """Refuse a file that is not GGUF of a supported version, or whose sizes are not those of its tensors.

    Raises:
        BadInput: when it does not exist.
        ModelRefused: when it is another kind of file, cut short, or describes another model than it holds.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path} does not exist.", "Name a .gguf file.")
    with path.open("rb") as handle:
        head = handle.read(24)
    if not _MAGIC.startswith(head[:4]) and path.suffix.lower() != ".gguf":
        raise ModelRefused(f"{path.name} is not a GGUF file.", "Choose a file that ends in .gguf.")
    if head[:4] != _MAGIC:
        raise damaged_gguf(path, "it is empty" if not head else "it does not start as a GGUF file does")
    if len(head) < 24:
        raise damaged_gguf(path, f"it has only {len(head)} bytes")
    version, tensors, _ = struct.unpack("<IQQ", head[4:])
    if version not in _VERSIONS:
        raise ModelRefused(
            f"{path.name} has GGUF version {version}, which cannot be read.", "Versions 2 and 3 are supported."
        )
    if not 0 < tensors < 1_000_000:
        raise damaged_gguf(path, f"its header says {tensors:,} tensors")
    try:
        header = read_header(path)
    except BadHeader as error:
        raise damaged_gguf(path, str(error)) from error
    check_header(path.name, header)


def unread_sizes(path: Path) -> dict[str, int]:
    """Return settings of the model's config that its header holds and transformers does not read.

    Without them a Qwen3 of another head size than 128 has another shape than its weights, and cannot be loaded.
    Call it after :func:`check_gguf`; {} for a header that cannot be read.
    """
    try:
        values = read_header(Path(path)).values
    except BadHeader:
        return {}
    kind = str(values.get("general.architecture", ""))
    found = {name: values.get(f"{kind}.{entry}") for entry, name in _UNREAD_SIZES.get(kind, {}).items()}
    return {name: size for name, size in found.items() if type(size) is int and size > 0}


def damaged_gguf(path: Path, reason: str) -> ModelRefused:
    """Return the error for an incomplete file: what is wrong, what is safe, what to do."""
    return ModelRefused(
        f"{path.name} is damaged or cut short: {reason}.",
        "Nothing was added, and the file was not changed. Copy or download it again and compare its size.",
    )
