"""Changesets: the only way from feedback into data. A draft, approved by somebody else, applied by the next freeze."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from core.domain.changes import Changes, Outcome
from core.domain.changeset import Changeset, DataRules
from core.domain.clock import now_ms
from core.domain.counting import counted, verb
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.names import checked_name
from core.services.feedback.changeset_review import ChangesetDiff, ChangesetReview, compared, reviewed
from core.store import changesets as repository
from core.store import data_rules, datasets, events, feedback
from core.store.sqlite.database import Session, Store
from core.store.sqlite.write_context import WriteContext

__all__ = ["ChangesetDiff", "ChangesetReview", "ChangesetsService"]

_Write = Callable[[Session, WriteContext], int]
"""Changes a changeset and returns its id."""
_PairsOf = Callable[[Session], list[tuple[int, int | None]]]
"""Returns pairs to add, each with the event behind it."""


class ChangesetsService:
    """Makes, approves and compares changesets."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[Changeset]:
        """Return every changeset, oldest first."""
        with self._store.read() as session:
            return repository.listed(session)

    def get(self, wanted: int | str) -> Changeset:
        """Return one changeset by id or name.

        Raises:
            NotFound: when there is none.
        """
        with self._store.read() as session:
            return repository.get(session, wanted)

    def create(self, name: str, author: int, note: str = "") -> Outcome[Changeset]:
        """Make an empty draft.

        Raises:
            BadInput: when the name is empty or taken.
        """
        name = checked_name(name, "changeset")

        def write(session: Session, context: WriteContext) -> int:
            key = repository.create(session, name, author, note, context)
            _log(session, context, "changeset.create", f"Changeset {name}: draft", author, key)
            return key

        return self._written(write)

    def add_events(
        self, wanted: int | str, event_ids: Sequence[int], reason: str, *, attacks: bool = False
    ) -> Outcome[Changeset]:
        """Add the pairs that were made of feedback events.

        Raises:
            BadInput: an event has no pair; or see :meth:`add_pairs`. Nothing was added.
        """

        def pairs_of(session: Session) -> list[tuple[int, int | None]]:
            found: list[tuple[int, int | None]] = []
            for key in event_ids:
                event = feedback.get(session, key, now_ms())
                if event.state != "triaged" or not event.pair_ids:
                    raise BadInput(
                        f"Event {key} is no pair yet; nothing was added.", "Send it to labelling: --to label."
                    )
                found += [(pair_id, key) for pair_id in event.pair_ids]
            return found

        return self._add(wanted, pairs_of, reason, attacks)

    def add_pairs(
        self, wanted: int | str, pair_ids: Sequence[int], reason: str, *, attacks: bool = False
    ) -> Outcome[Changeset]:
        """Add pairs: the next freeze may take them.

        Args:
            wanted: a draft.
            pair_ids: what it adds.
            reason: why.
            attacks: pairs that were made of attacks may be added; a freeze takes them only when its policy names them.

        Raises:
            BadInput: the changeset is no draft; a pair is in it already, comes from an attack, lost its consent, or its
                prompt stands in a sealed test split. Nothing was added.
            NotFound: there is no such changeset or pair.
        """
        return self._add(wanted, lambda _: [(key, None) for key in pair_ids], reason, attacks)

    def remove_pairs(self, wanted: int | str, pair_ids: Sequence[int], reason: str) -> Outcome[Changeset]:
        """Take pairs out: from the next freeze on they are left out, until a later changeset adds them again.

        Raises:
            BadInput, NotFound: see :meth:`add_pairs`.
        """

        def write(session: Session, context: WriteContext) -> int:
            draft = _draft(session, wanted)
            for pair_id in pair_ids:
                _check_new(session, draft, pair_id)
                repository.add_entry(session, draft.id, "remove", pair_id, _reason(reason), context)
            return draft.id

        return self._written(write)

    def edit_pair(
        self, wanted: int | str, old: int, new: int, reason: str, *, attacks: bool = False
    ) -> Outcome[Changeset]:
        """Put another pair in the place of one: the old one leaves, the new one may enter.

        Raises:
            BadInput, NotFound: see :meth:`add_pairs`.
        """

        def write(session: Session, context: WriteContext) -> int:
            draft = _draft(session, wanted)
            if old == new:
                raise UsageError("A pair cannot take its own place.", "Name another pair.")
            _check_new(session, draft, old)
            _check_enters(session, data_rules.rules_now(session), new, attacks)
            event = _first(data_rules.made_of(session), new)
            repository.add_entry(
                session, draft.id, "edit", old, _reason(reason), context, new_pair_id=new, event_id=event
            )
            return draft.id

        return self._written(write)

    def drop(self, wanted: int | str, entry_id: int) -> Outcome[Changeset]:
        """Take a change out of a draft.

        Raises:
            NotFound: when the draft has no such change.
        """

        def write(session: Session, _: WriteContext) -> int:
            draft = _draft(session, wanted)
            if entry_id not in {entry.id for entry in draft.entries}:
                raise NotFound(f"Changeset {draft.name} has no change {entry_id}.", "Show it to see their numbers.")
            repository.drop_entry(session, draft.id, entry_id)
            return draft.id

        return self._written(write)

    def delete(self, wanted: int | str, by: int) -> Outcome[str]:
        """Delete a draft; what was decided about its events stays. Return its name.

        Raises:
            BadInput: when it is approved.
        """
        context = self._store.write_context()

        def write(session: Session) -> str:
            draft = _draft(session, wanted)
            repository.delete(session, draft.id)
            summary = f"Deleted the draft of changeset {draft.name}: {counted(len(draft.entries), 'change')}"
            _log(session, context, "changeset.delete", summary, by, draft.id)
            return draft.name

        return Outcome(self._store.write(write, "deleting a draft"), Changes.FEEDBACK)

    def approve(
        self, wanted: int | str, by: int, note: str = "", *, opened: Collection[int] | None = None
    ) -> Outcome[Changeset]:
        """Approve a draft, as somebody else than its author. All its changes are checked again.

        Args:
            wanted: a draft.
            by: reviewer who approves.
            note: what the approver says.
            opened: changes that the approver looked at; None where that is not known.

        Raises:
            BadInput: it is no draft, has no change, the approver is its author, did not look at a change, or a change
                is not admissible any more.
        """

        def write(session: Session, context: WriteContext) -> int:
            draft = _reviewed(session, wanted, by, "approve it")
            if opened is not None and (unseen := {entry.id for entry in draft.entries} - set(opened)):
                raise BadInput(
                    f"{counted(len(unseen), 'change')} of {draft.name} {verb(len(unseen), 'was', 'were')} not opened.",
                    "Open each change before you approve them.",
                )
            rules = data_rules.rules_now(session)
            for entry in draft.entries:
                if entry.enters is not None:
                    _check_enters(session, rules, entry.enters, attacks=True)
            repository.approve(session, draft.id, by, note, context)
            made = repository.get(session, draft.id)
            detail = {"sha256": made.sha256, "note": note, **{op: made.count(op) for op in ("add", "edit", "remove")}}
            summary = f"Approved changeset {draft.name}: {counted(len(draft.entries), 'change')}"
            _log(session, context, "changeset.approve", summary, by, draft.id, detail)
            return draft.id

        return self._written(write)

    def send_back(self, wanted: int | str, by: int, reason: str) -> Outcome[Changeset]:
        """Send a draft back to its author, with what has to change; it stays a draft, and the log keeps the reason.

        Raises:
            UsageError: without a reason.
            BadInput: it is no draft, has no change, or the reviewer is its author.
        """
        if not reason.strip():
            raise UsageError("Who sends a changeset back says why.", "Say it: --reason TEXT.")

        def write(session: Session, context: WriteContext) -> int:
            draft = _reviewed(session, wanted, by, "send it back")
            detail: dict[str, object] = {"reason": reason.strip(), "sha256": repository.content(session, draft.id)}
            summary = f"Sent changeset {draft.name} back to {draft.author}"
            _log(session, context, repository.SEND_BACK, summary, by, draft.id, detail)
            return draft.id

        return self._written(write)

    def diff(self, wanted: int | str, dataset: int | str) -> ChangesetDiff:
        """Return how the next version of a dataset would differ from the newest with a changeset, by the same policy.

        Raises:
            NotFound: when there is no such changeset or dataset version.
        """
        with self._store.read() as session:
            return compared(session, repository.get(session, wanted), datasets.get(session, dataset))

    def review(self, wanted: int | str) -> ChangesetReview:
        """Return all that somebody needs to approve a changeset or to send it back.

        Raises:
            NotFound: when there is no such changeset.
        """
        with self._store.read() as session:
            return reviewed(session, repository.get(session, wanted))

    def _add(self, wanted: int | str, pairs_of: _PairsOf, reason: str, attacks: bool) -> Outcome[Changeset]:
        def write(session: Session, context: WriteContext) -> int:
            draft = _draft(session, wanted)
            made_of, rules = data_rules.made_of(session), data_rules.rules_now(session)
            taken: set[int] = set()
            for pair_id, event_id in pairs_of(session):
                if pair_id in taken:
                    continue
                taken.add(pair_id)
                _check_new(session, draft, pair_id)
                _check_enters(session, rules, pair_id, attacks)
                event_id = event_id or _first(made_of, pair_id)
                repository.add_entry(session, draft.id, "add", pair_id, _reason(reason), context, event_id=event_id)
            return draft.id

        return self._written(write)

    def _written(self, write: _Write) -> Outcome[Changeset]:
        context = self._store.write_context()
        key = self._store.write(lambda session: write(session, context), "writing a changeset")
        return Outcome(self.get(key), Changes.FEEDBACK)


