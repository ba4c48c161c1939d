from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.services.importing.files.escaping import TRIGGERS, guard, unguard

CELLS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["'", "''", "'=x", "=1+1", "\t", "－1"])


def check(cell: str) -> None:
    guarded = guard(cell)
    assert not guarded.startswith(TRIGGERS)
    assert unguard(guarded) == cell


@settings(max_examples=100)
@given(CELLS)
def test_that_no_guarded_cell_begins_with_a_trigger_and_the_guard_comes_off_again(cell: str) -> None:
    check(cell)


@pytest.mark.slow
@settings(max_examples=2000)
@given(CELLS)
def test_that_two_thousand_cells_are_guarded_too(cell: str) -> None:
    check(cell)
