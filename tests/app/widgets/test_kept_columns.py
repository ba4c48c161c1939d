from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.background.task_runner import TaskRunner
from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.table import LEAST_COLUMN, TableColumn, VirtualTable

COLUMNS = (
    TableColumn("name", "Name", str),
    TableColumn("state", "State", str, width=100),
    TableColumn("n", "n", str, width=LEAST_COLUMN),
    TableColumn("note", "Note", str, width=80),
)


@pytest.fixture
def tasks() -> Iterator[TaskRunner]:
    runner = TaskRunner()
    yield runner
    runner.close()


@pytest.fixture
def make(qtbot: QtBot, theme: Theme, tasks: TaskRunner, tmp_path: Path) -> Callable[[], VirtualTable]:
    settings = Settings(tmp_path)

    def table() -> VirtualTable:
        found = VirtualTable(tasks, theme, COLUMNS, name="Runs", settings=settings, state_key="runs")
        qtbot.addWidget(found)
        found.resize(900, 200)
        found.show()
        return found

    return table


def widths(table: VirtualTable) -> list[int]:
    return [table.columnWidth(place) for place in range(1, len(COLUMNS))]


def test_that_columns_kept_with_large_text_come_back_in_the_size_of_the_text(
    theme: Theme, make: Callable[[], VirtualTable]
) -> None:
    theme.apply("light", 200)
    large = make()
    large.setColumnWidth(1, 300)
    large.show_column("note", False)
    assert widths(large) == [300, 2 * LEAST_COLUMN, 0]
    large.close()
    theme.apply("light", 100)
    small = make()
    assert widths(small) == [150, LEAST_COLUMN, 0]
    small.show_column("note", True)
    assert widths(small)[2] == 80
    theme.apply("light", 200)
    assert widths(small) == [300, 2 * LEAST_COLUMN, 160]
