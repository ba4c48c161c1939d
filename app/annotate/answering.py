"""What the reviewer's keys do to the answer on the desk: verdicts, criteria, flags, marks, an edit, the rationale.

Nothing here is stored but the draft; committing is the work of ``commits``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer

from app.annotate.answer import Stretch
from app.annotate.edit_dialog import EditDialog
from core.domain.judgement import CANNOT_JUDGE_REASONS, FLAGS, SPAN_TAGS, Verdict

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage

DRAFT_AFTER_MS = 800
SEEN_MS = 350
"""How long the chosen verdict stays visible before a verdict key submits by itself."""
FLAG_KEYS = {"pii": "P", "unsafe": "U", "bad_prompt": "B", "language": "L", "truncated": "T", "names_model": "I"}


class Answering:
    """The acts of a page that fill in the answer."""

    def __init__(self, page: AnnotatePage) -> None:
        """Args: page: whose desk is filled in."""
        self._page = page
        self._context = page.context
        self.drafts = _timer(page, DRAFT_AFTER_MS, self.save_draft)
        self.advance = _timer(page, SEEN_MS, self._advance)

    @property
    def open(self) -> bool:
        """Whether there is a pair to answer and its texts can be seen."""
        return self._page.desk.current is not None and not self._page.desk.paused

    def _asked(self) -> Any:
        """Return the pair a question is about to be asked about; nothing is submitted while it is open."""
        self.advance.stop()
        return self._page.desk.current

    def _still(self, shown: Any) -> bool:
        """Whether an answer to a question still belongs to the pair on the desk."""
        if self.open and self._page.desk.current is shown:
            return True
        self._page.bar.say("Another pair is shown by now; nothing was set")
        return False

    def verdict_key(self, strength: int) -> None:
        """Take a key 1 to 7: it answers the focused clause, or the overall question."""
        page = self._page
        if not self.open or page.commits.pressed_twice(f"verdict {strength}"):
            return
        if key := page.panel.focused_id:
            self.rate(key, strength)
            following = page.panel.focused + 1
            page.panel.focus_criterion(following if following < len(page.panel.rows) else -1)
        elif strength not in page.bar.offered:
            page.bar.say("This rubric's scale has no such point")
        else:
            page.desk.prefer(strength)
            self._answered()
            self._perhaps_advance()

    def rate(self, criterion: str, strength: object) -> None:
        """Answer one clause, or take its answer back by None."""
        if self.open:
            self._page.desk.rate(criterion, strength)  # type: ignore[arg-type]
            self._answered()

    def neither(self) -> None:
        """Say that no answer is valid."""
        if self.open:
            self._page.desk.neither()
            self._answered()

    def cannot_judge(self) -> None:
        """Ask why, then say that it cannot be judged."""
        if not self.open:
            return
        shown, keys = self._asked(), list(CANNOT_JUDGE_REASONS)
        place = self._context.dialogs.choose(
            "Cannot judge", "Why can it not be judged?", [*CANNOT_JUDGE_REASONS.values()]
        )
        if place is not None and self._still(shown):
            self._page.desk.cannot_judge(keys[place])
            self._answered()

    def flag(self) -> None:
        """Ask which flag to set or take back."""
        if not self.open:
            return
        shown, keys = self._asked(), list(FLAGS)
        set_now = self._page.desk.answer.flags
        words = [f"{FLAGS[key]}{'  ✓ set; choose it again to take it back' if key in set_now else ''}" for key in keys]
        letters = [FLAG_KEYS.get(key, key[0].upper()) for key in keys]
        place = self._context.dialogs.choose("Flag this pair", "What is wrong with it?", words, keys=letters)
        if place is not None and self._still(shown):
            self.toggle_flag(keys[place])

    def toggle_flag(self, flag: str) -> None:
        """Set or take back a flag."""
        self._page.desk.toggle_flag(flag)
        self._answered()

    def edit(self) -> None:
        """Let the preferred answer be improved; the improved text is stored with the judgement."""
        if not self.open:
            return
        page = self._page
        if not (side := page.desk.preferred_side):
            page.bar.say("Choose the better answer first")
            return
        shown, original = self._asked(), page.desk.text_of(side)
        written = page.desk.answer.edits.get(side, original)
        dialog = EditDialog(self._context.theme, side, original, written, may_drop=self._may_drop)
        if self._context.dialogs.run(dialog) and self._still(shown):
            kept = page.desk.set_edit(side, dialog.text)
            self._answered()
            page.bar.say("The edit is kept" if kept else "No edit: the text is the same")
        dialog.deleteLater()

    def _may_drop(self) -> bool:
        """Ask before what was written in the edit dialog is lost."""
        return self._context.dialogs.confirm("Drop what you wrote?", "The edit is not kept yet.", "Drop it")

    def highlight(self) -> None:
        """Mark the selected words of an answer; without a selection, show how to select."""
        if not self.open:
            return
        page = self._page
        chosen = page.panes.selected()
        if chosen is None:
            if not page.panes.shows_source:
                self._context.actions.set_checked("annotate.source", True)
                page.panes.set_source(True)
            page.panes.left.text.setFocus()
            page.bar.say("Select words, then press H again")
            return
        shown, tags = self._asked(), list(SPAN_TAGS)
        place = self._context.dialogs.choose("Mark a stretch", "What are these words?", [*SPAN_TAGS.values()])
        if place is not None and self._still(shown):
            page.desk.mark(*chosen, tags[place])
            page.panes.drop_selection()
            self._answered()
            page.leave_field()

    def unmark(self, stretch: Stretch) -> None:
        """Take a mark away."""
        self._page.desk.unmark(stretch)
        self._answered()

    def rationale(self, text: str) -> None:
        """Take what was written; nothing is submitted under the reviewer's hands."""
        self.advance.stop()
        self._page.desk.answer.rationale = text
        self._page.desk.act()
        self.drafts.start()

    def confidence(self, value: Any) -> None:
        """Take how sure the reviewer is."""
        self._page.desk.answer.confidence = value
        self._page.desk.act()
        self._answered()

    def save_draft(self) -> None:
        """Keep what is filled in, so that it survives a crash."""
        shown, answer = self._page.desk.current, self._page.desk.answer
        if shown is not None and self._page.desk.looking_back is None and self._page.desk.touched:
            service, plain = self._context.services.annotation, answer.to_plain()
            self._context.tasks.write(lambda: service.save_draft(shown.presentation_uid, plain), owner=self._page)

    def save_now(self) -> None:
        """Keep what is filled in at once when it was not kept yet."""
        if self.drafts.isActive():
            self.drafts.stop()
            self.save_draft()

    def stop(self) -> None:
        """Forget what was about to happen: the pair is leaving the desk."""
        self.drafts.stop()
        self.advance.stop()

    def _answered(self) -> None:
        self.advance.stop()
        self._page.show_answer()
        self.drafts.start()

    def _perhaps_advance(self) -> None:
        """Submit in a moment, where the setting says so and the rubric asks nothing else."""
        page, answer = self._page, self._page.desk.answer
        asked = {row.criterion.id for row in page.panel.rows} - set(answer.criteria)
        nothing_else = not asked or len(page.panel.rows) <= 1
        wanted = self._context.settings.get("annotate.auto_advance") and page.desk.looking_back is None
        if wanted and nothing_else and answer.verdict in (Verdict.PREFER, Verdict.TIE):
            self.advance.start()

    def _advance(self) -> None:
        self._page.commits.submit(f"verdict {self._page.desk.answer.strength or 0}")


def _timer(page: AnnotatePage, interval_ms: int, run: Any) -> QTimer:
    timer = QTimer(page)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(run)
    return timer
