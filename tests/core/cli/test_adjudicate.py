"""`adjudicate` by command: the pairs in conflict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.core.cli.conftest import Said
from tests.core.cli.test_quality import ws

__all__ = ["ws"]


def test_that_conflicts_are_listed_with_rule_and_state(call: Callable[..., Said], ws: Path) -> None:
    (one,) = call("adjudicate", ws, "--list", "--json").json()
    assert (one["pair"], one["rules"], one["state"]) == (6, ["signs", "apart"], "open")
    assert sorted((vote["who"], vote["strength"]) for vote in one["votes"]) in (
        [("R1", -2), ("R2", 2)],
        [("R1", 2), ("R2", -2)],
    )
    said = call("adjudicate", ws, "--list")
    assert "signs differ (1 for A, 1 for B), strengths 4 apart" in said.out and said.out.endswith("1 open.\n")
    assert call("adjudicate", ws).code == 2


def test_that_a_pair_is_decided_and_its_change_request_listed(call: Callable[..., Said], ws: Path) -> None:
    words = ["adjudicate", ws, "--pair", 6, "--verdict", "B2", "--cause", "rubric_gap", "--outcome", "change_request"]
    words += ["--clause", "help", "--request", "Say how."]
    assert "an own pair, or decided already" in call(*words, "--by", "Bo").err
    assert call("reviewers", ws, "--add", "Cy").code == 0
    assert call(*words, "--by", "Cy", "--json").json()["outcome"] == "change_request"
    assert "decided: rubric change request" in call("adjudicate", ws, "--list").out
    assert call("rubric", "requests", ws, "--json").json()[0]["text"] == "Say how."
    said = call("rubric", "requests", ws, "--draft", "Helpful")
    assert said.out.endswith("Helpful 1.1.0 is a draft with the requests as its change note.\n")
    assert call("adjudicate", ws, "--pair", 6, "--verdict", "B2").code == 2
