"""The questions that the labelling screen asks in dialogs."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from app.annotate.edit_dialog import EditDialog
from app.annotate.judgement_form import ScreenSide
from app.annotate.queue_choice import QueueChoice, Queues
from app.annotate.queue_dialog import QueueDialog
from app.dialogs import Dialogs
from app.theme.theme import Theme
from core.domain.judgement import CANNOT_JUDGE_REASONS, FLAGS, SPAN_TAGS

FLAG_KEYS = {"pii": "P", "unsafe": "U", "bad_prompt": "B", "language": "L", "truncated": "T", "names_model": "I"}
"""The letter that chooses a flag in its dialog; other flags have their first letter."""
IS_SET = "  ✓ set; choose it again to remove it"


class LabelingQuestions:
    """Each method asks one question and returns the answer, or None when the dialog was cancelled."""

    def __init__(self, dialogs: Dialogs, theme: Theme) -> None:
        self._dialogs, self._theme = dialogs, theme

    def reason(self) -> str | None:
        """Ask why a pair cannot be judged; a key of ``CANNOT_JUDGE_REASONS``."""
        return self._key_of(
            CANNOT_JUDGE_REASONS,
            self._dialogs.choose("Cannot judge", "Why can it not be judged?", [*CANNOT_JUDGE_REASONS.values()]),
        )

    def flag(self, flags: AbstractSet[str]) -> str | None:
        """Ask which flag to set, or to remove of those that are set; a key of ``FLAGS``."""
        names = [f"{name}{IS_SET if key in flags else ''}" for key, name in FLAGS.items()]
        letters = [FLAG_KEYS.get(key, key[0].upper()) for key in FLAGS]
        return self._key_of(
            FLAGS, self._dialogs.choose("Flag this pair", "What is wrong with it?", names, keys=letters)
        )

    def span_tag(self) -> str | None:
        """Ask what the selected words are; a key of ``SPAN_TAGS``."""
        return self._key_of(
            SPAN_TAGS, self._dialogs.choose("Tag the selected words", "What are these words?", [*SPAN_TAGS.values()])
        )

    def edited_text(self, side: ScreenSide, original: str, text: str) -> str | None:
        """Let an answer be improved; ``text`` is the answer or an earlier edit of it."""
        dialog = EditDialog(self._dialogs.parent, self._theme, side, original, text)
        kept = dialog.text if self._dialogs.run(dialog) else None
        dialog.deleteLater()
        return kept

    def queue(self, queues: Queues, choice: QueueChoice) -> QueueChoice | None:
        """Ask for rubric version, pairs and order, or for a round of votes or an audit; ``choice`` is shown first."""
        dialog = QueueDialog(self._dialogs.parent, queues, choice)
        chosen = dialog.choice if self._dialogs.run(dialog) else None
        dialog.deleteLater()
        return chosen

    @staticmethod
    def _key_of(choices: dict[str, str], place: int | None) -> str | None:
        return None if place is None else [*choices][place]
