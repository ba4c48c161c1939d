"""A dataset version as people read it: what it is made of, its policy in words, and what its items rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from core.domain.dataset import DatasetDiff, DatasetVersion, Split
from core.domain.freeze_policy import FreezePolicy
from core.domain.judgement import FLAGS
from core.domain.licence import shown_licence
from core.domain.on_policy import OnPolicy
from core.domain.text_flags import FLAG_WORDS, flag_named

SliceBy = Literal["source", "split", "reviewer", "rubric", "length", "text_flag"]
LENGTHS = ((0, "under 200"), (200, "200 to 799"), (800, "800 to 3,199"), (3200, "3,200 and more"))
"""Slices by length: the fewest characters of the chosen answer, and the name of the slice."""
NO_FLAG = "none"
"""The key of the slice of items whose texts carry no flag."""
NO_CLAUSE = ""
"""The key of the row of items for which no judgement answered a clause in favour of the chosen answer."""
AGGREGATIONS = {
    "mean": "the mean of the strengths",
    "majority": "the majority of sides",
    "latest": "the latest label",
    "single": "one label; pairs on which reviewers disagree are left out",
}


@dataclass(frozen=True, slots=True)
class DatasetShare:
    """A part of a dataset version with its count of items.

    Attributes:
        key: database id of the rubric version, reviewer or source.
        note: the content hash of a rubric version, kind and licence of a reviewer, the licence of a source.
    """

    key: int
    name: str
    items: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many items each clause decided, by slice.

    A clause decided an item when a judgement behind it prefers the chosen answer on that clause. An item with several
    reviewers, rubric versions or text flags stands in several slices.

    Attributes:
        by: what the slices are.
        slices: key and name of each column.
        clauses: key and name of each row; the last key is ``NO_CLAUSE`` where there are such items.
        cells: (clause key, slice key) -> items.
        all_of: clause key -> items over all slices; an item counts once.
        sizes: slice key -> items.
    """

    by: SliceBy
    slices: tuple[tuple[str, str], ...]
    clauses: tuple[tuple[str, str], ...]
    cells: Mapping[tuple[str, str], int]
    all_of: Mapping[str, int]
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DatasetPart:
    """Which items of a dataset version are meant; every condition that is set must hold.

    Attributes:
        clause: decided the item; ``NO_CLAUSE`` for items that none decided.
        length: the fewest characters of the chosen answer, a key of ``LENGTHS``.
        text_flag: of the item's texts, or ``NO_FLAG``.
    """

    split: Split | None = None
    rubric_version_id: int | None = None
    reviewer_id: int | None = None
    source_id: int | None = None
    adjudicated: bool = False
    edited: bool = False
    clause: str | None = None
    length: int | None = None
    text_flag: str | None = None

    @classmethod
    def of_slice(cls, by: SliceBy, key: str, clause: str | None = None) -> DatasetPart:
        """Return the part that a slice of a coverage is; an empty key means all slices.

        >>> DatasetPart.of_slice("length", "800", "C1").length
        800
        """
        if not key:
            return cls(clause=clause)
        field = _SLICE_FIELDS[by]
        value = key if by in ("split", "text_flag") else int(key)
        return replace(cls(clause=clause), **{field: value})


_SLICE_FIELDS: Mapping[SliceBy, str] = {
    "source": "source_id",
    "split": "split",
    "reviewer": "reviewer_id",
    "rubric": "rubric_version_id",
    "length": "length",
    "text_flag": "text_flag",
}


@dataclass(frozen=True, slots=True)
class DatasetView:
    """Everything that the page of a dataset version shows.

    Attributes:
        adjudicated: items that an adjudication stands behind; ``edited`` those with an improved text.
        runs: uid, name and state of the runs that were trained on it.
        difference: to the version before of the same name, None for the first one.
        policy: the policy in words, as (what, how).
        policy_sha256: hash of the policy as it was stored.
        looks: how often somebody looked at the sealed test.
        on_policy: the items with an answer that was sampled from a policy, and from which.
    """

    version: DatasetVersion
    rubrics: tuple[DatasetShare, ...]
    reviewers: tuple[DatasetShare, ...]
    sources: tuple[DatasetShare, ...]
    adjudicated: int
    edited: int
    runs: tuple[tuple[str, str, str], ...]
    difference: DatasetDiff | None
    policy: tuple[tuple[str, str], ...]
    policy_sha256: str
    looks: int = 0
    on_policy: OnPolicy = field(default_factory=lambda: OnPolicy(0, 0))


def policy_in_words(
    policy: FreezePolicy, rubrics: Mapping[int, str], reviewers: Mapping[int, str], sources: Mapping[int, str]
) -> tuple[tuple[str, str], ...]:
    """Return a policy as (what, how), with names in place of ids.

    >>> policy_in_words(FreezePolicy(rubric_version_ids=(3,)), {3: "Helpful 1.0.0"}, {}, {})[0]
    ('Rubric versions', 'Helpful 1.0.0')
    """
    spread = policy.max_spread
    shares = " / ".join(f"{100 * share:g} %" for share in policy.splits)
    flags = [FLAGS[flag].lower() for flag in policy.drop_flags]
    flags += [FLAG_WORDS[flag_named(flag)] for flag in policy.drop_text_flags]
    return (
        ("Rubric versions", _names(policy.rubric_version_ids, rubrics, "every published one that is not stale")),
        ("Reviewers", _names(policy.reviewer_ids, reviewers, "all")),
        ("Sources", _names(policy.source_ids, sources, "all")),
        ("Consent", "only sources with granted consent" if policy.require_consent else "any that is not withdrawn"),
        *((("Licences", f"only {', '.join(map(shown_licence, policy.licences))}"),) if policy.licences else ()),
        *((("Attacks", "pairs made of attacks are taken"),) if policy.attacks else ()),
        *((("Truly subjective", "taken, with the share of the labels as target"),) if policy.subjective else ()),
        ("Several labels become one by", AGGREGATIONS[policy.aggregation]),
        ("Minimum strength", f"{policy.min_strength:g}"),
        ("Strengths differ by at most", "any amount" if spread is None else f"{spread:g}"),
        ("Ties", "kept as tie pairs" if policy.keep_ties else "left out"),
        ("Left out when flagged", ", ".join(flags) or "no flag"),
        *((("Left out when tagged", ", ".join(policy.drop_tags)),) if policy.drop_tags else ()),
        ("Weight of a pair", _weights(policy)),
        ("Target probability", _targets(policy)),
        ("Train / dev / sealed test", f"{shares}, drawn by prompt with seed {policy.seed}"),
    )


def _names(ids: tuple[int, ...], names: Mapping[int, str], nothing: str) -> str:
    return ", ".join(names.get(key, f"number {key}") for key in ids) or nothing


def _weights(policy: FreezePolicy) -> str:
    parts = ["strength"] * policy.strength_weights + ["agreement of the reviewers"] * policy.agreement_weights
    return f"by {' and '.join(parts)}" if parts else "every pair the same"


def _targets(policy: FreezePolicy) -> str:
    parts = ["the share of reviewers"] * policy.soft_targets + ["the strength"] * policy.strength_targets
    return f"from {' and '.join(parts)}" if parts else "1: the label counts as certain"
