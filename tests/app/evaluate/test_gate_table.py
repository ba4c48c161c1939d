"""The table of the gate's checks shows its last column whole: the wide ones give way."""

from __future__ import annotations

from typing import Any

from app.evaluate.gate_table import GateTable, shared_most
from core.domain.release_gate import GateCheck

LONG = "0.0120 [0.0010, 0.0340], n 250 answers of 125 prompts"
CHECKS = [
    GateCheck("over", "vetoes", "Refusals of harmless requests, policy minus reference", "passed", "It holds.",
              measured=LONG, limit="upper end at most 0.0300 above the reference", suite="benign"),
    GateCheck("wins", "gain", "Win rate by people", "insufficient", "Too few votes.",
              needed="Ask people for more votes. Then look again.", measured="0.55", limit="> 0.5"),
]  # fmt: skip


def test_that_the_widest_columns_give_way_to_the_last_one(theme: Any, qtbot: Any) -> None:
    table = GateTable(theme)
    qtbot.addWidget(table)
    table.resize(760, 300)
    table.show()
    table.show_checks(CHECKS)
    texts = [table.item(row, 3).text() for row, check in enumerate(table._checks) if check is not None]
    longest = max(table.fontMetrics().horizontalAdvance(text) for text in texts)
    assert table.columnWidth(3) >= longest
    assert sum(table.columnWidth(column) for column in range(4)) <= table.viewport().width()
    row = next(row for row, check in enumerate(table._checks) if check is CHECKS[0])
    assert LONG in table.item(row, 1).toolTip(), "what is cut is told"
    table.resize(1600, 300)
    qtbot.waitUntil(lambda: table.columnWidth(1) > 200)


def test_that_columns_share_a_room_by_the_widest_first() -> None:
    assert shared_most([240, 200, 60], 400, 100) == 170
    assert shared_most([240, 200, 60], 900, 100) == 240
    assert shared_most([240, 200], 90, 100) == 100
