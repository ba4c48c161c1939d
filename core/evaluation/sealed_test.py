"""The sealed test: the test split of a dataset version as an encrypted file that the evaluator process opens.

A sealed file is one line of JSON (the header), then the ciphertext: AES-256-GCM (NIST SP 800-38D) of the canonical JSON
of the suite, with the header as associated data, so that neither can be changed unnoticed. Each file has a key of its
own, which lies in another folder; the header names it by the first digits of its hash. The header also holds the plain
hash of the items (``Suite.sha256``), which the workspace knows too: a file with other items is refused before it is
opened. Opening writes a note first, see :mod:`core.evaluation.openings`. Decision 0020 says what this does not protect.

``core.training`` and the modules of a run never import this one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import bounded, durable
from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.ids import canonical_json
from core.domain.suite import Suite, SuiteItem
from core.evaluation.openings import EVERY_ROW, OpeningNote, new_note, write_note
from core.private_files import make_private_folder, tighten

SUFFIX = ".sealed"
KEY_SUFFIX = ".key"
_FORMAT = 1
_NONCE_BYTES = 12
_HEADER_BYTES = 64 * 1024
_FILE_BYTES = 1 << 31  # what AES-GCM of the library takes in one piece
_HINT = (
    "Restore the file from a copy, or move it away: the workspace then writes it again from the frozen pairs"
    " (pairwright datasets sealed)."
)


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """What a sealed file says of itself without being opened.

    Attributes:
        title, root_sha256: of the dataset version.
        contents_sha256: hash of the items, see ``Suite.sha256``.
        rows: how many items it holds.
        key_id: first 16 digits of the sha256 of its key.
        nonce: of the encryption, hex.
        cipher_sha256: hash of the ciphertext, so that a damaged file is found without opening it.
    """

    title: str
    root_sha256: str
    contents_sha256: str
    rows: int
    key_id: str
    nonce: str
    cipher_sha256: str
    created_ms: int
    format: int = _FORMAT

    @property
    def associated(self) -> bytes:
        """What the encryption binds to the ciphertext: all but the hash of the ciphertext itself."""
        plain = asdict(self)
        del plain["cipher_sha256"]
        return canonical_json(plain).encode()


@dataclass(frozen=True, slots=True)
class SealedOpening:
    """An opened sealed test: its items, and the note that says so."""

    note: OpeningNote
    suite: Suite


def write_sealed(path: Path, keys: Path, suite: Suite, root_sha256: str) -> SealedHeader:
    """Encrypt a suite into ``path`` under a new key in the folder ``keys``; both are private to their owner.

    The key is on the disk before the file is, so that no file is without its key.

    Raises:
        StorageFull, UserError: nothing is at ``path``.
    """
    for folder in (path.parent, keys):
        with durable.clear_errors(folder):
            make_private_folder(folder)
            tighten(folder)
    key, nonce = AESGCM.generate_key(bit_length=256), os.urandom(_NONCE_BYTES)
    header = SealedHeader(
        title=suite.title,
        root_sha256=root_sha256,
        contents_sha256=suite.sha256,
        rows=len(suite.items),
        key_id=_key_id(key),
        nonce=nonce.hex(),
        cipher_sha256="",
        created_ms=now_ms(),
    )
    cipher = AESGCM(key).encrypt(nonce, canonical_json(_plain(suite)).encode(), header.associated)
    header = replace(header, cipher_sha256=hashlib.sha256(cipher).hexdigest())
    durable.write_json(key_path(keys, header), {"format": _FORMAT, "key": key.hex()})
    durable.write_bytes(path, canonical_json(asdict(header)).encode() + b"\n" + cipher)
    return header


def read_header(path: Path) -> SealedHeader:
    """Return the header of a sealed file; opens nothing.

    Raises:
        BadInput: the file is missing or its header cannot be read.
    """
    head, line_end, _ = bounded.read_head(path, _HEADER_BYTES).partition(b"\n")
    try:
        if not line_end:
            raise ValueError("its first line has no end")
        plain = json.loads(head)
        if plain["format"] != _FORMAT:
            raise ValueError(f"its format is {plain['format']}")
        header = SealedHeader(**plain)
        if not isinstance(header.rows, int) or len(bytes.fromhex(header.nonce)) != _NONCE_BYTES:
            raise ValueError("its header is no header of a sealed test")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(f"{path} is not a sealed test: {error}. Nothing was opened.", _HINT) from error
    return header


def check_sealed(path: Path, expected_sha256: str = "") -> SealedHeader:
    """Return the header of a sealed file that is whole and holds what is expected; opens nothing.

    Args:
        path: of the file.
        expected_sha256: hash of the items as the workspace knows it; "" expects nothing.

    Raises:
        BadInput: the file is missing, damaged, or holds other items.
    """
    return _checked(path, expected_sha256)[0]


def open_sealed(
    path: Path,
    keys: Path,
    *,
    person: str,
    reason: str,
    policy: str,
    evaluation: str = "",
    expected_sha256: str = "",
    ids: Sequence[str] = (),
    limit: int = 0,
) -> SealedOpening:
    """Note the opening, then decrypt the sealed test. Every call is an opening, also one that fails after its note.

    Args:
        path: of the sealed file.
        keys: folder that holds its key.
        person: who asked.
        reason: why.
        policy: whose answers are measured.
        evaluation: id of the evaluation; opening again for the same evaluation and policy is the same look.
        expected_sha256: hash of the items as the workspace knows it; "" takes what the header says.
        ids: only these items; () takes all.
        limit: only the first so many; 0 takes all.

    Raises:
        UsageError: person, reason or policy is missing; nothing was noted.
        NotFound: its key is not there, or it has no item of such an id.
        BadInput: the file or its key is damaged, or it holds other items.
        StorageFull, UserError: the opening could not be noted; nothing was decrypted.
    """
    if ids and limit:
        raise UsageError("A sealed test is opened either by ids or by a limit.", "Give one of them.")
    header, cipher = _checked(path, expected_sha256)
    key = _read_key(key_path(keys, header), header)
    rows = len(ids) or min(limit or header.rows, header.rows)
    note = new_note(
        person=person,
        reason=reason,
        policy=policy,
        rows=rows,
        which=" ".join(ids) or (f"first {rows}" if rows < header.rows else EVERY_ROW),
        evaluation=evaluation,
        title=header.title,
        root_sha256=header.root_sha256,
        contents_sha256=header.contents_sha256,
    )
    write_note(path, note)
    suite = _decrypted(path, header, key, cipher)
    return SealedOpening(note, _part(suite, ids, limit))


def key_path(keys: Path, header: SealedHeader) -> Path:
    """Return the place of the key of a sealed file."""
    return keys / f"{header.key_id}{KEY_SUFFIX}"


def _checked(path: Path, expected_sha256: str) -> tuple[SealedHeader, bytes]:
    header = read_header(path)
    data = bounded.read_bytes(path, _FILE_BYTES)
    cipher = data[data.index(b"\n") + 1 :]
    if expected_sha256 and header.contents_sha256 != expected_sha256:
        raise BadInput(
            f"{path} holds other items than the test split of {header.title}: its hash is"
            f" {header.contents_sha256[:12]}, that of the frozen split {expected_sha256[:12]}. It was not opened, and"
            " the frozen version in the workspace is as it was.",
            _HINT,
        )
    if hashlib.sha256(cipher).hexdigest() != header.cipher_sha256:
        raise BadInput(
            f"{path} was altered or is damaged. It was not opened, and the frozen version in the workspace is as it"
            " was.",
            _HINT,
        )
    return header, cipher


def _read_key(path: Path, header: SealedHeader) -> bytes:
    if not path.is_file():
        raise NotFound(
            f"The key of the sealed test of {header.title} is not at {path}. The test was not opened.",
            "Copy the key to this place. In the workspace of the dataset version, move the sealed file away instead: it"
            " is then written again from the frozen pairs, under a new key.",
        )
    plain = bounded.read_object(path, _HEADER_BYTES)
    try:
        key = bytes.fromhex(plain["key"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is not a key. The test was not opened.", "Restore it from a copy.") from error
    if _key_id(key) != header.key_id:
        raise BadInput(f"{path} holds another key. The test was not opened.", "Restore it from a copy.")
    return key


def _decrypted(path: Path, header: SealedHeader, key: bytes, cipher: bytes) -> Suite:
    try:
        plain = json.loads(AESGCM(key).decrypt(bytes.fromhex(header.nonce), cipher, header.associated))
        suite = _suite(plain)
    except InvalidTag as error:
        raise BadInput(
            f"{path} was altered: header and contents do not belong together. No row of it was read, and the frozen"
            " version in the workspace is as it was.",
            _HINT,
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} holds no suite: {error}.", _HINT) from error
    if suite.sha256 != header.contents_sha256 or len(suite.items) != header.rows:
        raise BadInput(f"{path} holds other items than its header says; none of them is used.", _HINT)
    return suite


def _part(suite: Suite, ids: Sequence[str], limit: int) -> Suite:
    if not ids:
        return replace(suite, items=suite.items[:limit]) if limit else suite
    known = {item.id: item for item in suite.items}
    if missing := [one for one in ids if one not in known]:
        raise NotFound(f"{suite.title} lacks {counted(len(missing), 'item')}, among them {missing[0]}.")
    return replace(suite, items=tuple(known[one] for one in ids))


def _plain(suite: Suite) -> dict[str, Any]:
    return {
        "name": suite.name,
        "number": suite.number,
        "origin": suite.origin,
        "licence": suite.licence,
        "description": suite.description,
        "items": [item.to_plain() for item in suite.items],
    }


def _suite(plain: dict[str, Any]) -> Suite:
    items = tuple(SuiteItem.from_plain(row) for row in plain["items"])
    return Suite(plain["name"], plain["number"], items, plain["origin"], plain["licence"], plain["description"])


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]
