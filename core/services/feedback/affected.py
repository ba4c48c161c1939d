"""What a withdrawn consent touches: dataset versions, the runs that trained on them, and the releases of those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import bounded
from core.domain.counting import counted
from core.domain.errors import UserError
from core.runs.folder import RunFolder
from core.services.releases.names import CONTRACT, MAKE
from core.services.runs.registry import RunRegistry
from core.store import affected as repository
from core.store import events
from core.store.affected import AffectedVersion
from core.store.sqlite.database import Store


@dataclass(frozen=True, slots=True)
class AffectedRun:
    """A run whose train or dev pairs hold affected ones.

    Attributes:
        pairs: how many; 0 where its pairs cannot be read any more and only its dataset version tells.
    """

    run_id: str
    name: str
    dataset: str
    pairs: int


@dataclass(frozen=True, slots=True)
class Affected:
    """Everything that holds what a consent was withdrawn for.

    Attributes:
        pairs: the pairs that a freeze leaves out; of a reviewer, the pairs with a label of theirs.
        labels: labels that do not count any more, of a reviewer.
        events: feedback events. releases: names.
    """

    subject: str
    subject_id: int
    name: str
    pairs: tuple[int, ...]
    labels: int
    events: tuple[int, ...]
    versions: tuple[AffectedVersion, ...]
    runs: tuple[AffectedRun, ...]
    releases: tuple[str, ...]
    unreadable: tuple[str, ...] = field(default=())

    def sentence(self) -> str:
        """Return what is touched in one sentence."""
        what = counted(len(self.pairs), "pair")
        if self.subject == "reviewer":
            what = f"{counted(self.labels, 'label')} on {what}"
        return (
            f"{self.name}: {what}, in {counted(len(self.versions), 'dataset version')}, "
            f"{counted(len(self.runs), 'run')} and {counted(len(self.releases), 'release')}."
        )


def affected_by(store: Store, subject: str, subject_id: int) -> Affected:
    """Return what holds the texts or labels of a subject of consent; nothing is changed.

    Raises:
        NotFound: when there is no such subject.
    """
    with store.read() as session:
        touched = repository.touched(session, subject, subject_id)
        versions = repository.versions(session, touched)
    runs, unreadable = _runs(store, versions, frozenset(touched.pair_ids))
    wanted = {version.root_sha256 for version in versions} | {run.run_id for run in runs}
    return Affected(
        subject=subject,
        subject_id=subject_id,
        name=touched.name,
        pairs=touched.pair_ids,
        labels=touched.labels,
        events=touched.event_ids,
        versions=versions,
        runs=runs,
        releases=tuple(_releases(store, wanted)),
        unreadable=unreadable,
    )


def _runs(
    store: Store, versions: Iterable[AffectedVersion], pair_ids: frozenset[int]
) -> tuple[tuple[AffectedRun, ...], tuple[str, ...]]:
    """Return the runs of affected versions whose own pairs hold an affected one."""
    by_root = {version.root_sha256: version for version in versions}
    found, unreadable = [], []
    for info in RunRegistry(store).list() if by_root else ():
        version = by_root.get(str(info.record.dataset.get("root_sha256", "")))
        if version is None:
            continue
        try:
            count = sum(int(pair.pair_id) in pair_ids for pair in RunFolder(Path(info.folder)).pairs())
        except (UserError, ValueError):
            unreadable.append(info.run_id)
            found.append(AffectedRun(info.run_id, info.name, version.title, 0))
            continue
        if count:
            found.append(AffectedRun(info.run_id, info.name, version.title, count))
    return tuple(found), tuple(unreadable)


def _releases(store: Store, wanted: set[str]) -> Iterator[str]:
    """Yield the releases of affected runs, and those whose contract names an affected version, wherever in it.

    The contract tells where the run is gone; a release whose folder is gone too is told by its run alone.
    """
    with store.read() as session:
        made = events.details(session, MAKE) if wanted else []
    for release in made:
        named = {str(release["run_id"])}
        with suppress(UserError):
            named.update(_texts(bounded.read_json(Path(str(release["folder"])) / CONTRACT)))
        if wanted & named:
            yield str(release["name"])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
