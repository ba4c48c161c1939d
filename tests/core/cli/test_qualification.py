"""`qualification` by command: setting a quiz, waiving it, who passed, and what to practise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.cli.conftest import Said
from tests.fakes.gold_items import make_gold
from tests.fakes.workspaces import opened, person


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    with opened(tmp_path / "ws", 6) as app:
        make_gold(app, 3)
        person(app.store, "Dee")
    return tmp_path / "ws"


def test_that_a_quiz_is_set_explained_waived_and_listed(call: Callable[..., Said], ws: Path) -> None:
    assert "Helpful 1.0.0 has no quiz" in call("qualification", ws).out
    words = [
        "qualification",
        ws,
        "--rubric",
        "Helpful",
        "--pass-mark",
        0.75,
        "--explain",
        "2=It says why.",
        "--by",
        "ann",
    ]
    found = call(*words, "--json").json()
    assert (found["rubric"], found["pass_mark"], found["items"], found["explained"]) == (
        "Helpful 1.0.0", 0.75, [1, 2, 3], [2],
    )  # fmt: skip
    said = call("qualification", ws, "--waive", "Dee", "--reason", "New here", "--by", "Ann")
    assert "a quiz of 3 gold items, pass mark 75 %" in said.out and "waived by Ann" in said.out
    rows = {row["name"]: row["qualification"] for row in call("reviewers", ws, "--json").json()}
    assert rows["Dee"]["Helpful 1.0.0"]["status"] == "waived" and rows["Dee"]["Helpful 1.0.0"]["qualified"]
    assert rows["Bo"]["Helpful 1.0.0"]["status"] == "nothing to ask"
    assert "Helpful 1.0.0: waived by Ann" in call("reviewers", ws).out
    assert call("qualification", ws, "--require", "Dee", "--json").json()["reviewers"][3]["status"] == "not begun"
    practice = call("qualification", ws, "--practice", "Bo", "--json").json()["practice"]
    assert [(one["clause"], one["differs"]["value"], one["practice"]) for one in practice] == [("help", 1.0, [])]
    assert "Helpful: another side in 100 % of 3 comparisons" in call("qualification", ws, "--practice", "Bo").out


def test_that_wrong_names_pairs_and_marks_are_refused(call: Callable[..., Said], ws: Path) -> None:
    assert "There is no reviewer 'Zoe'" in call("qualification", ws, "--waive", "Zoe").err
    assert "Pair 6 is no gold item under Helpful 1.0.0" in call("qualification", ws, "--pair", 6).err
    assert call("qualification", ws, "--explain", "why").code == 2
    assert "is at most 1" in call("qualification", ws, "--pass-mark", 80).err
