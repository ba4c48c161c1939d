"""Every single key of the catalog is reached on the keyboards of the world, by its letter or by its place.

Each table gives what a layout prints without Shift on the keys of a US keyboard, row by row (xkeyboard-config).
"""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from app.actions.catalog import CATALOG
from app.actions.physical_keys import is_other_script, meant_by

PLACES = ("1234567890", "QWERTYUIOP[]", "ASDFGHJKL;'", "ZXCVBNM,./")
CODES = (10, 24, 38, 52)
"""X11 code of the first key of each row."""
LAYOUTS = {
    "US": ("1234567890", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"),
    "AZERTY": ("&é\"'(-è_çà", "azertyuiop^$", "qsdfghjklmù", "wxcvbn,;:!"),
    "QWERTZ": ("1234567890", "qwertzuiopü+", "asdfghjklöä", "yxcvbnm,.-"),
    "Cyrillic": ("1234567890", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю."),
    "Greek": ("1234567890", ";ςερτυθιοπ[]", "ασδφγηξκλ´'", "ζχψωβνμ,./"),
    "Dvorak": ("1234567890", "',.pyfgcrl/=", "aoeuidhtns-", ";qjkxbmwvz"),
    "Hebrew": ("1234567890", "/'קראטוןםפ][", "שדגכעיחלךף,", "זסבהנמצתץ."),
    "Turkish": ("1234567890", "qwertyuıopğü", "asdfghjklşi", "zxcvbnmöç."),
    "Czech": ("+ěščřžýáíé", "qwertzuiopú)", "asdfghjklů§", "yxcvbnm,.-"),
}
DEAD = {("AZERTY", "^"): Qt.Key.Key_Dead_Circumflex, ("Greek", "´"): Qt.Key.Key_Dead_Acute}
SINGLE = sorted({key for spec in CATALOG for key in spec.keys if len(key) == 1 and key.isalnum()})


def events(layout: str) -> dict[str, QKeyEvent]:
    """Return place -> the event that Qt makes of the key there."""
    made = {}
    for row, (places, printed) in enumerate(zip(PLACES, LAYOUTS[layout], strict=True)):
        for step, (place, sign) in enumerate(zip(places, printed, strict=True)):
            key = int(DEAD.get((layout, sign), ord(sign.upper()[:1])))
            text = "" if (layout, sign) in DEAD else sign
            none = Qt.KeyboardModifier.NoModifier
            made[place] = QKeyEvent(QEvent.Type.KeyPress, key, none, CODES[row] + step, 0, 0, text)
    return made


def reached(layout: str, sign: str) -> list[str]:
    """Return the places whose key does what the catalog's key ``sign`` does."""
    keys = events(layout)
    latin = not any(is_other_script(event.key()) for event in keys.values())
    return [
        place
        for place, event in keys.items()
        if (meant_by(event, "xcb", latin=latin) or chr(event.key() if event.key() < 0x110000 else 0)) == sign
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sign", SINGLE)
def test_that_each_key_is_reached_by_one_key_of_the_layout(layout: str, sign: str) -> None:
    places = reached(layout, sign)
    if layout == "Turkish" and sign == "I":
        assert places == ["I", "'"]  # dotless and dotted i
        return
    printed = [place for place, event in events(layout).items() if event.text().upper() == sign]
    assert places == (printed or [sign])


@pytest.mark.parametrize(
    ("layout", "back", "on"),
    [
        *((name, "[", "]") for name in ("US", "AZERTY", "QWERTZ", "Cyrillic", "Greek", "Turkish")),
        ("Hebrew", "]", "["),  # printed the other way round there
    ],
)
def test_that_the_pair_before_and_the_next_one_are_reached(layout: str, back: str, on: str) -> None:
    assert (reached(layout, "["), reached(layout, "]")) == ([back], [on])


def test_that_signs_of_dvorak_stay_signs_at_the_places_of_letters() -> None:
    keys = events("Dvorak")
    assert [meant_by(keys[place], "xcb") for place in ("Q", "W", "E", "Z", "[", "]")] == [""] * 6
