"""What a mutation returns: its value, what kind of thing changed, and the name of the step to undo."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from typing import Generic, TypeVar

T = TypeVar("T")


class Changes(Flag):
    """Kinds of things a page may have to read again."""

    NOTHING = 0
    WORKSPACE = auto()
    REVIEWERS = auto()
    PAIRS = auto()
    RUBRICS = auto()
    JUDGEMENTS = auto()
    DATASETS = auto()
    MODELS = auto()
    RUNS = auto()
    SETTINGS = auto()
    SUITES = auto()
    FEEDBACK = auto()
    EVALUATIONS = auto()
    RELEASES = auto()
    FAILURES = auto()


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The result of a mutation.

    Attributes:
        value: what the caller asked for.
        changes: kinds that changed; announced on the change bus.
        undo_label: the named step that undo would take back, empty when it cannot be undone.
    """

    value: T
    changes: Changes = Changes.NOTHING
    undo_label: str = ""
