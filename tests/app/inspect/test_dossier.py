"""The dossier of a pair in the window: loss, runs, tokens on demand, a wish to leave it out, a note."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QPointF, Qt

from app.inspect.reward_strip import RewardStrip, token_card
from app.inspect.saved_filters import SavedFilter
from core.domain.errors import UserError
from core.domain.pair_dossier import RunLook
from core.domain.prompt_inspection import InspectedAnswer, InspectedToken, LikelyToken, NearPair, PromptInspection
from core.services.lab.dossier import ScoredPair


def answer(name: str, moved: list[float], *, finished: bool = True) -> InspectedAnswer:
    """Return an answer whose tokens move so much."""
    likely = (
        LikelyToken(" If", math.log(0.31), math.log(0.09)),
        LikelyToken(" Check", math.log(0.145), math.log(0.538)),
    )
    tokens = tuple(InspectedToken(f" t{n}", -1.0 + h, -1.0, 1, 2, 0.5, 0.5, 0.1, likely) for n, h in enumerate(moved))
    return InspectedAnswer(name, "given", name, tokens, finished)


def test_that_the_strip_walks_tokens_and_tells_the_likeliest_of_both_models(theme: Any, qtbot: Any) -> None:
    strip = RewardStrip(theme)
    qtbot.addWidget(strip)
    strip.resize(500, 240)
    chosen, rejected = answer("chosen", [0.2, -1.3, 0.1]), answer("rejected", [0.4, 0.5])
    strip.show_answers([chosen, rejected])
    went: list[tuple[int, int]] = []
    strip.moved.connect(lambda side, place: went.append((side, place)))
    strip.go(0, 1)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert went == [(0, 1), (0, 2), (1, 0)]
    assert len(strip.spots) == 5
    assert strip.spots[1].area.top() < strip.spots[3].area.top(), "chosen stands above rejected"
    assert strip.values(chosen)[2] == chosen.tokens[2].displacement
    strip.set_look("sum")
    assert strip.values(chosen)[2] == chosen.displacement
    strip.set_look("heat")
    strip.grab()
    assert strip.spot_at(QPointF(strip.spots[4].area.center())) == 4
    words = token_card("Chosen", 1, 3, chosen.tokens[1])
    assert "policy: ·If 0.310, ·Check 0.145" in words and "reference: ·Check 0.538, ·If 0.090" in words
    strip.show_answers(())
    strip.grab()
    assert strip.spots == []


def test_that_a_pair_shows_loss_runs_tokens_and_takes_a_wish_and_a_note_back(demo: Any, monkeypatch: Any) -> None:
    page = demo.page("inspect")
    demo.qtbot.waitUntil(lambda: page.panel.loss.title.text() == "Loss of this pair")
    demo.settle()
    panel, pair_id, service = page.panel, page.table.current_pair(), demo.context.services.dossier
    row = page._rows[0]
    assert panel.loss.figures[2][1].text().endswith(f"{row.margin:+.2f}".replace("-", "−"))
    assert [one.run_id for one in panel.runs_chart.runs] == [page.run_id]
    other = RunLook("x", "other", 0.3, 40, "dev", -1.0, -0.3, 2.0, 16, False, False)
    found = service.of(page.run_id, pair_id)
    monkeypatch.setattr(service, "over_runs", lambda *_: (*found.runs, other))
    panel.show_dossier(service.of(page.run_id, pair_id))
    assert panel.below.text() == "below zero in 2 of 2 runs"
    panel.runs_chart.grab()
    assert [spot.key for spot in panel.runs_chart.spots] == [page.run_id, "x"]

    near = page._rows[1].pair_id
    inspection = PromptInspection(
        {}, 0.1, found_prompt(demo, page, pair_id), 5, "",
        (answer("chosen", [0.2, -1.3]), answer("rejected", [0.4])), nearest=(NearPair(near, 0.5, "p", "c", "r"),),
    )  # fmt: skip
    results: list[Any] = [UserError("The model is gone.", "Bring it back."), ScoredPair(inspection, {near: 0.25})]

    def tokens(*_: Any, **__: Any) -> ScoredPair:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(service, "tokens", tokens)
    card = panel.token_card
    page.context.actions.run("inspect.tokens")
    demo.settle()
    assert card.error.text() == "The model is gone. Bring it back." and not card.strip.isVisible()
    page.context.actions.run("inspect.tokens")
    demo.settle()
    assert card.strip.isVisible() and card.token.text().startswith("Chosen: Token 2 ·t1")
    assert card.tokens.current == 1 and card.likely.rowCount() == 2
    card.strip.go(1, 0)
    assert card.token.text().startswith("Rejected: Token 1") and card.tokens.answer == inspection.answers[1]
    assert card.nearest.rows[0].cells[:3] == (near, "0.50", "+0.25")

    page.context.actions.run("inspect.note")
    assert demo.context.notices.kept[0].text.startswith("Choose who you are first")
    mira = demo.context.services.reviewers.add("mira").value
    demo.context.session.set_reviewer(mira.id, mira.name)
    demo.dialogs.answers += ["Ask the lead.", "repeats itself"]
    page.context.actions.run("inspect.note")
    demo.qtbot.waitUntil(lambda: panel.note.text() == "Note: Ask the lead.")
    undo = demo.context.notices.kept[0]
    assert undo.action == "Undo" and undo.run is not None
    undo.run()
    demo.qtbot.waitUntil(lambda: panel.note.text() == "")
    page.context.actions.run("inspect.leave_out")
    demo.qtbot.waitUntil(lambda: "stands in the draft" in demo.context.notices.kept[0].text)
    entries = demo.context.services.changesets.list()[0].entries
    assert [(one.op, str(one.pair_id), one.reason) for one in entries] == [("remove", pair_id, "repeats itself")]
    demo.context.notices.kept[0].run()
    demo.qtbot.waitUntil(lambda: "out of the draft again" in demo.context.notices.kept[0].text)
    assert demo.context.services.changesets.list()[0].entries == ()
    card.pair_wanted.emit(near)
    demo.settle()
    assert page.kinds.currentData() == "train"


def found_prompt(demo: Any, page: Any, pair_id: str) -> Any:
    """Return the prompt of a pair of the run."""
    return demo.context.services.runs.lineage(page.run_id).pair(pair_id).prompt


def test_that_a_filter_is_saved_used_again_and_removed_with_undo(demo: Any) -> None:
    page = demo.page("inspect")
    demo.qtbot.waitUntil(lambda: page.table.current_pair() != "")
    demo.settle()
    everything = page.table.rows_model.rowCount()
    page.histogram.brush(-10.0, 0.0)
    few = page.table.rows_model.rowCount()
    assert 0 < few < everything
    demo.dialogs.answers.append("below & zero")
    page.filters.fill().actions()[0].trigger()
    assert [(one.name, one.kind, one.high) for one in page.filters.kept()] == [("below & zero", "dev", 0.0)]
    page.context.actions.run("inspect.clear")
    page.kinds.setCurrentIndex(page.kinds.findData("train"))
    page.kinds.activated.emit(page.kinds.currentIndex())
    demo.settle()
    entry = page.filters.fill().actions()[2]
    assert entry.text() == "below && zero"
    entry.trigger()
    demo.settle()
    assert page.kinds.currentData() == "dev" and page.table.rows_model.rowCount() == few
    page.filters.remove("below & zero")
    assert page.filters.kept() == []
    run = demo.context.notices.kept[0].run
    assert run is not None
    run()
    assert [one.name for one in page.filters.kept()] == ["below & zero"]
    assert SavedFilter.read("{}") is None and SavedFilter.read("no json") is None


def test_that_a_pair_is_tagged_found_by_the_tag_and_has_its_tags_before_again(demo: Any) -> None:
    page, tags = demo.page("inspect"), demo.context.services.pairs.tags
    demo.qtbot.waitUntil(lambda: page.table.current_pair() != "")
    demo.settle()
    mira = demo.context.services.reviewers.add("mira").value
    demo.context.session.set_reviewer(mira.id, mira.name)
    pair_id, everything = int(page.table.current_pair()), page.table.rows_model.rowCount()
    demo.dialogs.answers.append("hard, typo")
    page.context.actions.run("inspect.tag")
    demo.qtbot.waitUntil(lambda: page.panel.note.text() == "Tags: hard, typo")
    undo = demo.context.notices.kept[0]
    assert (undo.text, undo.action) == (f"Pair {pair_id}: hard, typo", "Undo")
    demo.settle()
    page.search.setText("tag:HARD")
    page.search.searched.emit(page.search.text())
    assert [row.pair_id for row in page.table.rows_model.rows] == [str(pair_id)]
    demo.dialogs.answers.append("the hard ones")
    page.filters.fill().actions()[0].trigger()
    page.search.setText("")
    page.search.searched.emit("")
    assert page.table.rows_model.rowCount() == everything
    page.filters.fill().actions()[2].trigger()
    demo.settle()
    assert [row.pair_id for row in page.table.rows_model.rows] == [str(pair_id)]
    assert undo.run is not None
    undo.run()
    demo.qtbot.waitUntil(lambda: page.panel.note.text() == "")
    assert tags.of(pair_id) == ()
