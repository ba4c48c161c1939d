"""The policy of a freeze: which judgements count, how they are aggregated, and which weight and target a pair gets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from core.domain.choices import choice_hint
from core.domain.errors import BadInput
from core.domain.judgement import FLAGS
from core.domain.licence import NOT_STATED
from core.domain.text_flags import FLAG_KEYS

Aggregation = Literal["mean", "majority", "latest", "single"]


@dataclass(frozen=True, slots=True)
class FreezePolicy:
    """Which judgements become training pairs, and how several become one.

    Attributes:
        rubric_version_ids: versions whose labels count; empty accepts every label that no later major
            version made stale. While this and ``reviewer_ids`` are empty, labels made here outrank imported
            ones on the same pair.
        reviewer_ids: reviewers whose labels count; empty accepts all.
        source_ids: sources whose pairs count; empty accepts all.
        licences: licences under which texts and labels count, :data:`core.domain.licence.NOT_STATED` for none; empty
            accepts all. A pair needs one source with an accepted licence, a label a reviewer with one; a label that
            came with a file, and whose reviewer has none stated, needs it from every source of its pair.
        aggregation: ``mean`` of signed strength, ``majority`` of sides, ``latest`` label,
            ``single`` (refuse pairs with several reviewers who disagree).
        min_strength: pairs whose aggregate strength is below it in absolute value are left out.
        max_spread: pairs whose strengths differ by more are left out; None keeps all.
        keep_ties: keep ties as tie pairs for tie-aware losses instead of leaving them out.
        drop_flags: pairs on which any current judgement carries one of these flags are left out.
        require_consent: leave out pairs of which no source has granted consent. A withdrawn consent leaves a pair out
            whatever the policy says.
        splits: shares of train, dev, test; drawn by prompt group with ``seed``.
        soft_targets: set each pair's target probability from the share of reviewers who agree.
        strength_weights: multiply each pair's loss by its strength, 1 at the middle of the scale.
        strength_targets: set each pair's target probability from the strength, as log-odds; together with
            ``soft_targets`` the mean over the reviewers of what each strength says.
        agreement_weights: multiply each pair's loss by the net share of reviewers on the chosen side, 1 when all
            agree; pairs on which none is left are left out.
        drop_text_flags: pairs whose texts carry one of these flags are left out, see ``core.domain.text_flags``.
        drop_tags: pairs that somebody put one of these tags on are left out.
        attacks: take pairs that were made of attacks, too; they never enter otherwise.
        subjective: take pairs that were decided to be truly subjective, too, with the share of their labels as target;
            they never enter otherwise.
        split_rule: which prompts fall together, see ``core.domain.splits``.

    Raises:
        BadInput: when a setting has another type, is out of bounds, or is unknown.
    """

    rubric_version_ids: tuple[int, ...] = ()
    reviewer_ids: tuple[int, ...] = ()
    source_ids: tuple[int, ...] = ()
    aggregation: Aggregation = "mean"
    min_strength: float = 1.0
    max_spread: float | None = None
    keep_ties: bool = False
    drop_flags: tuple[str, ...] = ("pii", "unsafe", "bad_prompt", "truncated", "duplicate")
    require_consent: bool = True
    splits: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    soft_targets: bool = False
    strength_weights: bool = False
    strength_targets: bool = False
    agreement_weights: bool = False
    drop_text_flags: tuple[str, ...] = ()
    drop_tags: tuple[str, ...] = ()
    split_rule: int = 2
    attacks: bool = False
    subjective: bool = False
    licences: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key, (fits, expected) in _KINDS.items():
            if not fits(getattr(self, key)):
                raise BadInput(f"The freeze setting {key} cannot be {getattr(self, key)!r}.", f"It must be {expected}.")
        if abs(math.fsum(self.splits) - 1) > 1e-9:
            raise BadInput("The three split shares must be 0 or more and add up to 1.")
        # 1 and 1.0 are the same setting and must give the same hash.
        object.__setattr__(self, "min_strength", float(self.min_strength))
        object.__setattr__(self, "max_spread", None if self.max_spread is None else float(self.max_spread))
        object.__setattr__(self, "splits", tuple(float(share) for share in self.splits))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; part of the manifest and of the root hash.

        Settings that came later are left out while they are off, so that what was frozen before keeps its hash.
        """
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {k: v for k, v in plain.items() if k not in CAME_LATER or v not in CAME_LATER[k]}

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> FreezePolicy:
        """Build a policy from plain values; a single id or flag may stand for a list of one, and
        flags may be parted by commas.

        Raises:
            BadInput: for an unknown key or a value that the key cannot have.
        """
        names = [field.name for field in fields(cls)]
        if unknown := sorted(set(row) - set(names)):
            raise BadInput(
                f"Unknown freeze setting {unknown[0]!r}.", choice_hint(unknown[0], names, "The settings are")
            )
        return cls(**{key: _as_tuple(key, value) for key, value in row.items()})

    @classmethod
    def as_stored(cls, row: dict[str, Any]) -> FreezePolicy:
        """Return the policy of a dataset version that is frozen already, exactly as its row has it.

        Unlike :meth:`from_plain` it refuses and rewrites nothing: an earlier version of the program may have accepted
        what this one refuses, and a frozen version must stay readable. Unknown keys are left out.
        """
        policy = cls()
        object.__setattr__(policy, "split_rule", 1)  # what was frozen before the rule was written down
        for field in fields(cls):
            if field.name in row:
                object.__setattr__(policy, field.name, _as_tuple(field.name, row[field.name]))
        return policy


