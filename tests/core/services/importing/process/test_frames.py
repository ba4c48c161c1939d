"""Messages between two processes: what is read is what was written, and a cut one is none."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.services.importing.process.batches import Batch
from core.services.importing.process.frames import batch_from_plain, batch_to_plain, read_frame, write_frame
from core.services.importing.rows import Reject
from core.store.import_rows import NewLabel, NewPair, NewRow

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
NUMBER = st.integers(0, 2**60)
LABEL = st.builds(NewLabel, TEXT, TEXT, st.none() | st.integers(-3, 3))
PAIR = st.builds(
    NewPair,
    TEXT,
    TEXT,
    NUMBER,
    *[TEXT] * 8,
    st.sampled_from("AB"),
    st.lists(LABEL, max_size=3).map(tuple),
    *[NUMBER] * 3,
    TEXT,
)
ROW = st.builds(NewRow, NUMBER, st.lists(PAIR, max_size=3).map(tuple), st.integers(1, 9))
BATCH = st.builds(
    Batch, st.lists(ROW, max_size=4), st.lists(st.builds(Reject, NUMBER, TEXT), max_size=3), NUMBER, st.booleans()
)


def sent(batch: Batch) -> bytes:
    out = io.BytesIO()
    plain, texts = batch_to_plain(batch)
    write_frame(out, {"batch": plain}, texts)
    return out.getvalue()


@given(st.lists(BATCH, max_size=3))
def test_that_batches_arrive_as_they_were_sent(batches: list[Batch]) -> None:
    source = io.BytesIO(b"".join(map(sent, batches)))
    for batch in batches:
        frame = read_frame(source)
        assert batch_from_plain(frame["batch"], frame.get("texts", "")) == batch
    assert read_frame(source) is None


def test_that_a_message_cut_off_anywhere_is_none() -> None:
    pair = NewPair(
        "s",
        "p",
        1,
        "q\U0001f600",
        "[]",
        "a",
        "b",
        "one",
        "two",
        "",
        "",
        "A",
        (NewLabel("", "tie", None),),
        0,
        5,
        6,
        "hard",
    )
    whole = sent(Batch([NewRow(1, (pair,))], [], 9))
    assert read_frame(io.BytesIO(whole))["texts"].startswith("sp")
    for end in range(len(whole)):
        assert read_frame(io.BytesIO(whole[:end])) is None
    with pytest.raises(ValueError, match="Expecting value"):
        read_frame(io.BytesIO(whole[:16] + b"x" * (len(whole) - 16)))


def test_that_what_is_no_character_changes_no_other_text() -> None:
    row = NewRow(1, (NewPair("s", "p", 1, "q", "[]", "a", "b", "x\ud83dy", "two", "", "", "B", (), 0, 5, 6),))
    frame = read_frame(io.BytesIO(sent(Batch([row]))))
    (got,) = batch_from_plain(frame["batch"], frame["texts"]).rows[0].pairs
    assert got == row.pairs[0]._replace(a_text="x?y")
