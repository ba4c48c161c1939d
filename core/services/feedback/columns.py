"""Which column of a file of feedback is what, and which words name a kind or a thumb."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.domain.errors import UsageError
from core.domain.feedback import KINDS

FIELDS: dict[str, tuple[str, ...]] = {
    "kind": ("kind", "type", "event", "event_type", "feedback_type"),
    "prompt": ("prompt", "messages", "conversation", "question", "instruction", "input"),
    "answer": ("answer", "response", "completion", "output", "reply"),
    "better": ("better", "correction", "corrected", "edited", "suggestion"),
    "thumb": ("thumb", "thumbs", "rating", "value", "score"),
    "note": ("note", "text", "comment", "reason", "message", "feedback"),
    "author": ("author", "author_id", "user", "user_id", "pseudonym"),
    "release": ("release", "release_id", "policy_version"),
    "run": ("run", "run_id"),
    "generation": ("generation", "generation_record"),
    "time": ("time", "timestamp", "created_at", "at", "date"),
    "category": ("category", "topic"),
    "language": ("language", "lang", "locale"),
    "consent": ("consent",),
    "scope": ("consent_scope", "scope"),
    "expires": ("consent_expires", "expires", "consent_until"),
}
"""Field -> the usual names of its column, the likeliest first."""
_KIND_WORDS: dict[str, tuple[str, ...]] = {
    "thumbs": ("thumbs", "thumb", "thumbs up", "thumbs down", "thumb up", "thumb down", "👍", "👎"),
    "correction": ("correction", "corrected"),
    "attack": ("attack", "jailbreak", "red team", "redteam", "prompt injection"),
    "complaint": ("complaint",),
    "text": ("text", "free text", "freetext"),
}
_UP = ("up", "thumbs up", "thumb up", "+1", "1", "👍", "like", "true", "positive")
_DOWN = ("down", "thumbs down", "thumb down", "-1", "👎", "dislike", "false", "negative")
SKIP = "skip"
"""Answer for a word whose records are not wanted: they are rejected, and counted."""


@dataclass(frozen=True, slots=True)
class FeedbackChoices:
    """What the user says about a file of feedback.

    Attributes:
        kinds: word of the kind column -> kind, or ``skip``. default_kind: of records that name none.
        thumbs: word of the thumb column -> ``up`` or ``down``.
        columns: column -> field.
        encoding: of the text; found out when empty.

    Raises:
        UsageError: for a kind, thumb or field that there is not.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    default_kind: str = ""
    thumbs: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""

    def __post_init__(self) -> None:
        allowed = (*KINDS, SKIP)
        for word, kind in (*self.kinds.items(), *([("", self.default_kind)] if self.default_kind else [])):
            if kind not in allowed:
                what = f"The kind {word!r}" if word else "A record without kind"
                raise UsageError(f"{what} cannot be {kind!r}.", f"Use one of {', '.join(allowed)}.")
        for word, side in self.thumbs.items():
            if side not in ("up", "down"):
                raise UsageError(f"The thumb {word!r} cannot be {side!r}.", "Use up or down.")
        for column, name in self.columns.items():
            if name not in FIELDS:
                raise UsageError(f"Column {column!r} cannot be {name!r}.", f"Use one of {', '.join(FIELDS)}.")

    def kind_of(self, word: str) -> str:
        """Return the kind that a word names, "" when that is not known: it is asked, never guessed."""
        if word in self.kinds:
            return self.kinds[word]
        if not word.strip():
            return self.default_kind
        return next((kind for kind, words in _KIND_WORDS.items() if _plain(word) in words), "")

    def thumb_of(self, word: str) -> int | None:
        """Return 1 for up, -1 for down, None when that is not known."""
        said = self.thumbs.get(word) or ("up" if _plain(word) in _UP else "down" if _plain(word) in _DOWN else "")
        return {"up": 1, "down": -1}.get(said)


def columns_of(names: Iterable[str], choices: FeedbackChoices) -> dict[str, tuple[str, ...]]:
    """Return field -> its columns, of which the first filled one of a record is read.

    What the user said of a field decides alone; else its usual names count, and no column has two fields.
    """
    by_name = {name.strip().lower(): name for name in names}
    found: dict[str, tuple[str, ...]] = {}
    for column, name in choices.columns.items():
        found[name] = (*found.get(name, ()), column)
    taken = {column for columns in found.values() for column in columns}
    for name, usual in FIELDS.items():
        if name not in found and (there := [by_name[w] for w in usual if w in by_name and by_name[w] not in taken]):
            found[name] = tuple(there)
            taken.update(there)
    return found


def _plain(word: str) -> str:
    lower = word.strip().lower()
    return lower if lower[:1] in "+-" else " ".join(lower.replace("_", " ").replace("-", " ").split())
