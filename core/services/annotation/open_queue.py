"""An open queue in memory: an order of pair ids, which of them are done, and which were issued.

The order is computed once. The next pair is found by walking on and asking the database about a few ids at a time,
so its cost does not grow with the workspace. Nothing here is needed after a restart: the same settings give the same
order, and the database knows what is done.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from core.services.annotation.views import QueueInfo, QueueSettings
from core.store.judgements import Presentation, alike
from core.store.withdrawn import ConsentMark

FIRST_BATCH, LARGEST_BATCH = 8, 512
"""Ids asked about at once. Most queues find the next pair in the first batch; each further one is twice as large."""


@dataclass(slots=True)
class OpenQueue:
    """One reviewer's queue. Guarded by the service's lock.

    Attributes:
        ids: pair ids in the order of presentation.
        members: the same ids, for asking whether a pair belongs to the queue.
        accepted: rubric versions whose labels count as done.
        done, skipped, issued: pair ids that are labelled, skipped, or presented and not answered.
        left_out: test items that the queue was opened without.
        sealed: pairs of the queue that became test items since, with no label of this reviewer.
        newest_dataset: id of the newest dataset version whose test items are known here.
        left_without_consent: pairs whose consent was withdrawn before the queue was opened.
        withdrawn: pairs of the queue whose consent was withdrawn since, with no label of this reviewer.
        consent: until when these two hold.
        clarified: see ``QueueInfo``.
    """

    uid: str
    settings: QueueSettings
    ids: array[int]
    members: frozenset[int]
    accepted: tuple[int, ...]
    done: set[int]
    skipped: set[int]
    issued: set[int] = field(default_factory=set)
    cursor: int = 0
    left_out: int = 0
    sealed: set[int] = field(default_factory=set)
    newest_dataset: int = 0
    left_without_consent: int = 0
    withdrawn: set[int] = field(default_factory=set)
    consent: ConsentMark = field(default_factory=ConsentMark)
    clarified: str = ""

    def info(self) -> QueueInfo:
        """Return the view of this queue."""
        sealed = self.left_out + len(self.sealed)
        withdrawn = self.left_without_consent + len(self.withdrawn - self.sealed)
        counts = (self.total, len(self.done), len(self.skipped), sealed, withdrawn)
        return QueueInfo(self.uid, self.settings, *counts, clarified=self.clarified)

    @property
    def total(self) -> int:
        """Pairs of the queue, without those that became test items or lost their consent."""
        return len(self.ids) - len(self.sealed | self.withdrawn)

    def seal(self, pair_ids: AbstractSet[int], newest_dataset: int) -> None:
        """Hide pairs that became test items of a dataset version; those that are labelled stay counted as done."""
        self.sealed = set(pair_ids & self.members) - self.done
        self.skipped -= self.sealed
        self.newest_dataset = newest_dataset

    def withdraw(self, pair_ids: AbstractSet[int], consent: ConsentMark) -> None:
        """Hide pairs without consent any more, and offer those again for which it was granted meanwhile."""
        self.withdrawn = set(pair_ids & self.members) - self.done
        self.skipped -= self.withdrawn
        self.consent = consent

    def keys_of(self, presentation: Presentation) -> Sequence[int]:
        """Return the members that a presentation is about: its pair, where the task is alike."""
        return (presentation.pair_id,) if presentation.task.value in alike(self.settings.task) else ()

    def waiting(self) -> Iterator[list[tuple[int, int]]]:
        """Yield batches of (index, pair id) that are neither done, skipped nor issued, from the cursor on.

        The walk continues at the start of the queue, so that it also finds a pair that undo freed before the cursor.
        """
        start, size = self.cursor, len(self.ids)
        batch: list[tuple[int, int]] = []
        wanted = FIRST_BATCH
        for step in range(size):
            index = (start + step) % size
            pair_id = self.ids[index]
            if any(pair_id in known for known in (self.done, self.skipped, self.issued, self.sealed, self.withdrawn)):
                continue
            batch.append((index, pair_id))
            if len(batch) == wanted:
                yield batch
                batch, wanted = [], min(2 * wanted, LARGEST_BATCH)
        if batch:
            yield batch

    def mark(self, pair_id: int, *, done: bool | None, skipped: bool) -> None:
        """Mark a pair as answered, freed or skipped; ``done`` None keeps what is known."""
        self.issued.discard(pair_id)
        if pair_id not in self.members:
            return
        if done:
            self.sealed.discard(pair_id)  # it was on the screen when it was sealed or its consent was withdrawn
            self.withdrawn.discard(pair_id)
        if done is not None:
            (self.done.add if done else self.done.discard)(pair_id)
        (self.skipped.add if skipped else self.skipped.discard)(pair_id)

    def wanted_by_others(self, pair_sha256: str) -> int:
        """Return how many labels by others complete this pair; 0 means that no number does."""
        base = self.settings.labels_per_pair
        if base == 0:
            return 0
        return base + overlaps(pair_sha256, self.settings.seed, self.settings.overlap_share)


def overlaps(pair_sha256: str, seed: int, share: float) -> int:
    """Return 1 for a fixed random ``share`` of pairs, else 0; the same for every reviewer.

    >>> overlaps("ab" * 32, 0, 1.0), overlaps("ab" * 32, 0, 0.0)
    (1, 0)
    """
    return int(random.Random(f"{seed}:{pair_sha256}").random() < share)


def arrange(
    candidates: Sequence[int],
    settings: QueueSettings,
    done: AbstractSet[int],
    others: Mapping[int, int],
    shas: Mapping[int, str],
) -> array[int]:
    """Return the queue's ids in order: pairs that others completed are left out unless this reviewer labelled them too.

    Args:
        candidates: ids in the order of import.
        settings: of the queue.
        done: pairs this reviewer has labelled.
        others: pair id -> labels by other reviewers, for pairs that have any.
        shas: pair id -> content hash, for the same pairs.
    """
    base = settings.labels_per_pair
    if base:
        full = {
            pair_id
            for pair_id, count in others.items()
            if pair_id not in done
            and count >= base + overlaps(shas.get(pair_id, ""), settings.seed, settings.overlap_share)
        }
        candidates = [i for i in candidates if i not in full]
    ordered = array("q", candidates)
    if settings.order == "newest":
        ordered.reverse()
    elif settings.order == "random":
        random.Random(settings.seed).shuffle(ordered)
    return ordered[: settings.limit] if settings.limit else ordered
