"""The file of a review bundle: JSON lines, the first one a manifest with the hash of all others.

The hash shows that something was altered on the way, not who altered it. What a desk sends back carries the desk's own
hash chain besides, which :mod:`core.store.desks.replay` verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core import durable
from core.bounded import MIB, parse_json, read_bytes, read_head
from core.domain.errors import BadInput
from core.domain.ids import canonical_json
from core.services.written_files import chosen_place

FORMAT = "pairwright-bundle"
NUMBER = 1
BundleKind = Literal["work", "return"]
_LIMIT = 1024 * MIB
_HEAD = MIB
_SAME = ("kind", "bundle", "desk_uuid")
"""What two copies of one bundle have in common; a desk sends back a return as often as it likes."""


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A bundle that was read and whose hash fits: ``sha256`` is that of its lines."""

    path: Path
    manifest: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    sha256: str

    def of_kind(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the lines of a kind."""
        return [line for line in self.lines if line.get("kind") == kind]


def write_bundle(path: Path, kind: BundleKind, manifest: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> str:
    """Write a bundle and return the hash of its lines; only an earlier copy of the same bundle is replaced.

    Raises:
        BadInput: there is another file, or a bundle with other work or of another desk.
        StorageFull, UserError: it cannot be written.
    """
    path = chosen_place(path, replace=True)
    _require_same(path, {"kind": kind, **manifest})
    body = lines_text(lines)
    sha = hashlib.sha256(body).hexdigest()
    head = {"format": FORMAT, "number": NUMBER, "kind": kind, **manifest, "sha256": sha}
    durable.write_bytes(path, canonical_json(head).encode() + b"\n" + body)
    return sha


def _require_same(path: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse to replace a file that is not an earlier copy of the bundle with this manifest."""
    if not path.exists():
        return
    there = _manifest(path)
    if not there:
        raise BadInput(f"{path} is there and is no review bundle; it was left alone.", "Choose another name.")
    if any(there.get(key) != manifest.get(key) for key in _SAME):
        raise BadInput(f"{path} is there and holds another review bundle; it was left alone.", "Choose another name.")


def lines_text(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Return lines as they stand in the file."""
    return b"".join(canonical_json(dict(line)).encode() + b"\n" for line in lines)


def is_bundle(path: Path) -> bool:
    """Whether a file begins like a review bundle; nothing else of it is read."""
    return bundle_kind(path) != ""


def bundle_kind(path: Path) -> str:
    """Return the kind that the first line of a bundle names; "" for any other file. Nothing else of it is read."""
    return str(_manifest(path).get("kind", ""))


def _manifest(path: Path) -> dict[str, Any]:
    """Return what the first line of a bundle says; nothing for any other file."""
    try:
        found = parse_json(read_head(path, _HEAD).split(b"\n", 1)[0], path.name)
    except BadInput:
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def read_bundle(path: Path, kind: BundleKind) -> BundleFile:
    """Read a bundle of a kind.

    Raises:
        BadInput: it is no bundle, of another kind or a newer program, or was altered.
    """
    head, _, body = read_bytes(path, _LIMIT).partition(b"\n")
    manifest = parse_json(head, path.name) if head.startswith(b"{") else {}
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadInput(f"{path.name} is no review bundle; nothing was read from it.", "Choose the file of a bundle.")
    if manifest.get("number") != NUMBER:
        raise BadInput(f"{path.name} was written by a newer program; nothing was read from it.", "Update Pairwright.")
    if manifest.get("kind") != kind:
        words = {
            "work": "slots to label, not what a desk sent back",
            "return": "what a desk sent back, not slots to label",
        }
        other = words.get(str(manifest.get("kind")), "something else")
        raise BadInput(f"{path.name} holds {other}.", "`bundle open` takes the first, `bundle merge` the second.")
    sha = hashlib.sha256(body).hexdigest()
    if sha != manifest.get("sha256"):
        raise BadInput(
            f"{path.name} was altered: its lines do not fit their hash. Nothing was taken from it.",
            "Ask for the file again.",
        )
    lines = tuple(parse_json(line, path.name) for line in body.splitlines())
    if not all(isinstance(line, dict) for line in lines):
        raise BadInput(f"{path.name} holds lines that are no records; nothing was taken from it.", "Ask for it again.")
    return BundleFile(path, manifest, lines, sha)
