"""The dialog of one release: what it is, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.dialog import BaseDialog
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.messages import Banner
from core.domain.release_gate import STATE_WORDS

if TYPE_CHECKING:  # it loads the model exports, which the window does not wait for
    from core.services.releases.views import ReleaseInfo

BUTTONS: Mapping[str, tuple[str, str]] = {
    "report": ("Open the report", "file"),
    "folder": ("Open the folder", "folder"),
    "verify": ("Measure it again", "check_circle"),
    "compare": ("Compare…", "compare"),
    "withdraw": ("Withdraw…", "close"),
}


class ReleaseInfoDialog(BaseDialog):
    """Shows a release.

    Signals:
        wanted(str): one of ``BUTTONS`` was pressed; the dialog has closed.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget, context: AppContext, release: ReleaseInfo) -> None:
        theme = context.theme
        super().__init__(parent, "Release", size=QSize(theme.px(560), theme.px(460)), settings=context.settings)
        scroll = ScrollColumn(margin=2, spacing=6, name="The release")
        scroll.column.addWidget(text_label(release.name, "title", wrap=True))
        if release.withdrawn:
            words = f"{release.withdrawn_by}: {release.withdrawn}"
            scroll.column.addWidget(Banner(theme, "Withdrawn", words, level="error", closable=False, wrap=True))
        elif release.despite:
            words = f"{release.despite} Report, cards and contract say so first."
            scroll.column.addWidget(
                Banner(theme, "Released despite the gate", words, level="warn", closable=False, wrap=True)
            )
        for name, value in facts_of(release).items():
            scroll.column.addWidget(text_label(f"{name}: {value}", "", wrap=True, selectable=True))
        scroll.column.addStretch(1)
        self.column.addWidget(scroll, 1)
        row, frame = FlowLayout(spacing=6, row_spacing=6), QWidget()
        frame.setLayout(row)
        self.acts = {}
        for key, (words, icon) in BUTTONS.items():
            button = self.acts[key] = push_button(words, theme=theme, icon=icon)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, key=key: self._want(key))
            row.addWidget(button)
        self.acts["withdraw"].setEnabled(not release.withdrawn)
        self.column.addWidget(frame)
        self.add_buttons(reject="Close")

    def _want(self, key: str) -> None:
        self.accept()
        self.wanted.emit(key)


def facts_of(release: ReleaseInfo) -> dict[str, str]:
    """Return what is known of a release, in words."""
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(release.created_ms / 1000))
    outcome = STATE_WORDS.get(release.outcome, release.outcome)  # type: ignore[call-overload]
    return {
        "made": made,
        "gate": outcome,
        "approved by": release.approver,
        "evaluation run by": release.runner or "not known",
        **release.tuple_,
        "folder": release.folder,
        "measured again": release.verified or "not yet",
        "id": release.release_id,
    }
