"""A format bound to the columns of one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.services.importing.columns import Row
from core.services.importing.rows import ParsedPair


@dataclass(frozen=True, slots=True)
class BoundFormat:
    """What turns the records of one file into pairs.

    Attributes:
        key: the format's name, with its option behind a colon where it has one.
        convert: returns the pairs of a record; raises RowRejected with the reason.
        notes: how this file is read, for the user to confirm.
        options: other keys under which the same file could be read.
        certainty: lowers the format's own certainty when something could be read two ways.
    """

    key: str
    convert: Callable[[Row], list[ParsedPair]]
    notes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    certainty: float = 1.0
