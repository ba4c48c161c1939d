"""What a judgement may not say: marks that cannot be found again."""

from __future__ import annotations

import pytest

from core.domain.errors import BadInput
from core.domain.judgement import JudgementDraft, Verdict

SOUND = {"side": "A", "start": 0, "end": 4, "tag": "error", "note": ""}


def test_that_a_sound_mark_is_kept():
    assert JudgementDraft(Verdict.TIE, spans=(SOUND,)).spans == (SOUND,)


@pytest.mark.parametrize(
    "wrong", [{"side": "left"}, {"start": 4}, {"start": -1}, {"end": None}, {"tag": "ugly"}, {"tag": None}]
)
def test_that_a_mark_that_cannot_be_found_again_is_refused(wrong):
    with pytest.raises(BadInput):
        JudgementDraft(Verdict.TIE, spans=({**SOUND, **wrong},))
