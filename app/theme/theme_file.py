"""Design tokens: the named colours of a theme, read from ``resources/themes/*.json`` and checked when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QColor

_SURFACES = ("window", "surface", "raised", "sunken", "border", "border_strong")
_TEXT = ("text", "text2", "text3", "accent", "on_accent", "accent_soft", "focus")
_STATES = ("ok", "ok_soft", "warn", "warn_soft", "bad", "bad_soft", "diff_a", "diff_b", "find")
_PLOTS = (
    "plot_chosen",
    "plot_rejected",
    "plot_margin",
    "plot_kl",
    "plot_loss",
    "plot_accuracy",
    "plot_held_out",
    "grid",
)
_CODE = ("code_keyword", "code_string", "code_comment", "code_number", "code_name", "code_operator")
COLOUR_NAMES: tuple[str, ...] = _SURFACES + _TEXT + _STATES + _PLOTS + _CODE


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme.

    Attributes:
        name: machine name, also the file's stem.
        title: its name on the settings page.
        dark: whether text is lighter than what it stands on.
        colours: token name -> ``#RRGGBB``.
    """

    name: str
    title: str
    dark: bool
    colours: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.colours[name]

    def colour(self, name: str, alpha: float = 1.0) -> QColor:
        """Return a token as a colour; ``alpha`` 0..1."""
        colour = QColor(self.colours[name])
        colour.setAlphaF(alpha)
        return colour

    def blend(self, front: str, back: str, share: float) -> QColor:
        """Return ``share`` of token ``front`` over token ``back``, opaque (a translucent pen draws 20 times slower)."""
        over, under = _channels(self.colours[front]), _channels(self.colours[back])
        return QColor(*(round(share * x + (1 - share) * y) for x, y in zip(over, under, strict=True)))


def load_tokens(path: Path) -> Tokens:
    """Read one theme file.

    Raises:
        ValueError: when a token is missing, unknown or no colour, so that a typo fails in the tests.
    """
    plain = json.loads(path.read_text(encoding="utf-8"))
    colours: dict[str, str] = plain["colours"]
    if wrong := set(COLOUR_NAMES) ^ set(colours):
        raise ValueError(f"{path.name}: missing or unknown tokens {sorted(wrong)}")
    if bad := [name for name, value in colours.items() if not QColor.isValidColorName(value)]:
        raise ValueError(f"{path.name}: not a colour: {bad}")
    return Tokens(plain["name"], plain["title"], bool(plain["dark"]), colours)


def luminance(colour: str) -> float:
    """Return the relative luminance 0..1 of a colour (WCAG 2.2)."""
    channels = (value / 255 for value in _channels(colour))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of a colour, each 0 to 255."""
    parsed = QColor(colour)
    return parsed.red(), parsed.green(), parsed.blue()
