"""Toasts: up to four notices over the lower right corner of the page, above the controls that it keeps clear."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtWidgets import QStackedWidget

from app.main_window.page import Page
from app.notices import Notice
from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.messages import Toast, announce

GAP = 8
MOST = 4


class ToastStack(QObject):
    """Shows notices over ``host`` and keeps them in place when it is resized."""

    def __init__(self, host: QStackedWidget, theme: Theme, settings: Settings) -> None:
        super().__init__(host)
        self._host, self._theme, self._settings = host, theme, settings
        self.toasts: list[Toast] = []
        host.installEventFilter(self)
        host.currentChanged.connect(self._raise)

    def show(self, notice: Notice) -> None:
        """Add one notice; beyond four the oldest is removed."""
        seconds = self._settings.get("general.toast_seconds") * (2 if notice.level == "error" else 1)
        toast = Toast(self._theme, notice, seconds)
        toast.setParent(self._host)
        self._theme.style(toast)
        toast.gone.connect(self._remove)
        self.toasts.append(toast)
        while len(self.toasts) > MOST:
            self._remove(self.toasts[0])
        toast.show()
        self._place()
        announce(self._host, f"{notice.text} {notice.hint}".strip())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the host's size."""
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _remove(self, toast: Toast) -> None:
        if toast in self.toasts:
            self.toasts.remove(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def _raise(self, _index: int) -> None:
        self._place()

    def _kept_clear(self) -> int:
        """Return how much of the page's lower edge its own controls need."""
        page = self._host.currentWidget()
        return page.keep_clear() if isinstance(page, Page) else 0

    def _place(self) -> None:
        bottom = self._host.height() - GAP - self._kept_clear()
        for toast in reversed(self.toasts):
            width = min(self._theme.px(420), self._host.width() - 2 * GAP)
            toast.setFixedWidth(width)
            layout = toast.layout()
            height = layout.totalHeightForWidth(width) if layout else toast.sizeHint().height()
            toast.resize(width, height)
            bottom -= height
            toast.move(QPoint(self._host.width() - width - GAP, bottom))
            toast.raise_()
            bottom -= GAP
