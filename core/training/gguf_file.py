"""What can be told of a GGUF file from its first bytes, without a parser."""

from __future__ import annotations

import struct
from pathlib import Path

from core.domain.errors import BadInput, ModelRefused

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)


def check_gguf(path: Path) -> None:
    """Refuse what is not a GGUF file of a readable version, before any parser sees it.

    Raises:
        BadInput: when it does not exist.
        ModelRefused: when it is something else, or cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path} does not exist.", "Name a .gguf file.")
    with open(path, "rb") as handle:
        head = handle.read(24)
    if len(head) < 24 or head[:4] != _MAGIC:
        raise ModelRefused(f"{path.name} is not a GGUF file.", "Choose a file that ends in .gguf.")
    version, tensors, _ = struct.unpack("<IQQ", head[4:])
    if version not in _VERSIONS or not 0 < tensors < 1_000_000:
        raise ModelRefused(
            f"{path.name} has GGUF version {version} with {tensors} tensors, which cannot be read.",
            "Versions 2 and 3 are known.",
        )
