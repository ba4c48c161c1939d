"""Identifiers and content hashes. Everything that must be named the same on two machines is named here."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_VARIANT = {f"{digit:x}": f"{8 | digit & 3:x}" for digit in range(16)}
"""The digit behind the version: its two high bits say that the layout is that of RFC 9562."""


def new_uid() -> str:
    """Return a 32-digit hex identifier that sorts by creation time (UUID version 7 layout, RFC 9562)."""
    return new_uids(1)[0]


def new_uids(count: int) -> list[str]:
    """Return many identifiers of :func:`new_uid` with one call to the system's random source."""
    head = f"{time.time_ns() // 1_000_000 & ((1 << 48) - 1):012x}7"
    noise = os.urandom(10 * count).hex()
    return [
        f"{head}{noise[at + 1 : at + 4]}{_VARIANT[noise[at + 4]]}{noise[at + 5 : at + 20]}"
        for at in range(0, 20 * count, 20)
    ]


def canonical_json(value: Any) -> str:
    """Serialise plain values in exactly one way: sorted keys, no spaces, UTF-8 text, no NaN.

    Raises:
        ValueError: for NaN or infinity, which have no JSON form.
    """
    return _CANONICAL.encode(value)


def sha256_text(text: str) -> str:
    """Return the hex sha256 of ``text`` in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha256_json(value: Any) -> str:
    """Return the hex sha256 of the canonical JSON of ``value``."""
    return sha256_text(canonical_json(value))
