"""Feedback: import, type in, list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.consent import Consent
from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.feedback import (
    Decision,
    FeedbackContent,
    FeedbackCounts,
    FeedbackEvent,
    FeedbackFilter,
    FeedbackReport,
)
from core.domain.names import checked_name
from core.durable import file_sha256
from core.services.feedback.columns import FeedbackChoices
from core.services.feedback.file_reading import FeedbackLook, look_at_feedback, read_feedback
from core.services.feedback.forecast import FeedbackForecast, forecast_of
from core.services.importing.files.kinds import plain_name
from core.services.importing.limits import Limits, RowRejected, check_text
from core.services.importing.refusal import unusable
from core.services.importing.rejects import RejectList
from core.services.importing.report import Cancelled
from core.store import feedback as repository
from core.store import feedback_search
from core.store.feedback import NewEvent
from core.store.sqlite.database import Session, Store

__all__ = ["FeedbackChoices", "FeedbackFilter", "FeedbackForecast", "FeedbackService"]

_BATCH = 2000


class FeedbackService:
    """Takes feedback in and lists it. What becomes of it is decided in :mod:`core.services.feedback.triage`."""

    def __init__(self, store: Store, limits: Limits | None = None) -> None:
        self._store = store
        self._limits = limits or Limits()

    def forecast(
        self,
        path: Path,
        choices: FeedbackChoices | None = None,
        *,
        consent: Consent | None = None,
        cancelled: Cancelled | None = None,
    ) -> FeedbackForecast:
        """Return what an import would do with each record; nothing is stored.

        Args:
            path: as in :meth:`import_file`.
            choices: likewise.
            consent: likewise.
            cancelled: polled between batches; the forecast then says that it is not complete.

        Raises:
            BadInput: when the file cannot be read.
            OpenQuestions: as in :meth:`import_file`.
        """
        return forecast_of(
            self._store, Path(path), choices or FeedbackChoices(), self._limits, consent or Consent(), cancelled
        )

    def look(self, path: Path, choices: FeedbackChoices | None = None) -> FeedbackLook:
        """Return how a file would be read; nothing is stored. Raises what :meth:`import_file` does."""
        return look_at_feedback(Path(path), choices or FeedbackChoices(), self._limits)

    def import_file(
        self,
        path: Path,
        choices: FeedbackChoices | None = None,
        *,
        name: str = "",
        licence: str = "",
        consent: Consent | None = None,
        cancelled: Cancelled | None = None,
    ) -> Outcome[FeedbackReport]:
        """Import a file of feedback. Events that the workspace holds are known by their content and add nothing.

        Args:
            path: JSON Lines, JSON or CSV, also packed.
            choices: what the user says about the file.
            name: of the source; the file's name when empty.
            licence: of the data, in words.
            consent: of records that say nothing of their own; unknown when None.
            cancelled: polled between batches; what was stored until then stays, and a second import goes on.

        Raises:
            BadInput: when the file cannot be read or holds no event that can be used; nothing was stored.
            OpenQuestions: when a word of the file names no known kind or thumb; nothing was stored.
        """
        path, choices, consent = Path(path), choices or FeedbackChoices(), consent or Consent()
        look = look_at_feedback(path, choices, self._limits)
        sha = file_sha256(path)
        self._refuse_when_useless(path, look, choices, consent)
        self._store.copy_before("import", check_later=True)
        context = self._store.write_context()
        opened = (name.strip() or plain_name(path), path.name, sha, consent.word, licence)
        source_id, source_name = self._store.write(
            lambda session: repository.open_source(session, *opened, context), "opening a source of feedback"
        )
        rejects, kinds, rows, known = RejectList(), Counter[str](), 0, 0
        batch: list[NewEvent] = []

        def flush() -> None:
            nonlocal known
            stored = self._store.write(lambda session: _added(session, source_id, batch, context), "storing feedback")
            kinds.update(stored)
            known += len(batch) - stored.total()
            batch.clear()

        for line, found in read_feedback(path, look, choices, self._limits, consent):
            rows += 1
            if isinstance(found, str):
                rejects.add(line, found)
            else:
                batch.append(found)
            if len(batch) >= _BATCH:
                flush()
                if cancelled is not None and cancelled():
                    break
        flush()
        report = FeedbackReport(
            source_id=source_id,
            source_name=source_name,
            rows=rows,
            imported=kinds.total(),
            known=known,
            rejected=rejects.count,
            kinds=dict(kinds),
            reasons=dict(rejects.reasons.most_common(20)),
            rejects_path=str(rejects.save(self._store.folder, f"feedback-{source_id}") or ""),
            unused=look.unused,
        )
        detail = {"rows": rows, "imported": report.imported, "known": known, "rejected": rejects.count}
        self._store.write(
            lambda session: repository.log_import(session, source_id, source_name, report.imported, detail, context),
            "noting an import of feedback",
        )
        return Outcome(report, Changes.FEEDBACK | Changes.WORKSPACE)

    def add(self, content: FeedbackContent, consent: Consent | None = None) -> Outcome[FeedbackEvent]:
        """Store one event that was typed in; the same content again is the event that is there.

        Raises:
            BadInput: for texts that cannot be stored byte for byte, and an author whose name cannot be read.
        """
        self._check_texts(content)
        if content.author:
            content = replace(content, author=checked_name(content.author, "person"))
        context = self._store.write_context()

        def write(session: Session) -> tuple[int, bool]:
            source_id, name = repository.open_source(session, repository.TYPED_IN, "", None, "unknown", "", context)
            added = repository.add(session, source_id, [NewEvent(content, 0, consent or Consent())], context)
            if added:
                repository.log_import(session, source_id, name, 1, {"event": added[0]}, context)
            return (added[0], True) if added else (repository.id_of(session, content.sha256), False)

        event_id, is_new = self._store.write(write, "storing feedback")
        return Outcome(self.get(event_id), Changes.FEEDBACK | Changes.WORKSPACE if is_new else Changes.NOTHING)

    def list(self, wanted: FeedbackFilter | None = None) -> list[FeedbackEvent]:
        """Return events, oldest first."""
        with self._store.read() as session:
            return feedback_search.listed(session, wanted or FeedbackFilter(), now_ms())

    def ids(self, wanted: FeedbackFilter | None = None, stop: feedback_search.Stop = lambda: False) -> list[int]:
        """Return the numbers of events, newest first; ``stop`` says that nobody waits for them any more."""
        with self._store.read() as session:
            found = feedback_search.listed(session, wanted or FeedbackFilter(), now_ms(), stop)
        return [event.id for event in reversed(found)]

    def rows(self, event_ids: Sequence[int]) -> list[FeedbackEvent]:
        """Return these events in this order."""
        with self._store.read() as session:
            return repository.by_ids(session, event_ids, now_ms())

    def releases(self) -> Sequence[str]:
        """Return the names of the releases that events are about."""
        with self._store.read() as session:
            return feedback_search.releases(session)

    def batches(self) -> Sequence[str]:
        """Return the names of the labelling batches that events were sent to."""
        with self._store.read() as session:
            return feedback_search.batches(session)

    def get(self, event_id: int) -> FeedbackEvent:
        """Return one event.

        Raises:
            NotFound: when there is none with this id.
        """
        with self._store.read() as session:
            return repository.get(session, event_id, now_ms())

    def history(self, event_id: int) -> list[Decision]:
        """Return every decision about an event, oldest first."""
        with self._store.read() as session:
            return repository.history(session, event_id)

    def counts(self) -> FeedbackCounts:
        """Return how many events are in each state and of each kind."""
        with self._store.read() as session:
            return repository.counts(session, now_ms())

    def _refuse_when_useless(self, path: Path, look: FeedbackLook, choices: FeedbackChoices, consent: Consent) -> None:
        rejects = RejectList()
        for line, found in read_feedback(path, look, choices, self._limits, consent):
            if not isinstance(found, str):
                return
            rejects.add(line, found)
        raise BadInput(
            unusable(path.name, look.rows, rejects.told()).message,
            "Correct the file, or say what its columns are (--map) and what its words mean (--kind, --thumb).",
        )

    def _check_texts(self, content: FeedbackContent) -> None:
        plain = content.to_plain()
        texts = {name: value for name, value in plain.items() if isinstance(value, str)}
        texts |= {f"turn {n} of the prompt": m["content"] for n, m in enumerate(plain.get("prompt", ()), 1)}
        for name, value in texts.items():
            try:
                check_text(value, name, self._limits)
            except RowRejected as error:
                raise BadInput(f"The event cannot be stored: {error.reason}.", "Nothing was stored.") from error


def _added(session: Session, source_id: int, batch: list[NewEvent], context: repository.WriteContext) -> Counter[str]:
    """Store a batch and return kind -> new events."""
    return repository.kinds_of(session, repository.add(session, source_id, batch, context))


def report_words(report: FeedbackReport) -> str:
    """Return a report in one sentence."""
    return (
        f"{counted(report.rows, 'record')}: {report.imported:,} imported, {report.known:,} known, "
        f"{report.rejected:,} rejected."
    )
