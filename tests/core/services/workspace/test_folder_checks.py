"""*Check workspace* sees what was changed in run folders, exports and the past that backups know."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core import durable
from core.domain.freeze_policy import FreezePolicy
from core.domain.ids import canonical_json
from core.domain.run_config import RunConfig
from core.runs.folder import RunFolder
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.runs.views import RunRequest
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import opened, prefer
from tests.patience import LIMIT_S

QUICK = RunConfig().with_values({"steps": 6, "batch_size": 2, "eval_every": 3, "checkpoint_every": 2})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed workspace with a finished run, a checkpoint of it, an export and a backup."""
    place = tmp_path_factory.mktemp("runs")
    model = place / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    lines = [{"prompt": f"Q{i}", "chosen": "yes", "rejected": "no"} for i in range(8)]
    (place / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with opened(place / "ws") as app:
        app.runs.engine = "tests.fakes.scripted_engine:train"
        info = app.runs.create(RunRequest(str(model), pairs_path=str(place / "pairs.jsonl"), config=QUICK)).value
        app.runs.start(info.run_id, "thread")
        assert app.runs.wait(info.run_id, LIMIT_S) == 0
        assert app.runs.note_ended().value == 1
        assert app.runs.note_ended().value == 0
        app.workspace.backup()
        _publish(Path(info.folder) / "checkpoints" / "step-99", "adapter/adapter_model.safetensors")
        (app.folder / "exports").mkdir(exist_ok=True)
        _publish(app.folder / "exports" / "mine", "adapter_model.safetensors")
    return place / "ws"


def _publish(target: Path, name: str) -> None:
    def fill(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"numbers of an adapter")

    target.parent.mkdir(exist_ok=True)
    durable.publish_folder(target, fill)


def run_of(folder: Path) -> RunFolder:
    """Return the one run of the workspace."""
    (path,) = (folder / "runs").iterdir()
    return RunFolder(path)


def findings(folder: Path) -> list[str]:
    """Return what the check finds."""
    with Application.open(folder, read_only=True) as app:
        return [f"{one.message} {one.hint}" for one in app.workspace.check().findings if one.serious]


def flip(path: Path) -> None:
    """Change one byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def rewrite(run: RunFolder, change: Callable[[dict], None]) -> None:
    """Edit run.json and make the manifest fit again, as somebody who knows the format can."""
    record = json.loads(run.run_json.read_text())
    change(record)
    run.run_json.write_text(json.dumps(record))
    refit(run.path)


def refit(folder: Path) -> None:
    """Write the hashes of the present files into a folder's manifest."""
    manifest = folder / durable.MANIFEST
    plain = json.loads(manifest.read_text())
    for name in plain["files"]:
        path = folder / name
        plain["files"][name] = {"size": path.stat().st_size, "sha256": durable.file_sha256(path)}
    manifest.write_text(canonical_json(plain))


def ledger(run: RunFolder, *statements: str) -> None:
    """Run statements in the ledger."""
    with closing(sqlite3.connect(run.ledger, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def other_pair(run: RunFolder) -> None:
    """Swap chosen and rejected of the first pair."""
    lines = run.pairs_file.read_text().splitlines()
    row = json.loads(lines[0])
    row["chosen"], row["rejected"] = row["rejected"], row["chosen"]
    run.pairs_file.write_text("\n".join([json.dumps(row), *lines[1:]]) + "\n")


EDITS: dict[str, tuple[Callable[[RunFolder], object], str]] = {
    "a byte of run.json": (lambda run: flip(run.run_json), "run.json"),
    "run.json null": (lambda run: run.run_json.write_text("null"), "run.json"),
    "a setting, with its manifest": (lambda run: rewrite(run, lambda r: r["config"].update(beta=0.5)), "fingerprint"),
    "the dataset, with its manifest": (lambda run: rewrite(run, lambda r: r["dataset"].update(title="x")), "noted"),
    "the name, with its manifest": (lambda run: rewrite(run, lambda r: r.update(name="x")), "noted another hash"),
    "run.json gone": (lambda run: run.run_json.unlink(), "run.json"),
    "a pair": (other_pair, "pairs.jsonl"),
    "a pair, with its manifest": (lambda run: (other_pair(run), refit(run.path)), "does not hold the pairs"),
    "a pair left out": (
        lambda run: (run.pairs_file.write_text(run.pairs_file.read_text().split("\n", 1)[1]), refit(run.path)),
        "as many pairs",
    ),
    "pairs.jsonl gone": (lambda run: run.pairs_file.unlink(), "pairs.jsonl"),
    "pairs.jsonl not UTF-8": (lambda run: (run.pairs_file.write_bytes(b"\xff\n"), refit(run.path)), "Line 1"),
    "the manifest gone": (lambda run: (run.path / durable.MANIFEST).unlink(), "MANIFEST"),
    "the manifest a list": (lambda run: (run.path / durable.MANIFEST).write_text("[]"), "MANIFEST"),
    "the manifest empty": (
        lambda run: (run.path / durable.MANIFEST).write_text('{"files":{},"identity":{}}'),
        "manifest no longer names",
    ),
    "a loss in the ledger": (lambda run: ledger(run, "UPDATE steps SET loss=0.1 WHERE step=2"), "altered after"),
    "a pair's row in the ledger": (lambda run: ledger(run, "UPDATE pair_rows SET margin=9 WHERE id=3"), "altered"),
    "a pair's row removed": (lambda run: ledger(run, "DELETE FROM pair_rows WHERE id=3"), "altered after"),
    "a step removed": (lambda run: ledger(run, "DELETE FROM steps WHERE step=2"), "missing"),
    "an event edited": (lambda run: ledger(run, "UPDATE events SET at_ms=1 WHERE seq=1"), "altered after"),
    "the end of the ledger": (
        lambda run: ledger(
            run,
            "DELETE FROM events WHERE seq=(SELECT max(seq) FROM chain)",
            "DELETE FROM chain WHERE seq=(SELECT max(seq) FROM chain)",
        ),
        "rewritten",
    ),
    "the chain of the ledger": (lambda run: ledger(run, "DROP TABLE chain"), "rewritten"),
    "the ledger of another run": (
        lambda run: ledger(run, "UPDATE meta SET value='x' WHERE key='run_id'"),
        "another run",
    ),
    "the ledger gone": (lambda run: run.ledger.unlink(), "ledger.sqlite is missing"),
    "the ledger no database": (lambda run: run.ledger.write_bytes(b"x" * 9000), "ledger.sqlite"),
    "a checkpoint's adapter": (
        lambda run: flip(run.checkpoints / "step-99" / "adapter" / "adapter_model.safetensors"),
        "step-99",
    ),
    "a checkpoint's adapter cut": (
        lambda run: (run.checkpoints / "step-99" / "adapter" / "adapter_model.safetensors").write_bytes(b""),
        "step-99",
    ),
    "an export": (lambda run: flip(run.path.parents[1] / "exports" / "mine" / "adapter_model.safetensors"), "exports"),
    "the past": (
        lambda run: _shorten(run.path.parents[1]),
        "later work is missing",
    ),
}


def _shorten(folder: Path) -> None:
    """Cut the newest event off with its entry in the chain, and every trace of it in the file."""
    with closing(sqlite3.connect(db_path(folder), isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        kept = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger'").fetchall()
        for name, _ in kept:
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("DELETE FROM event_log WHERE id=(SELECT max(id) FROM event_log)")
        raw.execute("DELETE FROM chain_row WHERE entry=(SELECT max(id) FROM chain)")
        raw.execute("DELETE FROM chain WHERE id=(SELECT max(id) FROM chain)")
        raw.execute("UPDATE sqlite_sequence SET seq=(SELECT max(id) FROM event_log) WHERE name='event_log'")
        for _, sql in kept:
            raw.execute(sql)


def test_that_sound_folders_are_called_sound(finished: Path) -> None:
    assert findings(finished) == []


@pytest.mark.parametrize("name", EDITS)
def test_that_an_edit_of_a_folder_is_seen(finished: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "ws"
    shutil.copytree(finished, folder)
    change, words = EDITS[name]
    change(run_of(folder))
    found = findings(folder)
    assert any(words in one for one in found), found
    assert all(one.count(". ") for one in found), "a finding says what to do"


def test_that_an_export_that_knows_another_past_does_not_fit(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as app:
        for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)), 3):
            app.annotation.commit(shown.presentation_uid, prefer(2))
        app.datasets.freeze("d", FreezePolicy(splits=(1.0, 0.0, 0.0)))
        app.datasets.export("d", app.folder / "exports" / "inside")
        app.datasets.export("d", tmp_path / "outside")
        assert app.workspace.check(exports=[tmp_path / "outside"]).findings == ()
        shutil.copytree(tmp_path / "outside", tmp_path / "foreign")
        for folder, changes in (
            (app.folder / "exports" / "inside", {"chain_head": f"2:{'0' * 64}"}),
            (tmp_path / "outside", {"chain_head": f"999:{'0' * 64}", "workspace": ""}),
            (tmp_path / "foreign", {"chain_head": f"2:{'0' * 64}", "workspace": "another"}),
        ):
            plain = json.loads((folder / durable.MANIFEST).read_text())
            plain["identity"] |= changes
            (folder / durable.MANIFEST).write_text(canonical_json(plain))
        found = app.workspace.check(exports=[tmp_path / "outside", tmp_path / "foreign", tmp_path / "none"]).findings
    told = [finding.message for finding in found]
    assert len(told) == 3
    assert "exports/inside does not fit the workspace: it has another entry 2" in told[0]
    assert "outside does not fit the workspace: it knows 999 entries" in told[1]
    assert "none: " in told[2]
    assert all(finding.serious for finding in found)
