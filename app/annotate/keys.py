"""Which method of the Annotate page each action of the catalog calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.annotate.verdict_bar import POINTS

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage


def bind_keys(page: AnnotatePage) -> None:
    """Bind every action of the place."""
    panes, panel = page.panes, page.panel
    for action_id, strength, _ in POINTS:
        page.on(action_id, lambda strength=strength: page.verdict_key(strength))
    handlers: dict[str, Any] = {
        "annotate.neither": page.neither,
        "annotate.cannot": page.cannot_judge,
        "annotate.submit": page.commits.submit,
        "annotate.undo": page.commits.undo,
        "annotate.redo": page.commits.redo,
        "annotate.skip": page.commits.skip,
        "annotate.flag": page.flag,
        "annotate.rationale": panel.rationale.setFocus,
        "annotate.next_criterion": lambda: panel.focus_criterion(panel.focused + 1),
        "annotate.previous_criterion": lambda: panel.focus_criterion(panel.focused - 1),
        "annotate.guide": page.side.setVisible,
        "annotate.diff": panes.set_diff,
        "annotate.layout": panes.set_stacked,
        "annotate.link": panes.set_linked,
        "annotate.source": panes.set_source,
        "annotate.prompt": page.prompt.set_open,
        "annotate.scroll": lambda: panes.scroll(0.85),
        "annotate.scroll_back": lambda: panes.scroll(-0.85),
        "annotate.pause": page.pause,
        "annotate.leave_field": page.leave_field,
        "annotate.queue": page.choose_queue,
        "annotate.older": lambda: _look(page, 1),
        "annotate.newer": lambda: _look(page, -1),
        "annotate.amend": page.commits.submit,
        "annotate.bookmark": lambda on: _bookmark(page, on),
    }
    for action_id, handler in handlers.items():
        page.on(action_id, handler)
    for action_id in ("annotate.link", "annotate.guide", "annotate.prompt"):
        page.context.actions.set_checked(action_id, True)


def _look(page: AnnotatePage, by: int) -> None:
    """Look at an earlier or a later decision of the list."""
    listed = page.panel.recent
    if listed.count() == 0:
        return
    place = min(listed.count() - 1, max(0, listed.currentRow() + by))
    listed.setCurrentRow(place)
    listed.itemActivated.emit(listed.item(place))


def _bookmark(page: AnnotatePage, on: bool) -> None:
    """Mark the pair to come back to, or take the mark away."""
    shown, reviewer = page.desk.current, page.context.session.reviewer_id
    if shown is not None and reviewer is not None:
        service = page.context.services.annotation
        page.context.ops.mutate(lambda: service.bookmark(reviewer, shown.pair_id, on), owner=page, initiator=page)
