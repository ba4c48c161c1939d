"""What holds what a consent was given for: dataset versions, runs and releases, each with the way to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.widgets.buttons import push_button
from app.widgets.containers import clear_layout
from app.widgets.labels import text_label
from core.domain.counting import counted

if TYPE_CHECKING:
    from core.services.feedback.consent import Affected

MOST_PAIRS = 30


class AffectedView(QWidget):
    """Lists them; in a window of its own nothing can be opened (``links`` off)."""

    def __init__(self, context: AppContext, *, links: bool = False) -> None:
        super().__init__()
        self._context, self._links = context, links
        self.lines: list[str] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def clear(self) -> None:
        """Show nothing."""
        self.lines = []
        clear_layout(self._column)

    def show_affected(self, found: Affected) -> None:
        """Show everything that is touched, or that nothing is."""
        self.clear()
        self._add(found.sentence(), "strong")
        if found.pairs:
            shown = ", ".join(map(str, found.pairs[:MOST_PAIRS]))
            more = f" and {len(found.pairs) - MOST_PAIRS:,} more" if len(found.pairs) > MOST_PAIRS else ""
            self._add(f"Pairs: {shown}{more}")
        navigate = self._context.navigate
        for version in found.versions:
            words = f"{version.title}: {version.train:,} train, {version.dev:,} dev, {version.test:,} test"
            self._add(f"Dataset version {words}", "", partial(navigate, "data", dataset_id=version.id))
        for run in found.runs:
            held = counted(run.pairs, "pair") if run.pairs else "its pairs cannot be read"
            self._add(f"Run {run.name}, on {run.dataset}: {held}", "", partial(navigate, "runs", run_id=run.run_id))
        for release in found.releases:
            self._add(f"Release {release}", "", partial(navigate, "evaluate"))
        if not (found.versions or found.runs or found.releases):
            self._add("No dataset version, run or release holds it.", "muted")

    def _add(self, words: str, kind: str = "", open_it: Callable[[], object] | None = None) -> None:
        self.lines.append(words)
        label = text_label(words, kind, wrap=True, selectable=True)  # type: ignore[arg-type]
        if not self._links or open_it is None:
            self._column.addWidget(label)
            return
        button = push_button("Open", "link", name=f"Open {words}")
        button.clicked.connect(lambda _=False, run=open_it: run())
        self._column.addWidget(label)
        self._column.addWidget(button)
