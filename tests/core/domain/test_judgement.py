"""Spans that cannot be located in their answer are refused, and old ones stay readable."""

from __future__ import annotations

import pytest

from core.domain.errors import BadInput
from core.domain.judgement import JudgementDraft, Verdict, check_spans

SOUND = {"side": "A", "start": 0, "end": 4, "tag": "error", "note": ""}


def test_that_a_span_that_can_be_located_is_kept():
    assert JudgementDraft(Verdict.TIE, spans=(SOUND,)).spans == (SOUND,)


@pytest.mark.parametrize(
    "wrong", [{"side": "left"}, {"start": 4}, {"start": -1}, {"end": None}, {"tag": "ugly"}, {"tag": None}]
)
def test_that_a_span_that_cannot_be_located_is_refused(wrong):
    check_spans([SOUND])
    with pytest.raises(BadInput):
        check_spans([SOUND, {**SOUND, **wrong}])


def test_that_an_old_span_can_still_be_read():
    old = {**SOUND, "tag": "ugly"}
    assert JudgementDraft(Verdict.TIE, spans=(old,)).spans == (old,)
