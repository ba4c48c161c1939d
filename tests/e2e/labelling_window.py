"""The real window as a process that labels by keyboard until killed; prints each judgement it showed as saved.

``python -m tests.e2e.labelling_window WORKSPACE REVIEWER_ID``
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import bootstrap
from app.dialogs import Dialogs

VERDICTS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_6, Qt.Key.Key_7)


class Typist:
    """Presses a verdict and Enter whenever a pair is on the screen, and Ctrl+Z now and then."""

    def __init__(self, running: Any) -> None:
        self._running = running
        self._keys = itertools.cycle(VERDICTS)
        self._count = 0
        running.window.navigate("annotate")
        self.page = running.window.page("annotate")
        self._told = 0
        self.page.controller.signals.steps_changed.connect(self._tell)

    def _tell(self) -> None:
        """Print the newest judgement, once it was shown as saved; after an undo there is none to be told."""
        newest = next(iter(self.page.state.recent_ids), 0)
        if newest > self._told:
            self._told = newest
            print(newest, flush=True)

    def press(self) -> None:
        """Label the pair that is shown."""
        page, window = self.page, self._running.window
        if page.state.presentation is None or page.state.saving:
            return
        QApplication.setActiveWindow(window)
        page.first_focus().setFocus()
        self._count += 1
        if self._count % 9 == 0:
            QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
            return
        QTest.keyClick(window, next(self._keys))
        QTest.keyClick(window, Qt.Key.Key_Return)


def main(workspace: Path, reviewer_id: int) -> int:
    """Open the window and label until killed."""
    app = bootstrap.make_application([])
    running = bootstrap.build(app, dialogs=Dialogs())
    running.window.show()
    timer = QTimer()
    typists = []  # Qt keeps no reference to the object of a connected method

    def begin() -> None:
        if running.tasks.busy:  # the window still reads who labelled last
            return
        timer.timeout.disconnect(begin)
        running.window.context.session.set_reviewer(reviewer_id, "mira")
        typists.append(Typist(running))
        timer.timeout.connect(typists[0].press)
        print("ready", flush=True)

    timer.timeout.connect(begin)
    running.switch.switched.connect(lambda *_: timer.start(1))
    running.switch.open(workspace)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
