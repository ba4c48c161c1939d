"""What a lead asks by command: one batch, a change of a clause, and whether a withdrawal holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.batch import BatchPolicy
from core.domain.dataset import FreezePolicy
from tests.core.cli.conftest import Said
from tests.fakes.workspaces import opened, person, prefer


@pytest.fixture
def ws(tmp_path: Path) -> Path:
    with opened(tmp_path / "ws", 4) as app:
        bo = person(app.store, "Bo").id
        policy = BatchPolicy((1, bo), limit=2, second_share=1.0, gold_share=0, retest_share=0)
        batch = app.batches.create("one", 1, policy).value.id
        for who in (1, bo):
            queue = app.annotation.open_queue(app.batches.queue(batch, who))
            while shown := app.annotation.next(queue):
                app.annotation.commit(shown[0].presentation_uid, prefer(2, criteria={"help": 1}))
        app.datasets.freeze("Set", FreezePolicy(require_consent=False))
    return tmp_path / "ws"


def test_that_the_quality_of_one_batch_is_told(call: Callable[..., Said], ws: Path) -> None:
    found = call("quality", ws, "--batch", "one", "--json").json()
    assert found["batch"] == "one" and found["agreement"]["all"]["items"] == 2
    assert found["agreement"]["batch"]["one"]["percent"]["value"] == 1.0
    assert "Only what was given in the slots of the batch one:" in call("quality", ws, "--batch", "one").out
    assert "There is no batch 'two'" in call("quality", ws, "--batch", "two").err
    assert call("quality", ws, "--json").json()["batch"] is None


def test_that_a_change_of_a_clause_is_asked_for(call: Callable[..., Said], ws: Path) -> None:
    words = ["rubric", "ask", ws, "Helpful", "--clause", "help", "--text", "Say what helping is.", "--by", "Bo"]
    assert call(*words, "--pair", 2, "--json").json() == {
        "id": 1, "clause": "help", "text": "Say what helping is.", "pair": 2, "state": "open", "version": None,
    }  # fmt: skip
    assert (
        "no clause 'tone'" in call("rubric", "ask", ws, "Helpful", "--text", "x", "--clause", "tone", "--by", "Bo").err
    )
    assert "draft with the requests" in call("rubric", "requests", ws, "--draft", "Helpful").out


def test_that_a_withdrawal_is_proved_version_by_version(call: Callable[..., Said], ws: Path) -> None:
    assert "is not withdrawn; there is nothing to prove" in call("consent", "proof", ws, "--reviewer", "Bo").out
    said = call("consent", "withdraw", ws, "--reviewer", "Bo", "--on", "2026-11-30")
    assert "Bo: 2 labels on 2 pairs, in 1 dataset version, 0 runs and 0 releases." in said.out
    assert call("consent", "proof", ws, "--reviewer", "Bo").out.startswith("No dataset version was frozen since")
    assert call("freeze", ws, "--name", "Set").code == 0
    found = call("consent", "proof", ws, "--reviewer", "Bo", "--json").json()
    assert found["counts"] == "label" and [one["held"] for one in found["before"]] == [2]
    assert [one["held"] for one in found["after"]] == [0] and found["holds"]


def test_that_a_licence_is_stated_by_command_and_a_freeze_asks_for_it(call: Callable[..., Said], ws: Path) -> None:
    found = {one["name"]: one["licence"] for one in call("reviewers", ws, "--licence", "Bo=CC-BY-4.0", "--json").json()}
    assert found == {"Ann": "", "Bo": "CC-BY-4.0"}
    assert {one["name"]: one["licence"] for one in call("consent", "list", ws, "--json").json()} == found | {
        "made up": ""
    }
    assert "Write it as --licence NAME=LICENCE." in call("reviewers", ws, "--licence", "Bo").err
    said = call("freeze", ws, "--name", "Set", "--set", "licences=CC-BY-4.0")
    assert said.code == 1 and "4 no source with an accepted licence" in said.err
    made = call("freeze", ws, "--name", "Set", "--set", "licences=CC-BY-4.0,not stated", "--json").json()
    assert made["title"] == "Set v2" and made["counts"]["items"] == 2
    assert "not stated" in call("reviewers", ws, "--licence", "Bo=").out
