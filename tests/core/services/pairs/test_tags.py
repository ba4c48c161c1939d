"""Tags of pairs: put on and taken off by entries of the log, found by filter, command, freeze, table and run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.errors import BadInput, NotFound
from core.domain.pair_table import PairFilter
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store import events
from core.store.pair_tags import TagBook
from tests.fakes.fresh import fresh
from tests.fakes.workspaces import opened, prefer


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with opened(tmp_path / "ws", pairs=5) as application:
        yield application


def ann(app: Application) -> int:
    return app.reviewers.list()[0].id


def test_that_the_newest_word_on_a_pair_and_a_tag_counts_and_each_act_is_one_entry_of_the_log(app: Application) -> None:
    tags = app.pairs.tags
    assert tags.change([1, 2, 3], ann(app), add=["hard", "typo"]).value == 3
    assert tags.change([2], ann(app), remove=["HARD"]).value == 1, "another case names the same tag"
    assert tags.change([1], ann(app), add=["Typo"]).value == 0, "the pair has it, so nothing is logged"
    assert tags.of_pairs([1, 2, 4]) == {1: ("hard", "typo"), 2: ("typo",)}
    assert tags.counts() == {"hard": 2, "typo": 3}
    with app.store.read() as session:
        said = [(one.op, one.summary, one.detail) for one in events.of_kind(session, "pair.tag", "pair.untag")]
    assert said == [
        ("pair.tag", "Tagged 3 pairs: hard", {"pairs": [1, 2, 3], "tag": "hard"}),
        ("pair.tag", "Tagged 3 pairs: typo", {"pairs": [1, 2, 3], "tag": "typo"}),
        ("pair.untag", "Took the tag hard off pair 2", {"pairs": [2], "tag": "hard"}),
    ]
    assert app.workspace.check().ok, "the entries are in the hash chain"


def test_that_a_pair_gets_exactly_the_tags_it_is_given_and_had_before_again(app: Application) -> None:
    tags = app.pairs.tags
    tags.set_tags(1, ann(app), ["a", "b"])
    tags.set_tags(1, ann(app), ["B", "c"])
    assert tags.of(1) == ("b", "c")
    tags.set_tags(1, ann(app), ["a", "b"])
    assert set(tags.of(1)) == {"a", "b"}
    tags.set_tags(1, ann(app), [])
    assert tags.counts() == {}


def test_that_a_change_of_several_pairs_is_taken_back_and_what_came_since_then_stays(app: Application) -> None:
    tags = app.pairs.tags
    tags.change([1, 2], ann(app), add=["old"])
    before = tags.of_pairs([1, 2, 3])
    tags.change([1, 2, 3], ann(app), add=["new"], remove=["old"])
    after = tags.of_pairs([1, 2, 3])
    tags.change([3], ann(app), add=["later"])
    tags.change([2], ann(app), remove=["new"])
    assert tags.take_back(ann(app), before, after).value == 3
    assert {key: set(found) for key, found in tags.of_pairs([1, 2, 3]).items()} == {
        1: {"old"},
        2: {"old"},
        3: {"later"},
    }
    assert tags.take_back(ann(app), before, after).value == 0


@pytest.mark.parametrize("tag", ["", "  ", "a,b", "a\nb", "x" * 121])
def test_that_a_tag_that_cannot_be_one_changes_nothing(app: Application, tag: str) -> None:
    with pytest.raises(BadInput, match="tag"):
        app.pairs.tags.change([1], ann(app), add=["good", tag])
    assert app.pairs.tags.counts() == {}


def test_that_an_unknown_pair_changes_nothing(app: Application) -> None:
    with pytest.raises(NotFound, match="no pair 98 nor 1 other pair of these; nothing was changed"):
        app.pairs.tags.change([1, 99, 98], ann(app), add=["x"])
    assert app.pairs.tags.counts() == {}


def test_that_the_filter_and_the_book_agree_after_any_order_of_acts(app: Application) -> None:
    acts = [([1, 2], "a", ""), ([3], "b", ""), ([2, 3], "", "a"), ([2], "a", ""), ([1], "b", "a"), ([3], "", "b")]
    expected: dict[int, set[str]] = {}
    for pairs, add, remove in acts:
        app.pairs.tags.change(pairs, ann(app), add=[add] if add else [], remove=[remove] if remove else [])
        for key in pairs:
            expected[key] = (expected.get(key, set()) | {add}) - {remove, ""}
        with app.store.read() as session:
            anew = TagBook().read(session)
        assert {key: set(tags) for key, tags in anew.items()} == {key: tags for key, tags in expected.items() if tags}
        for tag in "ab":
            assert app.pairs.ids(PairFilter(tag=tag)) == sorted(k for k, tags in expected.items() if tag in tags)
    assert [row.tags for row in app.pairs.rows([1, 2, 4])] == [("b",), ("a",), ()]
    assert app.pairs.detail(2).tags == ("a",)


def test_that_a_freeze_leaves_tagged_pairs_out_and_says_why(app: Application) -> None:
    for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(ann(app), 1)), 5):
        app.annotation.commit(shown.presentation_uid, prefer(2))
    before = app.datasets.plan(FreezePolicy())
    app.pairs.tags.change([2, 4], ann(app), add=["hard"])
    strict = FreezePolicy.from_plain({"drop_tags": "Hard, other"})
    plan = app.datasets.plan(strict)
    assert (before.counts["items"], plan.counts["items"]) == (5, 3)
    assert [(one.reason, one.count, one.pair_ids) for one in plan.left_out] == [("tagged: Hard", 2, (2, 4))]
    assert app.datasets.plan(FreezePolicy()).root_sha256 == before.root_sha256, "tags are no content"
    assert FreezePolicy().to_plain().keys() & {"drop_tags"} == set(), "older versions keep their hash"


def test_that_the_exported_table_holds_the_tags_and_is_imported_again(app: Application, tmp_path: Path) -> None:
    app.pairs.tags.change([1], ann(app), add=["=hard", "typo"])
    report = app.pairs.export_table(tmp_path / "pairs.csv", PairFilter(tag="typo"))
    (row,) = csv.DictReader((tmp_path / "pairs.csv").open(encoding="utf-8", newline=""))
    assert row["tags"] == "'=hard, typo", "a spreadsheet runs no tag"
    assert report.rows == 1
    assert app.imports.run(tmp_path / "pairs.csv", consent="granted").value.duplicates == 1
    app.pairs.tags.change([1], ann(app), remove=["typo"])
    app.pairs.tags.change([2], ann(app), add=["Typo"])
    back = app.imports.run(tmp_path / "pairs.csv", consent="granted").value
    assert app.pairs.tags.of_pairs([1, 2]) == {1: ("=hard", "Typo"), 2: ("Typo",)}, "a tag in use keeps its spelling"
    assert "1 pair got the tags of the file." in back.reading.notes
    with fresh(tmp_path / "other") as other:
        other.imports.run(tmp_path / "pairs.csv", consent="granted")
        assert other.pairs.tags.counts() == {"=hard": 1, "typo": 1}
        assert other.workspace.check().ok
