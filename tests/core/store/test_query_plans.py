"""What is searched by its pair, where SQLite would go through all labels of the reviewer for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlmodel import Session

from core.services.application import Application
from core.store import retest_pairs, stale_labels
from tests.fakes.fresh import fresh
from tests.fakes.team_labels import fill_team


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A workspace with labels under two major versions and retests."""
    with fresh(tmp_path_factory.mktemp("plans") / "ws") as application:
        fill_team(application, 60)
        yield application


def _plan(session: Session, work: Callable[[], object]) -> set[str]:
    """Return the steps of every query that some work runs."""
    raw: Any = session.connection().connection.driver_connection
    said: list[str] = []
    raw.set_trace_callback(said.append)
    work()
    raw.set_trace_callback(None)
    asked = [sql for sql in said if sql.lstrip().startswith(("SELECT", "WITH"))]
    return {row[3] for sql in asked for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}")}


def test_that_the_label_that_a_retest_repeats_is_searched_by_its_pair(app: Application) -> None:
    with app.store.read() as session:
        plan = _plan(session, lambda: list(retest_pairs.retests(session)))
    assert "SEARCH o USING INDEX judgement_pair (pair_id=? AND id<?)" in plan


def test_that_who_is_behind_a_dataset_version_is_read_once_and_not_for_each_retest(app: Application) -> None:
    with app.store.read() as session:
        plan = _plan(session, lambda: list(retest_pairs.retests(session, 1)))
    assert any(step.startswith("LIST SUBQUERY") for step in plan)
    assert "SEARCH o USING INDEX judgement_pair (pair_id=? AND id<?)" in plan


def test_that_a_renewed_label_is_searched_by_its_pair(app: Application) -> None:
    newest = app.rubrics.published()[0].id
    with app.store.read() as session:
        plan = _plan(session, lambda: stale_labels.count(session, newest))
    assert "SEARCH n USING INDEX current_label_pair (pair_id=?)" in plan
