from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.actions.command_palette import RECENT, CommandPalette
from app.actions.ranking import Entry, rank
from app.actions.registry import ActionRegistry
from app.main_window.object_search import command_provider, elsewhere_provider, pair_provider
from app.settings.store import Settings
from app.theme.theme import Theme


def entry(key: str, title: str, words: str = "", run: object = lambda: None) -> Entry:
    return Entry(key, title, "", "", "", run, words)  # type: ignore[arg-type]


ENTRIES = [entry("a", "Import pairs…", "JSONL CSV"), entry("b", "Freeze a dataset version…"), entry("c", "Larger text")]


@pytest.mark.parametrize(
    ("query", "first"),
    [("imp", "a"), ("freeze", "b"), ("freze", "b"), ("dataset", "b"), ("larg", "c"), ("csv", "a")],
    ids=lambda value: value,
)
def test_that_the_best_fit_comes_first(query: str, first: str) -> None:
    assert rank(query, ENTRIES)[0].key == first


def test_that_nonsense_finds_nothing() -> None:
    assert rank("zzqx", ENTRIES) == []


def test_that_recent_entries_come_first_while_nothing_is_typed() -> None:
    assert [e.key for e in rank("", ENTRIES, ["c", "b"])] == ["c", "b", "a"]


@pytest.fixture
def window(qtbot: object) -> QWidget:
    widget = QWidget()
    widget.resize(800, 600)
    qtbot.addWidget(widget)  # type: ignore[attr-defined]
    widget.show()
    return widget


def test_that_enter_runs_the_chosen_line_and_remembers_it(
    window: QWidget, theme: Theme, qtbot: object, tmp_path: Path
) -> None:
    seen: list[str] = []
    settings = Settings(tmp_path)
    lines = [entry(k, t, run=lambda k=k: seen.append(k)) for k, t in (("one", "First"), ("two", "Second"))]
    palette = CommandPalette(window, theme, settings, [lambda _query: lines])
    palette.show()
    qtbot.keyClick(palette.field, Qt.Key.Key_Down)  # type: ignore[attr-defined]
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    assert seen == ["two"]
    assert settings.state_list(RECENT) == ["two"]


def test_that_typing_narrows_the_list(window: QWidget, theme: Theme, qtbot: object, tmp_path: Path) -> None:
    palette = CommandPalette(window, theme, Settings(tmp_path), [lambda _query: ENTRIES])
    qtbot.keyClicks(palette.field, "freeze")  # type: ignore[attr-defined]
    assert [e.key for e in palette._model.entries] == ["b"]
    palette.close()


def test_that_a_number_sign_and_digits_offer_that_pair() -> None:
    shown: list[object] = []
    (found,) = pair_provider(lambda place, **what: shown.append((place, what)))("#42")
    found.run()
    assert shown == [("data", {"pair_id": 42})]
    assert pair_provider(lambda *_: None)("42") == []


def test_that_an_action_of_another_place_is_found_behind_those_of_this_one_and_runs_there(
    theme: Theme, tmp_path: Path
) -> None:
    actions = ActionRegistry(Settings(tmp_path), theme.icons)
    actions.bind("runs.queue", lambda: None)
    shown: list[str] = []
    elsewhere = elsewhere_provider(actions, shown.append)
    actions.set_place("data")
    found = rank("queue", [*command_provider(actions)("queue"), *elsewhere("queue")])
    assert (found[0].title, found[0].where) == ("Queue…", "in Runs")
    found[0].run()
    assert shown == ["runs.queue"]
    actions.set_place("runs")
    here = rank("queue", [*elsewhere("queue"), *command_provider(actions)("queue")])
    assert (here[0].key, here[0].where) == ("runs.queue", "Runs")
    assert "elsewhere:runs.queue" not in [entry.key for entry in here]
    assert elsewhere("q") == elsewhere("@queue") == []
