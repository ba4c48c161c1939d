"""Dataset versions: plan, freeze, read, compare, hand to training, export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from core.domain.aggregation import NO_CONSENT
from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.dataset import (
    SPLITS,
    DatasetDiff,
    DatasetVersion,
    FreezePlan,
    FreezePolicy,
    FrozenItem,
    diff_versions,
)
from core.domain.dataset_view import Coverage, DatasetPart, DatasetView, SliceBy
from core.domain.errors import BadInput, UsageError, UserError
from core.domain.label_noise import NoiseReport
from core.domain.names import checked_name
from core.domain.pair import TrainingPair
from core.domain.sign_off import SignOff
from core.evaluation.openings import count_looks
from core.services.datasets import export, flip_rate, sign_off
from core.services.datasets.export import DatasetExport
from core.services.datasets.freeze import Frozen, freeze
from core.services.datasets.sealing import Sealing
from core.services.datasets.view import view
from core.store import dataset_parts, events, licences, overview, queue, rubrics
from core.store import datasets as repository
from core.store.freeze_snapshot import snapshot, snapshot_version
from core.store.sqlite.database import Store
from core.store.withdrawn import withdrawn_pairs

__all__ = [
    "DatasetDiff",
    "DatasetExport",
    "DatasetVersion",
    "DatasetsService",
    "FreezePlan",
    "FreezePolicy",
    "NoiseReport",
]


class DatasetsService:
    """Freezes labels into versions that never change, and reads them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sealing = Sealing(store)

    def plan(self, policy: FreezePolicy | None = None) -> FreezePlan:
        """Return what freezing now would give, without storing anything.

        Raises:
            BadInput: when the policy names an unpublished rubric version.
        """
        return self._frozen(policy or FreezePolicy()).plan

    def freeze(
        self,
        name: str,
        policy: FreezePolicy | None = None,
        *,
        created_by: str = "",
        note: str = "",
        signed_off_by: str = "",
    ) -> Outcome[DatasetVersion]:
        """Freeze the labels under a policy as the next version of ``name``, and seal its test split.

        A test split that cannot be sealed now, for want of room, is sealed when it is first needed.

        Args:
            name: of the dataset.
            policy: which labels count; None for the usual one.
            created_by: who freezes.
            note: what for.
            signed_off_by: a person other than who labelled last; needed where the workspace asks for it.

        Raises:
            BadInput: the name is empty, no pair passes the policy, or a sign-off is missing; nothing was stored.
        """
        name = checked_name(" ".join(name.split(" ")), "dataset")
        policy = policy or FreezePolicy()
        self._store.copy_before("freeze")
        ready = self._frozen(policy)
        now = self._store.write_context()

        def write(session: repository.Session) -> DatasetVersion:
            signed = sign_off.checked(session, signed_off_by)
            # Labels may have been added since the plan was made; the version must hold the current ones.
            frozen = ready if snapshot_version(session) == ready.snapshot_version else freeze(snapshot(session), policy)
            if not frozen.items:
                raise BadInput("No pair passes this policy; nothing was frozen.", _why_empty(frozen.plan))
            key = repository.add(
                session,
                name,
                frozen.plan,
                frozen.items,
                frozen.rubric_version_ids,
                now,
                changesets=frozen.changesets,
                created_by=created_by,
                note=note,
                signed_off_by=signed.by,
            )
            made = repository.get(session, key)
            detail = {"root_sha256": made.root_sha256, "items": made.counts["items"]}
            detail |= {"changesets": list(made.changesets)} if made.changesets else {}
            detail |= {"signed_off_by": signed.by, "labelled_last": signed.editor} if signed.by else {}
            summary = f"Froze {made.title}: {counted(made.counts['items'], 'item')}"
            events.log(session, now, "dataset.freeze", summary, subject="dataset", subject_id=key, detail=detail)
            return made

        made = self._store.write(write, "freezing the dataset")
        try:
            self._sealing.seal(made)
        except UserError as error:
            self._store.tell(f"{made.title} is frozen, and its test split is not sealed yet: {error}")
        return Outcome(made, Changes.DATASETS)

    def sign_off(self) -> SignOff:
        """Return whether a freeze needs a sign-off now, and who may give it."""
        with self._store.read() as session:
            return sign_off.read(session)

    def ask_sign_off(self, wanted: bool, by: int | None = None) -> Outcome[None]:
        """Ask for a sign-off before each freeze, or no longer; ``by`` is the reviewer who decides it."""
        context = self._store.write_context()

        def write(session: repository.Session) -> None:
            overview.set_setting(session, sign_off.SETTING, "on" if wanted else "")
            words = "needs a sign-off by another person" if wanted else "needs no sign-off"
            events.log(session, context, "dataset.ask_sign_off", f"A freeze {words}", reviewer_id=by)

        self._store.write(write, "saving a setting")
        return Outcome(None, Changes.REVIEWERS | Changes.SETTINGS)

    def licences(self) -> Sequence[str]:
        """Return the licences of sources and of people's labels, by name; an empty one where somebody has none."""
        with self._store.read() as session:
            return licences.named(session)

    def list(self) -> list[DatasetVersion]:
        """Return every version, oldest first."""
        with self._store.read() as session:
            return repository.listed(session)

    def get(self, wanted: int | str) -> DatasetVersion:
        """Return a version by id, by title ("safety v2"), or the newest of a name.

        Raises:
            NotFound: when there is none.
        """
        with self._store.read() as session:
            return repository.get(session, wanted)

    def view(self, wanted: int | str) -> DatasetView:
        """Return everything that the page of a version shows: composition, policy in words, difference, runs.

        Raises:
            NotFound: when there is none.
        """
        with self._store.read() as session:
            found = view(session, wanted)
        looks = count_looks(self._sealing.openings(found.version, take=False))
        return replace(found, looks=looks)

    def coverage(self, wanted: int | str, by: SliceBy = "source") -> Coverage:
        """Return how many items each clause of the rubrics decided, in slices, see ``SliceBy``."""
        with self._store.read() as session:
            return dataset_parts.coverage(session, repository.get(session, wanted).id, by)

    def pairs_of(self, wanted: int | str, part: DatasetPart) -> Sequence[int]:
        """Return the pairs of a part of a version, ascending."""
        with self._store.read() as session:
            return dataset_parts.pairs_of(session, repository.get(session, wanted).id, part)

    def items(self, wanted: int | str, after: int = -1, limit: int = 256) -> Sequence[FrozenItem]:
        """Return the items behind position ``after``; pass the last position to continue."""
        with self._store.read() as session:
            return repository.items(session, repository.get(session, wanted).id, after, limit)

    def diff(self, old: int | str, new: int | str) -> DatasetDiff:
        """Return how the second version differs from the first."""
        with self._store.read() as session:
            before, after = repository.get(session, old), repository.get(session, new)
            return diff_versions(
                before, repository.items(session, before.id), after, repository.items(session, after.id)
            )

    def label_noise(self, wanted: int | str | None = None) -> NoiseReport:
        """Return how often labels are flipped, measured from retest and gold answers.

        With a dataset version, by the reviewers and rubrics behind it; else over the whole workspace.
        """
        with self._store.read() as session:
            return flip_rate.measure(session, None if wanted is None else repository.get(session, wanted).id)

    def measured_smoothing(self, wanted: int | str) -> tuple[float, str]:
        """Return the label smoothing that the measured flip rate of a version gives, and the measurement in words.

        Raises:
            UsageError: nothing was measured, or the labels are no better than chance.
        """
        report = self.label_noise(wanted)
        return flip_rate.smoothing(report, self.get(wanted).title), report.sentence()

    def training_pairs(self, wanted: int | str, splits: Sequence[str] = ("train", "dev")) -> Sequence[TrainingPair]:
        """Return the items of some splits as the engine takes them; those of the sealed test split are never given.

        Args:
            wanted: id, title or name of the version.
            splits: of train and dev.

        Raises:
            UsageError: for an unknown split, or for the test split.
        """
        check_splits(splits)
        with self._store.read() as session:
            return repository.training_pairs(session, repository.get(session, wanted).id, splits)

    def export(
        self,
        wanted: int | str,
        folder: Path | str,
        fmt: Literal["jsonl", "parquet"] = "jsonl",
        *,
        unseal: bool = False,
        person: str = "",
        reason: str = "",
        form: str = "trl",
    ) -> DatasetExport:
        """Write a version as a folder of preference files with a dataset card; see ``export_dataset``.

        ``form`` is what a line looks like: a key of :data:`core.services.datasets.export_forms.FORMS`.

        The sealed test split stays inside unless ``unseal`` is set, which the event log notes and which counts as a
        look at it. ``person`` and ``reason`` say who unseals it, and why.

        Raises:
            BadInput: the folder exists already, or the format or form is unknown.
            StorageFull, UserError: nothing was left at ``folder``.
        """
        with self._store.read() as session:
            version = repository.get(session, wanted)
        if unseal and version.counts.get("test"):
            self._sealing.note_export(version, person, reason, f"exported to {Path(folder).name}")
        splits = SPLITS if unseal else SPLITS[:2]
        with self._store.read() as session:
            return export.export_dataset(session, version, Path(folder), fmt, splits, form)

    def hidden_test_items(self, reviewer_id: int | None = None, rubric_version_id: int | None = None) -> int:
        """Count the test items that a reviewer has not labelled, or no person has; no queue shows them."""
        with self._store.read() as session:
            if reviewer_id is None or rubric_version_id is None:
                return queue.count_sealed(session)
            return queue.count_sealed(session, reviewer_id, rubrics.compatible_ids(session, rubric_version_id))

    def pairs_without_consent(self, reviewer_id: int | None = None, rubric_version_id: int | None = None) -> int:
        """Count the pairs that no queue shows for want of consent and that a reviewer, or no person, has labelled.

        Test items are not counted, :meth:`hidden_test_items` does.
        """
        with self._store.read() as session:
            gone = withdrawn_pairs(session, now_ms()) - queue.sealed_pair_ids(session)
            if reviewer_id is None or rubric_version_id is None:
                return queue.count_unlabelled(session, gone)
            versions = rubrics.compatible_ids(session, rubric_version_id)
            return queue.count_unlabelled(session, gone, reviewer_id, versions)

    def take_openings(self) -> int:
        """Bring the openings of sealed tests that other processes noted into the event log; return how many."""
        return self._sealing.take_notes()

    def _frozen(self, policy: FreezePolicy) -> Frozen:
        with self._store.read() as session:
            found = freeze(snapshot(session), policy)
            same = repository.same_content(session, found.plan.root_sha256)
        return replace(found, plan=replace(found.plan, same_as=same))


def check_splits(splits: Sequence[str]) -> None:
    """Refuse unknown splits, and the test split.

    Raises:
        UsageError: the hint says what to do.
    """
    if unknown := [split for split in splits if split not in SPLITS]:
        raise UsageError(f"There is no split {unknown[0]!r}.", f"Use {', '.join(SPLITS[:2])}.")
    if "test" in splits:
        raise UsageError(
            "The test split is sealed: once it is read while tuning, it no longer measures the result.",
            "Evaluate a run on it; an evaluation opens it and notes the look.",
        )


def _why_empty(plan: FreezePlan) -> str:
    parts = [f"{entry.count:,} {entry.reason}" for entry in plan.left_out[:4]]
    if not parts:
        return "Import or label pairs first."
    told = f"Left out: {'; '.join(parts)}."
    if any(entry.reason == NO_CONSENT for entry in plan.left_out):
        told += (
            " Where those who wrote the texts agreed to their use, record it for the source; or accept every source."
        )
    return told
