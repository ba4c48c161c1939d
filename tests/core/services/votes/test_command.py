"""The command ``votes``: what it prints of rounds that are planned, asked and shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.services.application import Application
from tests.core.cli.conftest import Said, call
from tests.core.services.votes.conftest import EVALUATION
from tests.core.services.votes.test_votes import ANN, better, vote

__all__ = ["call"]


def test_that_rounds_are_planned_asked_and_shown(call: Callable[..., Said], app: Application) -> None:
    ws: Path = app.folder
    app.close()
    plan = call("votes", "ask", ws, EVALUATION, "--plan", "--votes", 2, "--margin", 0.15, "--json").json()
    assert (plan["asked"], plan["votes"], plan["planned"]) == (10, 20, 85), "M19: .65 against .5"
    assert call("votes", "list", ws, "--json").json() == []
    made = call("votes", "ask", ws, EVALUATION, "--slice", "part=odd", "--rubric", "helpful", "--json").json()
    assert (made["new"], made["asked"], made["arms"]) == (True, 5, ["aligned", "reference"])
    assert call("votes", "ask", ws, EVALUATION, "--slice", "part=odd", "--json").json()["new"] is False
    with Application.open(ws) as again:
        vote(again, again.votes.get(made["id"]), ANN, better, most=3)
    (listed,) = call("votes", "list", ws, EVALUATION, "--json").json()
    assert (listed["settled"], listed["votes"]) == (3, 3)
    shown = call("votes", "show", ws, EVALUATION, "--json").json()
    assert (shown["win_rate"]["value"], shown["win_rate"]["n"], shown["final"]) == (1.0, 3, False)
    assert 0 < shown["win_rate"]["lo"] < 0.5 and shown["win_rate"]["hi"] == 1.0, "the keys of evidence"
    named = {(one["slice"], one["of"]) for one in shown["slices"]}
    assert ("part", "odd") in named, "a slice is told by its name and its value"
    said = call("votes", "show", ws, EVALUATION)
    assert said.code == 0 and "3 of the planned 194 decisive items: the interval holds at any time." in said.out
    assert "win rate without ties" in call("votes", "show", ws, EVALUATION, "--round", made["id"]).out
    assert "written alike" in shown["style_cautions"][0] and shown["style_controlled"]["value"] is None
    ranked = call("votes", "rank", ws, EVALUATION, "--json").json()
    assert (ranked["base"], ranked["comparisons"], ranked["final"]) == ("reference", 3, False)
    assert "aligned never lost to reference" in ranked["problem"] and ranked["worths"] == {}
    assert "Nothing can be fitted" in call("votes", "rank", ws, EVALUATION).out


def test_that_wrong_calls_ask_nobody(call: Callable[..., Said], app: Application) -> None:
    ws = app.folder
    app.close()
    assert call("votes", "ask", ws, EVALUATION, "--arm", "aligned").code == 2
    assert call("votes", "ask", ws, EVALUATION, "--slice", "odd").code == 2
    assert call("votes", "ask", ws, EVALUATION, "--margin", 0.6).code == 2
    assert call("votes", "ask", ws, EVALUATION, "--rubric", "none").code == 1
    sealed = call("votes", "ask", ws, EVALUATION, "--suite", "sealed", "--json")
    assert (sealed.code, "--by NAME --reason WHY" in sealed.error()["hint"]) == (2, True)
    unknown = call("votes", "ask", ws, EVALUATION, "--slice", "part=none", "--json")
    assert (unknown.code, unknown.error()["hint"]) == (2, "Its slices are part=even, part=odd.")
    assert call("votes", "show", ws, EVALUATION).code == 1
    assert "Nobody was asked" in call("votes", "rank", ws, EVALUATION, "--json").error()["error"]
    assert "Nobody has been asked yet" in call("votes", ws).out
