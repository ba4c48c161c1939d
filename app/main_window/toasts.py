"""Toasts: up to four notices over the lower right corner of the page, never over the controls that it keeps clear."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QTimer
from PySide6.QtWidgets import QStackedWidget, QWidget
from shiboken6 import isValid

from app.main_window.page import Page
from app.notices import Notice
from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.messages import Toast, announce

GAP = 8
MOST = 4
_MOVED = (
    QEvent.Type.Resize,
    QEvent.Type.Move,
    QEvent.Type.Show,
    QEvent.Type.Hide,
    QEvent.Type.LayoutRequest,
    QEvent.Type.ChildAdded,
)


class ToastStack(QObject):
    """Shows notices over ``host`` and keeps them clear of the page's own controls, also when these move.

    A notice for which there is no room waits until there is, or until its time is over; Activity lists it all the same.
    """

    def __init__(self, host: QStackedWidget, theme: Theme, settings: Settings) -> None:
        super().__init__(host)
        self._host, self._theme, self._settings = host, theme, settings
        self.toasts: list[Toast] = []
        self._watched: list[QWidget] = []
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._place)
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
        self._place()
        announce(self._host, f"{notice.text} {notice.hint}".strip())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002 - Qt passes it
        """Place the notices again once what they keep clear of has moved."""
        if self.toasts and event.type() in _MOVED:
            self._later.start()
        return False

    def _remove(self, toast: Toast) -> None:
        if toast in self.toasts:
            self.toasts.remove(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def _raise(self, _index: int) -> None:
        self._place()

    def _watch(self, kept: list[QWidget]) -> None:
        """Follow the kept controls and all that holds them; nothing while no notice is shown."""
        for widget in self._watched:
            if isValid(widget):
                widget.removeEventFilter(self)
        self._watched = []
        page = self._host.currentWidget()
        if not self.toasts or page is None:
            return
        self._watched = [self._host]
        for widget in (page, *kept):
            around: QWidget | None = widget
            while around is not None and around is not self._host and around not in self._watched:
                self._watched.append(around)
                around = around.parentWidget()
        for widget in self._watched:
            widget.installEventFilter(self)

    def _place(self) -> None:
        page = self._host.currentWidget()
        kept = page.kept_clear() if isinstance(page, Page) else []
        self._watch(kept)
        covered = [part for widget in kept if not (part := self._seen(widget)).isEmpty()]
        width = min(self._theme.px(420), self._host.width() - 2 * GAP)
        bottom = self._host.height() - GAP
        for toast in reversed(self.toasts):
            toast.setFixedWidth(width)
            layout = toast.layout()
            height = layout.totalHeightForWidth(width) if layout else toast.sizeHint().height()
            room = self._room(QRect(self._host.width() - width - GAP, bottom - height, width, height), covered)
            toast.setVisible(room.top() >= 0)
            if room.top() < 0:
                continue
            toast.setGeometry(room)
            toast.raise_()
            bottom = room.top() - GAP

    def _seen(self, widget: QWidget) -> QRect:
        """Return the part of a control that is on the screen, in the host's coordinates."""
        part = QRect(widget.mapTo(self._host, QPoint(0, 0)), widget.size())
        around = widget.parentWidget()
        while around is not None and around is not self._host:
            part = part.intersected(QRect(around.mapTo(self._host, QPoint(0, 0)), around.size()))
            around = around.parentWidget()
        return part

    @staticmethod
    def _room(wanted: QRect, covered: list[QRect]) -> QRect:
        """Return the place that a notice gets: the wanted one, or the next one above that covers nothing kept clear."""
        for part in sorted(covered, key=QRect.bottom, reverse=True):
            if wanted.intersects(part.adjusted(-GAP, -GAP, GAP, GAP)):
                wanted = QRect(wanted.left(), part.top() - GAP - wanted.height(), wanted.width(), wanted.height())
        return wanted
