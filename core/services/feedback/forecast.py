"""What an import of feedback would do with each record, before anything is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.consent import Consent
from core.domain.feedback import FeedbackContent
from core.services.feedback.columns import FeedbackChoices
from core.services.feedback.file_reading import look_at_feedback, read_feedback
from core.services.importing.limits import Limits
from core.services.importing.rejects import RejectList
from core.services.importing.rows import Reject
from core.store import feedback
from core.store.sqlite.database import Store

_SHOWN, _BATCH = 20, 2000


@dataclass(frozen=True, slots=True)
class FeedbackForecast:
    """What becomes of each record: ``rows`` = ``new`` + ``known`` + ``rejected``, always.

    Attributes:
        known: records whose event is in the workspace, or stands earlier in the file.
        kinds: kind -> new events. consents: word -> new events, as their records or the import say.
        reasons: why records are rejected, with counts. rejects: the first of them. first: the first new events.
        columns: field -> its columns. unused: columns that no part of an event is read from.
        complete: whether the file was read to its end.
    """

    rows: int
    new: int
    known: int
    rejected: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    consents: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    rejects: tuple[Reject, ...] = ()
    first: tuple[FeedbackContent, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    complete: bool = True

    @property
    def adds_up(self) -> bool:
        """Whether each record is accounted for once."""
        return self.rows == self.new + self.known + self.rejected


def forecast_of(
    store: Store,
    path: Path,
    choices: FeedbackChoices,
    limits: Limits,
    consent: Consent,
    cancelled: Callable[[], bool] | None = None,
) -> FeedbackForecast:
    """Read a file as an import would, and store nothing. Raises what an import does."""
    look = look_at_feedback(path, choices, limits)
    rejects, rows, known, complete = RejectList(), 0, 0, True
    kinds, consents, seen = Counter[str](), Counter[str](), set[str]()
    first: list[FeedbackContent] = []
    with store.read() as session:
        for line, found in read_feedback(path, look, choices, limits, consent):
            rows += 1
            if isinstance(found, str):
                rejects.add(line, found)
                continue
            sha = found.content.sha256
            if sha in seen or feedback.is_known(session, sha):
                known += 1
            else:
                kinds[found.content.kind] += 1
                consents[found.consent.word] += 1
                if len(first) < _SHOWN:
                    first.append(found.content)
            seen.add(sha)
            if rows % _BATCH == 0 and cancelled is not None and cancelled():
                complete = False
                break
    return FeedbackForecast(
        rows=rows,
        new=kinds.total(),
        known=known,
        rejected=rejects.count,
        kinds=dict(kinds),
        consents=dict(consents),
        reasons=dict(rejects.reasons.most_common(20)),
        rejects=rejects.first(_SHOWN),
        first=tuple(first),
        columns=dict(look.columns),
        unused=look.unused,
        complete=complete,
    )
