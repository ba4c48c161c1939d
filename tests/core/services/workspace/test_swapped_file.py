"""The file or folder of a workspace is exchanged in the middle of a long operation: it stops and nothing is lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.errors import WorkspaceReplaced
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.importing import job
from core.store.sqlite.commit_guard import CommitGuard
from core.store.sqlite.identity import db_path
from core.store.sqlite.writer import Writer
from tests.fakes.workspaces import opened, prefer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be moved or replaced there")
Act = Callable[[Path], None]
Operation = Callable[[Application, Path], object]


def replaced(folder: Path) -> None:
    """Put an older copy in the place of the file, as programs that synchronise folders do."""
    shutil.copy(folder.parent / "older.db", folder / "incoming")
    (folder / "incoming").rename(db_path(folder))


def deleted(folder: Path) -> None:
    db_path(folder).unlink()


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace of 12 labelled pairs, an older copy of its file, and data to import."""
    place = tmp_path_factory.mktemp("base")
    with opened(place / "ws", pairs=12) as app:
        queue = app.annotation.open_queue(QueueSettings(1, 1))
        for number, shown in enumerate(app.annotation.next(queue, 12)):
            app.annotation.commit(shown.presentation_uid, prefer(1 + number % 3))
    shutil.copy(db_path(place / "ws"), place / "older.db")
    rows = [{"prompt": f"Q{i}", "chosen": f"yes {i}", "rejected": f"no {i}"} for i in range(30)]
    (place / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


def import_(app: Application, place: Path) -> object:
    return app.imports.run(place / "data.jsonl", consent="granted")


def freeze(app: Application, _: Path) -> object:
    return app.datasets.freeze("d", FreezePolicy(splits=(0.4, 0.2, 0.4)))


def backup(app: Application, _: Path) -> object:
    return app.workspace.backup()


CASES = [
    pytest.param(operation, act, id=f"{operation.__name__}-{act.__name__}", marks=() if often else pytest.mark.slow)
    for operation, act, often in (
        (import_, replaced, True), (import_, deleted, False), (import_, moved, False),
        (freeze, replaced, False), (freeze, deleted, False), (freeze, moved, True),
        (backup, replaced, False), (backup, deleted, False), (backup, moved, False),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """How often the place of the file is checked in an operation, and what the file holds at its end."""

    checks: int
    held: tuple[int, ...]


def _acting(monkeypatch: pytest.MonkeyPatch, folder: Path, act: Act, at: int) -> list[int]:
    """Let ``act`` happen before the check of this number; return the list that counts the checks."""
    real, seen = CommitGuard.check, [0]

    def check(self: CommitGuard) -> None:
        seen[0] += 1
        if seen[0] == at:
            act(folder)
        real(self)

    monkeypatch.setattr(CommitGuard, "check", check)
    monkeypatch.setattr(Writer, "_checkpoint", lambda _: None)  # it checks too, whenever the writer is idle
    return seen


def _held(path: Path) -> tuple[int, ...]:
    """Return the counts of judgements, pairs and dataset versions in a file that no writer has open."""
    with closing(sqlite3.connect(path)) as raw:
        return tuple(
            raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("judgement", "pair", "dataset")
        )


def _undisturbed(operation: Operation, base: Path, place: Path) -> Whole:
    """Return what an operation leaves that nothing disturbs, and how often it is checked meanwhile."""
    place = Path(shutil.copytree(base, place))
    with pytest.MonkeyPatch.context() as patch, Application.open(place / "ws") as app:
        seen = _acting(patch, app.folder, deleted, at=-1)
        operation(app, base)
        checks = seen[0]
    return Whole(checks, _held(db_path(place / "ws")))


@pytest.mark.parametrize(("operation", "act"), CASES)
def test_that_an_operation_loses_nothing_when_the_file_is_exchanged_under_it(
    base: Path, tmp_path: Path, operation: Operation, act: Act, monkeypatch: pytest.MonkeyPatch, pairwright_home: Path
) -> None:
    monkeypatch.setattr(job, "BATCH_ROWS", 10)
    whole = _undisturbed(operation, base, tmp_path / "whole")
    for at in sorted({1, whole.checks // 2, whole.checks}):
        place = Path(shutil.copytree(base, tmp_path / f"at{at}"))
        folder, stopped = place / "ws", False
        app = Application.open(folder)
        with monkeypatch.context() as patch:
            _acting(patch, folder, act, at)
            try:
                operation(app, base)
            except WorkspaceReplaced as error:
                stopped = bool(error.hint)
            app.close()
        assert stopped or at > 1
        if act is moved:
            assert not folder.exists(), "the folder could not come back to its place"
        elif act is replaced:
            assert db_path(folder).read_bytes() == (place / "older.db").read_bytes()
        where = pairwright_home / "rescued" if act is moved else folder / "backups"
        (copy,) = where.rglob("workspace-*-replaced.db")
        held = _held(copy)
        assert held[0] >= 12 and (stopped or held == whole.held), "what was acknowledged is in the copy"
        assert act is moved or not list(place.rglob(".tmp-*")), "nothing half stays"
        shutil.rmtree(where)
