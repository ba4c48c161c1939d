"""Reviewers: pseudonyms of people, of imported labels and of scripted rules."""

from __future__ import annotations

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput
from core.domain.judgement import Reviewer, ReviewerKind
from core.store import events, licences, overview, reviewers
from core.store.sqlite.database import Store

_LEAD = "team.lead"


class ReviewersService:
    """Lists and adds reviewers. Judgements refer to them, so they are never removed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[Reviewer]:
        """Return every reviewer, people first, then by name."""
        with self._store.read() as session:
            return reviewers.listed(session)

    def lead(self) -> int | None:
        """Return the reviewer who sees the figures of all others; None when nobody is named, and everybody does."""
        with self._store.read() as session:
            value = overview.setting(session, _LEAD, "")
        return int(value) if value.isdigit() else None

    def set_lead(self, reviewer_id: int | None) -> Outcome[None]:
        """Name the reviewer who alone sees the figures of all others, or nobody.

        Raises:
            NotFound: when there is none with this id.
            BadInput: when it is no person.
        """
        context = self._store.write_context()

        def job(session: reviewers.Session) -> None:
            name = "nobody"
            if reviewer_id is not None:
                one = reviewers.get(session, reviewer_id)
                if one.kind is not ReviewerKind.HUMAN:
                    raise BadInput(f"{one.name} is no person; the lead is as before.", "Name a person.")
                name = one.name
            overview.set_setting(session, _LEAD, "" if reviewer_id is None else str(reviewer_id))
            events.log(session, context, "reviewer.lead", f"The lead is {name}", reviewer_id=reviewer_id)

        self._store.write(job, "naming the lead")
        return Outcome(None, Changes.REVIEWERS)

    def get(self, reviewer_id: int) -> Reviewer:
        """Return one reviewer.

        Raises:
            NotFound: when there is none with this id.
        """
        with self._store.read() as session:
            return reviewers.get(session, reviewer_id)

    def find(self, name: str) -> Reviewer | None:
        """Return the reviewer of this name, or None."""
        with self._store.read() as session:
            return reviewers.by_name(session, name)

    def add(self, name: str, kind: ReviewerKind = ReviewerKind.HUMAN, note: str = "") -> Outcome[Reviewer]:
        """Add a reviewer.

        Raises:
            BadInput: the name is empty or taken.
        """
        context = self._store.write_context()

        def job(session: reviewers.Session) -> Reviewer:
            made = reviewers.add(session, name, kind, context, note)
            events.log(session, context, "reviewer.add", f"Added {made.name}", subject="reviewer", subject_id=made.id)
            return made

        return Outcome(self._store.write(job, "adding a reviewer"), Changes.REVIEWERS)

    def rename(self, reviewer_id: int, name: str, note: str | None = None) -> Outcome[Reviewer]:
        """Rename a reviewer, who keeps the judgements.

        Raises:
            BadInput: the name is empty or taken.
        """
        context = self._store.write_context()

        def job(session: reviewers.Session) -> Reviewer:
            made = reviewers.rename(session, reviewer_id, name, note)
            events.log(session, context, "reviewer.rename", f"Renamed to {made.name}", reviewer_id=reviewer_id)
            return made

        return Outcome(self._store.write(job, "renaming a reviewer"), Changes.REVIEWERS)

    def licences(self) -> dict[int, str]:
        """Return reviewer id -> licence under which the labels are given, of those for whom one is stated."""
        with self._store.read() as session:
            return licences.of_reviewers(session)

    def set_licence(self, reviewer_id: int, licence: str, by: int | None = None, reason: str = "") -> Outcome[bool]:
        """State under which licence a reviewer's labels are given; an empty one, or "not stated", takes it back.

        Frozen dataset versions do not change; what is exported afterwards names the new one.
        The value is False when that was stated already.

        Raises:
            NotFound: there is no such reviewer.
            BadInput: the licence is too long, or holds characters that cannot be seen.
        """
        context = self._store.write_context()
        new = self._store.write(
            lambda session: licences.state(session, reviewer_id, licence, by, reason, context), "stating a licence"
        )
        return Outcome(new, Changes.REVIEWERS | Changes.FEEDBACK if new else Changes.NOTHING)

    def inactive(self) -> set[int]:
        """Return the ids of those who get no new slots and are not offered as reviewers."""
        with self._store.read() as session:
            return reviewers.inactive_ids(session)

    def set_active(self, reviewer_id: int, active: bool, by: int | None = None, reason: str = "") -> Outcome[bool]:
        """Make a reviewer inactive, or active again; labels stay. The value is False when that was so already.

        Raises:
            NotFound: there is no such reviewer.
        """
        context = self._store.write_context()

        def job(session: reviewers.Session) -> bool:
            one = reviewers.get(session, reviewer_id)
            new = reviewers.set_active(session, reviewer_id, active, by, reason, context)
            if new:
                op, words = ("activate", "active again") if active else ("deactivate", "inactive")
                events.log(
                    session, context, f"reviewer.{op}", f"{one.name} is {words}", reviewer_id=by, subject="reviewer",
                    subject_id=one.id,
                )  # fmt: skip
            return new

        changed = self._store.write(job, "changing a reviewer")
        return Outcome(changed, Changes.REVIEWERS if changed else Changes.NOTHING)
