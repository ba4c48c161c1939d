"""Rows that are inserted by the hundred are those that were given, in their order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.services.application import Application
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.database import Session
from tests.fakes.fresh import fresh


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    with fresh(tmp_path_factory.mktemp("bulk") / "ws") as made:
        yield made


@pytest.mark.parametrize("count", [0, 1, 2, 7, 999, 1000, 1001, 2513])
def test_that_every_row_is_inserted_once(app: Application, count: int) -> None:
    rows = [(place, "A" if place % 3 else None) for place in range(count)]

    def job(session: Session) -> list[tuple[object, ...]]:
        run = session.connection().exec_driver_sql
        run("CREATE TEMP TABLE many(number, word, alike, none)")
        insert_many(session, "temp.many(number, word)", rows, {"alike": "x%s", "none": None})
        found = [tuple(row) for row in run("SELECT number, word, alike, none FROM temp.many ORDER BY rowid").all()]
        run("DROP TABLE temp.many")
        return found

    assert app.store.write(job, "inserting many rows") == [(*row, "x%s", None) for row in rows]


def test_that_rows_without_alike_columns_are_inserted(app: Application) -> None:
    def job(session: Session) -> list[object]:
        run = session.connection().exec_driver_sql
        run("CREATE TEMP TABLE few(number)")
        insert_many(session, "temp.few(number)", [(5,), (6,)])
        found = list(run("SELECT number FROM temp.few").scalars())
        run("DROP TABLE temp.few")
        return found

    assert app.store.write(job, "inserting two rows") == [5, 6]
