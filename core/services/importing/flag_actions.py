"""What an import does with pairs whose texts look wrong: keep them flagged, leave the pair out, or reject its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar, get_args

from core.domain.choices import choice_hint
from core.domain.errors import UsageError
from core.domain.text_flags import FLAG_KEYS, FLAG_WORDS, TextFlag, flag_named
from core.services.importing.limits import RowRejected
from core.services.importing.reading import FlagAction

T = TypeVar("T")
KEEP: FlagAction = "keep"
ACTION_WORDS: Mapping[str, tuple[str, str]] = {
    "keep": ("Import, flagged", "The pair is stored as it is and carries the flag."),
    "leave_out": (
        "Leave the pair out",
        "The pair is not stored; other pairs of its row are. A row without any other is rejected.",
    ),
    "reject": ("Reject the row", "Nothing of the row is stored; the list of rejects names its line and the reason."),
}
"""Each action in a few words, and what it does in a sentence."""


class FlagRules:
    """Says which pairs of a row are stored, by their text flags.

    >>> rules = FlagRules({"empty_answer": "leave_out"})
    >>> rules.kept(["first", "second"], [0, TextFlag.EMPTY_ANSWER])
    ['first']
    """

    def __init__(self, actions: Mapping[str, FlagAction]) -> None:
        """Args: actions: key of a text flag -> action; the others are kept.

        Raises:
            UsageError: for a flag or an action that does not exist.
        """
        for key, action in actions.items():
            if key not in FLAG_KEYS:
                raise UsageError(f"There is no text flag {key!r}.", choice_hint(key, FLAG_KEYS))
            if action not in get_args(FlagAction):
                raise UsageError(f"{key} cannot be {action!r}.", f"Use one of {', '.join(get_args(FlagAction))}.")
        self._reject = [flag_named(key) for key, action in actions.items() if action == "reject"]
        self._leave_out = [flag_named(key) for key, action in actions.items() if action == "leave_out"]

    @property
    def any(self) -> bool:
        """Whether any flag does more than mark a pair."""
        return bool(self._reject or self._leave_out)

    def kept(self, pairs: Sequence[T], flags: Sequence[int]) -> list[T]:
        """Return the pairs of one row that are stored.

        Args:
            pairs: of the row.
            flags: their text flags, in the same order.

        Raises:
            FlaggedRow: when the row is to be rejected, or every pair of it is to be left out.
        """
        for flag in self._reject:
            if any(here & flag for here in flags):
                raise FlaggedRow(f"{FLAG_WORDS[flag]}, and such rows are to be rejected")
        left = [pair for pair, here in zip(pairs, flags, strict=True) if not self._leaves_out(here)]
        if pairs and not left:
            flag = self._leaves_out(flags[0])
            assert flag is not None
            raise FlaggedRow(f"{FLAG_WORDS[flag]}, and such pairs are to be left out")
        return left

    def _leaves_out(self, flags: int) -> TextFlag | None:
        return next((flag for flag in self._leave_out if flags & flag), None)


class FlaggedRow(RowRejected):
    """The row is rejected for the look of its texts, as the user chose."""
