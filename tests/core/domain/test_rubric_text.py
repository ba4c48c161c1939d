"""A rubric version as a text to read."""

from __future__ import annotations

import pytest

from core.domain.rubric import ChangeLevel, Criterion, RubricBody, RubricState, RubricVersion
from core.domain.rubric_text import FIRST_NOTE, change_text, reading_text

BODY = RubricBody("Which answer helps more?", (Criterion("c1", "Help", "Which helps more?"),))


def _version(level: ChangeLevel, note: str, based_on: int | None) -> RubricVersion:
    return RubricVersion(2, 1, "Desk", "2.0.0", RubricState.PUBLISHED, level, note, BODY, based_on=based_on)


@pytest.mark.parametrize(
    ("level", "note", "based_on", "text"),
    [
        (ChangeLevel.MAJOR, FIRST_NOTE, None, "*This is the first version of the rubric.*"),
        (ChangeLevel.MAJOR, "For the pilot.", None, "*This is the first version of the rubric.* For the pilot."),
        (
            ChangeLevel.MAJOR,
            "Safety first.",
            1,
            "*The meaning changed; earlier labels that it concerns are stale.* ",
        ),
        (ChangeLevel.MINOR, "An example.", 1, "*A clarification; labels under earlier versions stay valid.* An exam"),
        (ChangeLevel.PATCH, "Typing.", 1, "*Only the wording changed; labels under earlier versions stay valid.* Typ"),
        (ChangeLevel.MAJOR, "", 1, ""),
    ],
)
def test_that_what_changed_is_told_in_sentences(level: ChangeLevel, note: str, based_on: int | None, text: str) -> None:
    version = _version(level, note, based_on)
    assert change_text(version).startswith(text) and change_text(version).endswith("" if note == FIRST_NOTE else note)
    assert (change_text(version) in reading_text(version)) and "\n\n\n" not in reading_text(version)
