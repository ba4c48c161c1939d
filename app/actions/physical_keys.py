"""Which key of the catalog is meant where the keyboard's layout has no such key: the one at the same place.

Letters count by what the layout prints, as long as it prints Latin ones: Dvorak stays by letter. A key that gives a
letter of another script, or an accented one, counts as the key at its place on a US keyboard; so does a key of the
digit row that gives a sign without Shift (AZERTY, Czech), and a key at the place of a letter that gives a sign on a
layout of another script (Hebrew has an apostrophe where W is; on Dvorak it stays one). A key that is a shortcut as it
is never comes here.
"""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence

_ROWS = ((2, "1234567890"), (16, "QWERTYUIOP[]"), (30, "ASDFGHJKL;'`"), (43, "\\ZXCVBNM,./"))
"""The first code of a row of keys, as Linux and the PC keyboard count them, and what a US keyboard prints on it."""
_PLACES = {first + step: sign for first, row in _ROWS for step, sign in enumerate(row)}
_MAC_CODES = (
    "18 19 20 21 23 22 26 28 25 29 12 13 14 15 17 16 32 34 31 35 33 30 0 1 2 3 5 4 38 40 37 42 6 7 8 9 11 45 46"
)
_MAC = dict(zip(map(int, _MAC_CODES.split()), "1234567890QWERTYUIOP[]ASDFGHJKL\\ZXCVBNM", strict=True))
_X11_OFFSET = 8
_ASCII = range(0x20, 0x7F)
_AT_BRACKETS = "+$*#"
"""What European layouts have at the places of the brackets, which need AltGr there."""
_AT_BACKSLASH = "#*'$"
"""What they have at the place of the backslash."""
_CARRIED = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_OTHERS = (
    Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
    | Qt.KeyboardModifier.GroupSwitchModifier
    | Qt.KeyboardModifier.KeypadModifier
)


def place_of(platform: str, scan_code: int, virtual_key: int) -> str:
    """Return what a US keyboard prints on a key, or an empty text.

    Args:
        platform: name of Qt's platform plugin.
        scan_code: ``QKeyEvent.nativeScanCode``; on X11 and Wayland it is 8 more than the code of Linux.
        virtual_key: ``QKeyEvent.nativeVirtualKey``, which names the place on macOS.

    >>> place_of("xcb", 15, 0), place_of("windows", 7, 0), place_of("cocoa", 0, 22)
    ('6', '6', '6')
    """
    if platform == "cocoa":
        return _MAC.get(virtual_key, "")
    return _PLACES.get(scan_code if platform == "windows" else scan_code - _X11_OFFSET, "")


def is_other_script(key: int) -> bool:
    """Whether a key gives a letter that is no Latin one, so that its layout has no Latin letters.

    >>> is_other_script(ord("Ж")), is_other_script(ord("É")), is_other_script(ord("'"))
    (True, False, False)
    """
    if not 0x7F < key < 0x110000:
        return False
    sign = chr(key)
    return sign.isalpha() and not unicodedata.name(sign, "").startswith("LATIN")


def meant_sign(key: int, modifiers: Qt.KeyboardModifier, place: str, *, latin: bool = True) -> str:
    """Return the letter, digit or bracket that is meant by a key, or an empty text where the key says it itself.

    Args:
        key: ``QKeyEvent.key``.
        modifiers: held with it.
        place: from :func:`place_of`.
        latin: whether the layout has Latin letters, as far as is known.
    """
    if not place or modifiers & _OTHERS or ord("0") <= key <= ord("9") or ord("A") <= key <= ord("Z"):
        return ""
    if place.isdigit():
        return "" if modifiers & Qt.KeyboardModifier.ShiftModifier else place
    signs = _AT_BRACKETS if place in "[]" else _AT_BACKSLASH if place == "\\" else ""
    if key not in _ASCII or chr(key) in signs:
        return place
    return place if not latin and place.isalpha() else ""


def meant_by(event: QKeyEvent, platform: str = "", *, latin: bool = True) -> str:
    """Return :func:`meant_sign` of an event; ``platform`` is the running one when not given."""
    place = place_of(platform or QGuiApplication.platformName(), event.nativeScanCode(), event.nativeVirtualKey())
    return meant_sign(event.key(), event.modifiers(), place, latin=latin)


def sequence_of(sign: str, modifiers: Qt.KeyboardModifier) -> QKeySequence:
    """Return the keys of the catalog for a sign and what is held with it."""
    return QKeySequence(QKeyCombination(modifiers & _CARRIED, Qt.Key(ord(sign))))
