"""``runs gradients``: what it prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.estimate import Estimate
from core.domain.pair_gradients import PairGradient, PairGradients
from core.runs.folder import RunFolder
from tests.core.cli.conftest import Said


def test_that_pairs_are_listed_by_their_pull_with_the_mean_of_the_drawn_ones_and_the_cost(
    call: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = (PairGradient("a", 3.0, 1.5, -1.2, 0.8, True), PairGradient("b", 4.5, 0.6, 0.1, 0.5, False))
    found = PairGradients("r1", 0, pairs, Estimate(1.5, 1.0, 2.0, 16, "nats", "mean L2 norm"), 4608, 0.25, 90)
    asked: list[dict[str, object]] = []
    monkeypatch.setattr("core.cli.run_gradients.find_run", lambda *_: RunFolder(Path("r1")))
    monkeypatch.setattr("core.cli.run_gradients.pair_gradients", lambda _, **how: asked.append(how) or found)
    said = call("runs", "gradients", "r1", "--worst", 1, "--step", 4)
    assert (asked[0]["worst"], asked[0]["drawn"], asked[0]["step"]) == (1, 16, 4)
    assert said.out.index("b ") < said.out.index("a ") and "lowest margin" in said.out
    assert "n 16 of 90 pairs; 1 pair with the lowest margin with 2.0 times that. By 4,608 weights" in said.out
    plain = call("runs", "gradients", "r1", "--json").json()
    assert (plain["mean"]["lo"], plain["mean"]["n"], plain["pairs"][0]["norm"]) == (1.0, 16, 3.0)
