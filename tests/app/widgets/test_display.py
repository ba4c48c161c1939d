from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.widgets.display import LONGEST_RUN, Mark, make_display

TEXT = st.text(alphabet=st.sampled_from("ab \n\u200b\u202e\u0301😀é"), max_size=60)


@given(TEXT)
@settings(max_examples=200, deadline=None)
def test_that_taking_the_chips_out_gives_the_stored_text_back(text: str) -> None:
    display = make_display(text)
    pieces, at = [], 0
    for chip, hidden in zip(display.chips, display.hidden, strict=True):
        pieces += [display.text[at : chip.start], text[hidden.start : hidden.end]]
        at = chip.end
    assert "".join(pieces) + display.text[at:] == text


@given(TEXT, st.data())
@settings(max_examples=200, deadline=None)
def test_that_offsets_go_there_and_back(text: str, data: st.DataObject) -> None:
    display = make_display(text)
    inside = {place for h in display.hidden for place in range(h.start + 1, h.end)}
    offset = data.draw(st.integers(0, len(text)))
    if offset not in inside:
        assert display.to_stored(display.to_shown(offset)) == offset


def test_that_a_mark_lands_on_its_words_behind_a_chip() -> None:
    text = "go\u202e left now"
    display = make_display(text)
    (span,) = display.spans((Mark(4, 8, "a"),))
    assert text[4:8] == display.text[span.start : span.end] == "left"


def test_that_an_endless_word_is_broken_into_lines() -> None:
    display = make_display("x" * 3500)
    assert max(len(line) for line in display.text.split("\n")) == LONGEST_RUN
    assert display.text.replace("\n", "") == "x" * 3500
    assert display.to_stored(display.to_shown(2500)) == 2500


def test_that_a_very_long_text_shows_its_beginning_and_says_how_much_is_missing() -> None:
    display = make_display("word " * 100_000)
    assert (len(display.text), display.cut) == (200_000, 300_000)
    assert make_display("word " * 100_000, limit=None).cut == 0


def test_that_marks_beyond_the_cut_are_left_out() -> None:
    display = make_display("a" * 10, limit=5)
    assert [(s.start, s.end) for s in display.spans((Mark(3, 9, "a"), Mark(7, 8, "a")))] == [(3, 5)]
