"""Takes pictures of any page, to be looked at.

    python -m tests.app.grab --place runs --workspace WS --size 1920x1080 --theme dark --out runs.png
    python -m tests.app.grab --all --workspace WS --out folder

``--item key=value`` is handed to the page as ``context.navigate`` would; ``--wait`` is how many seconds to let
background work settle at most. ``--tab TITLE`` shows a tab of the page first. ``--action ID`` runs an action then; the
picture is that of the dialog that it opens, if it opens one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QTabWidget, QWidget

from app.background.idle_queue import IdleQueue
from app.dialogs import Dialogs
from app.places import PLACES
from app.widgets.dialog import BaseDialog

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SIZES = ((1280, 800), (1920, 1080))
THEMES = ("light", "dark")


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--place", default="home")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", default="light")
    parser.add_argument("--zoom", type=int, default=100)
    parser.add_argument("--item", action="append", default=[])
    parser.add_argument("--tab", default="")
    parser.add_argument("--action", default="")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--wait", type=float, default=15)
    parser.add_argument("--out", type=Path, required=True)
    wish = parser.parse_args()
    os.environ.setdefault("PAIRWRIGHT_HOME", tempfile.mkdtemp(prefix="grab-"))
    if not wish.all:
        width, height = (int(part) for part in wish.size.split("x"))
        item = dict(part.split("=", 1) for part in wish.item)
        with Camera(wish.workspace, wait=wish.wait) as camera:
            camera.show(wish.place, (width, height), wish.theme, zoom=wish.zoom, item=item)
            if wish.tab:
                camera.show_tab(wish.tab)
            if wish.action:
                camera.take_after(wish.action, wish.out)
            else:
                camera.save(wish.out)
        return
    with Camera(wish.workspace, wait=wish.wait) as camera:
        for place in PLACES:
            for size in SIZES:
                for theme in THEMES:
                    camera.take(wish.out / f"{place.id}-{theme}-{size[0]}x{size[1]}.png", place.id, size, theme)


class PicturedDialogs(Dialogs):
    """Shows each dialog of a page without waiting for an answer, hands it to ``on_dialog`` and closes it."""

    def __init__(self) -> None:
        super().__init__()
        self.on_dialog: Callable[[QDialog], None] = lambda _: None

    def run(self, dialog: BaseDialog) -> bool:
        dialog.show()
        self.on_dialog(dialog)
        dialog.reject()
        return False


class Camera:
    """The window, offscreen, with a workspace open."""

    def __init__(self, workspace: Path | None = None, *, wait: float = 15) -> None:
        from app import bootstrap

        self._app = bootstrap.make_application(["grab"])
        self.dialogs = PicturedDialogs()
        self.running = bootstrap.build(self._app, dialogs=self.dialogs)
        self._wait = wait
        self.running.window.show()
        if workspace is not None:
            self.running.switch.open(workspace)
            self.settle(lambda: self.running.switch.current is not None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.running.close()
        self.running.window.deleteLater()

    def settle(self, until: Any = lambda: True) -> None:
        """Let events run until nothing is under way and every plot shows what it was fed."""
        from app.widgets.plots.monitor_grid import MonitorGrid

        end = time.monotonic() + self._wait
        quiet = 0
        while time.monotonic() < end and quiet < 12:
            self._app.processEvents()
            drawn = all(grid.settled for grid in self.running.window.findChildren(MonitorGrid))
            drawn = drawn and not any(queue.busy for queue in self.running.window.findChildren(IdleQueue))
            quiet = (
                quiet + 1
                if drawn and not self.running.tasks.busy and self.running.context.theme.settled and until()
                else 0
            )

    def take(
        self,
        path: Path,
        place: str,
        size: tuple[int, int],
        theme: str = "light",
        *,
        zoom: int = 100,
        item: dict[str, Any] | None = None,
    ) -> Path:
        """Show a place and write the picture."""
        self.show(place, size, theme, zoom=zoom, item=item)
        return self.save(path)

    def show(
        self,
        place: str,
        size: tuple[int, int],
        theme: str = "light",
        *,
        zoom: int = 100,
        item: dict[str, Any] | None = None,
    ) -> None:
        """Show a place."""
        window = self.running.window
        self.running.context.settings.set("look.theme", theme)
        self.running.context.settings.set("look.zoom", zoom)
        window.resize(*size)
        self.settle()  # a page that is made while the text size changes would keep the old font
        window.navigate(place, **(item or {}))
        self.settle()

    def show_tab(self, title: str) -> None:
        """Show the tab of the page in front whose title starts so."""
        for tabs in self.running.window.findChildren(QTabWidget):
            for place in range(tabs.count()):
                if tabs.isVisible() and tabs.tabText(place).startswith(title):
                    tabs.setCurrentIndex(place)
        self.settle()

    def take_after(self, action_id: str, path: Path) -> Path:
        """Run an action and write the picture of the dialog that it opens, else that of the window."""
        pictured: list[QDialog] = []

        def picture(dialog: QDialog) -> None:
            pictured.append(dialog)
            self.settle()
            self.save(path, dialog)

        self.dialogs.on_dialog = picture
        self.running.context.actions.run(action_id)
        self.settle()
        return path if pictured else self.save(path)

    def save(self, path: Path, widget: QWidget | None = None) -> Path:
        """Write the picture of a widget, else that of the window."""
        window = self.running.window
        for button in window.rail.places.values():  # the offscreen mouse rests on the first one
            button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
        path.parent.mkdir(parents=True, exist_ok=True)
        (widget or window).grab().save(str(path))
        return path


if __name__ == "__main__":
    main()