def _draft(session: Session, wanted: int | str) -> Changeset:
    made = repository.get(session, wanted)
    if made.state != "draft":
        raise BadInput(
            f"Changeset {made.name} is {made.state} and never changes; nothing was changed.", "Make another changeset."
        )
    return made


def _reviewed(session: Session, wanted: int | str, by: int, what: str) -> Changeset:
    """Return a draft with changes that somebody else than its author reviews."""
    draft = _draft(session, wanted)
    if not draft.entries:
        raise BadInput(f"Changeset {draft.name} has no change.", "Add pairs, edits or removals first.")
    if repository.author_id(session, draft.id) == by:
        raise BadInput(f"{draft.author} made changeset {draft.name} and cannot {what}.", "Somebody else reviews it.")
    return draft


def _check_new(session: Session, draft: Changeset, pair_id: int) -> None:
    if not repository.has_pair(session, pair_id):
        raise NotFound(f"There is no pair {pair_id}; nothing was changed.", "`pairs WS` shows them.")
    if pair_id in {entry.pair_id for entry in draft.entries}:
        raise BadInput(f"Changeset {draft.name} has a change of pair {pair_id} already.", "Take that out first.")


def _check_enters(session: Session, rules: DataRules, pair_id: int, attacks: bool) -> None:
    """Refuse a pair that must not enter: from an attack, without consent, or asked in a sealed test."""
    if not repository.has_pair(session, pair_id):
        raise NotFound(f"There is no pair {pair_id}; nothing was changed.", "`pairs WS` shows them.")
    if pair_id in rules.attacks and not attacks:
        raise BadInput(
            f"Pair {pair_id} was made of an attack; it does not enter helpful training.",
            "Name attacks explicitly (--attacks); the freeze policy must name them too.",
        )
    if pair_id in rules.withdrawn:
        raise BadInput(f"Consent for pair {pair_id} is withdrawn.", "Leave it out.")
    if titles := repository.sealed_in(session, pair_id):
        raise BadInput(
            f"The prompt of pair {pair_id} stands in the sealed test of {', '.join(titles[:3])}; nothing was changed.",
            "Training on it would make that test worthless. Leave the pair out.",
        )


def _first(made_of: Mapping[int, Sequence[int]], pair_id: int) -> int | None:
    """Return the first feedback event behind a pair, None for none."""
    return next(iter(made_of.get(pair_id, ())), None)


def _log(
    session: Session, context: WriteContext, op: str, summary: str, by: int, changeset_id: int,
    detail: dict[str, object] | None = None,
) -> None:  # fmt: skip
    events.log(
        session, context, op, summary, reviewer_id=by, subject="changeset", subject_id=changeset_id, detail=detail
    )


def _reason(reason: str) -> str:
    if not reason.strip():
        raise UsageError("A change needs a reason.", "Say why: --reason TEXT.")
    return reason.strip()
