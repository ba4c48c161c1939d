"""What a format is: its row in the registry, and the format bound to the columns of one file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.services.importing.formats.columns import Row, Sample
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.reading import CodingUse, ColumnRole, Question, Remarks
from core.services.importing.rows import ParsedPair


class RowHeld(RowRejected):
    """The row's answer waits for another row that makes a pair with it; see :class:`Joiner`."""

    def __init__(self) -> None:
        super().__init__("its answer waits for another one to its prompt")


class Joiner(Protocol):
    """What makes pairs of several rows.

    Attributes:
        line: of the row that is converted; whoever reads the rows sets it.
        joined: rows that found their place in a pair with the last converted one, itself included.
    """

    line: int
    joined: int

    def clear(self) -> None:
        """Forget all rows: they are read once to look at them, and once more to store them."""
        ...

    def alone(self) -> Iterable[tuple[int, str]]:
        """Return line and reason of every row that found no other one."""
        ...


@dataclass(frozen=True, slots=True)
class BoundFormat:
    """What turns the records of one file into pairs.

    Attributes:
        convert: returns the pairs of a record; raises RowRejected with the reason.
        notes: how this file is read, for the user to confirm.
        option: which of the format's options was taken; "" where the format has none or the file leaves none open.
        certainty: lowers the format's own certainty when something could be read two ways.
        roles: column -> what it becomes; a column that is left out is unused.
        coding: how the label columns are read; None where the file has none.
        questions: what the file leaves open; nothing is stored while there is one.
        offers: what could be read in another way; questions with a default answer.
        remarks: what ``convert`` counts; told in preview and report.
        joiner: where pairs are made of several rows; ``convert`` then raises RowHeld for a row that waits.
    """

    convert: Callable[[Row], list[ParsedPair]]
    notes: tuple[str, ...] = ()
    option: str = ""
    certainty: float = 1.0
    roles: Mapping[str, ColumnRole] = field(default_factory=dict)
    coding: CodingUse | None = None
    questions: tuple[Question, ...] = ()
    offers: tuple[Question, ...] = ()
    remarks: Remarks = field(default_factory=Remarks)
    joiner: Joiner | None = None


Bind = Callable[[Sample, Limits], BoundFormat | None]
"""Returns the format bound to a file's columns, or None when it does not fit them."""


@dataclass(frozen=True, slots=True)
class FormatOption:
    """One way to read the files of a format that can be read in several ways.

    Attributes:
        key: its name behind the colon of ``table:signed``.
        meaning: how it reads a file, in a few words.
        bind: binds the format with this option.
    """

    key: str
    meaning: str
    bind: Bind


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A known way to write preference records: one row of the registry.

    Attributes:
        key: names the format on the command line and in the database; never change it.
        title: its name in the window.
        description: what a record holds, in a few words.
        certainty: how sure a file that fits is this and not something that looks alike, 0..1.
        bind: binds the format to the columns of a file.
        options: the ways to read a file of this format, where there are several.
        names_reviewers: the labels carry the names of reviewers of a workspace.
        repeats_labels: the labels repeat what a workspace already holds and add no reviewer to it.
    """

    key: str
    title: str
    description: str
    certainty: float
    bind: Bind
    options: tuple[FormatOption, ...] = ()
    names_reviewers: bool = False
    repeats_labels: bool = False

    def key_with(self, option: str) -> str:
        """Return the key that also names an option, such as ``table:signed``.

        >>> RowFormat("table", "", "", 1.0, lambda sample, limits: None).key_with("signed")
        'table:signed'
        """
        return f"{self.key}:{option}" if option else self.key

    def binder(self, option: str = "") -> Bind | None:
        """Return what binds the format with ``option``, or None when it has no such option."""
        return next((o.bind for o in self.options if o.key == option), None) if option else self.bind


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """One format, with its option if it has any, that can be asked for by its key."""

    key: str
    title: str
    description: str
