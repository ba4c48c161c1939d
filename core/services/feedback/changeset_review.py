"""What a changeset does: how the next dataset version differs with it, and what a reviewer has to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.domain.changeset import Changeset
from core.domain.counting import counted
from core.domain.dataset import DatasetDiff, DatasetVersion, FreezePolicy, LeftOut, diff_versions
from core.domain.pair import Pair
from core.services.datasets.freeze import Frozen, freeze, without_consent
from core.store import changesets as repository
from core.store import data_rules, datasets, pairs
from core.store.freeze_snapshot import FreezeSnapshot, snapshot
from core.store.sqlite.database import Session


@dataclass(frozen=True, slots=True)
class ChangesetDiff:
    """What the next version of a dataset would be with a changeset, against the newest version.

    Attributes:
        diff: between the two, item by item.
        by_changeset: pairs that are in the next version, or not in it, only because of the changeset.
        left_out: why pairs would be left out.
    """

    diff: DatasetDiff
    by_changeset: tuple[int, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class ReviewCheck:
    """One check of a changeset: what is right, of how many, and what is wrong where that is fewer.

    Attributes:
        needed: whether the changeset cannot be approved without it.
    """

    words: str
    done: int
    total: int
    told: str = ""
    needed: bool = False

    @property
    def passed(self) -> bool:
        """Whether all of them are right."""
        return self.done == self.total


@dataclass(frozen=True, slots=True)
class ChangesetReview:
    """A changeset with its checks, its texts and what it does to the next dataset version.

    Attributes:
        texts: pair -> its texts; pairs without consent any more are not in it.
        leaves_out: pair that would enter -> why the next freeze leaves it out all the same.
        version: title of the newest dataset version; empty when there is none, and the default policy counts then.
        before, after: items of that version, and of the next one with the changeset.
        compared: against that version, None without one.
    """

    changeset: Changeset
    checks: tuple[ReviewCheck, ...]
    texts: Mapping[int, Pair] = field(default_factory=dict)
    leaves_out: Mapping[int, str] = field(default_factory=dict)
    version: str = ""
    before: int = 0
    after: int = 0
    compared: ChangesetDiff | None = None


def compared(session: Session, made: Changeset, before: DatasetVersion) -> ChangesetDiff:
    """Compare the newest version with the next one under the same policy, with the changeset."""
    return _difference(session, made, before, snapshot(session))[0]


def reviewed(session: Session, made: Changeset) -> ChangesetReview:
    """Return what somebody needs to approve a changeset or to send it back."""
    now = snapshot(session)
    versions = datasets.listed(session)
    newest = versions[-1] if versions else None
    difference = None
    if newest is not None:
        difference, planned = _difference(session, made, newest, now)
    else:
        planned = freeze(_with(made, now), FreezePolicy())
    reasons = {key: entry.reason for entry in planned.plan.left_out for key in entry.pair_ids}
    items = {item.pair_id for item in planned.items}
    enters = [entry.enters for entry in made.entries if entry.enters is not None]
    left_out = {key: reasons.get(key, "left out by the policy") for key in enters if key not in items}
    named = {key for entry in made.entries for key in (entry.pair_id, entry.new_pair_id) if key is not None}
    return ChangesetReview(
        changeset=made,
        checks=_checks(session, made, now, left_out),
        texts={key: pair for key, (_, pair) in pairs.texts(session, sorted(named - now.rules.withdrawn)).items()},
        leaves_out=left_out,
        version=newest.title if newest is not None else "",
        before=newest.counts.get("items", 0) if newest is not None else 0,
        after=len(planned.items),
        compared=difference,
    )


def _difference(
    session: Session, made: Changeset, before: DatasetVersion, now: FreezeSnapshot
) -> tuple[ChangesetDiff, Frozen]:
    old_items = datasets.items(session, before.id)
    admitted, removed = data_rules.changes(session, without=made.id)
    base = freeze(replace(now, rules=replace(now.rules, admitted=admitted, removed=removed)), before.policy)
    planned = freeze(_with(made, now), before.policy)
    after = DatasetVersion(
        0, before.name, before.number + 1, planned.plan.root_sha256, before.policy,
        rubric_titles=planned.plan.rubric_titles,
    )  # fmt: skip
    mine = {key for entry in made.entries for key in (entry.pair_id, entry.new_pair_id) if key is not None}
    turned = {item.pair_id for item in base.items} ^ {item.pair_id for item in planned.items}
    diff = diff_versions(before, old_items, after, planned.items)
    return ChangesetDiff(diff, tuple(sorted(turned & mine)), planned.plan.left_out), planned


def _with(made: Changeset, now: FreezeSnapshot) -> FreezeSnapshot:
    """Return the snapshot as it would be with a draft; an approved changeset is in it already."""
    if made.state != "draft":
        return now
    admitted, removed = now.rules.changed_by((e.op, e.pair_id, e.new_pair_id) for e in made.entries)
    return replace(now, rules=replace(now.rules, admitted=admitted, removed=removed))


def _checks(
    session: Session, made: Changeset, now: FreezeSnapshot, left_out: Mapping[int, str]
) -> tuple[ReviewCheck, ...]:
    """Return the checks of what enters."""
    enters = [entry for entry in made.entries if entry.enters is not None]
    ids = [key for entry in enters if (key := entry.enters) is not None]
    candidates = {one.pair_id: one for one in now.candidates if one.pair_id in set(ids)}
    consent = {key: without_consent(candidates[key], now) for key in ids if key in candidates}
    consent |= {key: "consent withdrawn" for key in ids if key in now.rules.withdrawn}
    without = {key: reason for key, reason in consent.items() if reason}
    sealed = {key: titles for key in ids if (titles := repository.sealed_in(session, key))}
    attacks = [key for key in ids if key in now.rules.attacks]
    unlabelled = [entry.enters for entry in enters if not entry.labels]
    n = len(ids)
    return (
        ReviewCheck("Consent granted", n - len(without), n, _some(without, "; ".join(sorted(set(without.values()))))),
        ReviewCheck(
            "Outside every sealed test", n - len(sealed), n,
            _some(sealed, ", ".join(sorted({title for titles in sealed.values() for title in titles}))), needed=True,
        ),
        ReviewCheck(
            "Not made of an attack", n - len(attacks), n, _some(attacks, "the freeze policy must name attacks")
        ),
        ReviewCheck("Labelled", n - len(unlabelled), n, _some(unlabelled, "a freeze leaves them out until then")),
        ReviewCheck(
            "Enters the next freeze", n - len(left_out), n, _some(left_out, "; ".join(sorted({*left_out.values()})))
        ),
    )  # fmt: skip


def _some(ids: Mapping[int, object] | list[int | None] | list[int], why: str) -> str:
    """Return which pairs are meant and why, empty for none."""
    shown = ", ".join(str(key) for key in list(ids)[:5])
    more = ", ..." if len(ids) > 5 else ""
    return f"{counted(len(ids), 'pair')} ({shown}{more}): {why}" if ids else ""
