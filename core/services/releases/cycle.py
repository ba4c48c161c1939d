"""From one cycle to the next: what changed in policy, data and measurement, and what each change bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.domain.bought import Bought
from core.domain.counting import counted
from core.domain.dataset import DatasetDiff
from core.domain.estimate import Estimate
from core.domain.evaluation_record import EvaluationRecord
from core.domain.evidence import plain
from core.domain.run_config import RENAMED, SETTINGS
from core.runs.evaluations.folder import EvaluationFolder

CREDIT: Mapping[tuple[bool, bool], str] = {
    (True, True): "Policy settings and data both changed: the differences on the same items belong to both together. "
    "A run that changes one of them tells them apart.",
    (True, False): "Only the policy's settings changed: the differences on the same items are what they bought.",
    (False, True): "Only the data changed: the differences on the same items are what it bought.",
    (False, False): "Neither settings nor data changed: the differences on the same items are those of a repetition.",
}
"""Whether the policy's settings and its data changed -> to which of them the differences on the same items belong."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: what, and its value before and after, in words."""

    what: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class CycleSide:
    """One of both cycles.

    Attributes:
        kind: ``release`` or ``evaluation``. title: its name.
        thresholds: in words; nothing for an evaluation.
        decision: gate outcome, approver and withdrawal by name; nothing for an evaluation.
    """

    kind: str
    title: str
    id: str
    folder: EvaluationFolder
    record: EvaluationRecord
    thresholds: tuple[str, ...] = ()
    decision: Mapping[str, str] = field(default_factory=dict)

    @property
    def root_sha256(self) -> str:
        """Of the dataset version that the policy was trained on; "" where it has none."""
        return str((self.record.run.get("dataset") or {}).get("root_sha256") or "")

    @property
    def dataset(self) -> str:
        """Title of the dataset version, or the file that the pairs came from."""
        return str((self.record.run.get("dataset") or {}).get("title") or "")


@dataclass(frozen=True, slots=True)
class Cycle:
    """What changed from one to the other.

    Attributes:
        policy, data, measurement, decision: what differs.
        pairs: how the dataset versions differ; None where the workspace does not hold both.
        bought: every number that both have.
        credit: to which change the differences on the same items belong.
        notes: what limits the comparison.
    """

    old: CycleSide
    new: CycleSide
    policy: tuple[Change, ...]
    data: tuple[Change, ...]
    measurement: tuple[Change, ...]
    decision: tuple[Change, ...]
    pairs: DatasetDiff | None
    bought: tuple[Bought, ...]
    credit: str
    notes: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        return {
            "old": _side(self.old),
            "new": _side(self.new),
            "policy": [asdict(change) for change in self.policy],
            "data": {
                "changes": [asdict(change) for change in self.data],
                "pairs": None if self.pairs is None else _pairs(self.pairs),
            },
            "measurement": [asdict(change) for change in self.measurement],
            "decision": [asdict(change) for change in self.decision],
            "credit": self.credit,
            "bought": [_row(row) for row in self.bought],
            "notes": list(self.notes),
        }


def cycle_of(
    old: CycleSide, new: CycleSide, pairs: DatasetDiff | None, bought: Sequence[Bought], missing: Sequence[str] = ()
) -> Cycle:
    """Return the comparison of two sides.

    Args:
        old: the cycle n.
        new: the cycle n + 1.
        pairs: how the dataset versions differ, where both are known.
        bought: of the items that both hold.
        missing: titles of sides whose answers are gone.
    """
    policy, data = tuple(_policy(old.record, new.record)), tuple(_data(old, new, pairs))
    settings = any(change.what not in ("run", "weights", "fingerprint") for change in policy)
    notes = [f"The answers of {title} are gone; nothing of it can be compared item by item." for title in missing]
    if not bought and not missing:
        notes.append("No suite was measured in both; evaluate the same suites to see what the change bought.")
    return Cycle(
        old,
        new,
        policy,
        data,
        tuple(_measurement(old, new, bought)),
        tuple(_differing(dict(old.decision), dict(new.decision))),
        pairs,
        tuple(bought),
        CREDIT[settings, bool(data)],
        tuple(notes),
    )


def _policy(old: EvaluationRecord, new: EvaluationRecord) -> Iterator[Change]:
    before, after = _settings(old.run_config), _settings(new.run_config)
    names = {
        "run": "name", "fingerprint": "fingerprint", "base model": "model", "checkpoint": "step"
    }  # fmt: skip
    yield from _differing(
        {what: _short(old.run.get(key, "")) for what, key in names.items()},
        {what: _short(new.run.get(key, "")) for what, key in names.items()},
    )
    yield from _differing(_weights(old), _weights(new))
    yield from _differing(before, after)


