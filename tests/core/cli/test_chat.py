"""``chat``: messages given as options and on standard input, votes, and what is saved."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from core.services.application import Application
from tests.core.cli.conftest import Said
from tests.fakes.saying_process import SayingProcess
from tests.fakes.talks import untrained_run
from tests.fakes.workspaces import opened

Call = Callable[..., Said]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a run and a published rubric."""
    place = tmp_path_factory.mktemp("chat") / "ws"
    opened(place, pairs=0).close()
    untrained_run(place)
    return place


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> SayingProcess:
    """Return the process that answers in place of the models."""
    said = SayingProcess({("policy", "hi"): "Hello to you.", ("reference", "hi"): "Hm."})
    monkeypatch.setattr("core.services.talks.session.TalkProcess", said.starts)
    return said


def test_that_given_messages_are_answered_turn_by_turn_and_the_process_is_ended(
    made: Path, call: Call, process: SayingProcess
) -> None:
    said = call("chat", made, "run r", "--prompt", "hi", "--prompt", "and now?", "--reference", "--temperature", "0")
    assert said.code == 0
    assert said.out == (
        "[policy] Hello to you.\n[reference] Hm.\n[policy] policy says and now?\n[reference] reference says and now?\n"
    )
    assert "policy: 3 tokens, seed 0, first token after 0.10 s" in said.err
    assert process.asked[1]["prompts"]["reference"][1]["content"] == "Hm."
    assert process.closed
    alone = call("chat", made, "run r", "--prompt", "hi", "--json", "--seed", "8", "--system", "Be brief.")
    (line,) = alone.lines()
    assert (line["event"], line["number"], line["order"]) == ("exchange", 1, ["policy"])
    assert (line["answers"][0]["text"], line["answers"][0]["end"], line["settings"]["seed"]) == (
        "Hello to you.",
        "EOS",
        8,
    )


def test_that_lines_of_the_input_are_messages_and_commands_and_a_blind_vote_is_saved(
    made: Path, call: Call, process: SayingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "hi\n\n/seed 5\n/vote -2 names it\n/pair\n//help\n/failure wrong\n/new\n/system Be brief.\nhi\n/quit\nhi\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    said = call("chat", made, "run r", "--reference", "--blind", "--by", "Ann", "--json")
    assert said.code == 0
    asked, seeded, voted, paired, other, failure, last = said.lines()
    assert (asked["hidden"], asked["order"], set(asked["answers"][0])) == (True, ["left", "right"], {"arm", "text"})
    assert seeded["settings"]["seed"] == 5
    assert (voted["hidden"], voted["vote"]["strength"], voted["vote"]["blind"]) == (False, -2, True)
    assert paired["pair_id"] == 1
    assert (other["user"], other["hidden"]) == ("/help", False)
    assert failure["kind"] == "thumbs"
    assert (last["number"], last["hidden"]) == (1, True)
    assert len(process.asked) == 4
    with Application.open(made) as app:
        ann = app.reviewers.find("Ann")
        assert ann is not None
        (judgement,) = app.annotation.recent(ann.id)
        assert judgement.draft.rationale == "names it"
        assert app.feedback.get(failure["feedback"]).content.note == "wrong"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "lines", "code", "error"),
    [
        (["--blind", "--prompt", "hi"], "", 2, "Only two answers can be compared blind."),
        (["--history", "all"], "", 2, "There is no history 'all'."),
        (["--temperature", "-1", "--prompt", "hi"], "", 2, "The temperature cannot be -1."),
        (["--against", "r" * 32, "--prompt", "hi"], "", 2, "A run is not talked to beside itself."),
        (["--checkpoint", "9", "--prompt", "hi"], "", 1, "The run has no checkpoint of step 9."),
        ([], "/sing\n", 2, "There is no command /sing."),
        ([], "/vote 7\n", 2, "'7' is no vote."),
        ([], "/seed x\n", 2, "'x' is no seed."),
        ([], "hi\n/vote 1\n", 2, "A vote compares two answers."),
        (["--reference"], "hi\n/pair\n", 2, "Who decides is part of the log."),
        (["--prompt", " "], "", 2, "The message is empty; nothing was asked."),
    ],
)
def test_that_what_cannot_be_done_is_one_sentence_and_its_exit_code(
    made: Path, call: Call, process: SayingProcess, monkeypatch: pytest.MonkeyPatch,
    words: list[str], lines: str, code: int, error: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    said = call("chat", made, "run r", "--json", *words)
    assert (said.code, said.error()["error"]) == (code, error)


def test_that_a_run_folder_alone_answers_but_keeps_nothing(
    made: Path, call: Call, process: SayingProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = (made / "runs" / "r").rename(tmp_path / "alone")
    try:
        monkeypatch.setattr("sys.stdin", io.StringIO("hi\n/failure\n"))
        said = call("chat", alone, "--json")
        assert said.lines()[0]["answers"][0]["text"] == "Hello to you."
        assert (said.code, said.error()["error"]) == (2, "A run folder alone keeps no pairs; nothing was saved.")
    finally:
        alone.rename(made / "runs" / "r")
