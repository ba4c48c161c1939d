"""Text from outside stays text where Qt would guess that it is markup: in tooltips and in questions."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.dialogs import Dialogs
from app.widgets.labels import Chip, ElideLabel, plain_tip
from app.widgets.question_dialog import QuestionDialog

HOSTILE = "<b>bold</b> <img src='file:///etc/passwd'>"


def test_that_a_tooltip_shows_markup_as_it_is_written():
    assert "&lt;b&gt;" in plain_tip(HOSTILE) and "<img" not in plain_tip(HOSTILE)
    assert plain_tip("a < b & c") == "a < b & c"


def test_that_labels_escape_their_tooltips(qtbot):
    chip, label = Chip("x", tooltip=HOSTILE), ElideLabel(HOSTILE)
    for widget in (chip, label):
        qtbot.addWidget(widget)
    label.resize(20, 20)
    label.grab()
    for widget in (chip, label):
        assert "<img" not in widget.toolTip() and "&lt;img" in widget.toolTip()


def test_that_every_line_of_a_question_is_plain_text(qtbot, theme):
    window, formats = QWidget(), []
    qtbot.addWidget(window)

    def look() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QuestionDialog)
        formats.extend(label.textFormat() for label in box.findChildren(QLabel) if HOSTILE in label.text())
        box.close()

    QTimer.singleShot(0, look)
    dialogs = Dialogs()
    dialogs.attach(window, theme)
    dialogs.ask("Title", HOSTILE, ["OK", "Cancel"], detail=HOSTILE)
    assert formats == [Qt.TextFormat.PlainText, Qt.TextFormat.PlainText]
