"""A changeset: reviewed adds, edits and removals that the next freeze takes. Nothing else brings feedback into data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.domain.ids import sha256_json

ChangesetState = Literal["draft", "approved", "applied"]
EntryOp = Literal["add", "edit", "remove"]


@dataclass(frozen=True, slots=True)
class ChangesetEntry:
    """One change to the data.

    Attributes:
        op: ``add`` admits a pair, ``remove`` takes one out, ``edit`` puts ``new_pair_id`` in the place of ``pair_id``.
        event_id: the feedback event behind it, None for none.
        attack: whether the pair that enters comes from an attack.
        labels: current labels of the pair that enters; without one a freeze leaves it out.
    """

    id: int
    op: EntryOp
    pair_id: int
    new_pair_id: int | None
    event_id: int | None
    reason: str
    attack: bool = False
    labels: int = 0

    @property
    def enters(self) -> int | None:
        """The pair that enters, None for a removal."""
        return {"add": self.pair_id, "edit": self.new_pair_id, "remove": None}[self.op]

    @property
    def leaves(self) -> int | None:
        """The pair that leaves, None for an add."""
        return None if self.op == "add" else self.pair_id


@dataclass(frozen=True, slots=True)
class SentBack:
    """A review that asked for changes.

    Attributes:
        unchanged: whether the changes are still those that were sent back.
    """

    by: str
    reason: str
    at_ms: int
    unchanged: bool = True


@dataclass(frozen=True, slots=True)
class Changeset:
    """A named set of changes with its author and approver, who are two people.

    Attributes:
        datasets: titles of the dataset versions that it is in, the first to take it first.
        sha256: of its entries, fixed at the approval; empty for a draft.
        sent_back: reviews that asked for changes, oldest first.
    """

    id: int
    name: str
    state: ChangesetState
    author: str
    note: str
    created_ms: int
    entries: tuple[ChangesetEntry, ...] = ()
    approver: str = ""
    approval_note: str = ""
    approved_ms: int | None = None
    sha256: str = ""
    datasets: tuple[str, ...] = ()
    sent_back: tuple[SentBack, ...] = ()

    @property
    def waits_for_author(self) -> bool:
        """Whether it was sent back and its changes are still the same."""
        return self.state == "draft" and bool(self.sent_back) and self.sent_back[-1].unchanged

    def count(self, op: EntryOp) -> int:
        """Return how many entries are of one kind."""
        return sum(entry.op == op for entry in self.entries)


@dataclass(frozen=True, slots=True)
class DataRules:
    """What approved changesets, consent and attacks say of pairs, as a freeze reads it.

    Attributes:
        from_feedback: pairs that came from feedback alone; they enter only when ``admitted``.
        admitted, removed: pairs that approved changesets let in or take out; the later one decides.
        attacks: pairs that were made of an attack.
        voted: pairs that were made for votes between arms -> their sources of that kind; a pair enters only when the
            policy names one of these sources, and never where there is none (a prompt of a sealed test).
        withdrawn: pairs whose own consent, or that of one of their sources or feedback events, is withdrawn or has
            ended; no policy takes them.
        events: pair -> effective consent of each feedback event behind it.
        reviewers: reviewers whose consent is withdrawn or has ended; their labels do not count.
        taken: changeset id -> name, of all that are approved.
    """

    from_feedback: frozenset[int] = frozenset()
    admitted: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()
    attacks: frozenset[int] = frozenset()
    voted: Mapping[int, frozenset[int]] = field(default_factory=dict)
    withdrawn: frozenset[int] = frozenset()
    events: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    reviewers: frozenset[int] = frozenset()
    taken: Mapping[int, str] = field(default_factory=dict)

    def changed_by(self, entries: Iterable[tuple[str, int, int | None]]) -> tuple[frozenset[int], frozenset[int]]:
        """Return the pairs admitted and removed after further entries (op, pair, new pair), in their order."""
        admitted, removed = set(self.admitted), set(self.removed)
        for op, pair_id, new_pair_id in entries:
            enters = {"add": pair_id, "edit": new_pair_id}.get(op)
            if op != "add":
                removed.add(pair_id)
                admitted.discard(pair_id)
            if enters is not None:
                admitted.add(enters)
                removed.discard(enters)
        return frozenset(admitted), frozenset(removed)


def entries_sha256(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the hash of a changeset's entries: op, content hashes of pairs and event, reason, in their order."""
    return sha256_json([dict(row) for row in rows])
