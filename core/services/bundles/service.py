"""Review bundles: many desks without a server.

``export`` writes the open slots of one reviewer to a file, :mod:`core.services.bundles.desk` makes a workspace of it
that labels offline and sends back what was labelled, and ``merge`` takes that in. A merge is a union of append-only
rows by id: doing it again adds nothing, and the order of the files does not matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.counting import counted, verb
from core.domain.errors import BadInput, NotFound, UserError
from core.domain.ids import new_uid
from core.services.bundles.bundle_file import BundleFile, is_bundle, lines_text, read_bundle, write_bundle
from core.services.bundles.desk import send_back
from core.store import batches, bundles, events, queue, reviewers
from core.store.bundles import MergeNote, ReviewBundle
from core.store.chain import verify
from core.store.chain.sealer import head
from core.store.chain_head import chain_head
from core.store.desks import replay, work
from core.store.desks.merging import DeskMerge, content_rows
from core.store.sqlite.database import Session, Store
from core.store.withdrawn import withdrawn_pairs


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written, and what had to be said."""

    bundle: ReviewBundle
    path: Path
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of one file.

    Attributes:
        state: "merged" with something new, "known" with nothing new, or "refused".
        new: rows by kind: labels, retractions, presentations, skips. left: rows that do not belong to the bundle.
        reason: why it was refused, with what to do.
    """

    file: str
    state: str
    batch: str = ""
    reviewer: str = ""
    new: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    reason: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "file": self.file,
            "state": self.state,
            "batch": self.batch,
            "reviewer": self.reviewer,
            "new": self.new,
            "left": self.left,
            "reason": self.reason,
        }

    def words(self) -> str:
        """Return what became of the file in a sentence."""
        if self.state == "refused":
            return f"{self.file} was refused. {self.reason}"
        found = ", ".join(f"{count:,} {kind}" for kind, count in self.new.items() if kind != "presentations")
        left = sum(self.left.values())
        rest = f" {counted(left, 'row')} outside the bundle {verb(left, 'was', 'were')} left out." if left else ""
        return f"{self.file}: {self.reviewer} in {self.batch}, {found or 'nothing new'}.{rest}"


def _go_on(_done: int, _total: int, _name: str) -> None:
    """Take no notice of a file."""


class BundlesService:
    """Exports and merges the review bundles of one workspace. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[ReviewBundle]:
        """Return every bundle, oldest first."""
        with self._store.read() as session:
            return bundles.listed(session)

    def export(self, batch_id: int, reviewer_id: int, path: Path, by: int | None = None) -> Outcome[Exported]:
        """Write the open slots of a reviewer to a file; from then on they are answered on the desk that opens it.

        Slots that were exported before and lost with their file are written again when nothing new is open.

        Raises:
            NotFound: there is no such batch or reviewer, or no open slot.
            BadInput: this workspace is a desk itself, or another file is at ``path``.
        """
        context = self._store.write_context()

        def job(session: Session) -> Exported:
            batch = batches.get(session, batch_id)
            if batch.home_uuid:
                raise BadInput("This workspace is a desk; its slots belong to another one.", "Export from that one.")
            name = reviewers.get(session, reviewer_id).name
            wanted, told = self._wanted(session, batch_id, reviewer_id)
            if not wanted:
                return self._again(session, batch_id, reviewer_id, name, path)
            uid, lines = new_uid(), list(work.lines_of(session, batch_id, reviewer_id, wanted))
            at = chain_head(session).words
            sha = hashlib.sha256(lines_text(lines)).hexdigest()
            bundles.add(session, uid, "exported", batch_id, reviewer_id, self._store.uuid, at, sha, wanted, context)
            summary = f"Exported {counted(len(wanted), 'slot')} of {name} in {batch.name}"
            events.log(
                session, context, "bundle.export", summary, reviewer_id=by, subject="batch", subject_id=batch.id,
                detail={"bundle": uid, "slots": len(wanted), "sha256": sha},
            )  # fmt: skip
            made = bundles.by_uid(session, uid)
            assert made is not None
            self._write(made, lines, path)
            return Exported(made, path, tuple(told))

        return Outcome(self._store.write(job, "exporting a review bundle"), Changes.JUDGEMENTS)

    def merge(
        self,
        paths: Iterable[Path],
        by: int | None = None,
        on_file: Callable[[int, int, str], object] = _go_on,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome[list[Merged]]:
        """Take in what desks sent back, file by file; a refused file changes nothing and stops no other.

        Args:
            paths: files; a folder stands for the bundles in it.
            by: the reviewer who merges.
            on_file: gets how many files are done, how many there are, and the name of the next one.
            cancelled: asked before each file; what was merged until then stays, and is returned.
        """
        files, found = _files(paths), list[Merged]()
        for place, path in enumerate(files):
            if cancelled():
                break
            on_file(place, len(files), path.name)
            found.append(self._merge(path, by))
        changed = any(one.state == "merged" for one in found)
        return Outcome(found, Changes.JUDGEMENTS | Changes.PAIRS if changed else Changes.NOTHING)

    def desk(self) -> ReviewBundle | None:
        """Return the bundle that this workspace was opened with; None when it is no desk."""
        with self._store.read() as session:
            return (
                bundles.opened_here(session) if any(one.kind == "opened" for one in bundles.listed(session)) else None
            )

    def send_back(self, path: Path) -> dict[str, Any]:
        """Write what was labelled on this desk, with its hash chain, and return the manifest.

        Raises:
            NotFound: the workspace is no desk.
            BadInput: another file is at ``path``.
        """
        return send_back(self._store, path)

    def content_sha256(self) -> str:
        """Return a hash of all that was labelled, which says nothing of the order in which it came in.

        Presentations, judgements and skips by uid, with the hash of their pair and the uids of reviewer and rubric
        version, and the last entry of every desk's chain. Two workspaces that merged the same files have the same one.
        """
        found = hashlib.sha256()
        with self._store.read() as session:
            for text in content_rows(session):
                found.update(text.encode() + b"\n")
            for uid, entry, sha in bundles.desk_heads(session):
                found.update(f"{uid} {entry} {sha}\n".encode())
        return found.hexdigest()

    def _wanted(self, session: Session, batch_id: int, reviewer_id: int) -> tuple[list[int], list[str]]:
        """Return the slots to export in order, and what was left out."""
        everything = batches.slots(session, batches.get(session, batch_id))
        apart = queue.sealed_pair_ids(session) | withdrawn_pairs(session, now_ms())
        own = [
            one
            for one in everything
            if one.reviewer_id == reviewer_id and not one.in_bundle and one.state != "labelled"
        ]
        shown = {one.id for one in own if one.pair_id not in apart}
        wanted = [one.id for one in own if one.id in shown and (one.after_id is None or one.after_id in shown)]
        left = len(own) - len(wanted)
        told = f"{counted(left, 'slot')} left out: test items, pairs without consent, or retests of labels made here."
        return wanted, [told] if left else []

    def _again(self, session: Session, batch_id: int, reviewer_id: int, name: str, path: Path) -> Exported:
        before = [
            one
            for one in bundles.listed(session)
            if one.kind == "exported" and one.batch_id == batch_id and one.reviewer_id == reviewer_id
        ]
        if not before:
            raise NotFound(f"{name} has no open slot in this batch; nothing was exported.", "See: batch show WS BATCH")
        again = before[-1]
        slots = bundles.slot_ids(session, again.id)
        lines = list(work.lines_of(session, batch_id, reviewer_id, slots))
        if hashlib.sha256(lines_text(lines)).hexdigest() != again.sha256:  # an older program exported it
            lines = list(work.lines_of(session, batch_id, reviewer_id, slots, marked=True))
        self._write(again, lines, path)
        return Exported(again, path, ("Nothing new is open: this is the bundle that was exported before.",))

    def _write(self, bundle: ReviewBundle, lines: list[dict[str, Any]], path: Path) -> None:
        manifest = {
            "bundle": bundle.uid, "home_uuid": self._store.uuid, "chain_head": bundle.chain_head,
            "batch": bundle.batch, "reviewer": bundle.reviewer, "slots": bundle.slots,
        }  # fmt: skip
        write_bundle(path, "work", manifest, lines)

    def _merge(self, path: Path, by: int | None) -> Merged:
        try:
            file = read_bundle(path, "return")
            return self._store.write(lambda session: self._take(session, file, by), "merging a review bundle")
        except UserError as error:
            return Merged(path.name, "refused", reason=f"{error.message} {error.hint}".strip())

    def _take(self, session: Session, file: BundleFile, by: int | None) -> Merged:
        manifest = file.manifest
        bundle = self._bundle_of(session, file)
        kept = bundles.merges(session, bundle.id)
        if kept and kept[0].desk_uuid != manifest.get("desk_uuid"):
            raise BadInput(
                f"This bundle of {bundle.reviewer} was opened as two desks, and the other one was merged first.",
                "Nothing was merged. Label further on the desk that was merged.",
            )
        tables = {str(line["table"]): {"columns": line["columns"], "rows": line["rows"]} for line in file.lines}
        with closing(replay.replay(tables)) as desk:
            end = head(desk)
            self._verify(desk, end.words, manifest, kept)
            if kept and end.entry <= kept[-1].entry:
                return Merged(file.path.name, "known", bundle.batch, bundle.reviewer)
            taken = DeskMerge(session, desk, bundle.id).run()
        before = replay.union(one.body for one in kept)
        context = self._store.write_context()
        counts = {"new": dict(taken.new), "left": dict(taken.left)}
        note = MergeNote(
            str(manifest["desk_uuid"]), end.entry, end.sha256, file.sha256, counts, replay.added(before, tables)
        )
        bundles.add_merge(session, bundle.id, note, context)
        labels = taken.new["labels"]
        events.log(
            session, context, "bundle.merge",
            f"Merged {counted(labels, 'label')} of {bundle.reviewer} in {bundle.batch}",
            reviewer_id=by, subject="batch", subject_id=bundle.batch_id,
            detail={"bundle": bundle.uid, "chain": end.words, **counts},
        )  # fmt: skip
        return Merged(file.path.name, "merged", bundle.batch, bundle.reviewer, dict(taken.new), dict(taken.left))

    def _bundle_of(self, session: Session, file: BundleFile) -> ReviewBundle:
        if file.manifest.get("home_uuid") != self._store.uuid:
            raise BadInput("It belongs to another workspace; nothing was merged.", "Merge it where it was exported.")
        found = bundles.by_uid(session, str(file.manifest.get("bundle")))
        if found is None or found.kind != "exported":
            raise BadInput(
                "This workspace did not export the bundle that it answers; nothing was merged.",
                "An older backup may be open: open the workspace that exported it.",
            )
        if found.sha256 != file.manifest.get("bundle_sha256"):
            raise BadInput("It answers another content than was exported; nothing was merged.", "Ask for it again.")
        return found

    def _verify(self, desk: Any, at: str, manifest: Any, kept: list[MergeNote]) -> None:
        """Refuse a desk whose rows are not what its chain sealed, or whose chain left the one that was merged."""
        if problem := next(replay.problems(desk), "") or (
            "" if at == manifest.get("chain_head") else "Its chain ends elsewhere."
        ):
            raise BadInput(f"The desk's labels were altered: {problem} Nothing was merged.", "Ask for the file again.")
        for one in kept:
            (highest,) = desk.execute("SELECT max(id) FROM chain").fetchone()
            if one.entry <= highest and (why := verify.conflict(desk, one.entry, one.sha256)):
                raise BadInput(
                    f"The desk went another way than the one that was merged: {why}. Nothing was merged.",
                    "Two copies of the desk were used. Label further on the one that was merged.",
                )


def _files(paths: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and of folders the bundles in them, by name."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.iterdir() if one.is_file() and is_bundle(one)) if path.is_dir() else [path]
        found += inside
    return found
