"""How the copies of a workspace are told to people: when, why, and what is in them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.domain.counting import number

if TYPE_CHECKING:
    from core.services.workspace.service import BackupFile

_REASONS = {
    "manual": "asked for",
    "timer": "every few minutes",
    "close": "on closing",
    "before-import": "before an import",
    "before-freeze": "before a freeze",
    "before-restore": "before a restore",
    "replaced": "the file was replaced",
    "restore": "restored",
}


def reason_words(why: str) -> str:
    """Return why a copy was made, in words.

    >>> reason_words("before-format-2"), reason_words("manual-3")
    ('before the upgrade to format 2', 'asked for')
    """
    if found := re.fullmatch(r"before-format-(\d+)", why):
        return f"before the upgrade to format {found[1]}"
    plain = re.sub(r"-\d+$", "", why)
    return _REASONS.get(plain, plain.replace("-", " "))


def date_words(made: datetime, now: datetime) -> str:
    """Return a time as people say it: today, yesterday, or the date."""
    day = made.date()
    if day == now.date():
        return f"today {made:%H:%M}"
    if day == (now - timedelta(days=1)).date():
        return f"yesterday {made:%H:%M}"
    return f"{made:%Y-%m-%d %H:%M}"


def count_words(backup: BackupFile, name: str) -> str:
    """Return one count of a copy, or nothing where it cannot be read."""
    return "" if backup.problem else number(backup.counts.get(name, 0))
