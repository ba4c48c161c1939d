"""Identifiers and content hashes. Everything that must be named the same on two machines is named here."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def new_uid() -> str:
    """Return a 32-digit hex identifier that sorts by creation time (UUID version 7 layout, RFC 9562)."""
    return new_uids(1)[0]


def new_uids(count: int) -> list[str]:
    """Return many identifiers of :func:`new_uid` with one call to the system's random source."""
    head = time.time_ns() // 1_000_000 & ((1 << 48) - 1)
    noise = os.urandom(10 * count)
    return [_uid(head, int.from_bytes(noise[at : at + 10], "big")) for at in range(0, 10 * count, 10)]


def _uid(ms: int, rand: int) -> str:
    value = ms << 80 | rand
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return f"{value:032x}"


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
