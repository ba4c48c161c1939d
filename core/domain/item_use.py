"""What a test or dev item was used for: the ledger that says whether a number is still held out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from core.domain.counting import counted
from core.domain.errors import UsageError

UseKind = Literal["train", "early_stop", "beta", "threshold", "detector", "other"]
USE_KINDS: tuple[UseKind, ...] = get_args(UseKind)
"""``train``: a run learned from it. ``early_stop``: it decided which checkpoint is the best, or when to stop.
``beta``: runs that differ in beta were compared on it. ``threshold``: a guardrail or acceptance limit was set on it.
``detector``: a classifier was fitted on it. ``other``: anything else that was chosen by it."""


@dataclass(frozen=True, slots=True)
class ItemUse:
    """One use of some of the items in question.

    Attributes:
        kind: what for.
        by: the run, threshold or detector, by name.
        by_id: its id, "" where it has none.
        items: how many of the items in question.
        ids: which of them, ascending.
        at_ms: when it was recorded, or the run made; UTC milliseconds since 1970.
        derived: read from what runs were made of, not recorded by somebody.
    """

    kind: UseKind
    by: str
    by_id: str
    ids: tuple[str, ...]
    at_ms: int
    derived: bool = False

    @property
    def items(self) -> int:
        """How many of the items in question."""
        return len(self.ids)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values without the ids, as reports hold them."""
        plain = asdict(self)
        del plain["ids"]
        return {**plain, "items": self.items}


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What the items of one split or suite were used for.

    Attributes:
        of: title of the split or suite.
        rows: how many items it has.
        uses: the oldest first.
    """

    of: str
    rows: int
    uses: tuple[ItemUse, ...] = ()

    def by_kind(self) -> Mapping[UseKind, int]:
        """Return how many different items were used, by kind, in the order of ``USE_KINDS``."""
        found: dict[UseKind, set[str]] = {}
        for use in self.uses:
            found.setdefault(use.kind, set()).update(use.ids)
        return {kind: len(found[kind]) for kind in USE_KINDS if kind in found}

    def sentence(self) -> str:
        """Return the finding in words.

        >>> UsageReport("d sealed test v1", 9).sentence()
        'Used to tune: none.'
        >>> UsageReport("d", 9, (ItemUse("beta", "sweep", "", ("1", "2"), 0),)).sentence()
        'Used to tune: beta 2 of 9 (sweep).'
        """
        if not self.uses:
            return "Used to tune: none."
        parts = []
        for kind, count in self.by_kind().items():
            names = list(dict.fromkeys(use.by for use in self.uses if use.kind == kind))
            more = f" and {counted(len(names) - 3, 'other')}" if len(names) > 3 else ""
            parts.append(f"{kind} {count:,} of {self.rows:,} ({', '.join(names[:3])}{more})")
        return f"Used to tune: {'; '.join(parts)}."

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as reports hold them."""
        return {
            "of": self.of,
            "rows": self.rows,
            "used_to_tune": dict(self.by_kind()) or "none",
            "uses": [use.to_plain() for use in self.uses],
        }


@dataclass(frozen=True, slots=True)
class RecordedUse:
    """A use as it is recorded, append-only: what for, by what, and which items.

    Attributes:
        root_sha256: of the dataset version whose ``split`` was used; "" for a suite.
        suite: name of the suite that was used; "" for a split. Item ids stay the same in its later versions.
        ids: only these items; () for all of the split or suite.
        note: in words.

    Raises:
        UsageError: an unknown kind, no name, or neither or both of split and suite.
    """

    kind: UseKind
    by: str
    by_id: str = ""
    root_sha256: str = ""
    split: str = ""
    suite: str = ""
    ids: tuple[str, ...] = ()
    note: str = ""
    at_ms: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in USE_KINDS:
            raise UsageError(f"{self.kind!r} is no use of an item.", f"Use one of {', '.join(USE_KINDS)}.")
        if not self.by.strip():
            raise UsageError("A use needs the name of what used the items.", "Name the run, threshold or detector.")
        if bool(self.root_sha256 and self.split) == bool(self.suite):
            raise UsageError("A use is of a split or of a suite.", "Name one of them.")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the event log holds them."""
        plain = {**asdict(self), "ids": list(self.ids)}
        del plain["at_ms"]
        return plain

    @classmethod
    def from_plain(cls, row: Mapping[str, Any], at_ms: int) -> RecordedUse:
        """Return the use of :meth:`to_plain`."""
        texts = {name: str(row.get(name, "")) for name in ("by", "by_id", "root_sha256", "split", "suite", "note")}
        return cls(kind=row["kind"], ids=tuple(map(str, row.get("ids", ()))), at_ms=at_ms, **texts)


def of_items(recorded: RecordedUse, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return which of the wanted items a recorded use names; all of them where it names none."""
    known = set(recorded.ids)
    return tuple(sorted(one for one in wanted if not known or one in known))
