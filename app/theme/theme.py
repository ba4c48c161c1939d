"""The theme: colours, fonts and sizes. A change restyles what is shown first, then the rest in slices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from app.theme.formulas import Formulas
from app.theme.icons import Icons
from app.theme.qt_palette import OUTLINED, make_control_palette, make_palette
from app.theme.style_sheet import render_style_sheet
from app.theme.styled_roots import Sheet, StyledRoots
from app.theme.theme_file import Tokens, load_tokens

CHOICES = ("auto", "light", "dark", "high_contrast")
ZOOM_STEPS = (80, 90, 100, 110, 125, 150, 175, 200)
TEXT_FAMILIES = ("Inter", "DejaVu Sans")
MONO_FAMILIES = ("JetBrains Mono", "DejaVu Sans Mono")
BODY_PX = 13
STYLE = "fusion"


class Theme(QObject):
    """Tokens, fonts and icons of the running window.

    ``changed`` fires after colours or sizes changed and what is shown has its new style sheet; widgets that paint
    with tokens themselves call ``update()`` on it. Those that have more to do use :meth:`follow`. A choice that leaves
    colours and sizes as they are is not told.
    """

    changed = Signal()

    def __init__(self, app: QApplication, resources: Path) -> None:
        super().__init__(app)
        self._app = app
        self._themes = {p.stem: load_tokens(p) for p in sorted((resources / "themes").glob("*.json"))}
        self._template = (resources / "themes" / "base.qss").read_text(encoding="utf-8")
        self._choice, self._percent = "auto", 100
        self._tokens = self._themes["light"]
        self._set_colours: Tokens | None = None
        self.icons = Icons(resources / "icons", lambda: self._tokens)
        self.formulas = Formulas(self)
        self._roots = StyledRoots(self, self.icons)
        self._roots.shown_styled.connect(self.changed)
        if app.style().name() != STYLE and (style := QStyleFactory.create(STYLE)):  # setting it polishes every widget
            app.setStyle(style)
        app.styleHints().colorSchemeChanged.connect(self._system_changed)

    @property
    def tokens(self) -> Tokens:
        """The current colours."""
        return self._tokens

    @property
    def choice(self) -> str:
        """The setting: one of ``CHOICES``."""
        return self._choice

    @property
    def zoom(self) -> float:
        """Text zoom, 1.0 = 100 %."""
        return self._percent / 100

    def px(self, length: float) -> int:
        """Return a length of the design in pixels at the current zoom."""
        return max(1, round(length * self.zoom))

    def font(self, size: int = BODY_PX, *, weight: QFont.Weight = QFont.Weight.Normal, mono: bool = False) -> QFont:
        """Return the text (or fixed-width) font of a design size in pixels, zoomed."""
        font = QFont(list(MONO_FAMILIES if mono else TEXT_FAMILIES))
        font.setPixelSize(self.px(size))
        font.setWeight(weight)
        if mono:
            font.setStyleHint(QFont.StyleHint.Monospace)
        return font

    def fit_icon(self, widget: QWidget) -> None:
        """Give a button with the property ``icon_px`` the icon size of the present zoom."""
        self._roots.fit_icon(widget)

    def fit_part(self, part: QWidget) -> None:
        """Give a part that was made and put into a styled page later, and all in it, icons as they are now."""
        self._roots.fit_part(part)

    def style(self, root: QWidget) -> None:
        """Give a widget and all in it the style sheet, now and after each change of the theme.

        Call it for each part of the window, page and dialog, once it is put together and has its parent.
        """
        self._roots.add(root)

    def style_windows_of(self, page: QWidget) -> None:
        """Style dialogs, menus and popups of a page whose parts carry the sheet, and not the page itself."""
        self._roots.add_windows_of(page)

    def follow(self, restyle: Callable[[], object]) -> None:
        """Call a method of a widget after each change of the theme: one method in each turn of the event loop.

        Methods of widgets that are shown come first.
        """
        self._roots.follow(restyle)

    @property
    def settled(self) -> bool:
        """Whether every widget follows the theme as it is now."""
        return not self._roots.queue.busy

    def apply(self, choice: str, percent: int) -> None:
        """Apply a theme choice and a text zoom in percent, and restyle the application."""
        self._choice = choice if choice in CHOICES else "auto"
        self._percent = min(200, max(80, int(percent)))
        self._restyle()

    def _system_changed(self, *_: object) -> None:
        if self._choice == "auto":
            self._restyle()

    def _resolve(self) -> Tokens:
        if self._choice != "auto":
            return self._themes[self._choice]
        hints = self._app.styleHints()
        if _wants_contrast(hints):
            return self._themes["high_contrast"]
        return self._themes["dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"]

    def _restyle(self) -> None:
        self._tokens = self._resolve()
        extra = {"mono": _quoted(MONO_FAMILIES), "sans": _quoted(TEXT_FAMILIES)}
        sheet = Sheet(render_style_sheet(self._template, self._tokens, self.zoom, extra), self.zoom)
        if self._tokens is self._set_colours and sheet == self._roots.sheet:
            return  # the system's theme is the one that was chosen
        self.icons.take_colours()
        if self._tokens is not self._set_colours:  # each palette is handed to every widget
            self._set_palettes()
        if self._app.font() != self.font():
            self._app.setFont(self.font())
        self._roots.take(sheet)

    def _set_palettes(self) -> None:
        self._set_colours = self._tokens
        self._app.setPalette(make_palette(self._tokens))
        controls = make_control_palette(self._tokens)
        for name in OUTLINED:
            QApplication.setPalette(controls, name)  # pyright: ignore[reportArgumentType] - the stub wants bytes, PySide6 text


def _quoted(families: tuple[str, ...]) -> str:
    known = set(QFontDatabase.families())
    present = [name for name in families if name in known] or list(families[-1:])
    return ", ".join(f'"{name}"' for name in present)


def _wants_contrast(hints: object) -> bool:
    """Whether the system asks for high contrast; older Qt cannot say."""
    accessibility = getattr(hints, "accessibility", None)
    if accessibility is None:
        return False
    preference = accessibility().contrastPreference()
    return preference == Qt.ContrastPreference.HighContrast
