"""Pictures of formulas in the colours of the theme, drawn by ziamath on a thread of the pool, kept for a while.

A formula that ziamath does not know in full is not drawn: its source is shown. Whether it was drawn in full is
checked on what ziamath read: every letter, digit and sign of the source must be in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any
from xml.etree import ElementTree

from PySide6.QtCore import QByteArray, QObject, QRectF, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

KEPT = 600
LARGEST_PX = 3000
SCALE = 1.2
"""The fonts of text are larger to the eye than the font of formulas at the same size."""
X_HEIGHT = 0.52
"""Of the text size; Qt sets the middle of a picture at half the height of an x."""
SCHEME = "formula:"
_SAME = str.maketrans({"−": "-", "∗": "*", "′": "'", "∣": "|", "∶": ":", "‖": "|", "⋅": "·", "ϵ": "ε", "ϕ": "φ"})
_STRUCTURE = re.compile(
    r"\\begin\{array\}\s*\{[^}]*\}|\\(?:begin|end)\{[^}]*\}"
    r"|\\(?:left|right|[bB]igg?[lrm]?)\s*\.|\\\\(?:\[[^\]]*\])?|\\[,;:! ]"
    r"|\\[A-Za-z]+\*?"
)
_SIGNS = "=+-*/<>!?;:,.|()[]"

Drawn = tuple[QImage, int, int]
"""A picture, and its width and height in pixels of the window."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula to be drawn: its LaTeX, whether on a line of its own, text size in pixels, colour as "#rrggbb"."""

    tex: str
    display: bool
    px: int
    colour: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn formula; ``name`` is what a document asks for, width and height are in pixels of the window."""

    name: str
    image: QImage
    width: int
    height: int


class Formulas(QObject):
    """Draws formulas ahead of need and keeps the pictures.

    Signals:
        drawn(): pictures that were wanted are there.
    """

    drawn = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[Formula, Picture | None] = OrderedDict()
        self._by_name: dict[str, Picture] = {}
        self._asked: set[Formula] = set()
        self._number = 0
        self._one_at_a_time = Lock()
        self._run: Callable[[Callable[[], Any], Callable[[Any], object]], object] = lambda work, done: done(work())

    def draw_with(self, run: Callable[[Callable[[], Any], Callable[[Any], object]], object]) -> None:
        """Draw by ``run(work, done)`` instead of at once; ``done`` is called with the result on the UI thread."""
        self._run = run

    def picture(self, formula: Formula) -> Picture | None:
        """Return the picture, or None where there is none (yet)."""
        if formula in self._kept:
            self._kept.move_to_end(formula)
        return self._kept.get(formula)

    def is_known(self, formula: Formula) -> bool:
        """Whether it was drawn, or found to be one that cannot be drawn in full."""
        return formula in self._kept

    def named(self, name: str) -> QImage | None:
        """Return the picture that a document asks for."""
        found = self._by_name.get(name)
        return None if found is None else found.image

    def want(self, formulas: Iterable[Formula]) -> None:
        """Draw what is neither kept nor under way; ``drawn`` follows."""
        missing = [f for f in dict.fromkeys(formulas) if f not in self._kept and f not in self._asked]
        if not missing:
            return
        self._asked.update(missing)
        ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0

        def work() -> list[Drawn | None]:
            with self._one_at_a_time:  # ziamath keeps state between its calls
                return [draw(formula, ratio) for formula in missing]

        self._run(work, lambda made: self._take(missing, made))

    def _take(self, formulas: list[Formula], made: list[Drawn | None]) -> None:
        for formula, result in zip(formulas, made, strict=True):
            self._asked.discard(formula)
            picture = None
            if result is not None:
                self._number += 1
                picture = Picture(f"{SCHEME}{self._number}", *result)
                self._by_name[picture.name] = picture
            self._kept[formula] = picture
        while len(self._kept) > KEPT:
            _, old = self._kept.popitem(last=False)
            if old is not None:
                self._by_name.pop(old.name, None)
        self.drawn.emit()


def draw(formula: Formula, ratio: float) -> Drawn | None:
    """Return the picture with its width and height in pixels of the window; None where it cannot be drawn in full."""
    try:
        import ziafont  # takes a quarter of a second, and only texts with formulas need it
        import ziamath  # likewise

        ziafont.config.svg2 = False
        made = ziamath.Latex(formula.tex, size=SCALE * formula.px, inline=not formula.display, color=formula.colour)
        read = _words_of(made.mathml)
        svg, (width, height), below = made.svg(), made.getsize(), -made.getyofst()
        if not is_complete(formula.tex, read) or svg.count("<path") < sum(map(str.isalnum, read)):
            return None
    except Exception:  # noqa: BLE001 - ziamath raises what its parsers raise; the source is shown then
        return None
    return _paint(svg, width, height, below, formula.px, ratio)


def is_complete(tex: str, read: str) -> bool:
    """Whether the text of the MathML that was read from ``tex`` has all letters, digits and signs of it.

    >>> is_complete("a+b", "a+b"), is_complete(r"\\\\foo{a}", r"\\\\fooa"), is_complete(r"\\\\color{red}a", "a")
    (True, False, False)
    """
    if "\\" in read:
        return False
    wanted = Counter(_kept_signs(_STRUCTURE.sub(" ", tex)))
    return not wanted - Counter(_kept_signs(read))


def _kept_signs(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME)
    return "".join(sign for sign in plain if sign.isalnum() or sign in _SIGNS)


def _words_of(mathml: Any) -> str:
    element = ElementTree.fromstring(mathml) if isinstance(mathml, str) else mathml
    return "".join(element.itertext())


def _paint(
    svg: str, width: float, height: float, below: float, px: int, ratio: float
) -> tuple[QImage, int, int] | None:
    """Paint the drawing with so much room above or below that its baseline is that of the line it stands in."""
    above, x_height = height - below, X_HEIGHT * px
    top = max(0.0, below + x_height / 2 - above)
    bottom = max(0.0, above - x_height / 2 - below)
    wide, high = max(1, round(width + 1)), max(1, round(height + top + bottom))
    if wide > LARGEST_PX or high > LARGEST_PX:
        return None
    image = QImage(max(1, round(wide * ratio)), max(1, round(high * ratio)), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, top * ratio, width * ratio, height * ratio))
    painter.end()
    return image, wide, high
