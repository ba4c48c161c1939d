"""Messages: empty states, banners, toasts and progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.background.task import BackgroundTask, TaskState, clock_text
from app.notices import Notice
from app.theme.theme import Theme
from app.widgets.buttons import ButtonKind, icon_button, push_button
from app.widgets.flow import FlowLayout
from app.widgets.labels import ElideLabel, restyle, text_label

Button = tuple[str, Callable[[], object]]
BannerLevel = Literal["insight", "warn", "error", "ok"]
_ICONS = {"insight": "info", "info": "info", "ok": "check_circle", "warn": "warn", "error": "error"}
_LEAST_WORDS = 22
"""Lines of text, as a width, that the words of a banner have at least beside its buttons."""
_COLOURS = {"insight": "accent", "info": "accent", "ok": "ok", "warn": "warn", "error": "bad"}


class IconLabel(QLabel):
    """A drawing in a token's colour; follows the theme. Decoration only: it has no meaning of its own."""

    def __init__(self, theme: Theme, icon: str, colour: str = "text2", size: int = 20) -> None:
        super().__init__()
        self._theme, self._icon, self._colour, self._side = theme, icon, colour, size
        theme.changed.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        side = self._theme.px(self._side)
        self.setFixedSize(QSize(side, side))
        self.setPixmap(self._theme.icons.pixmap(self._icon, self._colour, side, self.devicePixelRatioF()))


