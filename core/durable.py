"""The one module that writes files meant to last.

A file appears complete or not at all: temporary name in the same folder, fsync, rename, fsync of the
folder. A folder of files is published the same way and carries a manifest, written last, that names
every file with its size and sha256; a folder whose manifest does not verify does not count.
Every operating-system call goes through an :class:`Ops` so that tests can make the Nth one fail.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.domain.errors import BadInput, StorageFull, UserError
from core.domain.ids import canonical_json, new_uid

MANIFEST = "MANIFEST.json"
TMP_PREFIX = ".tmp-"
_WINDOWS_RETRY_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


class Ops:
    """The operating-system calls of a durable write, in one place so that a test can fail any of them."""

    def write(self, path: Path, data: bytes) -> None:
        """Write and sync the content of one file."""
        with open(path, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())

    def write_chunks(self, path: Path, chunks: Iterable[bytes]) -> None:
        """Write and sync one file from pieces that need not fit into memory together."""
        with open(path, "wb") as handle:
            for chunk in chunks:
                handle.write(chunk)
            handle.flush()
            os.fsync(handle.fileno())

    def sync_file(self, path: Path) -> None:
        """Force a file that another library wrote to the disk."""
        with open(path, "rb+") as handle:
            os.fsync(handle.fileno())

    def replace(self, source: Path, target: Path) -> None:
        """Rename over the target; on Windows try again while another program holds it."""
        for pause in (*_WINDOWS_RETRY_S, None):
            try:
                os.replace(source, target)
                return
            except PermissionError:
                if sys.platform != "win32" or pause is None:
                    raise
                time.sleep(pause)

    def sync_dir(self, path: Path) -> None:
        """Force a folder's entries to the disk, where the platform can."""
        if sys.platform == "win32":
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


_OPS = Ops()


def write_bytes(path: Path, data: bytes, *, ops: Ops = _OPS) -> None:
    """Replace ``path`` by ``data`` so that a crash leaves the old or the new content, never a mix.

    Raises:
        StorageFull: when there is no room; the old file is untouched.
        UserError: when the place cannot be written.
    """
    path = Path(path)
    tmp = path.parent / f"{TMP_PREFIX}{new_uid()}"
    with clear_errors(path):
        try:
            ops.write(tmp, data)
            ops.replace(tmp, path)
            ops.sync_dir(path.parent)
        finally:
            tmp.unlink(missing_ok=True)


def write_stream(path: Path, chunks: Iterable[bytes], *, ops: Ops = _OPS) -> None:
    """Replace ``path`` by the chunks one after the other; see :func:`write_bytes`."""
    path = Path(path)
    tmp = path.parent / f"{TMP_PREFIX}{new_uid()}"
    with clear_errors(path):
        try:
            ops.write_chunks(tmp, chunks)
            ops.replace(tmp, path)
            ops.sync_dir(path.parent)
        finally:
            tmp.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, ops: Ops = _OPS) -> None:
    """Replace ``path`` by ``text`` in UTF-8; see :func:`write_bytes`."""
    write_bytes(path, text.encode("utf-8"), ops=ops)


def write_json(path: Path, value: Any, *, ops: Ops = _OPS) -> None:
    """Replace ``path`` by readable JSON; see :func:`write_bytes`."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", ops=ops)


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        BadInput: when the file is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not readable JSON: {error}.") from error


def file_sha256(path: Path) -> str:
    """Return the hex sha256 of a file's content."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def publish_folder(
    target: Path, fill: Callable[[Path], None], *, identity: dict[str, Any] | None = None, ops: Ops = _OPS
) -> str:
    """Fill a new folder and make it appear at ``target`` complete, with a manifest.

    Args:
        target: must not exist yet.
        fill: writes the files into the temporary folder it is given.
        identity: plain values that the manifest carries beside the file list.
        ops: the operating-system calls, replaced by tests.

    Returns:
        The sha256 of the manifest, which names the whole content.
    """
    target = Path(target)
    tmp = target.parent / f"{TMP_PREFIX}{new_uid()}"
    with clear_errors(target):
        tmp.mkdir(parents=True)
        try:
            fill(tmp)
            files = {}
            for path in sorted(p for p in tmp.rglob("*") if p.is_file()):
                ops.sync_file(path)
                files[path.relative_to(tmp).as_posix()] = {"size": path.stat().st_size, "sha256": file_sha256(path)}
            manifest = canonical_json({"files": files, "identity": identity or {}}).encode()
            ops.write(tmp / MANIFEST, manifest)
            for folder in [p for p in tmp.rglob("*") if p.is_dir()] + [tmp]:
                ops.sync_dir(folder)
            ops.replace(tmp, target)
            ops.sync_dir(target.parent)
        except BaseException:
            shutil.rmtree(tmp, ignore_errors=True)
            raise
    return hashlib.sha256(manifest).hexdigest()


def move(source: Path, target: Path, *, ops: Ops = _OPS) -> None:
    """Rename a finished file or folder on the same disk; it appears at ``target`` whole or not at all.

    Raises:
        UserError: when the place cannot be written.
    """
    target = Path(target)
    with clear_errors(target):
        ops.replace(Path(source), target)
        ops.sync_dir(target.parent)


def verify_folder(folder: Path) -> dict[str, Any]:
    """Check every file against the manifest and return the manifest's identity.

    Raises:
        BadInput: naming the first file that is missing, altered or unnamed.
    """
    manifest = read_json(Path(folder) / MANIFEST)
    for name, entry in manifest["files"].items():
        path = Path(folder) / name
        if not path.is_file() or path.stat().st_size != entry["size"]:
            raise BadInput(f"{name} in {folder} is missing or cut short.")
        if file_sha256(path) != entry["sha256"]:
            raise BadInput(f"{name} in {folder} was altered.")
    return manifest["identity"]


def sweep(folder: Path, *, older_than_s: float = 0.0) -> int:
    """Remove what interrupted writes left behind in ``folder``; return how many things.

    Where others may be writing at this moment, ``older_than_s`` spares what was touched in the last so many seconds.
    """
    count = 0
    for path in Path(folder).glob(f"{TMP_PREFIX}*"):
        if older_than_s and _age_s(path) < older_than_s:
            continue
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        count += 1
    return count


def _age_s(path: Path) -> float:
    """Return the seconds since ``path`` was last touched; 0 when it is gone meanwhile."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


@contextmanager
def clear_errors(target: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write ``target`` into sentences."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull(
                f"There is no room left to write {target.name}; what was saved before is untouched.",
                "Free some space and try again.",
            ) from error
        raise UserError(
            f"{target} could not be written: {error.strerror or error}. What was there before is untouched.",
            "Check that the folder exists and may be written to.",
        ) from error
