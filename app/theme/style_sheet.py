"""The style sheet: ``resources/themes/base.qss`` with tokens and the text zoom filled in.

In the template ``@name`` is a colour token and ``13zpx`` a length that grows with the text zoom;
plain ``px`` stays as it is (borders, radii).
"""

from __future__ import annotations

import re

from app.theme.theme_file import Tokens

_TOKEN = re.compile(r"@([a-z_0-9]+)")
_LENGTH = re.compile(r"(\d+)zpx")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def render_style_sheet(template: str, tokens: Tokens, zoom: float, extra: dict[str, str] | None = None) -> str:
    """Return the style sheet for one theme and zoom (1.0 = 100 %).

    Raises:
        KeyError: when the template names a token that does not exist.
    """
    names = {**tokens.colours, **(extra or {})}
    bare = _COMMENT.sub("", template)
    coloured = _TOKEN.sub(lambda match: names[match.group(1)], bare)
    return _LENGTH.sub(lambda match: f"{max(1, round(int(match.group(1)) * zoom))}px", coloured)
