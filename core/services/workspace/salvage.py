"""*Salvage*: bring what is readable of a damaged workspace into a new one, with a report of what is lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from core import durable
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound
from core.services.workspace.service import WorkspaceService
from core.store.chain.material import LOGS, range_digest
from core.store.salvage.reader import DamagedFile
from core.store.salvage.rebuild import Rebuild
from core.store.salvage.salvaged import Salvaged
from core.store.salvage.sealed_rows import differing
from core.store.sqlite.database import Session, Store
from core.store.sqlite.identity import DB_FILE
from core.unfinished import temporary_folder
from core.version import VERSION

REPORT, LEFT = "salvage-report.json", "salvage-judgements.jsonl"


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What became of a damaged workspace.

    Attributes:
        place: the new workspace folder.
        read: table -> rows that it holds now. lost: table -> rows that it does not.
        losses: sentences that name what is lost, altered, or replaced by a stand-in; at most a thousand.
        left: judgements that could not be stored; they stand in ``salvage-judgements.jsonl`` of the new folder.
        sound: whether *Check workspace* finds nothing wrong with the new workspace.
    """

    place: str
    read: dict[str, int]
    lost: dict[str, int]
    losses: tuple[str, ...]
    left: int
    sound: bool


def salvage(source: Path, to: Path) -> SalvageReport:
    """Make a new workspace at ``to`` from what is readable at ``source``, which is only read.

    Args:
        source: the damaged workspace folder, or its database file.
        to: a folder that does not exist yet, or an empty one.

    Raises:
        NotFound: there is no workspace file at ``source``.
        BadInput: ``to`` holds something already, or lies inside ``source``; nothing of a workspace can be read.
        StorageFull, UserError: the new workspace could not be written.
    """
    path = Path(source).expanduser().absolute()
    path = path / DB_FILE if path.is_dir() else path
    to = Path(to).expanduser().absolute()
    if not path.is_file():
        raise NotFound(f"{path} is not a file.", "Name the folder of the damaged workspace.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise BadInput(f"{to} is not an empty folder; nothing was written there.", "Choose a new folder.")
    if to.resolve().is_relative_to(path.parent.resolve()):
        raise BadInput(f"{to} lies inside the damaged workspace; nothing was written.", "Choose a place outside it.")
    with durable.clear_errors(to), temporary_folder(prefix="pairwright-salvage-") as place:
        damaged = DamagedFile(path, place)
        if not damaged.is_workspace():
            raise BadInput(
                f"{path} holds nothing that can be read as a workspace; no new one was made.",
                "Check the name. If it was a workspace, restore the newest copy in its backups folder.",
            )
        with _whole(to):
            with Store.open(to, create=True, name=_name(damaged), version=VERSION) as store:
                result = store.write(lambda session: _rebuild(session, damaged), "writing what was salvaged")
            report = _report(to, result)
            durable.write_json(to / REPORT, asdict(report))
            if result.left:
                lines = "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in result.left)
                durable.write_text(to / LEFT, lines)
    return report


@contextmanager
def _whole(to: Path) -> Iterator[None]:
    """Leave nothing of a new workspace that could not be written to its end: half of one looks like all there was."""
    new = not to.exists()
    try:
        yield
    except BaseException:
        for left in list(to.iterdir()) if to.is_dir() else []:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
        if new:
            with suppress(OSError):
                to.rmdir()
        raise


def _rebuild(session: Session, damaged: DamagedFile) -> Salvaged:
    raw = session.connection().connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    result = Rebuild(damaged, raw).run()
    logs = {log.table: log for log in LOGS}
    entries = damaged.rows("chain")
    for sentence in differing(raw, entries, lambda table, after, to: range_digest(raw, logs[table], after, to)):
        result.tell(sentence)
    return result


def _name(damaged: DamagedFile) -> str:
    found = {row.get("key"): row.get("value") for row in damaged.rows("meta", "")}
    return f"{found.get('name') or 'Workspace'} (salvaged)"


def _report(to: Path, result: Salvaged) -> SalvageReport:
    with Store.open(to, read_only=True, version=VERSION) as store:
        checked = WorkspaceService(store).check()
    findings = tuple(f"{finding.check}: {finding.message}" for finding in checked.findings if finding.serious)
    return SalvageReport(
        str(to),
        {table: count for table, count in sorted(result.read.items()) if count > 0},
        {table: count for table, count in sorted(result.lost.items()) if count > 0},
        (*result.losses, *findings),
        len(result.left),
        checked.ok,
    )


def sentence(report: SalvageReport) -> str:
    """Return the result in a sentence or two."""
    kept, lost = (
        f"{counted(counts.get('judgement', 0), 'judgement')} and {counted(counts.get('pair', 0), 'pair')}"
        for counts in (report.read, report.lost)
    )
    return f"{kept} were brought over; {lost} are lost. The damaged workspace was not changed."
