"""Going back through one's own decisions, and forward again to the pair that is waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage

_JUDGEMENT = Qt.ItemDataRole.UserRole


class Looking:
    """The acts of a page that show earlier decisions."""

    def __init__(self, page: AnnotatePage) -> None:
        """Args: page: whose decisions are shown."""
        self._page = page

    def step(self, by: int) -> None:
        """Show an earlier (1) or a later (-1) decision; behind the newest stands the pair that waits."""
        page, listed = self._page, self._page.panel.recent
        ids = [listed.item(row).data(_JUDGEMENT) for row in range(listed.count())]
        here = ids.index(page.desk.looking_back) if page.desk.looking_back in ids else -1
        place = here + by
        if place < 0 and page.desk.looking_back is not None:
            page.commits.forget_press()
            page.next_pair()
        elif 0 <= place < len(ids):
            self.show(ids[place])

    def show(self, judgement_id: int) -> None:
        """Show an earlier decision; Enter amends it when it was changed."""
        page = self._page
        page.answering.advance.stop()
        page.answering.save_now()
        page.commits.forget_press()
        service = page.context.services.annotation
        page.context.tasks.query(
            lambda: service.look_again(judgement_id),
            lambda presented: self._show(presented, judgement_id),
            owner=page,
            key="look",
        )

    def mark(self) -> None:
        """Highlight the decision on the desk in the list, or none."""
        listed, wanted = self._page.panel.recent, self._page.desk.looking_back
        rows = [row for row in range(listed.count()) if listed.item(row).data(_JUDGEMENT) == wanted]
        listed.setCurrentRow(rows[0] if rows else -1)

    def made_under(self) -> str:
        """Return under which rubric version the answer on the desk was given, where the queue has another one."""
        shown, queue = self._page.desk.current, self._page.queue
        if shown is None or queue is None or shown.rubric_version_id == queue.settings.rubric_version_id:
            return ""
        version = self._page.rubrics.get(shown.rubric_version_id)
        return f", made under {version.title}" if version is not None else ", made under another rubric"

    def _show(self, presented: Any, judgement_id: int) -> None:
        page = self._page
        page.answering.save_now()
        page.desk.set_aside()
        page.show_pair(page.desk.show(presented, looking_back=judgement_id))
        if page.panel.recent.hasFocus():
            page.leave_field()
        page.bar.say(f"Earlier decision{self.made_under()}; Enter amends, ] returns")
