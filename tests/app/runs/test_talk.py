"""Try in the window: a talk by keys, blind votes that are saved, what is hidden, stops, ends and empty states."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.runs.talk_settings import TalkSettingsPanel
from core.domain.prompt_inspection import InspectedAnswer, InspectedToken
from core.domain.run_config import RunConfig
from core.runs.creation import NewRun, create_run
from tests.core.runs.conftest import make_pairs
from tests.fakes.saying_process import SayingProcess
from tests.fakes.workspaces import opened

ANSWERS = {("policy", "Which socket?"): "Use another circuit.", ("reference", "Which socket?"): "It does matter."}


@pytest.fixture
def talk(main_window: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the window with a talk with a run that a process with given answers answers."""
    place, model = tmp_path / "ws", tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    opened(place, pairs=0).close()
    new = NewRun(RunConfig(), model, make_pairs(4, 0), name="kettle")
    (create_run(place / "runs" / "one", new, run_id="a" * 32).path / "adapter").mkdir()
    process = SayingProcess(ANSWERS)
    monkeypatch.setattr("core.services.talks.session.TalkProcess", process.starts)
    running = main_window(workspace=place)
    page = running.page("runs")
    running.process, running.part = process, page.talks
    running.qtbot.waitUntil(lambda: page.list.current_id == "a" * 32)
    running.settle()
    running.window.activateWindow()
    running.context.actions.run("runs.try")
    running.settle()
    return running


