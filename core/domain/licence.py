"""Licences of sources and of reviewers' contributions: free text, compared without case and repeated blanks."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.names import checked_name

NOT_STATED = "not stated"
"""How a licence of which nobody said anything is shown. In lists it is the empty text."""


def checked_licence(text: str) -> str:
    """Return a licence as it is stored; empty where none is stated.

    Raises:
        BadInput: it is too long, or holds characters that cannot be seen.

    >>> checked_licence("  CC  BY 4.0 "), checked_licence("Not stated")
    ('CC BY 4.0', '')
    """
    plain = " ".join(part for part in text.split(" ") if part)
    return checked_name(plain, "licence") if _key(plain) else ""


def shown_licence(licence: str) -> str:
    """Return a licence as people read it."""
    return licence or NOT_STATED


def is_accepted(licence: str, accepted: Sequence[str]) -> bool:
    """Say whether a licence is one of some; no licence named accepts every one.

    >>> is_accepted("mit", ("MIT",)), is_accepted("", ("MIT",)), is_accepted("", ("Not stated",)), is_accepted("", ())
    (True, False, True, True)
    """
    return not accepted or _key(licence) in {_key(one) for one in accepted}


def _key(licence: str) -> str:
    plain = " ".join(licence.split()).casefold()
    return "" if plain == NOT_STATED else plain
