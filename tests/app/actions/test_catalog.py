from __future__ import annotations

from PySide6.QtGui import QKeySequence

from app.actions.catalog import CATALOG, MENUS, PLACE_TITLES
from app.actions.shortcuts import clashes_of, effective_keys, find_clashes
from app.actions.spec import ActionSpec


def test_that_ids_are_unique_and_name_a_known_place() -> None:
    ids = [spec.id for spec in CATALOG]
    assert len(ids) == len(set(ids))
    assert {spec.place for spec in CATALOG} <= set(PLACE_TITLES)


def test_that_every_action_has_a_title_and_says_where_it_stands() -> None:
    assert [spec.id for spec in CATALOG if not spec.title or spec.title != spec.title.strip()] == []
    assert [spec.id for spec in CATALOG if spec.menu and spec.menu not in MENUS] == []


def test_that_no_two_actions_of_one_place_share_keys() -> None:
    assert find_clashes(CATALOG) == []


def test_that_every_shortcut_is_one_that_qt_knows() -> None:
    wrong = [
        (spec.id, keys)
        for spec in CATALOG
        for keys in spec.keys
        if QKeySequence.fromString(keys, QKeySequence.SequenceFormat.PortableText).toString(
            QKeySequence.SequenceFormat.PortableText
        )
        != keys
    ]
    assert wrong == []


def test_that_the_seven_verdicts_keep_their_numbers() -> None:
    keys = {spec.id: spec.keys for spec in CATALOG}
    order = ("left3", "left2", "left1", "tie", "right1", "right2", "right3")
    assert [keys[f"annotate.{name}"] for name in order] == [(str(n),) for n in range(1, 8)]


def test_that_keys_of_different_places_do_not_clash_but_global_ones_do() -> None:
    data, runs, everywhere = (
        ActionSpec("data.x", "X", "E"),
        ActionSpec("runs.x", "X", "E"),
        ActionSpec("global.x", "X", "E"),
    )
    assert find_clashes([data, runs]) == []
    assert [(c.first, c.second) for c in find_clashes([data, everywhere])] == [("data.x", "global.x")]


def test_that_an_override_replaces_the_keys_and_an_empty_one_takes_them_away() -> None:
    spec = ActionSpec("data.x", "X", "E; F2")
    assert effective_keys(spec, {}) == ("E", "F2")
    assert effective_keys(spec, {"data.x": "G"}) == ("G",)
    assert effective_keys(spec, {"data.x": ""}) == ()


def test_that_a_clash_with_new_keys_is_named_before_they_are_taken() -> None:
    assert clashes_of("annotate.skip", "1", CATALOG, {}) == ["annotate.left3"]
    assert clashes_of("annotate.skip", "Q", CATALOG, {}) == []
