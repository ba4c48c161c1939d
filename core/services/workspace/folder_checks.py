"""*Check workspace* outside the database: runs, exports, converted models, backups, sealed tests and releases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from core.domain.errors import UserError
from core.durable import MANIFEST, read_manifest
from core.evaluation.sealed_test import SUFFIX, check_sealed
from core.runs.folder import RunFolder
from core.runs.verify_run import RESTORE, Noted, folder_problem, is_at_work, problems
from core.services.releases.checking import release_problems
from core.services.releases.names import MAKE
from core.store.chain import verify
from core.store.sqlite import backups
from core.store.sqlite.connect import connect
from core.store.sqlite.integrity import Finding
from core.store.sqlite.safety_copies import REPLACED

_RUNS, _BACKUPS, _FOLDERS, _SEALED = "run folders", "backups", "folders", "sealed tests"
_RELEASES = "releases"
_PUBLISHED = ("exports", "models")
_REPLACED = (
    "If an older copy was put in its place on purpose, move the newer backups elsewhere; else restore one of them."
)


def findings(c: sqlite3.Connection, folder: Path, exports: Sequence[Path] = ()) -> Iterator[Finding]:
    """Yield what is wrong with the folders of a workspace.

    Args:
        c: reads its database.
        folder: of the workspace.
        exports: folders elsewhere that exports of this workspace were written to.
    """
    yield from _run_findings(c, folder)
    inside = [manifest.parent for name in _PUBLISHED for manifest in sorted((folder / name).glob(f"*/{MANIFEST}"))]
    for path in (*inside, *exports):
        yield from _published(c, path, str(path.relative_to(folder)) if path in inside else str(path))
    yield from _backups(c, folder)
    yield from _sealed_tests(c, folder)
    yield from _releases(c)


def _releases(c: sqlite3.Connection) -> Iterator[Finding]:
    """Compare each release whose folder is still there with the manifest that the event log knows."""
    made = [json.loads(text) for (text,) in c.execute("SELECT detail FROM event_log WHERE op=? ORDER BY id", (MAKE,))]
    for message in release_problems(made):
        yield Finding(_RELEASES, message, hint="Restore the folder from a copy, or make the release anew.")


def _sealed_tests(c: sqlite3.Connection, folder: Path) -> Iterator[Finding]:
    """Compare each sealed test with the hash that the event log knows; one that is missing is written when needed."""
    for (text,) in c.execute("SELECT detail FROM event_log WHERE op='sealed.write' ORDER BY id").fetchall():
        detail = json.loads(text)
        path = folder / "sealed" / f"{detail['root_sha256']}{SUFFIX}"
        if path.exists():
            try:
                check_sealed(path, detail["contents_sha256"])
            except UserError as error:
                yield Finding(_SEALED, error.message, hint=error.hint)


def _run_findings(c: sqlite3.Connection, folder: Path) -> Iterator[Finding]:
    registered = {row[0]: row for row in c.execute("SELECT uid, name, folder, dataset_id, dataset_sha256 FROM run")}
    noted = _noted(c)
    uuid = _uuid(c)
    paths = {uid: folder / row[2] for uid, row in registered.items()}
    for path in sorted((folder / "runs").glob("*/run.json")):
        if path.parent not in paths.values():
            paths[path.parent.name] = path.parent
    for uid, path in sorted(paths.items()):
        run = RunFolder(path)
        if not run.exists():
            if uid in registered and path.is_dir():
                yield Finding(_RUNS, f"run.json of run {path.name} is missing.", hint=RESTORE)
            continue
        if is_at_work(run):
            yield Finding(_RUNS, f"Run {path.name} is being worked on and was not verified.", serious=False)
            continue
        if uid not in registered and not (path / MANIFEST).is_file():
            continue  # another program's folder, or one from before manifests; that it is not listed is told elsewhere
        for message in problems(run, noted.get(uid)):
            yield Finding(_RUNS, f"Run {path.name}: {message}", serious=uid in registered, hint=RESTORE)
        yield from _origin(c, run, registered.get(uid), uuid)


def _origin(c: sqlite3.Connection, run: RunFolder, row: tuple | None, uuid: str) -> Iterator[Finding]:
    """Compare what run.json says of its dataset version and of the chain with this workspace."""
    try:
        origin = run.record().dataset
    except UserError:
        return
    if row is not None and row[3] is not None and (origin.get("root_sha256") or None) != row[4]:
        yield Finding(_RUNS, f"Run {run.path.name} names another dataset version than the workspace.", hint=RESTORE)
    head = verify.noted_head(str(origin.get("chain_head", "")))
    if head is not None and origin.get("workspace") == uuid and (why := verify.conflict(c, *head)):
        yield Finding(_RUNS, f"Run {run.path.name} does not fit the workspace: {why}.", hint=_REPLACED)


def _noted(c: sqlite3.Connection) -> dict[str, Noted]:
    """Return what the event log noted of each run, by its id."""
    found: dict[str, Noted] = {}
    for op, text in c.execute("SELECT op, detail FROM event_log WHERE op IN('run.create','run.end') ORDER BY id"):
        detail = json.loads(text)
        uid = str(detail.get("run_id", ""))
        before = found.get(uid, Noted())
        if op == "run.create":
            found[uid] = Noted(str(detail.get("manifest_sha256", "")), before.ledger_seq, before.ledger_sha256)
        else:
            found[uid] = Noted(before.manifest_sha256, int(detail["ledger_seq"]), str(detail["ledger_sha256"]))
    return found


def _published(c: sqlite3.Connection, path: Path, shown: str) -> Iterator[Finding]:
    """Verify a folder against its manifest, and what an export knows of the chain against this one."""
    if why := folder_problem(path):
        yield Finding(
            _FOLDERS, f"{shown}: {why}", hint="Delete the folder and make it again, or restore it from a copy."
        )
        return
    identity = read_manifest(path)[1]
    head = verify.noted_head(str(identity.get("chain_head", "")))
    if head is not None and _is_of_this(c, identity) and (why := verify.conflict(c, *head)):
        yield Finding(_FOLDERS, f"{shown} does not fit the workspace: {why}.", hint=_REPLACED)


def _is_of_this(c: sqlite3.Connection, identity: dict[str, object]) -> bool:
    """Whether an export was made from this workspace; exports of earlier versions name only the dataset version."""
    if named := identity.get("workspace"):
        return named == _uuid(c)
    root = str(identity.get("root_sha256", ""))
    return c.execute("SELECT 1 FROM dataset WHERE root_sha256=?", (root,)).fetchone() is not None


def _backups(c: sqlite3.Connection, folder: Path) -> Iterator[Finding]:
    """Compare the chain of each backup with this one: a backup knows the past as it was."""
    uuid = _uuid(c)
    for backup in backups.listed(folder):
        if backup.why == REPLACED:
            continue  # another past on purpose; *saved work* tells of it
        try:
            with closing(connect(backup.path, "ro")) as copy:
                if _uuid(copy) != uuid or not _has_chain(copy):
                    continue
                head = copy.execute("SELECT id, sha256 FROM chain ORDER BY id DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            message = f"The backup {backup.path.name} cannot be read: {error}."
            yield Finding(_BACKUPS, message, serious=False, hint="Delete it and back up again.")
            continue
        if head is not None and (why := verify.conflict(c, head[0], head[1])):
            yield Finding(_BACKUPS, f"The backup {backup.path.name} does not fit: {why}.", hint=_REPLACED)


def _has_chain(c: sqlite3.Connection) -> bool:
    return c.execute("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='chain'").fetchone() is not None


def _uuid(c: sqlite3.Connection) -> str:
    found = c.execute("SELECT value FROM meta WHERE key='uuid'").fetchone()
    return found[0] if found else ""
