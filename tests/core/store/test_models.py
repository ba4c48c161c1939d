from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.errors import NotFound
from core.domain.model_info import ModelInfo
from core.store import models
from core.store.sqlite.database import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "ws", create=True, name="ws", version="1") as opened:
        yield opened


def info(path: Path, name: str = "tiny", **changes: object) -> ModelInfo:
    values = {"kind": "folder", "sha256": "ab", "model_type": "llama", "parameters": 7, "has_template": True, **changes}
    return ModelInfo(0, name, path, **values)  # type: ignore[arg-type]


def add(store: Store, value: ModelInfo) -> ModelInfo:
    context = store.write_context()
    return store.write(lambda session: models.add(session, value, context), "adding")


def test_that_a_model_comes_back_as_it_was_added(store: Store, tmp_path: Path) -> None:
    made = add(store, info(tmp_path, context=512, licence="mit", origin="owner/tiny"))
    assert made.id > 0
    assert made.created_ms > 0
    with store.read() as session:
        assert models.listed(session) == [made]
        assert models.get(session, made.id) == made
    assert (made.context, made.licence, made.origin, made.parameters) == (512, "mit", "owner/tiny", 7)


def test_that_the_same_path_is_brought_up_to_date(store: Store, tmp_path: Path) -> None:
    first = add(store, info(tmp_path))
    second = add(store, info(tmp_path, "other name", sha256="cd", parameters=9))
    assert (second.id, second.name, second.sha256, second.parameters) == (first.id, "tiny", "cd", 9)


def test_that_a_taken_name_gets_a_number(store: Store, tmp_path: Path) -> None:
    names = [add(store, info(tmp_path / str(n))).name for n in range(3)]
    assert names == ["tiny", "tiny (2)", "tiny (3)"]


def test_that_whether_the_folder_is_there_is_seen_on_reading(store: Store, tmp_path: Path) -> None:
    made = add(store, info(tmp_path / "gone"))
    assert not made.available
    (tmp_path / "gone").mkdir()
    with store.read() as session:
        assert models.get(session, made.id).available


def test_that_a_forgotten_model_is_gone_from_the_list(store: Store, tmp_path: Path) -> None:
    made = add(store, info(tmp_path))
    store.write(lambda session: models.forget(session, made.id), "forgetting")
    with store.read() as session, pytest.raises(NotFound):
        models.get(session, made.id)


def test_that_facts_of_a_newer_program_are_passed_over(store: Store, tmp_path: Path) -> None:
    from sqlalchemy import text

    made = add(store, info(tmp_path))
    store.write(
        lambda session: session.connection().execute(text("""UPDATE model SET info = '{"parameters": 3, "new": 1}'""")),
        "writing as a newer program",
    )
    with store.read() as session:
        assert models.get(session, made.id).parameters == 3
