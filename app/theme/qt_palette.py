"""A QPalette from design tokens, so that what the style sheet leaves to Fusion has our colours too."""

from __future__ import annotations

from PySide6.QtGui import QPalette

from app.theme.theme_file import Tokens

_ROLES = {
    QPalette.ColorRole.Window: "window",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "surface",
    QPalette.ColorRole.AlternateBase: "window",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "text3",
    QPalette.ColorRole.Button: "surface",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "bad",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.Light: "raised",
    QPalette.ColorRole.Midlight: "border",
    QPalette.ColorRole.Mid: "border",
    QPalette.ColorRole.Dark: "border_strong",
    QPalette.ColorRole.Shadow: "sunken",
}
_DISABLED = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


def make_palette(tokens: Tokens) -> QPalette:
    """Return the palette of ``tokens``; disabled text is ``text3``, still readable."""
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, tokens.colour(name))
    for role in _DISABLED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, tokens.colour("text3"))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, tokens.colour("border"))
    return palette


OUTLINED = ("QCheckBox", "QRadioButton", "QComboBox", "QAbstractSpinBox", "QSlider", "QGroupBox")
"""Controls left to Fusion, which draws their outline as the window colour made 1.4 times darker."""


def make_control_palette(tokens: Tokens) -> QPalette:
    """Return the palette of the ``OUTLINED`` controls: their outline comes out as ``border_strong`` (3:1 or more)."""
    palette = make_palette(tokens)
    palette.setColor(QPalette.ColorRole.Window, tokens.colour("border_strong").lighter(140))
    return palette
