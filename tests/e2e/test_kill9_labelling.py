"""kill -9 while labelling: what was acknowledged is there, what was not is there in full or not at all.

A child process labels through the real service and writes the judgement's id to a pipe after each commit has
returned. It is killed at a random moment, and the file is read as the next start would find it.
"""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from core.domain.judgement import JudgementDraft, Verdict
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import fill, opened

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")

# A server process imports once and forks a child a round, with no database open in it.
CONTEXT = multiprocessing.get_context("forkserver") if sys.platform != "win32" else multiprocessing.get_context()
CONTEXT.set_forkserver_preload(
    ["core.services.annotation.service", "core.services.application", "tests.fakes.workspaces"]
)


def label(folder: str, seed: int, acks: Connection) -> None:
    """Label until killed, with an undo and a redo now and then; tell each id after its commit returned."""
    with Application.open(Path(folder)) as app:
        queue = app.annotation.open_queue(QueueSettings(1, 1, order="random", seed=seed))
        acks.send(0)
        number = 0
        while ahead := app.annotation.next(queue, 2):
            for shown in ahead:
                app.annotation.mark_presented(shown.presentation_uid)
                draft = JudgementDraft(Verdict.PREFER, 2, rationale="r" * 200)
                acks.send(app.annotation.commit(shown.presentation_uid, draft).value.id)
                number += 1
                if number % 7 == 0:
                    app.annotation.undo(1)
                    app.annotation.redo(1)


@dataclass
class Tally:
    """What the rounds found."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    halves: int = 0
    unsound: int = 0


def kill_once(folder: Path, rng: random.Random, seed: int) -> list[int]:
    """Let a child label, kill it some moments after a random number of labels, and return the ids it acknowledged."""
    receive, send = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=label, args=(str(folder), seed, send), daemon=True)
    child.start()
    send.close()
    with receive:
        assert receive.recv() == 0, "the child could not open the workspace"
        heard = [receive.recv() for _ in range(rng.randrange(25))]
        child.join(rng.uniform(0.0, 0.03))
        child.kill()
        child.join()
        try:
            while True:
                heard.append(receive.recv())
        except (EOFError, OSError):  # the end of the pipe, or a message that the kill cut off
            return heard


def look(folder: Path, acknowledged: list[int], tally: Tally) -> None:
    """Read the file as the next start would and count what is wrong with it."""
    with closing(sqlite3.connect(db_path(folder))) as raw:
        ids = {row[0] for row in raw.execute("SELECT id FROM judgement")}
        tally.lost += len(set(acknowledged) - ids)
        labels = raw.execute("SELECT count(*) FROM judgement WHERE op='commit'").fetchone()[0]
        steps = raw.execute("SELECT count(*) FROM step").fetchone()[0]
        current = raw.execute(
            "SELECT count(*) FROM judgement j WHERE kind='label' "
            "AND NOT EXISTS(SELECT 1 FROM judgement k WHERE k.supersedes=j.id)"
        ).fetchone()[0]
        counted = raw.execute("SELECT value FROM counter WHERE name='labels'").fetchone()[0]
        tally.halves += int(labels != steps) + int(current != counted)
        tally.unsound += int(raw.execute("PRAGMA quick_check").fetchone()[0] != "ok")
    tally.rounds += 1
    tally.acknowledged += len(acknowledged)


def run(folder: Path, rounds: int) -> Tally:
    """Kill a labelling child so many times and return what was found."""
    app = opened(folder, pairs=50)
    fill(app.store, 40 * rounds, "many")
    app.close()
    rng, tally = random.Random(20260101), Tally()
    for number in range(rounds):
        acknowledged = kill_once(folder, rng, number)
        look(folder, acknowledged, tally)
    with Application.open(folder) as again:
        report = again.workspace.check()
        assert report.findings == ()
        assert again.annotation.undo(1).value is not None or tally.acknowledged == 0
    print(tally)
    return tally


def test_that_no_acknowledged_label_is_lost(tmp_path: Path) -> None:
    tally = run(tmp_path / "ws", 4)
    assert (tally.rounds, tally.lost, tally.halves, tally.unsound) == (4, 0, 0, 0)
    assert tally.acknowledged > 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_that_no_acknowledged_label_is_lost_in_150_rounds(tmp_path: Path) -> None:
    tally = run(tmp_path / "ws", 150)
    assert (tally.rounds, tally.lost, tally.halves, tally.unsound) == (150, 0, 0, 0)
    assert tally.acknowledged > 1000
