"""Tags of pairs on the Data page: a filter with a chip, a column, and a list in the form of a freeze."""

from __future__ import annotations

from typing import Any

from app.data.columns import COLUMNS
from app.data.filter_bar import FilterBar, FilterLists
from app.data.freeze_form import FreezeForm
from core.domain.pair_table import PairFilter, PairSummary
from tests.fakes.workspaces import opened


def test_that_a_tag_is_chosen_in_the_menu_of_filters_and_taken_off_by_its_chip(theme: Any, qtbot: Any) -> None:
    bar = FilterBar(theme)
    qtbot.addWidget(bar)
    menu = bar._submenus["tag"]
    assert not menu.menuAction().isEnabled(), "no pair has a tag yet"
    bar.set_lists(FilterLists([], [], [], {"hard": 2, "a & b": 1}))
    assert [action.text() for action in menu.actions()] == ["hard", "a && b"]
    with qtbot.waitSignal(bar.changed):
        menu.actions()[1].trigger()
    assert bar.wanted() == PairFilter(tag="a & b")
    bar.set_lists(FilterLists([], [], [], {"hard": 2, "a & b": 1}))
    assert menu.actions()[1].isChecked(), "a list that is read anew keeps the choice"
    with qtbot.waitSignal(bar.changed):
        bar._chips.itemAt(0).widget().click()
    assert bar.wanted() == PairFilter()


def test_that_the_column_of_tags_names_them_in_order() -> None:
    (column,) = (one for one in COLUMNS if one.key == "tags")
    assert column.text(PairSummary(1, "p", "a", "b", 1, "s", tags=("typo", "hard"))) == "typo, hard"


def test_that_a_freeze_form_lists_the_tags_that_leave_pairs_out(theme: Any, qtbot: Any) -> None:
    form = FreezeForm(theme, "mine", [], [], [], None, {"hard": 2, "typo": 1})
    qtbot.addWidget(form)
    with qtbot.waitSignal(form.changed):
        form.tags.set_checked(["typo"])
    assert form.policy().drop_tags == ("typo",)
    assert not form.by_tag.isHidden()
    plain = FreezeForm(theme, "mine", [], [], [])
    qtbot.addWidget(plain)
    assert plain.by_tag.isHidden() and plain.policy().drop_tags == ()


def test_that_several_pairs_get_tags_at_once_and_undo_gives_back_what_they_had(
    tmp_path: Any, main_window: Any, qtbot: Any
) -> None:
    with opened(tmp_path / "ws", pairs=4) as app:
        ann = app.reviewers.list()[0]
        app.pairs.tags.change([1], ann.id, add=["old"])
    running = main_window(workspace=tmp_path / "ws")
    context, tags = running.context, running.context.services.pairs.tags
    context.session.set_reviewer(ann.id, ann.name)
    page = running.page("data")
    context.navigate("data")
    qtbot.waitUntil(lambda: page.table.count == 4)

    def answer(dialog: Any) -> bool:
        assert dialog.windowTitle() == "Tags of 4 pairs" and not dialog.main.isEnabled()
        dialog.add.setText("hard, ")
        dialog.remove.setText("Hard")
        assert dialog.error.text() == "The tag “hard” is to be put on and taken off; name it once."
        dialog.remove.setText("old")
        assert dialog.error.isHidden()
        dialog.main.click()
        return True

    running.dialogs.on_dialog = answer
    page.table.selectAll()
    context.actions.run("data.tag")
    running.settle()
    assert tags.of_pairs([1, 2, 3, 4]) == dict.fromkeys((1, 2, 3, 4), ("hard",))
    notice = context.notices.kept[0]
    assert (notice.text, notice.action) == ("The tags of 4 pairs changed.", "Undo")
    notice.run()
    running.settle()
    assert tags.of_pairs([1, 2, 3, 4]) == {1: ("old",)}
