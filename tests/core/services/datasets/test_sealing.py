from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import paths
from core.domain.dataset import DatasetVersion, FreezePolicy
from core.domain.errors import BadInput, StorageFull, UserError
from core.domain.pair import TrainingPair
from core.evaluation.openings import count_looks
from core.evaluation.sealed_test import SealedOpening, open_sealed
from core.services.application import Application
from core.services.datasets import sealing
from core.services.datasets.sealing import Sealing
from core.store import datasets as repository
from core.store import events
from tests.fakes.fresh import fresh

POLICY = FreezePolicy(splits=(0.4, 0.2, 0.4))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        rows = [
            {"prompt": f"q{i}", "response1": f"one {i}", "response2": f"two {i}", "annotator1": 1 + i % 2}
            for i in range(20)
        ]
        path = tmp_path / "mine.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        application.imports.run(path, fmt="table:one_based", consent="granted")
        yield application


@pytest.fixture
def version(app: Application) -> DatasetVersion:
    return app.datasets.freeze("d", POLICY).value


def opened(app: Application, version: DatasetVersion, **more: str) -> SealedOpening:
    values = {"person": "Ann", "reason": "a release", "policy": "run 1"} | more
    return open_sealed(Sealing(app.store).path_of(version), paths.keys_dir(), **values)  # type: ignore[arg-type]


def frozen_test_pairs(app: Application, version: DatasetVersion) -> list[TrainingPair]:
    with app.store.read() as session:
        return repository.training_pairs(session, version.id, ["test"])


def test_that_a_freeze_seals_the_test_split_item_by_item(app: Application, version: DatasetVersion) -> None:
    items = opened(app, version).suite.items
    assert [(i.id, i.prompt, i.chosen, i.rejected, i.target, i.is_tie) for i in items] == [
        (p.pair_id, p.prompt, p.chosen, p.rejected, p.target, p.is_tie) for p in frozen_test_pairs(app, version)
    ]
    assert len(items) == version.counts["test"]
    assert {item.expected for item in items} == {"preference"}
    assert items[0].slices == {
        "source": "mine",
        "clause": "no clause answered",
        "agreement": "one label",
        "strength": "better",
        "length": "under 200",
    }


def test_that_the_event_log_knows_the_plain_hash_and_another_file_is_refused(
    app: Application, version: DatasetVersion
) -> None:
    sealed = Sealing(app.store)
    with app.store.read() as session:
        (written,) = events.about(session, "sealed.write", version.id)
    header = sealed.seal(version)
    assert header is not None
    assert written.detail == {
        "root_sha256": version.root_sha256,
        "contents_sha256": header.contents_sha256,
        "rows": version.counts["test"],
    }
    path = sealed.path_of(version)
    other = app.datasets.freeze("other", FreezePolicy(splits=(0.1, 0.1, 0.8))).value
    whole = path.read_bytes()
    path.write_bytes(sealed.path_of(other).read_bytes())
    with pytest.raises(BadInput, match="holds other items than the test split"):
        sealed.seal(version)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BadInput, match="was altered or is damaged"):
        sealed.seal(version)
    path.unlink()
    assert sealed.seal(version) == sealed.seal(version)
    assert opened(app, version).suite.sha256 == header.contents_sha256


def test_that_on_another_machine_the_file_is_written_again_under_a_new_key(
    app: Application, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = opened(app, version).suite
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "other home"))
    header = Sealing(app.store).seal(version)
    assert header is not None and (tmp_path / "other home" / "keys" / f"{header.key_id}.key").is_file()
    assert opened(app, version).suite == before
    assert len(Sealing(app.store).openings(version)) == 2


def test_that_neither_the_workspace_nor_a_backup_holds_the_key(app: Application, version: DatasetVersion) -> None:
    header = Sealing(app.store).seal(version)
    assert header is not None
    key = (paths.keys_dir() / f"{header.key_id}.key").read_bytes()
    secret = json.loads(key)["key"].encode()
    app.workspace.backup()
    app.datasets.export("d", app.folder / "exports")
    files = [path for path in app.folder.rglob("*") if path.is_file()]
    assert any("backups" in path.parts for path in files)
    assert not any(secret in path.read_bytes() or bytes.fromhex(secret.decode()) in path.read_bytes() for path in files)
    assert paths.keys_dir() not in (app.folder, *app.folder.parents)


def test_that_openings_reach_the_event_log_once_and_survive_a_restart(
    app: Application, version: DatasetVersion
) -> None:
    opened(app, version, evaluation="e1")
    opened(app, version, evaluation="e1")
    opened(app, version, policy="run 2")
    sealed = Sealing(app.store)
    assert (sealed.take_notes(), sealed.take_notes()) == (3, 0)
    notes = sealed.openings(version)
    assert (len(notes), count_looks(notes)) == (3, 2)
    with app.store.read() as session:
        logged = events.about(session, "sealed.open", version.id)
    assert [event.detail["policy"] for event in logged] == ["run 1", "run 1", "run 2"]
    assert (
        logged[0].summary == f"Ann opened {version.counts['test']} test items of d sealed test v1 for run 1: a release"
    )
    assert app.workspace.check().ok


def test_that_a_look_is_counted_when_the_workspace_could_not_log_it_yet(
    app: Application, version: DatasetVersion
) -> None:
    opened(app, version)
    with Application.open(app.folder, read_only=True) as reader:
        assert len(Sealing(reader.store).openings(version)) == 1
    folder = app.folder
    app.close()
    with Application.open(folder) as again:
        assert [event.op for event in again.workspace.activity(1)] == ["sealed.open"]


def test_that_a_workspace_opens_when_a_look_cannot_be_logged_and_keeps_the_note(
    app: Application, version: DatasetVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFull("There is no room left.", "Free some space.")

    opened(app, version)
    app.close()
    with monkeypatch.context() as patch:
        patch.setattr(Sealing, "take_notes", full)
        with Application.open(app.folder) as again:
            assert again.datasets.view(version.id).looks == 1
    with Application.open(app.folder) as again, again.store.read() as session:
        assert len(events.about(session, "sealed.open", version.id)) == 1


def test_that_a_freeze_stands_when_its_test_split_cannot_be_sealed_and_is_sealed_later(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFull("There is no room left.", "Free some space.")

    told: list[str] = []
    app.workspace.listen(told.append)
    monkeypatch.setattr(sealing, "write_sealed", full)
    version = app.datasets.freeze("d", POLICY).value
    assert told == ["d v1 is frozen, and its test split is not sealed yet: There is no room left. Free some space."]
    with Application.open(app.folder, read_only=True) as reader, pytest.raises(UserError, match="not sealed yet"):
        Sealing(reader.store).seal(version)
    monkeypatch.undo()
    header = Sealing(app.store).seal(version)
    assert header is not None and header.rows == version.counts["test"]


def test_that_a_version_without_a_test_split_has_no_file(app: Application) -> None:
    version = app.datasets.freeze("d", FreezePolicy(splits=(0.9, 0.1, 0.0))).value
    assert Sealing(app.store).seal(version) is None
    assert not Sealing(app.store).path_of(version).exists()


def test_that_an_export_of_the_test_split_is_a_look(app: Application, version: DatasetVersion, tmp_path: Path) -> None:
    app.datasets.export("d", tmp_path / "out", unseal=True, person="Bo", reason="for the archive")
    (note,) = Sealing(app.store).openings(version)
    assert (note.person, note.reason, note.policy, note.rows) == (
        "Bo",
        "for the archive",
        "none",
        version.counts["test"],
    )
