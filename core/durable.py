"""Write files and folders that must survive a crash; every such file is written here.

A file appears complete or not at all: it is written under a temporary name in the same folder, synced and renamed, and
the folder is synced. A folder is published the same way, with a manifest that is written last and has the size and
sha256 of every file. Every operating-system call goes through :class:`Ops`, so that tests can make the Nth one fail.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core import bounded
from core.domain.errors import BadInput, StorageFull, UserError
from core.domain.ids import canonical_json, new_uid
from core.private_files import follow_folder, make_folders
from core.unfinished import noted

MANIFEST = "MANIFEST.json"
TMP_PREFIX = ".tmp-"
_DATABASE = b"SQLite format 3\0"
_WINDOWS_RETRY_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


class Ops:
    """The operating-system calls of a durable write; a test replaces them to make one fail."""

    def write(self, path: Path, data: bytes) -> None:
        """Write and sync the content of one file."""
        with path.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())

    def write_chunks(self, path: Path, chunks: Iterable[bytes]) -> None:
        """Write and sync one file from chunks, which need not fit into memory together."""
        with path.open("wb") as handle:
            handle.writelines(chunks)
            handle.flush()
            os.fsync(handle.fileno())

    def sync_file(self, path: Path) -> None:
        """Sync a file that another library wrote."""
        with path.open("rb+") as handle:
            os.fsync(handle.fileno())

    def replace(self, source: Path, target: Path) -> None:
        """Rename over the target; on Windows try again while another program has it open."""
        for pause in (*_WINDOWS_RETRY_S, None):
            try:
                source.replace(target)
                return
            except PermissionError:
                if sys.platform != "win32" or pause is None:
                    raise
                time.sleep(pause)

    def sync_dir(self, path: Path) -> None:
        """Sync the entries of a folder, where the platform supports it."""
        if sys.platform == "win32":
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


_OPS = Ops()


def write_bytes(path: Path, data: bytes, *, ops: Ops = _OPS) -> None:
    """Replace ``path`` by ``data``; after a crash it holds the old or the new content.

    Raises:
        StorageFull: when there is no room; the old file is untouched.
        UserError: when the folder cannot be written to, or a device, a pipe or a database stands at ``path``.
    """
    path = Path(path)
    tmp = path.parent / f"{TMP_PREFIX}{new_uid()}"
    with clear_errors(path), noted(tmp):
        _require_replaceable(path)
        try:
            ops.write(tmp, data)
            follow_folder(tmp)
            ops.replace(tmp, path)
            ops.sync_dir(path.parent)
        finally:
            tmp.unlink(missing_ok=True)


def write_stream(path: Path, chunks: Iterable[bytes], *, shown: Path | None = None, ops: Ops = _OPS) -> None:
    """Replace ``path`` by the chunks in their order; see :func:`write_bytes`.

    ``shown`` is what messages name where ``path`` is the temporary name of a file that the user chose.
    """
    path = Path(path)
    tmp = path.parent / f"{TMP_PREFIX}{new_uid()}"
    with clear_errors(shown or path), noted(tmp):
        _require_replaceable(path)
        try:
            ops.write_chunks(tmp, chunks)
            follow_folder(tmp)
            ops.replace(tmp, path)
            ops.sync_dir(path.parent)
        finally:
            tmp.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, ops: Ops = _OPS) -> None:
    """Replace ``path`` by ``text`` in UTF-8; see :func:`write_bytes`."""
    write_bytes(path, text.encode("utf-8"), ops=ops)


def write_json(path: Path, value: Any, *, ops: Ops = _OPS) -> None:
    """Replace ``path`` by indented JSON; see :func:`write_bytes`."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", ops=ops)


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        BadInput: when the file is missing, not a regular file, too large, nested too deeply, or not JSON.
    """
    return bounded.read_json(Path(path))


def file_sha256(path: Path) -> str:
    """Return the hex sha256 of a file's content."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def publish_folder(
    target: Path,
    fill: Callable[[Path], None],
    *,
    identity: dict[str, Any] | None = None,
    replacing: bool = False,
    ops: Ops = _OPS,
) -> str:
    """Fill a new folder with files and publish it at ``target`` with a manifest, complete or not at all.

    Args:
        target: must not exist yet, unless ``replacing``.
        fill: writes the files into the temporary folder that it gets.
        identity: plain values that the manifest holds beside the list of files.
        replacing: remove a folder that is there once the new one is complete; until then it stays where it is.
        ops: the operating-system calls; tests replace them.

    Returns:
        The sha256 of the manifest, which identifies the whole content.
    """
    target = Path(target)
    tmp = target.parent / f"{TMP_PREFIX}{new_uid()}"
    with clear_errors(target), noted(tmp):
        make_folders(tmp)
        try:
            fill(tmp)
            for folder in sorted(p for p in tmp.rglob("*") if p.is_dir()):
                follow_folder(folder)
            files = {}
            for path in sorted(p for p in tmp.rglob("*") if p.is_file()):
                ops.sync_file(path)
                follow_folder(path)
                files[path.relative_to(tmp).as_posix()] = {"size": path.stat().st_size, "sha256": file_sha256(path)}
            manifest = canonical_json({"files": files, "identity": identity or {}}).encode()
            ops.write(tmp / MANIFEST, manifest)
            follow_folder(tmp / MANIFEST)
            for folder in [p for p in tmp.rglob("*") if p.is_dir()] + [tmp]:
                ops.sync_dir(folder)
            if replacing and target.exists():
                _swap_folders(tmp, target, ops)
            else:
                ops.replace(tmp, target)
            ops.sync_dir(target.parent)
        except BaseException:
            shutil.rmtree(tmp, ignore_errors=True)
            raise
    return hashlib.sha256(manifest).hexdigest()