def say(running: Any, text: str) -> None:
    """Type a message and send it by its key."""
    field = running.part.view.field
    field.setFocus()
    QTest.keyClicks(field, text)
    QTest.keyClick(running.window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    running.settle()


def words(running: Any) -> list[tuple[str, str, str]]:
    """Return title, text and foot of each card of the newest exchange."""
    cards = running.part.view._views[-1].cards
    return [(card.title.text(), card.text.text_shown, card.foot.text()) for card in cards]


def test_that_a_blind_exchange_is_voted_by_keys_and_saved_with_its_names(talk: Any) -> None:
    part, view, actions = talk.part, talk.part.view, talk.context.actions
    assert actions.place == "try"
    assert not view.votes.buttons[-2].isEnabled()
    actions.run("try.blind")
    say(talk, "Which socket?")
    exchange = part.session.talk.last
    left = exchange.order[0]
    assert words(talk) == [("Left", ANSWERS[left, "Which socket?"], ""), ("Right", words(talk)[1][1], "")]
    assert view.blind_chip.text() == "blind until it is saved"
    talk.window.setFocus()
    QTest.keyClick(talk.window, Qt.Key.Key_2)
    assert view.votes.line.text() == "Left better · blind"
    view.votes.why.setText("It names a circuit.")
    view.votes.clause.setCurrentIndex(1)
    actions.run("try.pair")
    assert part.session.talk.last.pair_id == 0, "nobody is named as reviewer"
    ann = talk.context.services.reviewers.list()[0]
    talk.context.session.set_reviewer(ann.id, ann.name)
    QTest.keyClick(talk.window, Qt.Key.Key_P)
    talk.settle()
    assert part.session.talk.last.pair_id > 0
    (judgement,) = talk.context.services.annotation.recent(ann.id)
    assert judgement.draft.rationale == "It names a circuit."
    assert list(judgement.draft.criteria) == ["help"]
    titles = [title for title, _, _ in words(talk)]
    assert titles == [f"{name.title()} of kettle" for name in exchange.order]
    assert "tokens · ends by itself · seed 0 · first token 0.10 s" in words(talk)[0][2]
    assert "of decided: " in view.settings.votes.text() and "n 1" in view.settings.votes.text()
    actions.run("try.undo")
    talk.settle()
    assert talk.context.services.annotation.recent(ann.id) == []
    talk.dialogs.answers.append("wrong socket")
    actions.run("try.failure")
    talk.settle()
    (event,) = talk.context.services.feedback.list()
    assert event.content.note == "wrong socket"
    assert event.content.answer == ANSWERS[exchange.order[1], "Which socket?"], "the answer that lost the vote"


def test_that_a_talk_survives_other_places_and_is_asked_again_edited_and_stopped(talk: Any) -> None:
    part, view, process = talk.part, talk.part.view, talk.process
    say(talk, "one")
    talk.page("home")
    assert talk.context.actions.place == "home"
    talk.page("runs")
    assert talk.context.actions.place == "try"
    say(talk, "two")
    assert len(view._views) == 2
    view.settings.history.buttons()[1].click()
    view.settings.system.setPlainText("Be brief.")
    talk.context.actions.run("try.again")
    talk.settle()
    assert process.asked[-1]["prompts"]["reference"][0]["content"] == "Be brief."
    assert process.asked[-1]["prompts"]["reference"][2]["content"] == "policy says one", "both go on from one answer"
    assert view.settings.seed.value() == part.session.talk.last.settings.seed > 0
    view._views[0].edit.click()
    assert view.field.toPlainText() == "one"
    view.field.clear()
    say(talk, "another")
    assert [exchange.user for exchange in part.session.talk.exchanges] == ["another"]
    view.settings.fold.set_open(True)
    talk.settle()
    assert view.settings.template.text_shown == "<|turn|>another"
    process.heard = part.session.stop
    say(talk, "more")
    assert "stopped" in words(talk)[0][2]
    assert view.votes.line.text() == "Vote when both have ended."
    process.heard, process.ends_after = (lambda: None), 1
    say(talk, "again please")
    assert "was killed" in talk.context.notices.kept[0].text
    process.ends_after = None
    talk.context.actions.run("try.again")
    talk.settle()
    assert part.session.talk.last.is_complete
    talk.context.actions.run("try.new")
    assert view._views == []
    talk.context.actions.run("try.back")
    assert talk.context.actions.place == "runs"
    assert not part.on


def test_that_colours_are_read_for_answers_whose_names_are_known(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session, asked = talk.part.session, []

    def shifts(number: int, arm: str) -> InspectedAnswer:
        asked.append((number, arm))
        token = InspectedToken("Use", -1.0, -1.5, 1, 2, 0.5, 0.5, 0.1)
        return InspectedAnswer(arm, "policy", "Use", (token, token), True)

    monkeypatch.setattr(session, "shifts", shifts)
    talk.context.actions.run("try.blind")
    talk.context.actions.run("try.colour")
    say(talk, "Which socket?")
    assert asked == []
    talk.part.view.settings.fold.set_open(True)
    talk.context.actions.run("try.names")
    talk.settle()
    assert talk.part.view.settings.template.text_shown == "<|turn|>Which socket?"
    assert sorted(asked) == [(1, "policy"), (1, "reference")]
    card = talk.part.view._views[0].cards[0]
    assert card.strip.isVisible() and not card.text.isVisible()
    assert card.foot.text().startswith("Σ +1.00 nats over 2 tokens, +0.50 a token")
    talk.context.actions.run("try.colour")
    assert card.text.isVisible()


def test_that_a_run_without_weights_says_so(talk: Any) -> None:
    shutil.rmtree(talk.context.services.folder / "runs" / "one" / "adapter")
    talk.part._session = None
    talk.part.open("a" * 32, "kettle")
    talk.part._begin()
    talk.settle()
    shown = talk.part.view.body.currentWidget()
    assert shown is talk.part.view._empty
    assert not talk.context.actions.action("try.send").isEnabled()


def test_that_the_system_prompt_keeps_its_lines_when_the_text_grows(theme: Any, qtbot: Any) -> None:
    theme.apply("light", 100)
    panel = TalkSettingsPanel(theme)
    qtbot.addWidget(panel)
    before = panel.system.minimumHeight()
    theme.apply("light", 200)
    assert panel.system.minimumHeight() == 2 * before
    theme.apply("light", 100)
    assert panel.system.maximumHeight() == before
