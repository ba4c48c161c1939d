"""Consent: what somebody who gave texts or labels agreed to, for which use, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from core.domain.errors import BadInput
from core.domain.pair_table import CONSENTS

ConsentWord = Literal["granted", "unknown", "withdrawn"]
ConsentScope = Literal["all", "training", "evaluation"]
SCOPES: tuple[str, ...] = get_args(ConsentScope)
"""What a consent covers: every use, only training, or only evaluation (suites and sealed tests)."""
SubjectKind = Literal["source", "reviewer", "feedback", "pair"]
SUBJECTS: tuple[str, ...] = get_args(SubjectKind)
"""What a consent is of: all of a source, all labels of a reviewer, one feedback event, or one pair."""
OTHER_USE = "other use"
"""Counts neither as granted nor as withdrawn: the consent was granted for another use."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What is known of the consent of one subject.

    Attributes:
        word: granted, unknown or withdrawn, as it was stated.
        scope: the use that a granted consent covers.
        expires_ms: from this time on (UTC milliseconds) a granted consent counts as withdrawn; None for no end.
        given_ms: when it was given or withdrawn, None where nobody said.

    Raises:
        BadInput: for an unknown word or scope, or an end of something that was not granted.
    """

    word: str = "unknown"
    scope: str = "all"
    expires_ms: int | None = None
    given_ms: int | None = None

    def __post_init__(self) -> None:
        if self.word not in CONSENTS:
            raise BadInput(f"Unknown consent {self.word!r}.", f"Use one of {', '.join(CONSENTS)}.")
        if self.scope not in SCOPES:
            raise BadInput(f"Unknown scope of a consent {self.scope!r}.", f"Use one of {', '.join(SCOPES)}.")
        if self.expires_ms is not None and self.word != "granted":
            raise BadInput("Only a granted consent has an end.", "Leave the end out, or say that it is granted.")

    def expired(self, now_ms: int) -> bool:
        """Say whether it was granted and its end has come."""
        return self.expires_ms is not None and now_ms >= self.expires_ms

    def effective(self, now_ms: int, use: str = "training") -> str:
        """Return granted, unknown, withdrawn, or :data:`OTHER_USE`, as it counts now for a use.

        >>> Consent("granted", expires_ms=5).effective(now_ms=5)
        'withdrawn'
        >>> Consent("granted", scope="evaluation").effective(now_ms=0)
        'other use'
        """
        if self.expired(now_ms):
            return "withdrawn"
        if self.word == "granted" and self.scope not in ("all", use):
            return OTHER_USE
        return self.word

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; times as dates."""
        return {
            "consent": self.word,
            "scope": self.scope,
            "expires": None if self.expires_ms is None else date_text(self.expires_ms),
            "given": None if self.given_ms is None else date_text(self.given_ms),
        }


def date_text(at_ms: int) -> str:
    """Return a time as date, and the time of the day where it is not midnight, UTC.

    >>> date_text(86_400_000), date_text(86_460_000)
    ('1970-01-02', '1970-01-02T00:01:00+00:00')
    """
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.date().isoformat() if at_ms % 86_400_000 == 0 else at.isoformat(timespec="seconds")


def date_ms(text: str) -> int:
    """Return an ISO date or time as UTC milliseconds; a time without a zone is UTC.

    Raises:
        BadInput: when it is neither.

    >>> date_ms("1970-01-02"), date_ms("1970-01-01T00:00:01+00:00")
    (86400000, 1000)
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(f"{text!r} is no date.", "Write it as 2026-12-31, or as 2026-12-31T12:00:00+00:00.") from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return int(at.timestamp() * 1000)
