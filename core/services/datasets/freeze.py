"""Plan a freeze: which pairs become items, and which are left out for which reason. Reads no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain import aggregation as why
from core.domain.aggregation import Label, aggregate, counted, flag_reason
from core.domain.changeset import DataRules
from core.domain.consent import OTHER_USE
from core.domain.counting import counted as number_of
from core.domain.dataset import SPLITS, FreezePlan, FreezePolicy, FrozenItem, LeftOut, root_sha256
from core.domain.errors import BadInput
from core.domain.judgement import Task
from core.domain.licence import is_accepted
from core.domain.on_policy import OnPolicy
from core.domain.splits import split_of
from core.services.datasets import text_reports
from core.store.freeze_snapshot import Candidate, FreezeSnapshot

_IDS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Frozen:
    """A plan together with its items, ready to be stored; ``changesets`` are those that were taken."""

    plan: FreezePlan
    items: list[FrozenItem]
    rubric_version_ids: tuple[int, ...]
    snapshot_version: tuple[object, ...]
    changesets: tuple[int, ...] = ()


def freeze(snapshot: FreezeSnapshot, policy: FreezePolicy) -> Frozen:
    """Return what freezing the snapshot under the policy gives.

    Items are ordered by content hash: the order carries no meaning and is the same on every machine.

    Raises:
        BadInput: when the policy names a rubric version that is not published.
    """
    accepted = _accepted(snapshot, policy)
    named = text_reports.split_names(snapshot.candidates, policy.split_rule)
    left_out: dict[str, list[int]] = defaultdict(list)
    items: list[FrozenItem] = []
    for candidate in sorted(snapshot.candidates, key=lambda candidate: candidate.sha256):
        labels = snapshot.labels.get(candidate.pair_id, [])
        found = _outside(candidate, snapshot, policy) or _usable(labels, candidate, snapshot, policy, accepted)
        if not isinstance(found, str) and snapshot.subjective.get(candidate.pair_id, set()) & accepted:
            found = _subjective(found, policy)
        result = found if isinstance(found, str) else aggregate(found, _policy_of(candidate.pair_id, snapshot, policy))
        if isinstance(result, str):
            left_out[result].append(candidate.pair_id)
            continue
        items.append(
            FrozenItem(
                position=len(items),
                pair_id=candidate.pair_id,
                pair_sha256=candidate.sha256,
                split=split_of(named(candidate), policy.seed, policy.splits),
                chosen=result.chosen,
                strength=result.strength,
                weight=result.weight,
                target=result.target,
                is_tie=result.is_tie,
                judgement_ids=result.judgement_ids,
            )
        )
    return _frozen(snapshot, policy, items, left_out)


def _accepted(snapshot: FreezeSnapshot, policy: FreezePolicy) -> set[int]:
    """Return the rubric versions whose labels count: those named, else every one that is not stale."""
    if unknown := set(policy.rubric_version_ids) - set(snapshot.rubrics):
        raise BadInput(
            f"Rubric version {min(unknown)} is not published or does not exist.", "Choose published versions."
        )
    if policy.rubric_version_ids:
        return set(policy.rubric_version_ids)
    return {key for key, version in snapshot.rubrics.items() if not version.stale}


def _outside(candidate: Candidate, snapshot: FreezeSnapshot, policy: FreezePolicy) -> str:
    """Return why the pair itself is left out, or ""."""
    if candidate.pair_id in snapshot.rules.withdrawn:
        return why.CONSENT_WITHDRAWN
    if (named := snapshot.rules.voted.get(candidate.pair_id)) is not None and not named & set(policy.source_ids):
        return why.FROM_VOTES
    if policy.require_consent and (found := without_consent(candidate, snapshot)):
        return found
    if found := _outside_of_changesets(candidate.pair_id, snapshot.rules, policy):
        return found
    if policy.source_ids and not set(policy.source_ids) & set(candidate.source_ids):
        return why.OTHER_SOURCE
    if policy.licences and not any(_licences_of(candidate, snapshot, policy)):
        return why.SOURCE_LICENCE
    flags = snapshot.flags.get(candidate.pair_id, set())
    if found := next((flag_reason(flag) for flag in policy.drop_flags if flag in flags), ""):
        return found
    if policy.drop_tags and (found := _tagged(snapshot.tags.get(candidate.pair_id, ()), policy)):
        return found
    return text_reports.reason_to_drop(candidate, policy) if policy.drop_text_flags and candidate.text_flags else ""


def _tagged(tags: Sequence[str], policy: FreezePolicy) -> str:
    """Return the reason of the first tag of the policy that a pair has, or ""."""
    has = {tag.casefold() for tag in tags}
    return next((why.tag_reason(tag) for tag in policy.drop_tags if tag.casefold() in has), "")


def _licences_of(candidate: Candidate, snapshot: FreezeSnapshot, policy: FreezePolicy) -> list[bool]:
    """Return for each source of a pair whether the policy accepts its licence."""
    return [is_accepted(snapshot.source_licences.get(key, ""), policy.licences) for key in candidate.source_ids]


def _licensed(labels: list[Label], candidate: Candidate, snapshot: FreezeSnapshot, policy: FreezePolicy) -> list[Label]:
    """Return the labels under an accepted licence.

    One that came with a file has the licence of the pair's sources, all of which must be accepted: which of them it
    came from is not stored.
    """
    sources, stated = all(_licences_of(candidate, snapshot, policy)), snapshot.reviewer_licences

    def accepted(label: Label) -> bool:
        if label.task is Task.IMPORTED and label.reviewer_id not in stated:
            return sources
        return is_accepted(stated.get(label.reviewer_id, ""), policy.licences)

    return [label for label in labels if accepted(label)]


def without_consent(candidate: Candidate, snapshot: FreezeSnapshot) -> str:
    """Return why a pair is left out for want of consent, or "".

    A withdrawal by one of its sources is enough. A source of which nothing was stated takes back nothing that another
    one has granted: a file imported twice under two names would else undo its own consent.
    """
    said = {snapshot.consents[key] for key in candidate.source_ids}
    if of_events := snapshot.rules.events.get(candidate.pair_id, ()):
        said = _said_with_events(said, of_events, alone=candidate.pair_id in snapshot.rules.from_feedback)
    if "withdrawn" in said:
        return why.CONSENT_WITHDRAWN
    if "granted" in said:
        return ""
    return why.CONSENT_OTHER_USE if OTHER_USE in said else why.NO_CONSENT


def _said_with_events(said: set[str], of_events: tuple[str, ...], *, alone: bool) -> set[str]:
    """Return what counts for a pair made of feedback: every author of its texts must have granted their use.

    Where the pair came from another source too, that source may grant it.
    """
    if not alone:
        return said | set(of_events)
    return {"granted"} if set(of_events) == {"granted"} else (said | set(of_events)) - {"granted"}


def _outside_of_changesets(pair_id: int, rules: DataRules, policy: FreezePolicy) -> str:
    """Return why approved changesets, or the lack of one, leave a pair out, or ""."""
    if pair_id in rules.removed:
        return why.TAKEN_OUT
    if pair_id in rules.from_feedback and pair_id not in rules.admitted:
        return why.NOT_ADMITTED
    return why.FROM_ATTACK if pair_id in rules.attacks and not policy.attacks else ""


def _usable(
    labels: list[Label], candidate: Candidate, snapshot: FreezeSnapshot, policy: FreezePolicy, accepted: set[int]
) -> list[Label] | str:
    """Return the labels that the policy accepts, or why there are none.

    When the policy names neither rubric versions nor reviewers, labels made here replace the
    imported ones and are not averaged with them.
    """
    if not labels:
        return why.NOT_LABELLED
    if snapshot.rules.reviewers:
        labels = [label for label in labels if label.reviewer_id not in snapshot.rules.reviewers]
        if not labels:
            return why.REVIEWER_WITHDRAWN
    if policy.licences and not (labels := _licensed(labels, candidate, snapshot, policy)):
        return why.LABEL_LICENCE
    valid = snapshot.still_valid if not policy.rubric_version_ids else frozenset[int]()
    under = [label for label in labels if label.rubric_version_id in accepted or label.judgement_id in valid]
    if not under:
        stale = all(snapshot.rubrics[label.rubric_version_id].stale for label in labels)
        return why.STALE_RUBRIC if stale else why.OTHER_RUBRIC
    by = [label for label in under if not policy.reviewer_ids or label.reviewer_id in policy.reviewer_ids]
    if not policy.rubric_version_ids and not policy.reviewer_ids:
        by = [label for label in by if label.task is not Task.IMPORTED] or by
    return by or why.OTHER_REVIEWER


def _policy_of(pair_id: int, snapshot: FreezeSnapshot, policy: FreezePolicy) -> FreezePolicy:
    """Return the policy that a pair is aggregated under; a truly subjective one keeps the shares of its labels."""
    return why.distribution_policy(policy) if policy.subjective and pair_id in snapshot.subjective else policy


def _subjective(labels: list[Label], policy: FreezePolicy) -> list[Label] | str:
    """Return the reviewers' labels of a pair that is truly subjective where the policy takes it, else the reason."""
    if not policy.subjective:
        return why.SUBJECTIVE
    return [label for label in labels if label.task is not Task.ADJUDICATE] or why.SUBJECTIVE


