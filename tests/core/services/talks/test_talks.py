"""Talks in a workspace: what is told while answers come, and what becomes of an exchange."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.judgement import Verdict
from core.domain.pair_table import PairFilter
from core.domain.talk import TalkSettings, TalkVote
from core.domain.talk_events import TalkAsked, TalkEvent, TalkToken
from core.runs.talks.process import TalkEnded
from core.services.application import Application
from core.services.talks.session import TalkSession
from tests.fakes.saying_process import SayingProcess, arm
from tests.fakes.talks import untrained_run
from tests.fakes.workspaces import opened

ARMS = (arm(), arm("reference", "reference"))


def begun(process: SayingProcess, **values: object) -> TalkSession:
    """Return a talk of policy and reference that a process with given answers answers."""
    return TalkSession(ARMS, rng=random.Random(1), start=process.starts, **values)  # type: ignore[arg-type]


def tokens(events: list[TalkEvent]) -> list[tuple[str, int]]:
    return [(event.arm, event.tokens) for event in events if isinstance(event, TalkToken)]


def test_that_answers_are_told_as_they_come_and_at_one_pace_while_names_are_hidden() -> None:
    process = SayingProcess({("policy", "hi"): "a b c d", ("reference", "hi"): "x y"})
    events: list[TalkEvent] = []
    session = begun(process)
    exchange = session.ask("hi", events.append)
    assert tokens(events) == [("policy", n) for n in range(1, 5)] + [("reference", 1), ("reference", 2)]
    assert isinstance(events[0], TalkAsked)
    assert (exchange.replies["policy"].text, exchange.replies["reference"].text) == ("a b c d", "x y")
    events.clear()
    hidden = begun(process, blind=True)
    asked = hidden.ask("hi", events.append)
    assert tokens(events) == [
        ("policy", 1), ("reference", 1), ("policy", 2), ("reference", 2), ("policy", 3), ("policy", 4),
    ]  # fmt: skip
    assert isinstance(events[0], TalkAsked)
    assert events[0].exchange.order == asked.order
    with pytest.raises(UsageError, match="Colours would tell"):
        hidden.shifts(1, "policy")
    assert {begun(process, blind=True).ask("hi").order for _ in range(2)} == {asked.order}  # the draw is the rng's


def test_that_a_stopped_or_killed_answer_stays_and_the_talk_goes_on() -> None:
    process = SayingProcess()
    session = begun(process, settings=TalkSettings(seed=4))
    with pytest.raises(UsageError, match="Nothing was asked yet"):
        session.again()
    session.ask("first")
    process.ends_after = 1
    with pytest.raises(TalkEnded, match="The talk is kept"):
        session.ask("second one")
    kept = session.talk.exchange(2)
    assert {name: (reply.text, reply.stopped) for name, reply in kept.replies.items()} == {"policy": ("policy", True)}
    assert not kept.is_complete
    process.ends_after = None
    again = session.again(seed=9)
    assert again.is_complete
    assert again.settings.seed == 9
    assert len(session.talk.exchanges) == 2
    assert process.asked[-1]["prompts"]["policy"][1]["content"] == "policy says first"

    session.again(arm="reference")
    assert list(process.asked[-1]["prompts"]) == ["reference"]
    assert set(session.talk.exchange(2).replies) == {"policy", "reference"}
    process.heard = session.stop
    stopped = session.ask("third")
    assert [reply.stopped for reply in stopped.replies.values()] == [True, True]
    process.heard = lambda: None
    session.edit(2, "another")
    assert [one.user for one in session.talk.exchanges] == ["first", "another"]
    session.set_system("Be brief.")
    session.ask("more")
    assert process.asked[-1]["prompts"]["policy"][0] == {"role": "system", "content": "Be brief."}
    session.set_arms(ARMS[:1])
    assert process.closed
    assert session.ask("alone").order == ("policy",)
    session.clear()
    assert session.talk.exchanges == ()


def test_that_a_hidden_exchange_that_is_asked_again_keeps_its_sides_and_loses_its_vote() -> None:
    session = begun(SayingProcess(), blind=True)
    first = session.ask("hi")
    session.vote(1, TalkVote(Verdict.TIE))
    again = session.again()
    assert (again.order, again.draw, again.vote) == (first.order, first.draw, None)
    assert again.settings.seed != first.settings.seed
    session.vote(1, TalkVote(Verdict.TIE))
    assert session.without_vote(1).vote is None
    assert session.reveal(1).names_known


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    app = opened(tmp_path / "ws", pairs=0)
    yield app
    app.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with weights."""
    return untrained_run(tmp_path_factory.mktemp("saved")).path