class EmptyState(QWidget):
    """Shown where a list is empty: a drawing, a sentence, a main action, perhaps a second one."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        title: str,
        text: str,
        *,
        main: Button | None = None,
        second: Button | None = None,
    ) -> None:
        super().__init__()
        self.setAccessibleName(title)  # a stack that shows it in place of a list gives it the focus
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(IconLabel(theme, icon, "text3", 44), 0, Qt.AlignmentFlag.AlignHCenter)
        self._title: QLabel | None = None
        for words, kind in ((title, "section"), (text, "muted")):
            label = text_label(words, kind, wrap=True)  # type: ignore[arg-type]
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
            self._title = self._title or label
        row = QHBoxLayout()
        row.addStretch(1)
        self.buttons = []
        kinds: tuple[ButtonKind, ButtonKind] = ("primary", "")
        for button, kind in zip((main, second), kinds, strict=True):
            if button is not None:
                made = push_button(button[0], kind)
                made.clicked.connect(lambda _=False, run=button[1]: run())
                row.addWidget(made)
                self.buttons.append(made)
        row.addStretch(1)
        column.addSpacing(4)
        column.addLayout(row)
        self.refusal = text_label("", "muted", wrap=True)
        self.refusal.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.refusal.hide()
        column.addWidget(self.refusal)
        column.addStretch(3)

    def set_title(self, title: str) -> None:
        """Change the first line."""
        if self._title is not None:
            self._title.setText(title)
            self.setAccessibleName(title)

    def set_refusal(self, why: str) -> None:
        """Disable the main action and say why under it; "" enables it."""
        self.refusal.setText(why)
        self.refusal.setVisible(bool(why))
        for button in self.buttons[:1]:
            button.setEnabled(not why)
            button.setToolTip(why)


class Banner(QFrame):
    """A strip over the content: an insight, a warning or an error, with actions and a close button."""

    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        title: str,
        text: str = "",
        *,
        level: BannerLevel = "insight",
        buttons: Sequence[Button] = (),
        closable: bool = True,
        wrap: bool = False,
    ) -> None:
        """Make the strip; with ``wrap`` nothing is cut: the text stands under the title, buttons may stand below.

        The first button is the main one then.
        """
        super().__init__()
        self.setProperty("banner", level)
        self.buttons = [
            push_button(label, "primary" if wrap and not place else "") for place, (label, _) in enumerate(buttons)
        ]
        for button, (_, run) in zip(self.buttons, buttons, strict=True):
            button.clicked.connect(lambda _=False, call=run: call())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 6, 5)
        row.setSpacing(8)
        row.addWidget(IconLabel(theme, _ICONS[level], _COLOURS[level], 18))
        if wrap:
            row.addLayout(self._wrapped(title, text), 1)
        else:
            row.addWidget(text_label(title, "strong"))
            row.addWidget(ElideLabel(text, kind="caption"), 1)
            for button in self.buttons:
                row.addWidget(button)
        if closable:
            close = icon_button(theme, "close", "Dismiss", size=16)
            close.clicked.connect(self._close)
            row.addWidget(close)
        self.setAccessibleName(f"{title}. {text}")

    def _wrapped(self, title: str, text: str) -> FlowLayout:
        """Return title and text as lines that break, with the buttons behind or below them."""
        flow, words = FlowLayout(row_spacing=4, middle=True), QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(text_label(title, "strong", wrap=True))
        column.addWidget(text_label(text, "caption", wrap=True, selectable=True))
        flow.add(words, least=_LEAST_WORDS if self.buttons else 0)
        for button in self.buttons:
            flow.addWidget(button)
        return flow

    def _close(self) -> None:
        self.hide()
        self.closed.emit()


class Toast(QFrame):
    """One notice that disappears after some seconds, but not while the mouse is over it.

    With 0 ``seconds`` it stays until it is closed.
    """

    gone = Signal(object)

    def __init__(self, theme: Theme, notice: Notice, seconds: float) -> None:
        super().__init__()
        self.setProperty("toast", notice.level)
        self.setMaximumWidth(theme.px(420))
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 6, 8)
        row.setSpacing(8)
        row.addWidget(IconLabel(theme, _ICONS[notice.level], _COLOURS[notice.level], 18), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(text_label(notice.text, "", wrap=True))
        if notice.hint:
            words.addWidget(text_label(notice.hint, "caption", wrap=True))
        row.addLayout(words, 1)
        if notice.action and notice.run is not None:
            button = push_button(notice.action, "link")
            button.clicked.connect(lambda: (notice.run() if notice.run else None, self._leave()))
            row.addWidget(button)
        close = icon_button(theme, "close", "Dismiss this notice", size=14)
        close.clicked.connect(self._leave)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName(f"{notice.text} {notice.hint}".strip())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(seconds * 1000))
        self._timer.timeout.connect(self._leave)
        self._count_down()

    def _count_down(self) -> None:
        if self._timer.interval():
            self._timer.start()

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Stop the countdown while the mouse is over it."""
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Start the countdown again."""
        self._count_down()

    def _leave(self) -> None:
        self._timer.stop()
        self.gone.emit(self)


class ProgressLine(QWidget):
    """Phase, bar, time left and Cancel of a long job."""

    cancelled = Signal()

    def __init__(self, *, title: str = "", cancellable: bool = True) -> None:
        super().__init__()
        self._title, self._cancellable = title, cancellable
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._phase, self._time = ElideLabel(title), text_label("", "caption")
        self._cancel = push_button("Cancel", "flat", name=f"Cancel {title}".strip())
        self._cancel.clicked.connect(self.cancelled)
        if not cancellable:  # a part that is shown without a parent would be a window, and take the focus
            self._cancel.hide()
        row.addWidget(self._phase, 1)
        row.addWidget(self._time)
        row.addWidget(self._cancel)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(title or "Progress")
        column.addLayout(row)
        column.addWidget(self._bar)
        self._job: BackgroundTask | None = None

    def set_progress(
        self, phase: str, done: int = 0, total: int = 0, eta_s: float | None = None, pace: str = ""
    ) -> None:
        """Show how much is done, and how quickly (``pace``); ``total`` 0 means that the total is unknown."""
        self._phase.setText(phase or self._title)
        self._bar.setRange(0, total)
        self._bar.setValue(min(done, total))
        counted = f"{done:,} of {total:,}" if total else ""
        left = clock_text(eta_s)
        self._time.setText(" · ".join(part for part in (counted, pace, f"{left} left" if left else "") if part))
        self._bar.setAccessibleDescription(f"{phase} {counted}".strip())

    def set_state(self, state: Literal["", "ok", "bad"], text: str = "") -> None:
        """Show the end: a full bar, in the colour of the outcome."""
        self._bar.setRange(0, 1)
        self._bar.setValue(1)
        self._bar.setProperty("state", state)
        restyle(self._bar)
        self._cancel.hide()
        if text:
            self._phase.setText(text)
        self._time.clear()

    def follow(self, job: BackgroundTask) -> None:
        """Show a job until it ends; Cancel cancels this job and no earlier one."""
        if self._job is not None:
            self.cancelled.disconnect(self._job.cancel)
            self._job.changed.disconnect(self._take)
        self._job = job
        if self._bar.property("state"):
            self._bar.setProperty("state", "")
            restyle(self._bar)
        self._cancel.setEnabled(True)
        self._cancel.setVisible(self._cancellable)
        self.cancelled.connect(job.cancel)
        job.changed.connect(self._take)
        self._take()

    def _take(self) -> None:
        job = self._job
        if job is None:
            return
        if job.state is TaskState.RUNNING:
            words = f"{job.title}: {job.phase}" if job.phase else job.title
            pace = f"{job.rate:,.0f} {job.unit} a second" if job.unit and job.rate else ""
            self.set_progress(words, job.done, job.total, job.eta, pace)
        elif job.state is TaskState.STOPPING:
            self._phase.setText(f"{job.title}: stopping…")
            self._cancel.setEnabled(False)
        else:
            ends = {TaskState.DONE: "done", TaskState.CANCELLED: "cancelled", TaskState.FAILED: job.message or "failed"}
            tone = "ok" if job.state is TaskState.DONE else "bad" if job.state is TaskState.FAILED else ""
            self.set_state(tone, f"{job.title}: {ends[job.state]}")


def announce(widget: QWidget, text: str) -> None:
    """Send a text to screen readers, where this version of Qt can."""
    try:
        from PySide6.QtGui import QAccessibleAnnouncementEvent  # Qt 6.8 and newer
    except ImportError:
        return
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
