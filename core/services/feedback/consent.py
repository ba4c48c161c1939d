"""Consent: state it, list it, withdraw it, and see what a withdrawal touches."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from core import durable
from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.consent import Consent
from core.domain.errors import NotFound
from core.services.feedback.affected import Affected, affected_by
from core.services.feedback.consent_proof import ConsentProof, proof_content, proof_of, proof_problems
from core.services.written_files import chosen_place, read_object
from core.store import consents, reviewers, sources
from core.store.consents import StatedConsent
from core.store.sqlite.database import Store

__all__ = ["Affected", "ConsentService", "StatedConsent", "Withdrawal"]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was withdrawn and all that holds it. Frozen versions and runs stay; the next freeze leaves it out."""

    stated: StatedConsent
    affected: Affected


class ConsentService:
    """Keeps what sources, reviewers and single events or pairs agreed to. A statement is appended, never changed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[StatedConsent]:
        """Return the consent of every source and person, and of events and pairs of which one was stated.

        Without a statement it is unknown.
        """
        with self._store.read() as session:
            return consents.listed(session, now_ms())

    def key_of(self, subject: str, wanted: int | str) -> int:
        """Return the id of a subject that is named by id or, for sources and reviewers, by name.

        Raises:
            NotFound: when there is none.
        """
        if isinstance(wanted, int):
            return wanted
        with self._store.read() as session:
            named = {"source": sources.listed, "reviewer": reviewers.listed}.get(subject, lambda _: [])(session)
        found = [one.id for one in named if one.name.lower() == wanted.strip().lower()]
        if not found:
            raise NotFound(f"There is no {subject} called {wanted!r}.", "`consent list` and `reviewers` show them.")
        return found[0]

    def state(
        self, subject: str, subject_id: int, consent: Consent, *, by: int | None = None, reason: str = ""
    ) -> Outcome[StatedConsent]:
        """State the consent of a subject. Frozen dataset versions do not change.

        Args:
            subject: source, reviewer, feedback or pair.
            subject_id: which one.
            consent: with its scope, its end and the day on which it was given.
            by: reviewer who writes it down.
            reason: why, or where it is written.

        Raises:
            NotFound: when there is no such subject.
        """
        context = self._store.write_context()
        name = self._store.write(
            lambda session: consents.state(session, subject, subject_id, consent, context, by=by, reason=reason),
            "recording consent",
        )
        stated = StatedConsent(subject, subject_id, name, consent, consent.effective(now_ms()))
        return Outcome(stated, Changes.FEEDBACK | Changes.PAIRS | Changes.WORKSPACE | Changes.REVIEWERS)

    def withdraw(
        self, subject: str, subject_id: int, *, by: int | None = None, reason: str = "", given_ms: int | None = None
    ) -> Outcome[Withdrawal]:
        """Withdraw a consent and return what it touches. The next freeze leaves out exactly that.

        Raises:
            NotFound: when there is no such subject.
        """
        consent = Consent("withdrawn", given_ms=now_ms() if given_ms is None else given_ms)
        stated = self.state(subject, subject_id, consent, by=by, reason=reason)
        return Outcome(Withdrawal(stated.value, self.affected(subject, subject_id)), stated.changes)

    def affected(self, subject: str, subject_id: int) -> Affected:
        """Return what holds the texts or labels of a subject; nothing is changed.

        Raises:
            NotFound: when there is no such subject.
        """
        return affected_by(self._store, subject, subject_id)

    def proof(self, subject: str, subject_id: int) -> ConsentProof:
        """Return what each frozen dataset version holds of a subject, before and after its withdrawal.

        Raises:
            NotFound: when there is no such subject.
        """
        return proof_of(self._store, subject, subject_id)

    def write_proof(self, subject: str, subject_id: int, target: Path, *, replace: bool = False) -> ConsentProof:
        """Write the proof to a file that :meth:`check_proof` reads, and return it.

        Raises:
            NotFound: when there is no such subject.
            BadInput: when the file is there and ``replace`` is not set, or is one that a workspace keeps.
        """
        found = self.proof(subject, subject_id)
        text = json.dumps(proof_content(self._store, found), indent=2, ensure_ascii=False)
        durable.write_bytes(chosen_place(target, replace=replace), f"{text}\n".encode())
        return found

    def check_proof(self, file: Path) -> list[str]:
        """Return a sentence for everything in the file of a proof that is not so in this workspace.

        Raises:
            BadInput: when the file cannot be read, or is no proof of this workspace.
        """
        return proof_problems(self._store, read_object(file))