def _settings(plain_config: Mapping[str, Any]) -> dict[str, str]:
    found = {RENAMED.get(key, key): value for key, value in plain_config.items()}
    return {SETTINGS[key].label if key in SETTINGS else key: _words(value) for key, value in found.items()}


def _weights(record: EvaluationRecord) -> dict[str, str]:
    policy = next((arm for arm in record.arms if arm.kind == "aligned"), None)
    inputs = policy.inputs if policy is not None else {}
    words = {"policy": "weights", "model": "base weights", "tokenizer": "tokenizer", "template": "chat template"}
    return {what: str(inputs.get(key, ""))[:12] for key, what in words.items()}


def _data(old: CycleSide, new: CycleSide, pairs: DatasetDiff | None) -> Iterator[Change]:
    if old.root_sha256 == new.root_sha256 and old.dataset == new.dataset:
        return
    yield Change("dataset version", _named(old), _named(new))
    before, after = _rubrics(old), _rubrics(new)
    if before != after:
        yield Change("rubric versions", before or "–", after or "–")
    if pairs is None:
        return
    for words, ids in pair_changes(pairs).items():
        if ids:
            yield Change(f"pairs {words}", "", counted(len(ids), "pair"))
    for setting, one, two in pairs.policy_changes:
        yield Change(f"freeze policy, {setting}", one, two)


def pair_changes(pairs: DatasetDiff) -> dict[str, tuple[int, ...]]:
    """Return the pairs that changed between two dataset versions, by what happened to them."""
    return {
        "added": pairs.added,
        "removed": pairs.removed,
        "relabelled": pairs.flipped,
        "of another strength": pairs.restrengthened,
        "in another split": tuple(pair for pair, _, _ in pairs.moved),
    }


def _measurement(old: CycleSide, new: CycleSide, bought: Sequence[Bought]) -> Iterator[Change]:
    before, after = ({suite.title: suite for suite in side.record.suites} for side in (old, new))
    yield from _differing(
        {title: f"{counted(suite.used, 'item')}, {suite.sha256[:12]}" for title, suite in before.items()},
        {title: f"{counted(suite.used, 'item')}, {suite.sha256[:12]}" for title, suite in after.items()},
    )
    yield from _differing(_flat(old.record.config.to_plain()), _flat(new.record.config.to_plain()))
    moved = {row.metric for row in bought if row.by_detector is not None}
    if moved:
        yield Change("detector", "verdicts as noted", f"today's detector says otherwise ({', '.join(sorted(moved))})")
    yield from _differing({"thresholds": "; ".join(old.thresholds)}, {"thresholds": "; ".join(new.thresholds)})
    libraries = ("torch", "transformers")
    yield from _differing(*({name: side.record.versions.get(name, "") for name in libraries} for side in (old, new)))


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for what in dict.fromkeys([*old, *new]):
        if old.get(what, "") != new.get(what, ""):
            yield Change(what, old.get(what) or "–", new.get(what) or "–")


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    return {key.replace("_", " "): _words(value) for key, value in values.items()}


def _words(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text


def _named(side: CycleSide) -> str:
    return " ".join(part for part in (side.dataset, side.root_sha256[:12]) if part) or "–"


def _rubrics(side: CycleSide) -> str:
    return ", ".join((side.record.run.get("dataset") or {}).get("rubrics", ()))


def _side(side: CycleSide) -> dict[str, Any]:
    return {
        "kind": side.kind,
        "title": side.title,
        "id": side.id,
        "evaluation": side.record.evaluation_id,
        "fingerprint": side.record.run.get("fingerprint", ""),
        "dataset": {"title": side.dataset, "root_sha256": side.root_sha256},
        "thresholds": list(side.thresholds),
    }


def _pairs(pairs: DatasetDiff) -> dict[str, Any]:
    return {words.replace(" ", "_"): list(ids) for words, ids in pair_changes(pairs).items()} | {"same": pairs.same}


def _row(row: Bought) -> dict[str, Any]:
    def one(estimate: Estimate | None) -> dict[str, Any] | None:
        return None if estimate is None else plain(estimate)

    return {
        "suite": row.suite,
        "old_suite": row.old_suite,
        "metric": row.metric,
        "before": one(row.before),
        "after": one(row.after),
        "same_items": one(row.same_items),
        "p": row.p if row.p == row.p else None,
        "p_holm": row.p_holm if row.p_holm == row.p_holm else None,
        "reference": one(row.reference),
        "by_detector": one(row.by_detector),
        "by_items": one(row.by_items),
    }
