"""What the Rubrics page asks before it creates or publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.dialogs import Dialogs
from app.notices import Notices
from app.rubrics.presenter import EMPTY_BODY, requests_text
from core.domain.counting import counted
from core.domain.rubric import ChangeLevel, RubricBody, RubricVersion
from core.domain.rubric_meaning import PublishEffect
from core.domain.rubric_text import FIRST_NOTE

if TYPE_CHECKING:
    from core.services.rubrics.service import RubricsService, RubricSummary
    from core.services.rubrics.templates import RubricTemplate

LEVELS: tuple[tuple[ChangeLevel, str], ...] = (
    (ChangeLevel.MAJOR, "Major: the meaning changed"),
    (ChangeLevel.MINOR, "Minor: a clarification"),
    (ChangeLevel.PATCH, "Patch: wording or a spelling mistake"),
)
NOTE_LINES = 5
DEFAULT_NAME = "My rubric"


def ask_new_rubric(dialogs: Dialogs, templates: Sequence[RubricTemplate]) -> tuple[str, RubricBody] | None:
    """Ask for a template and a name; returns name and body, or None when cancelled."""
    place = dialogs.choose("New rubric", "Start from", [*(t.name for t in templates), "An empty rubric"])
    if place is None:
        return None
    template = templates[place] if place < len(templates) else None
    name = dialogs.text("New rubric", "Name", template.name if template else DEFAULT_NAME)
    return (name, template.body if template else EMPTY_BODY) if name else None


def ask_for_requests(dialogs: Dialogs, summary: RubricSummary) -> bool | None:
    """Ask whether the open change requests become the change note of the draft; None when cancelled."""
    buttons = ("Take them into the draft", "Without them", "Cancel")
    waiting = counted(len(summary.requests), "change request")
    pressed = dialogs.ask(
        "Draft the next version", f"{waiting} from adjudication.", buttons, detail=requests_text(summary)
    )
    return None if pressed in ("", "Cancel") else pressed == buttons[0]


def effects_of(service: RubricsService, version: RubricVersion, body: RubricBody) -> list[PublishEffect]:
    """Return what publishing a draft does at each level, in the order of ``LEVELS``. Reads the database."""
    return [service.effect(version.id, level, body) for level, _ in LEVELS]


def ask_publication(
    dialogs: Dialogs, notices: Notices, version: RubricVersion, effects: Sequence[PublishEffect]
) -> tuple[ChangeLevel, str] | None:
    """Ask how much a draft changes its rubric, and why; returns level and note, or None when it is not published.

    A first version is only confirmed. What each level does to labels and dataset versions is told before it is chosen.
    A change without a note is not published, and a notice says so.
    """
    if version.based_on is None:
        text = "From then on it never changes; edits make a new version."
        confirmed = dialogs.confirm("Publish this version?", text, "Publish")
        return (ChangeLevel.MAJOR, FIRST_NOTE) if confirmed else None
    words = [f"{name}. {effect.words}" for (_, name), effect in zip(LEVELS, effects, strict=True)]
    place = dialogs.choose("Publish", "How much does it change?", words)
    if place is None:
        return None
    chosen = effects[place]
    label = f"{chosen.rubric} {chosen.number}: {chosen.words}\n\nWhat changed, and why?"
    note = dialogs.text("Publish", label, version.change_note, lines=NOTE_LINES, accept="Publish", needed=True)
    if note == "":
        notices.post("Not published: a change needs a note that says what changed.", "warn")
    return (chosen.level, note) if note else None
