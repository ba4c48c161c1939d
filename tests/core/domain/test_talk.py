"""Talks: what each arm is asked, when names are hidden, what a vote becomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.errors import BadInput, UsageError
from core.domain.judgement import Verdict
from core.domain.talk import Exchange, History, Reply, Talk, TalkSettings, TalkVote
from tests.fakes.saying_process import arm

SETTINGS = TalkSettings()
ARMS = (arm(), arm("reference", "reference"))


def turned(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names the other way round, as a draw may."""
    return names[::-1]


def answered(talk: Talk, text: str, *, blind: bool = False, number: int = 0) -> Talk:
    """Return the talk with a question that all arms answered."""
    asked = talk.asked(text, SETTINGS, blind=blind, draw=turned)
    last = asked.exchanges[-1]
    replies = {name: Reply(name, f"{name} on {text}", (1, 2), True) for name in last.order}
    return asked.with_exchange(len(asked.exchanges), replace(last, replies=replies))


def turns(exchange: Exchange, name: str) -> list[str]:
    """Return the texts of what an arm was asked."""
    return [message.content for message in exchange.prompts[name].messages]


def test_that_each_arm_goes_on_from_its_own_answers_or_all_from_the_better_one() -> None:
    talk = answered(Talk(ARMS, system="Be brief."), "one")
    second = answered(talk, "two").exchanges[1]
    assert turns(second, "policy") == ["Be brief.", "one", "policy on one", "two"]
    assert turns(second, "reference") == ["Be brief.", "one", "reference on one", "two"]
    assert second.shared_prompt() is None

    shared = replace(talk, history="one")
    assert turns(answered(shared, "two").exchanges[1], "reference") == ["Be brief.", "one", "policy on one", "two"]
    voted = shared.voted(1, TalkVote(Verdict.PREFER, 2))
    third = answered(voted, "two").exchanges[1]
    assert turns(third, "policy") == ["Be brief.", "one", "reference on one", "two"]
    assert third.shared_prompt() == third.prompts["reference"]
    assert talk.exchange(1).shared_prompt() is not None

    alone = replace(talk, arms=(arm("other", "run"),))  # it has not answered yet: it goes on from the left answer
    assert turns(answered(alone, "two").exchanges[1], "other") == ["Be brief.", "one", "policy on one", "two"]
    assert [one.user for one in answered(answered(talk, "two"), "three").cut(2).exchanges] == ["one"]


@pytest.mark.parametrize("history", ["own", "one"])
def test_that_names_are_hidden_until_they_are_shown_and_only_while_they_cannot_be_known(history: History) -> None:
    talk = answered(answered(Talk(ARMS, history=history), "one", blind=True), "two", blind=True)
    first, second = talk.exchanges
    assert first.order == ("reference", "policy")
    # own answers tell who is who from turn to turn: the draw holds for the talk; one history is drawn anew
    assert second.order == first.order
    assert (first.draw == second.draw) == (history == "own")
    hidden = first.to_plain()
    assert hidden["hidden"] is True
    assert hidden["order"] == ["left", "right"]
    assert hidden["answers"][0] == {"arm": "left", "text": "reference on one"}
    voted = talk.voted(2, TalkVote(Verdict.TIE)).revealed(2)
    assert voted.exchange(2).vote == TalkVote(Verdict.TIE, blind=True)
    assert [one.names_known for one in voted.exchanges] == [history == "own", True]
    assert voted.exchange(2).to_plain()["answers"][0]["arm"] == "reference"
    late = voted.voted(2, TalkVote(Verdict.PREFER, -3)).exchange(2)
    assert late.vote == TalkVote(Verdict.PREFER, -3, blind=False)
    assert answered(voted, "three", blind=True).exchanges[2].hidden == (history == "one")
    open_one = answered(talk, "three")
    assert open_one.exchanges[2].order == ("policy", "reference")
    assert not answered(replace(talk, arms=ARMS[:1]), "three", blind=True).exchanges[2].hidden


def test_that_a_vote_becomes_a_judgement_in_canonical_sides() -> None:
    vote = TalkVote(Verdict.PREFER, -2, "steps", "It names a circuit.")
    assert vote.words() == "Left better"
    on_a, on_b = vote.draft("A"), vote.draft("B", talk={"blind": True})
    assert (on_a.strength, on_a.criteria, on_a.rationale) == (-2, {"steps": -2}, "It names a circuit.")
    assert (on_b.strength, on_b.criteria, on_b.process) == (2, {"steps": 2}, {"talk": {"blind": True}})
    assert TalkVote(Verdict.TIE, clause="steps").draft("B").criteria == {"steps": 0}
    assert TalkVote(Verdict.NEITHER, clause="steps").draft("A").criteria == {}
    with pytest.raises(BadInput):
        TalkVote(Verdict.PREFER, 0)
    with pytest.raises(BadInput):
        TalkVote(Verdict.TIE, 1)
    with pytest.raises(BadInput, match="a preference, a tie or neither"):
        TalkVote(Verdict.CANNOT_JUDGE)


def test_that_a_vote_needs_two_whole_answers_and_a_question_a_word() -> None:
    talk = answered(Talk(ARMS), "one")
    stopped = replace(talk.exchange(1).replies["policy"], stopped=True)
    cut = talk.with_exchange(1, replace(talk.exchange(1), replies={**talk.exchange(1).replies, "policy": stopped}))
    with pytest.raises(UsageError, match="missing or was stopped"):
        cut.voted(1, TalkVote(Verdict.TIE))
    with pytest.raises(UsageError, match="compares two answers"):
        answered(Talk(ARMS[:1]), "one").voted(1, TalkVote(Verdict.TIE))
    with pytest.raises(UsageError, match="message is empty"):
        talk.asked(" \n", SETTINGS, blind=False, draw=turned)
    with pytest.raises(UsageError, match="has no exchange 2"):
        talk.exchange(2)
    with pytest.raises(UsageError, match="different names"):
        Talk((*ARMS, arm()))
    assert [reply.end for reply in (stopped, Reply("p", "", finished=True), Reply("p", ""))] == [
        "stopped",
        "EOS",
        "cut",
    ]


@pytest.mark.parametrize(
    "values",
    [{"temperature": -1.0}, {"temperature": float("nan")}, {"top_p": 0.0}, {"top_k": -1}, {"max_new_tokens": 0},
     {"seed": -1}, {"repetition_penalty": 0.0}],
)  # fmt: skip
def test_that_settings_out_of_bounds_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="cannot"):
        TalkSettings(**values)  # type: ignore[arg-type]
    assert TalkSettings(temperature=0.0, seed=3).words() == "greedy, at most 128 tokens, seed 3"
    less = TalkSettings(temperature=0.0, repetition_penalty=1.2).words()
    assert less == "greedy, repetition penalty 1.2, at most 128 tokens, seed 0"
    assert TalkSettings(top_k=5).words() == "temperature 0.7, top-p 0.95, top-k 5, at most 128 tokens, seed 0"