CAME_LATER: dict[str, tuple[Any, ...]] = {
    "strength_targets": (False,),
    "agreement_weights": (False,),
    "drop_text_flags": ([],),
    "drop_tags": ([],),
    "split_rule": (1,),
    "attacks": (False,),
    "subjective": (False,),
    "licences": ([],),
}
"""Settings that came later, with the values under which a version is frozen as it was before them."""
_LISTS = (
    *("rubric_version_ids", "reviewer_ids", "source_ids"),
    *("drop_flags", "drop_text_flags", "drop_tags", "licences"),
)


def _as_tuple(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if key in _LISTS and isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return (value,) if key in _LISTS and isinstance(value, int) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_ids(value: Any) -> bool:
    return isinstance(value, tuple) and all(map(_is_id, value))


def _is_shares(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 3 and all(_is_number(v) and v >= 0 for v in value)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


def _is_flags(value: Any) -> bool:
    return isinstance(value, tuple) and all(flag in FLAGS for flag in value)


def _are_text_flags(value: Any) -> bool:
    return isinstance(value, tuple) and all(flag in FLAG_KEYS for flag in value)


def _are_tags(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(tag, str) and tag.strip() for tag in value)


_IDS = (_is_ids, "a whole number or a list of them")
_SWITCH = (_is_switch, "true or false")
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "rubric_version_ids": _IDS,
    "reviewer_ids": _IDS,
    "source_ids": _IDS,
    "aggregation": (lambda value: value in get_args(Aggregation), f"one of {', '.join(get_args(Aggregation))}"),
    "min_strength": (lambda value: _is_number(value) and 0 <= value <= 3, "a number from 0 to 3"),
    "max_spread": (lambda value: value is None or (_is_number(value) and value >= 0), "null or a number of 0 or more"),
    "keep_ties": _SWITCH,
    "drop_flags": (_is_flags, f"a list of {', '.join(FLAGS)}"),
    "require_consent": _SWITCH,
    "licences": (_are_texts, f"a list of licences, {NOT_STATED!r} for none"),
    "splits": (_is_shares, "three shares of 0 or more that add up to 1, for example [0.8, 0.1, 0.1]"),
    "seed": (_is_id, "a whole number"),
    "soft_targets": _SWITCH,
    "strength_weights": _SWITCH,
    "strength_targets": _SWITCH,
    "agreement_weights": _SWITCH,
    "drop_text_flags": (_are_text_flags, f"a list of {', '.join(FLAG_KEYS)}"),
    "drop_tags": (_are_tags, "a list of tags"),
    "attacks": _SWITCH,
    "subjective": _SWITCH,
    "split_rule": (lambda value: _is_id(value) and value in (1, 2), "1 or 2"),
}