def test_that_an_exchange_becomes_a_pair_with_its_vote_in_one_step_that_can_be_undone(
    app: Application, place: Path
) -> None:
    ann, version = app.reviewers.list()[0], app.rubrics.published()[0]
    app.talks.start = SayingProcess().starts
    arms = app.talks.arms(str(place))
    session = app.talks.begin(arms, system="Be brief.", blind=True, settings=TalkSettings(seed=3))
    session.ask("Which socket?")
    exchange = session.vote(1, TalkVote(Verdict.PREFER, -2, "help", "It names one."))
    assert not exchange.names_known
    outcome = app.talks.save_pair(session, 1, ann.id, version.id)
    saved = outcome.value
    assert saved.exchange.names_known
    assert session.talk.exchange(1).pair_id == saved.pair_id
    detail = app.pairs.detail(saved.pair_id)
    assert [turn.content for turn in detail.pair.prompt.messages] == ["Be brief.", "Which socket?"]
    left = exchange.order[0]
    a_is_left = detail.pair.a.text == exchange.replies[left].text
    (judgement,) = app.annotation.recent(ann.id)
    assert judgement.draft is not None
    assert judgement.left_is == ("A" if a_is_left else "B")
    assert judgement.draft.strength == (-2 if a_is_left else 2)
    assert judgement.draft.criteria == {"help": judgement.draft.strength}
    assert judgement.draft.process["talk"]["blind"] is True
    generation = (detail.pair.a if a_is_left else detail.pair.b).generation
    assert generation is not None
    assert (generation.seed, generation.system_prompt, generation.extra["arm"]) == (3, "Be brief.", left)
    assert generation.model_sha256
    source = app.pairs.sources()[-1]
    assert (source.kind, source.name, source.pairs) == ("generated", "Talks with run r", 1)
    assert source.parents == ("r" * 32,)
    assert outcome.undo_label.startswith("Left better on pair")

    app.talks.save_pair(session, 1, ann.id, version.id)  # saved again: the same answer, not a second pair
    session.vote(1, TalkVote(Verdict.NEITHER))
    app.talks.save_pair(session, 1, ann.id, version.id)
    assert app.pairs.count(PairFilter()) == 1
    (judgement,) = app.annotation.recent(ann.id)
    assert judgement.draft is not None
    assert judgement.draft.verdict is Verdict.NEITHER
    assert judgement.draft.process["talk"]["blind"] is False
    app.annotation.undo(ann.id)
    app.annotation.undo(ann.id)
    app.annotation.undo(ann.id)
    assert app.annotation.recent(ann.id) == []
    assert app.workspace.check().ok


def test_that_what_cannot_be_saved_says_why_and_a_failure_waits_in_the_inbox(app: Application, place: Path) -> None:
    ann, version = app.reviewers.list()[0], app.rubrics.published()[0]
    process = SayingProcess({("policy", "same"): "yes", ("reference", "same"): "yes"})
    app.talks.start = process.starts
    session = app.talks.begin(app.talks.arms(str(place)))
    session.ask("one")
    without = app.talks.save_pair(session, 1, ann.id, None).value
    assert (without.judgement, without.pair_id > 0) == (None, True)
    session.ask("two")
    session.vote(2, TalkVote(Verdict.TIE))
    with pytest.raises(UsageError, match="no one prompt"):
        app.talks.save_pair(session, 2, ann.id, version.id)
    session.set_history("one")
    session.ask("same")
    with pytest.raises(BadInput, match="both answers are the same text"):
        app.talks.save_pair(session, 3, ann.id, version.id)
    session.ask("three")
    session.vote(4, TalkVote(Verdict.TIE, clause="speed"))
    with pytest.raises(BadInput, match="criteria that its rubric version does not have: speed"):
        app.talks.save_pair(session, 4, ann.id, version.id)
    with pytest.raises(UsageError, match="published rubric"):
        app.talks.save_pair(session, 4, ann.id, None)
    assert app.pairs.count(PairFilter()) == 1  # the pair of a judgement that was refused is not stored either

    event = app.talks.save_failure(session, 4, "policy", ann.id, " wrong socket ").value
    assert event.content is not None
    assert (event.kind, event.content.thumb, event.content.note, event.content.author) == (
        "thumbs", -1, "wrong socket", ann.name,
    )  # fmt: skip
    assert event.content.run == "r" * 32
    assert event.content.prompt == session.talk.exchange(4).prompts["policy"]
    assert event.content.generation["extra"]["arm"] == "policy"
    with pytest.raises(UsageError, match="no answer"):
        app.talks.save_failure(session, 4, "other", ann.id)


def test_that_a_run_without_weights_or_itself_is_not_talked_to(app: Application, place: Path) -> None:
    with pytest.raises(NotFound, match="There is no run"):
        app.talks.arms("nothing")
    with pytest.raises(UsageError, match="beside itself"):
        app.talks.arms(str(place), against=str(place))
    with pytest.raises(UsageError, match="Nobody is left"):
        app.talks.arms(str(place), policy=False, reference=False)
    with pytest.raises(NotFound, match="no checkpoint of step 7"):
        app.talks.arms(str(place), step=7)
