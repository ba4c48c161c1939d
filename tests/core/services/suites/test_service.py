"""Suites are versioned and frozen, and the built-in ones are read like those of the workspace."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.changes import Changes
from core.domain.conversation import Prompt
from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, NotFound
from core.domain.pair_table import PairFilter
from core.domain.suite import Constraint, Suite, SuiteItem
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import opened, prefer

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


def labelled(app: Application, pairs: int, splits: tuple[float, float, float]) -> None:
    """Label pairs and freeze them as the version ``set v1``."""
    desk = app.annotation
    for shown in desk.next(desk.open_queue(QueueSettings(1, 1)), pairs):
        desk.commit(shown.presentation_uid, prefer(2, criteria={"help": 2}))
    app.datasets.freeze("set", FreezePolicy(splits=splits))


def test_that_the_prompts_of_a_filter_become_items(app: Application) -> None:
    stored = app.suites.from_pairs("own", PairFilter(text="Question 2"), "comply", licence="CC0").value
    suite = app.suites.get("own")
    assert [item.prompt.last_text for item in suite.items] == ["Question 2?"]
    assert suite.items[0].slices["source"] == "made up"
    assert (suite.origin, suite.licence) == ("workspace", "CC0")
    assert stored.info.detail["filter"] == {"label": "any", "order": "id", "text": "Question 2"}
    with pytest.raises(BadInput, match="No pair gives an item"):
        app.suites.from_pairs("none", PairFilter(text="nowhere"), "open")
    with pytest.raises(BadInput, match="cannot expect 'check'"):
        app.suites.from_pairs("none", PairFilter(), "check")


def test_that_prompts_of_a_sealed_test_split_stay_out_and_those_of_train_are_told(app: Application) -> None:
    labelled(app, 6, (0.5, 0.0, 0.5))
    splits = app.datasets.get("set").counts
    assert splits["test"] > 0
    stored = app.suites.from_pairs("own", PairFilter(), "open").value
    assert stored.info.n == 6 - splits["test"]
    assert stored.info.detail["sealed_prompts_left_out"] == splits["test"]
    assert stored.info.detail["prompts_in_train_splits"] == splits["train"]
    assert "sealed test splits left out" in stored.notes[0]
    assert "its runs have seen them" in stored.notes[1]


def test_that_the_dev_split_of_a_version_becomes_preferences(app: Application) -> None:
    labelled(app, 6, (0.0, 1.0, 0.0))
    suite = app.suites.get(app.suites.from_dataset("set").value.info.title)
    assert (suite.title, suite.origin, len(suite.items)) == ("set dev v1", "dataset", 6)
    pairs = {pair.prompt.sha256: pair for pair in app.pairs.texts(range(1, 7)).values()}
    for item in suite.items:
        pair = pairs[item.prompt.sha256]
        assert (item.chosen, item.rejected) in ((pair.a.text, pair.b.text), (pair.b.text, pair.a.text))
        slices = {name: item.slices[name] for name in ("agreement", "clause", "chosen refuses", "source")}
        assert list(slices.values()) == ["one label", "Helpful", "no", "made up"]
    detail = app.suites.show("set dev").info.detail
    assert detail == {"dataset": "set v1", "root_sha256": app.datasets.get("set").root_sha256, "split": "dev"}


def test_that_a_version_without_dev_gives_no_suite(app: Application) -> None:
    labelled(app, 6, (1.0, 0.0, 0.0))
    with pytest.raises(BadInput, match="dev split of set v1 is empty"):
        app.suites.from_dataset("set")


def test_that_an_edited_suite_is_found_by_check_workspace(app: Application) -> None:
    app.suites.add(Suite("mine", 1, ITEMS))
    app.close()
    with closing(sqlite3.connect(app.folder / "workspace.db")) as raw:
        query = "SELECT name, sql FROM sqlite_schema WHERE tbl_name='suite_item' AND type='trigger'"
        triggers = raw.execute(query).fetchall()
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE suite_item SET body=replace(body, 'fruit', 'tool')")
        for _, sql in triggers:
            raw.execute(sql)
        raw.commit()
    with Application.open(app.folder) as opened_again:
        found = [finding.message for finding in opened_again.workspace.check().findings]
    assert "Suite mine v1 is not what was stored." in found
    assert "Suite version 1 was changed by another program." in found
