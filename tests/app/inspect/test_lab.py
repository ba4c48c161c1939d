"""The objective lab in the window: drawn in the background, then moved by slider, table, chart and choices."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.inspect.draw_dialog import DrawDialog
from app.inspect.lab_presenter import DrawChoices, LabPrompt, LabState, chips_of, lab_request, prompts_of
from app.inspect.lab_table import LabTable
from core.domain.errors import BadInput
from core.domain.prompt_lab import LabRequest, OtherPolicy, PromptLab, notes_of
from tests.core.domain.test_lab_steps import LAB


def shown(**changes: Any) -> LabState:
    state = LabState()
    state.show(replace(LAB, **changes))
    return state


def test_that_rows_results_and_points_follow_beta_weighing_and_choice() -> None:
    other = OtherPolicy(
        "x", "other", 0.3, tuple(a.reference for a in LAB.answers), tuple(a.reference for a in LAB.answers)
    )
    state = shown(others=(other,))
    rows = state.rows()
    assert [(row.name, row.role) for row in rows] == [
        ("y₁", "w"), ("y₂", ""), ("y₃", ""), ("y₄", ""), ("y₅", "l"), ("y₆", ""),
    ]  # fmt: skip
    assert [words for _, words, _ in state.results()] == ["+0.497", "2.302 nats", "14.4", "2.0 of 6"]
    assert rows[0].after == LAB.objective().at(0.1).shares[0]
    assert "β 0.1 = β₀, the policy" in [row.cells[0] for row in state.frontier_rows()]
    name, placed = state.placed()[0]
    assert (name, placed.kl, placed.gap) == ("other", 0.0, 0.0)
    state.beta = 1.0
    assert state.rows()[0].after < rows[0].after
    state.choose(winner=4)
    assert (state.winner, state.loser) == (4, 0), "both change places"
    state.choose(loser=2)
    assert (state.winner, state.loser) == (4, 2)
    state.weigh("equal")
    assert state.rows()[0].before == pytest.approx(1 / 6)
    assert "importance-weighted" in state.note()
    betas, shares, effective = state.over_beta()
    assert betas == tuple(sorted(betas)) and betas[0] >= 0.02 and betas[-1] <= 2.0
    assert [sum(row[place] for _, row in shares) for place in (0, -1)] == pytest.approx([1.0, 1.0])
    assert max(effective) <= 6 and [name for name, _ in shares][:2] == ["y₁", "y₂"]
    assert shown(beta=8.0).ends == (0.02, 16.0)
    assert state.frontier[0].beta == math.inf


def test_that_the_table_takes_colours_and_sizes_of_another_theme(theme: Any, qtbot: Any) -> None:
    table = LabTable(theme)
    qtbot.addWidget(table)
    table.show_rows(shown().rows(), 0)
    before = [table.item(0, column).font().pixelSize() for column in (0, 5)]
    with qtbot.waitSignal(theme.changed):
        theme.apply("dark", 200)
    rewards = [table.item(row, 5) for row in range(6)]
    wanted = [theme.tokens.colour("bad" if item.text().startswith("−") else "text").name() for item in rewards]
    assert [item.foreground().color().name() for item in rewards] == wanted
    assert [table.item(0, column).font().pixelSize() for column in (0, 5)] == [2 * size for size in before]


def test_that_what_was_chosen_becomes_the_request() -> None:
    typed = lab_request("r", LabPrompt("Why?"), DrawChoices(author="both", seed=4))
    assert typed.prompt is not None and typed.prompt.last_text == "Why?"
    assert (typed.pair, typed.authors, typed.settings["seed"]) == ("", ("reference", "policy"), 4)
    paired = lab_request("r", LabPrompt("Why?", "7"), DrawChoices(pair_answers=False))
    assert (paired.prompt, paired.pair, paired.pair_answers) == (None, "7", False)
    assert DrawChoices(seed=4).again().seed == 5
    assert chips_of(LAB, DrawChoices(seed=7)) == ("6 answers drawn from the reference", "seed 7")
    given = replace(LAB, answers=tuple(replace(a, author="given") for a in LAB.answers))
    assert chips_of(given, DrawChoices()) == ("6 answers", "")
    assert prompts_of([("1", "a"), ("2", "b"), ("3", "a")]) == [LabPrompt("a", "1"), LabPrompt("b", "2")]


def test_that_the_lab_draws_shows_moves_and_says_what_went_wrong(demo: Any, monkeypatch: Any) -> None:
    page = demo.page("inspect")
    demo.qtbot.waitUntil(lambda: page.table.current_pair() != "")
    demo.settle()
    asked: list[LabRequest] = []
    answers: list[PromptLab | Exception] = [
        BadInput("Only one came.", "Draw more answers."), replace(LAB, notes=notes_of(LAB)), LAB,
    ]  # fmt: skip

    def make(request: LabRequest, **_: Any) -> PromptLab:
        asked.append(request)
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(demo.context.services.lab, "make", make)
    lab, pair_id = page.lab, page.table.current_pair()
    page.context.actions.run("inspect.lab")
    assert page.mode.on and lab.stack.currentIndex() == 0 and lab.prompt.pair_id == pair_id
    lab.empty.buttons[0].click()
    demo.settle()
    assert lab.error.text() == "Only one came. Draw more answers." and not lab.line.isVisible()
    page.context.actions.run("inspect.draw")
    demo.settle()
    assert (asked[1].pair, asked[1].draw, asked[1].settings["seed"]) == (pair_id, 6, 0)
    assert not lab.error.isVisible() and lab.table.rowCount() == 6 and lab.stack.currentIndex() == 1
    assert page.mode.count.text() == "6 answers drawn from the reference"
    assert "rewards of two prompts are never compared" in lab.notes.text()
    assert [card.number.text() for card in lab.steps.cards] == ["5.1", "5.2", "5.3", "5.4", "5.5"]
    lab.bar.slider.slider.setFocus()
    before = lab.state.beta
    demo.qtbot.keyClick(lab.bar.slider.slider, Qt.Key.Key_Right)
    assert lab.state.beta > before and lab.bar.box.value() == pytest.approx(lab.state.beta, abs=1e-3)
    lab.bar.trained.click()
    assert lab.state.beta == LAB.beta
    lab.resize(1400, 1000)
    assert lab.more.isVisible()
    lab.shares.grab()
    lab.shares.opened.emit(lab.shares.spots[3].key)
    assert lab.state.beta == lab.shares.betas[3] and len(lab.effective.lines) == 1
    lab.chart.opened.emit(1.0)
    assert lab.state.beta == 1.0 and "β 1" in lab.frontier.about.text()
    page.context.actions.run("inspect.next")
    assert lab.state.of == 1 and lab.steps.cards[0].figures[0][0].text() == "π ref(y₂)"
    lab.winner.activated.emit(2)
    assert lab.table.item(2, 0).text() == "y₃ ▲"
    lab.weighing.buttons()[1].click()
    assert lab.state.weighing == "equal"
    page.context.actions.run("inspect.draw")
    demo.settle()
    assert asked[2].settings["seed"] == 1, "drawn again with the next seed"
    page.mode.prompts.setCurrentIndex(page.mode.prompts.count() - 1)
    page.mode.prompts.activated.emit(page.mode.prompts.count() - 1)
    assert lab.stack.currentIndex() == 0 and page.mode.count.text() == ""
    page.context.actions.run("inspect.pairs")
    assert not page.mode.on and page.kinds.isVisible()
    dialog = DrawDialog(
        page, demo.context, LabPrompt("Why?", "7"), DrawChoices(answers=1, pair_answers=False), [("r", "x")]
    )
    dialog.accept()
    assert "two different answers" in dialog.error.text()
    dialog.text.setPlainText("Another?")
    assert dialog.prompt == LabPrompt("Another?") and not dialog.pair_answers.isEnabled()
    dialog.answers.setValue(3)
    dialog.runs.set_checked(("r",))
    dialog.accept()
    assert dialog.result() == 1 and dialog.choices.others == ("r",) and dialog.choices.answers == 3
    dialog.deleteLater()
