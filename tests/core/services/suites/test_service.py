"""Suites are versioned and frozen, and the built-in ones are read like those of the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.changes import Changes
from core.domain.conversation import Prompt
from core.domain.errors import BadInput, NotFound
from core.domain.suite import Constraint, Suite, SuiteItem
from core.services.application import Application
from tests.fakes.workspaces import opened

ITEMS = (
    SuiteItem(
        "a", Prompt.from_text("Name a fruit."), "check", {"category": "lists"}, (Constraint("words", {"at_most": 2}),)
    ),
    SuiteItem("b", Prompt.from_text("Which?"), "preference", chosen="This.", rejected="That.", target=0.8),
    SuiteItem("c", Prompt.from_text("Sing."), "open", {"category": "songs"}),
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws") as app:
        yield app


def test_that_a_stored_suite_comes_back_as_it_was(app: Application) -> None:
    suite = Suite("mine", 1, ITEMS, "import", "CC0-1.0", "A few.")
    outcome = app.suites.add(suite, {"file": "x.csv"})
    assert (outcome.value.is_new, outcome.changes) == (True, Changes.SUITES)
    assert app.suites.get("mine") == suite
    info = app.suites.show("mine v1").info
    assert (info.title, info.sha256, info.n) == ("mine v1", suite.sha256, 3)
    assert (info.counts, info.detail) == ({"check": 1, "preference": 1, "open": 1}, {"file": "x.csv"})
    assert app.workspace.check().findings == ()


def test_that_other_items_become_the_next_version_and_the_same_ones_none(app: Application) -> None:
    app.suites.add(Suite("Mine", 1, ITEMS))
    app.suites.add(Suite("mine", 1, ITEMS[:2]))
    again = app.suites.add(Suite("MINE", 7, ITEMS[:2]))
    assert (again.value.is_new, again.value.info.title, again.changes) == (False, "Mine v2", Changes.NOTHING)
    assert [info.title for info in app.suites.list() if info.id] == ["Mine v1", "Mine v2"]
    assert app.suites.get("mine").items == ITEMS[:2]
    assert app.suites.get("mine v1").items == ITEMS


@pytest.mark.parametrize("name", ["", "two\nlines", "mine v3"])
def test_that_a_name_that_is_none_stores_nothing(app: Application, name: str) -> None:
    with pytest.raises(BadInput):
        app.suites.add(Suite(name, 1, ITEMS))
    assert all(not info.id for info in app.suites.list())


def test_that_an_unknown_suite_is_told(app: Application) -> None:
    app.suites.add(Suite("mine", 1, ITEMS))
    for wanted in ("yours", "mine v2", ""):
        with pytest.raises(NotFound, match="There is no suite"):
            app.suites.get(wanted)