def _frozen(
    snapshot: FreezeSnapshot, policy: FreezePolicy, items: list[FrozenItem], left_out: dict[str, list[int]]
) -> Frozen:
    labels = {label.judgement_id: label for group in snapshot.labels.values() for label in group}
    used = sorted({labels[key].rubric_version_id for item in items for key in item.judgement_ids})
    shas = [snapshot.rubrics[key].sha256 for key in used]
    reasons = sorted(left_out.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    texts = text_reports.report(snapshot.candidates, items)
    on_policy = OnPolicy.count(snapshot.policies, (item.pair_id for item in items))
    sampled = {"on_policy": on_policy.items} if on_policy.items else {}
    plan = FreezePlan(
        policy=policy,
        counts={**_counts(snapshot, items, labels, reasons), **sampled, **texts.counts},
        left_out=tuple(LeftOut(reason, len(ids), tuple(sorted(ids)[:_IDS_KEPT])) for reason, ids in reasons),
        rubric_titles=tuple(snapshot.rubrics[key].title for key in used),
        notes=(*filter(None, [on_policy.sentence()]), *_notes(snapshot, policy, items), *texts.notes),
        root_sha256=root_sha256(policy, shas, items, snapshot.evidence),
    )
    return Frozen(plan, items, tuple(used), snapshot.snapshot_version, tuple(snapshot.rules.taken))


def _counts(
    snapshot: FreezeSnapshot, items: list[FrozenItem], labels: dict[int, Label], reasons: list[tuple[str, list[int]]]
) -> dict[str, int]:
    prompt_of = {candidate.pair_id: candidate.prompt_sha256 for candidate in snapshot.candidates}
    several = [item for item in items if len(item.judgement_ids) > 1]
    counts = {"pairs": len(snapshot.candidates), "items": len(items), "left_out": sum(len(ids) for _, ids in reasons)}
    counts.update({split: sum(item.split == split for item in items) for split in SPLITS})
    counts.update(
        ties=sum(item.is_tie for item in items),
        prompts=len({prompt_of[item.pair_id] for item in items}),
        judgements=sum(len(item.judgement_ids) for item in items),
        reviewers=len({labels[key].reviewer_id for item in items for key in item.judgement_ids}),
        several=len(several),
        agree=sum(_agree([labels[key].value for key in item.judgement_ids]) for item in several),
    )
    gone = sum(one.reviewer_id in snapshot.rules.reviewers for group in snapshot.labels.values() for one in group)
    return counts | ({"withdrawn_labels": gone} if gone else {}) | _votes(snapshot, items, labels)


def _votes(snapshot: FreezeSnapshot, items: list[FrozenItem], labels: dict[int, Label]) -> dict[str, int]:
    """Return how many items were adjudicated and what the reviewers had said of them; empty without any."""
    decided = [i for i in items if any(labels[key].task is Task.ADJUDICATE for key in i.judgement_ids)]
    votes: list[int] = []
    for item in decided:
        under = {labels[key].rubric_id for key in item.judgement_ids}
        others = [one for one in snapshot.labels[item.pair_id] if one.rubric_id in under]
        sign = -1 if item.chosen == "A" else 1
        votes += [sign * one.value for one in counted([one for one in others if one.task is not Task.ADJUDICATE])]
    if not decided:
        return {}
    found = {"adjudicated": len(decided), "votes_for": sum(v > 0 for v in votes)}
    return found | {"votes_against": sum(v < 0 for v in votes), "votes_other": sum(v == 0 for v in votes)}


def _agree(values: list[int]) -> bool:
    return len({(value > 0) - (value < 0) for value in values}) == 1


def _notes(snapshot: FreezeSnapshot, policy: FreezePolicy, items: list[FrozenItem]) -> tuple[str, ...]:
    """Return warnings to read before a training on this version."""
    notes = []
    sizes = {split: sum(item.split == split for item in items) for split in SPLITS}
    for split, share in zip(SPLITS, policy.splits, strict=True):
        if items and share > 0 and not sizes[split]:
            notes.append(f"The {split} split is empty: there are few prompts. Another seed draws another split.")
    stale = {key for key in policy.rubric_version_ids if snapshot.rubrics[key].stale}
    if stale:
        titles = ", ".join(snapshot.rubrics[key].title for key in sorted(stale))
        notes.append(f"Labels made under an older meaning are accepted: {titles}.")
    if not policy.require_consent and any(value != "granted" for value in snapshot.consents.values()):
        notes.append("Sources without granted consent are accepted.")
    gone = sum(one.reviewer_id in snapshot.rules.reviewers for group in snapshot.labels.values() for one in group)
    if gone:
        notes.append(f"{number_of(gone, 'label')} of reviewers who withdrew consent are left out.")
    if snapshot.rules.taken:
        notes.append(f"Approved changesets are taken: {', '.join(snapshot.rules.taken.values())}.")
    if policy.attacks and any(item.pair_id in snapshot.rules.attacks for item in items):
        notes.append("Pairs from attacks are accepted, because the policy names them.")
    if policy.subjective and any(item.pair_id in snapshot.subjective for item in items):
        notes.append("Truly subjective pairs are accepted, with the share of their labels as target.")
    return tuple(notes)
