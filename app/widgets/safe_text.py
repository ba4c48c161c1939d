"""The only widget that shows long text from outside: rendered Markdown without HTML, its source, or word differences.

Nothing is ever loaded: no image, no style sheet, no link. Hidden and direction-changing characters become
visible chips, endless words are broken, and very long texts show their beginning until asked for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QGuiApplication,
    QImage,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QMenu, QTextBrowser, QTextEdit

from app.theme.formulas import Formula
from app.theme.theme import Theme
from app.widgets.display import PICTURE, SHOW_AT_FIRST, Mark
from app.widgets.formula_text import find_formulas
from app.widgets.formulas_in_source import plain_formulas
from app.widgets.growing_text import GrowingText
from app.widgets.mark_notes import MarkNotes
from app.widgets.rendering import Mode, Rendered, look_of, render
from app.widgets.text_places import TextPlaces, document_ranges, stored_range
from app.widgets.word_diff import Marks

WIDEST_LINE = 92
"""Characters a line may have; wider panes keep a margin at the right."""


class SafeText(QTextBrowser):
    """Shows one text.

    ``cut_changed(bool)`` tells whether only the beginning is shown, ``rendered(Rendered)`` what is shown now
    (hidden characters, a note for the reader). Only plain text can be copied out of it.
    """

    cut_changed = Signal(bool)
    rendered = Signal(object)

    def __init__(self, theme: Theme, name: str, *, size: int = 14, mode: Mode = "rendered") -> None:
        super().__init__()
        self._theme, self._size = theme, size
        self._mode: Mode = mode
        self._marks: Marks | None = None
        self._extra: tuple[Mark, ...] = ()
        self._all = False
        self._shown: Rendered | None = None
        self.setAccessibleName(name)
        self.setProperty("safe", "true")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(2)
        self._growing = GrowingText(self)
        self._notes = MarkNotes(self, theme)
        theme.follow(self._render_again)
        theme.formulas.drawn.connect(self._take_formulas)

    @property
    def text_shown(self) -> str:
        """The stored text, not what is displayed."""
        return self._shown.stored if self._shown else ""

    @property
    def mode(self) -> Mode:
        """The current mode."""
        return self._mode

    @property
    def has_hidden_characters(self) -> bool:
        """Whether the text holds characters that are normally invisible."""
        return bool(self._shown and self._shown.hidden)

    @property
    def cut_off(self) -> int:
        """How many characters at the end are not shown yet."""
        return self._shown.cut if self._shown else 0

    @property
    def formulas_shown(self) -> tuple[str, ...]:
        """The sources of the formulas that are shown as pictures, in order."""
        return self._shown.drawn if self._shown else ()

    @property
    def mark_notes(self) -> list[str]:
        """The words of the chips behind marks, in the order of the text."""
        return self._notes.shown

    @property
    def note(self) -> str:
        """Why the text is shown in another mode than asked for, or empty."""
        return self._shown.note if self._shown else ""

    def set_text(
        self, text: str, *, mode: Mode | None = None, marks: Marks | None = None, extra: Sequence[Mark] | None = None
    ) -> None:
        """Show a text.

        Args:
            text: as it is stored.
            mode: how to show it; None keeps the mode.
            marks: the parts that only this text has (for the mode "diff").
            extra: further marks, as :meth:`set_extra_marks` takes them; None keeps those there are.
        """
        self._marks, self._all = marks, False
        self._extra = self._extra if extra is None else tuple(extra)
        self._mode = mode or self._mode
        self._render(text)
        self.verticalScrollBar().setValue(0)

    def set_mode(self, mode: Mode, marks: Marks | None = None) -> None:
        """Show the same text in another way and keep the place."""
        place = self.verticalScrollBar().value()
        self._mode, self._marks = mode, marks if marks is not None else self._marks
        self._render(self.text_shown)
        self.verticalScrollBar().setValue(place)

    def set_extra_marks(self, marks: Sequence[Mark]) -> None:
        """Mark further parts: search hits and spans."""
        if tuple(marks) != self._extra:
            self._extra = tuple(marks)
            self._render_again()

    def set_size(self, size: int) -> None:
        """Change the text size, in design pixels."""
        self._size = size
        self._render_again()

    def let_keyboard_select(self) -> None:
        """Show a cursor that the arrow keys move; with Shift they select."""
        flags = Qt.TextInteractionFlag
        self.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)

    def go_to_line(self, line: str) -> bool:
        """Bring the paragraph that reads exactly ``line`` to the top; returns whether there is one."""
        block = self.document().begin()
        while block.isValid():
            if block.text() == line:
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(round(top))
                return True
            block = block.next()
        return False

    def show_all(self) -> None:
        """Show the whole of a very long text; what is added is laid out in parts, so that the window goes on."""
        self._all = True
        self._render_again()

    def expect(self, text: str) -> None:
        """Draw the formulas of a text that will be shown soon, if it will be shown with them."""
        if self._mode not in ("rendered", "formulas"):
            return
        text, look = text[:SHOW_AT_FIRST], look_of(self._theme, self._size)
        plain = self._mode == "formulas"
        found = [one for _, one in plain_formulas(text)] if plain else find_formulas(text)
        self._theme.formulas.want(Formula(one.tex, one.display, look.text_px, look["text"]) for one in found)

    def copy_all(self) -> None:
        """Copy the whole stored text."""
        QGuiApplication.clipboard().setText(self.text_shown)

    def selected_range(self) -> tuple[int, int] | None:
        """Return the selection as offsets of the stored text, or None when nothing of it is selected."""
        cursor = self.textCursor()
        if not cursor.hasSelection() or self._shown is None:
            return None
        if (display := self._shown.display) is None:
            drawn = self.document().toPlainText()
            places = TextPlaces(drawn)
            part = places.to_python(cursor.selectionStart()), places.to_python(cursor.selectionEnd())
            return stored_range(self.text_shown, drawn, part)
        places = TextPlaces(display.text)
        start = display.to_stored(places.to_python(cursor.selectionStart()))
        end = display.to_stored(places.to_python(cursor.selectionEnd()))
        return (start, end) if start < end else None

    def scroll_to(self, offset: int) -> None:
        """Bring the line with a character of the stored text to the top; in the source only."""
        if self._shown is None or (display := self._shown.display) is None:
            return
        block = self.document().findBlock(TextPlaces(display.text).to_qt(display.to_shown(offset)))
        top = self.document().documentLayout().blockBoundingRect(block).top() - self.document().documentMargin()
        self.verticalScrollBar().setValue(round(top))

    def loadResource(self, kind: int, name: QUrl | str) -> Any:  # noqa: ARG002 - Qt passes it
        """Give the picture of a formula that was drawn here, and an empty one for every other resource.

        Returning nothing would let Qt open the file itself.
        """
        drawn = self._theme.formulas.named(QUrl(name).toString())
        return QImage(1, 1, QImage.Format.Format_ARGB32) if drawn is None else drawn

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copy plain text only."""
        mime, shown = QMimeData(), self._shown
        if shown is not None and shown.display is not None and not shown.hidden:
            start, end = self.selected_range() or (0, 0)
            mime.setText(shown.stored[start:end])
        else:
            mime.setText(self._with_formulas(self.textCursor().selection().toPlainText()))
        return mime

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer copying and selecting only."""
        menu = QMenu(self)
        copy = menu.addAction("Copy")
        copy.setEnabled(self.textCursor().hasSelection())
        copy.triggered.connect(self.copy)
        menu.addAction("Copy the whole text").triggered.connect(self.copy_all)
        menu.addAction("Select all").triggered.connect(self.selectAll)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def event(self, event: QEvent) -> bool:
        """Leave single keys to the window's actions: nothing can be typed here."""
        if event.type() == QEvent.Type.ShortcutOverride:
            own = (QKeySequence.StandardKey.Copy, QKeySequence.StandardKey.SelectAll)
            if not any(event.matches(key) for key in own):  # type: ignore[attr-defined]
                event.ignore()
                return False
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the chips behind marks over the room that the text leaves for them."""
        super().paintEvent(event)
        self._notes.paint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep lines readable in wide panes."""
        super().resizeEvent(event)
        self.fit_lines()

    def fit_lines(self) -> None:
        """Break the lines at the width of now, or at the widest readable one."""
        widest = WIDEST_LINE * self.fontMetrics().averageCharWidth()
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(max(40, min(self.viewport().width(), widest)))

    def _with_formulas(self, selected: str) -> str:
        """Return a selected text with the source of each formula in place of its picture."""
        if self._shown is None or PICTURE not in selected:
            return selected
        before = self.document().toPlainText()[: self.textCursor().selectionStart()].count(PICTURE)
        sources = iter(self._shown.drawn[before:])
        return "".join(next(sources, PICTURE) if sign == PICTURE else sign for sign in selected)

    def _take_formulas(self) -> None:
        """Show the pictures that this text waited for."""
        formulas, shown = self._theme.formulas, self._shown
        if shown is not None and any(formulas.picture(wanted) is not None for wanted in shown.wanted):
            self._render_again()

    def _render_again(self) -> None:
        place = self.verticalScrollBar().value()
        if self._shown is not None:
            self._render(self._shown.stored)
        self.verticalScrollBar().setValue(place)

    def _render(self, text: str) -> None:
        limit = None if self._all else SHOW_AT_FIRST
        look = look_of(self._theme, self._size)
        formulas = self._theme.formulas
        made = render(text, self._mode, look, marks=self._marks, extra=self._extra, limit=limit, formulas=formulas)
        self._put(made)
        formulas.want(made.wanted)

    def _put(self, rendered: Rendered) -> None:
        self._shown = rendered
        font = self._theme.font(self._size)
        if self.document().defaultFont() != font:  # setting it lays out everything again
            self.setFont(font)
            self.document().setDefaultFont(font)
        grew = False
        if rendered.display is None:
            self._growing.stop()
            self.setHtml(rendered.html)
            self._mark_rendered(rendered)
        else:
            grew = self._put_plain(rendered, rendered.display.text)
        self._notes.place(self._in_document(rendered, [mark for mark in self._extra if mark.notes]))
        if not grew:  # it lays out everything again
            self.fit_lines()
        self.cut_changed.emit(rendered.cut > 0)
        self.rendered.emit(rendered)

    def _mark_rendered(self, rendered: Rendered) -> None:
        """Mark in the drawn text what is marked in the stored one."""
        cursor = QTextCursor(self.document())
        for mark, start, end in self._in_document(rendered, self._extra):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(self._format(mark.kind))

    def _in_document(self, rendered: Rendered, marks: Sequence[Mark]) -> list[tuple[Mark, int, int]]:
        """Return marks with Qt's offsets in the document, without those that are not seen."""
        ranges = [(mark.start, mark.end) for mark in marks]
        drawn = self.document().toPlainText() if marks else ""
        found = document_ranges(rendered.stored, rendered.display, drawn, ranges)
        return [(mark, *part) for mark, part in zip(marks, found, strict=True) if part is not None]

    def _put_plain(self, rendered: Rendered, text: str) -> bool:
        """Show a text; return whether only more of the same text is added."""
        formats = {kind: self._format(kind) for kind in {span.kind for span in rendered.spans}}
        self.setCurrentCharFormat(QTextCharFormat())
        return self._growing.show(text, rendered.spans, formats, rendered.pictures)

    def _format(self, kind: str) -> QTextCharFormat:
        tokens = self._theme.tokens
        ground = {
            "a": "diff_a",
            "b": "diff_b",
            "find": "find",
            "chip": "warn_soft",
            "good": "ok_soft",
            "bad": "bad_soft",
            "out": "diff_a",
            "in": "diff_b",
        }
        made = QTextCharFormat()
        if kind == "strong":
            made.setFontWeight(QFont.Weight.DemiBold)
            made.setForeground(tokens.colour("text2"))
            return made
        made.setBackground(tokens.colour(ground.get(kind, "accent_soft")))
        if kind == "chip":
            made.setForeground(tokens.colour("warn"))
        elif kind == "out":
            made.setFontStrikeOut(True)
        elif kind != "find":
            made.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
            made.setUnderlineColor(tokens.colour("text"))
        return made
