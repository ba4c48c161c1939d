"""Drafts that a reopened workspace does not take over: shown, kept in Activity, and saved as a text file on request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.background.task_runner import TaskRunner
from app.dialogs import Dialogs
from app.notices import Notices
from core.domain.counting import counted, verb
from core.services.annotation.draft_text import draft_text, save_drafts

if TYPE_CHECKING:
    from core.services.annotation.views import UnsavedDraft

TITLE = "What was filled in and not saved"
SAVE, CLOSE = "Save as a text file…", "Close"
MOST_CHARS = 2000
"""Characters of each text that the dialog shows; the file has all of them."""


class LeftDrafts(QObject):
    """Shows drafts that have no place any more; nothing of them is dropped before the user has seen it."""

    def __init__(self, tasks: TaskRunner, dialogs: Dialogs, notices: Notices) -> None:
        super().__init__()
        self._tasks, self._dialogs, self._notices = tasks, dialogs, notices

    def tell(self, drafts: Sequence[UnsavedDraft]) -> None:
        """Note in Activity that there are such drafts, and show them."""
        if not drafts:
            return
        kept = tuple(drafts)
        self._notices.post(
            f"{counted(len(kept), 'draft')} {verb(len(kept), 'belongs', 'belong')} to no pair of the opened file.",
            "warn",
            hint="It is kept here until the window is closed; save it as a text file to keep it longer.",
            action="Show…",
            run=partial(self._show, kept),
        )
        self._show(kept)

    def _show(self, drafts: tuple[UnsavedDraft, ...]) -> None:
        answer = self._dialogs.ask(
            TITLE,
            "The file that was opened lacks the pair, the reviewer or the rubric version of what was filled in last, "
            "so it could not be stored there.",
            (SAVE, CLOSE),
            detail="\n\n".join(draft_text(draft, MOST_CHARS) for draft in drafts),
            kind="warning",
        )
        if answer == SAVE:
            to = self._dialogs.save_file(TITLE, "drafts.txt", "Text (*.txt);;All files (*)")
            if to is not None:
                self._tasks.job("Save the drafts", lambda _: save_drafts(drafts, to), self._saved, owner=self)

    def _saved(self, path: Path) -> None:
        self._notices.post(f"The drafts are in {path.name}.", "ok", hint=str(path))
