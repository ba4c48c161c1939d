"""``runs reproduce``: what it prints, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.runs.folder import RunFolder
from core.runs.reproduction import Reproduction
from tests.core.cli.conftest import Said


@pytest.mark.parametrize(("delta", "same", "code"), [(0.0, True, 0), (0.25, True, 1), (0.0, False, 1)])
def test_that_only_equal_numbers_of_the_same_pairs_end_with_0(
    call: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, delta: float, same: bool, code: int
) -> None:
    found = Reproduction("r1", 3, 12, "ab", same, delta, delta / 2)
    monkeypatch.setattr("core.cli.run_reproduce.find_run", lambda *_: RunFolder(Path("r1")))
    monkeypatch.setattr("core.cli.run_reproduce.reproduce", lambda *_, **__: found)
    said = call("runs", "reproduce", "r1", "--json")
    assert said.code == code and said.json()["ok"] == (code == 0) and said.json()["max_loss"] == delta
    assert call("runs", "reproduce", "r1", "--tolerance", "0.25").code == (0 if same else 1)
    assert "3 steps with 12 pairs trained again" in call("runs", "reproduce", "r1").out
