"""Which method of the Annotate page each action of the catalog calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.annotate.verdict_bar import POINTS

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage


def bind_keys(page: AnnotatePage) -> None:
    """Bind every action of the place."""
    panes, panel, answering, looking = page.panes, page.panel, page.answering, page.looking
    for action_id, strength, _ in POINTS:
        page.on(action_id, lambda strength=strength: answering.verdict_key(strength))
    handlers: dict[str, Any] = {
        "annotate.neither": answering.neither,
        "annotate.cannot": answering.cannot_judge,
        "annotate.submit": page.commits.submit,
        "annotate.undo": page.commits.undo,
        "annotate.redo": page.commits.redo,
        "annotate.skip": page.commits.skip,
        "annotate.flag": answering.flag,
        "annotate.edit": answering.edit,
        "annotate.highlight": answering.highlight,
        "annotate.rationale": page.to_rationale,
        "annotate.next_criterion": lambda: panel.focus_criterion(panel.focused + 1),
        "annotate.previous_criterion": lambda: panel.focus_criterion(panel.focused - 1),
        "annotate.guide": page.show_guide,
        "annotate.panel": page.side.setVisible,
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
        "annotate.older": lambda: looking.step(1),
        "annotate.newer": lambda: looking.step(-1),
        "annotate.amend": page.commits.amend,
        "annotate.bookmark": page.standing.bookmark,
    }
    for action_id, handler in handlers.items():
        page.on(action_id, handler)
    for action_id in ("annotate.panel", "annotate.prompt"):
        page.context.actions.set_checked(action_id, True)
    for action_id in ("annotate.guide", "annotate.pause", "annotate.bookmark"):
        page.context.actions.set_checked(action_id, False)