def write_manifest(folder: Path, names: Iterable[str], identity: dict[str, Any], *, ops: Ops = _OPS) -> str:
    """Replace the manifest of a folder by one over the files ``names``, which are written already; return its sha256.

    Raises:
        StorageFull: when there is no room; the old manifest is untouched.
    """
    paths = {name: Path(folder) / name for name in names}
    files = {name: {"size": path.stat().st_size, "sha256": file_sha256(path)} for name, path in paths.items()}
    manifest = canonical_json({"files": files, "identity": identity}).encode()
    write_bytes(Path(folder) / MANIFEST, manifest, ops=ops)
    return hashlib.sha256(manifest).hexdigest()


def _swap_folders(new: Path, target: Path, ops: Ops) -> None:
    """Put ``new`` in the place of ``target`` and remove what was there; it stays when that fails."""
    old = target.parent / f"{TMP_PREFIX}{new_uid()}"
    with noted(old):
        ops.replace(target, old)
        try:
            ops.replace(new, target)
        except BaseException:
            ops.replace(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def move(source: Path, target: Path, *, ops: Ops = _OPS) -> None:
    """Rename a finished file or folder on the same disk; it appears at ``target`` whole or not at all.

    Raises:
        UserError: when the place cannot be written.
    """
    target = Path(target)
    with clear_errors(target):
        _require_replaceable(target)
        ops.replace(Path(source), target)
        ops.sync_dir(target.parent)


def verify_folder(folder: Path) -> dict[str, Any]:
    """Check every file against the manifest and return the manifest's identity.

    Raises:
        BadInput: naming the first file that is missing or altered, or when there is no readable manifest.
    """
    files, identity = read_manifest(folder)
    for name, (size, sha256) in files.items():
        path = Path(folder) / name
        if not path.is_file() or path.stat().st_size != size:
            raise BadInput(f"{name} in {folder} is missing or cut short.")
        if file_sha256(path) != sha256:
            raise BadInput(f"{name} in {folder} was altered.")
    return identity


def read_manifest(folder: Path) -> tuple[dict[str, tuple[int, str]], dict[str, Any]]:
    """Return the files of a manifest as name -> (size, sha256), and its identity.

    Raises:
        BadInput: when there is no readable manifest, or it is not one.
    """
    plain = bounded.read_object(Path(folder) / MANIFEST)
    files, identity = plain.get("files"), plain.get("identity")
    try:
        if not isinstance(files, dict) or not isinstance(identity, dict):
            raise TypeError(MANIFEST)
        entries = {name: (int(entry["size"]), str(entry["sha256"])) for name, entry in files.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{MANIFEST} in {folder} is not a manifest.", "Restore the folder from a copy.") from error
    if outside := next((name for name in entries if Path(name).is_absolute() or ".." in Path(name).parts), None):
        raise BadInput(f"{MANIFEST} in {folder} names {outside!r}, which lies outside.", "Restore the folder.")
    return entries, identity


def sweep(folder: Path, *, older_than_s: float = 0.0) -> int:
    """Remove what interrupted writes left in ``folder``; return the number of files and folders removed.

    ``older_than_s`` keeps what was changed in the last so many seconds, where another process may be writing.
    """
    count = 0
    for path in Path(folder).glob(f"{TMP_PREFIX}*"):
        if older_than_s and _age_s(path) < older_than_s:
            continue
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        count += 1
    return count


def _age_s(path: Path) -> float:
    """Return the seconds since ``path`` was last changed; 0 when it no longer exists."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _require_replaceable(path: Path) -> None:
    """Refuse to rename a file over a device, a pipe or a database: none of them is a file of ours to replace."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return  # nothing is there, or the write will say what is wrong
    if stat.S_ISDIR(kind):
        return
    if not stat.S_ISREG(kind):
        raise UserError(f"{path} is not a regular file; nothing was written there.", "Choose another name.")
    if bounded.read_head(path, len(_DATABASE)) == _DATABASE:
        raise UserError(f"{path} is a database; it was left as it is.", "Choose another name.")


@contextmanager
def clear_errors(target: Path) -> Iterator[None]:
    """Turn operating-system errors while ``target`` is written into user errors."""
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
