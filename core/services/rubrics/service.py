"""Rubrics: drafts, published versions that never change, diffs, YAML, templates."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from pathlib import Path

from core import durable
from core.domain import rubric as domain
from core.domain.adjudication import ChangeRequest
from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput
from core.domain.rubric import ChangeLevel, RubricBody, RubricChange, RubricState, RubricVersion
from core.domain.rubric_meaning import PublishEffect, meaning_change
from core.services.rubrics import yaml_format
from core.services.rubrics.asking import ask
from core.services.rubrics.templates import RubricTemplate, templates
from core.services.written_files import chosen_place
from core.store import change_requests, events, rubrics, stale_labels
from core.store.sqlite.database import Session, Store


@dataclass(frozen=True, slots=True)
class RubricSummary:
    """One rubric as a list shows it.

    Attributes:
        versions: oldest first; a draft, if any, is last.
        labels: version id -> current labels made under it.
        stale: labels that a later major version concerns, to be renewed under the newest published one.
        imported: a stub for the unknown rubric of a source.
        requests: change requests that are open.
    """

    id: int
    name: str
    versions: tuple[RubricVersion, ...]
    labels: dict[int, int]
    stale: int = 0
    imported: bool = False
    requests: tuple[ChangeRequest, ...] = ()

    @property
    def draft(self) -> RubricVersion | None:
        """The version being edited, if there is one."""
        return next((v for v in self.versions if v.state is RubricState.DRAFT), None)

    @property
    def published(self) -> RubricVersion | None:
        """The newest published version, if there is one."""
        return next((v for v in reversed(self.versions) if v.state is RubricState.PUBLISHED), None)


class RubricsService:
    """Creates, publishes, compares and reads rubrics."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[RubricSummary]:
        """Return every rubric with its versions and label counts, authored ones first."""
        with self._store.read() as session:
            labels = rubrics.label_counts(session)
            return [self._summary(session, key, name, kind, labels) for key, name, kind in rubrics.names(session)]

    def version(self, version_id: int) -> RubricVersion:
        """Return one version.

        Raises:
            NotFound: when there is none with this id.
        """
        with self._store.read() as session:
            return rubrics.get(session, version_id)

    def published(self, *, imported: bool = False) -> list[RubricVersion]:
        """Return the published versions, newest first; stubs of imported labels only when ``imported``.

        Newest is the highest id: a clock may jump.
        """
        with self._store.read() as session:
            shown = {key for key, _, kind in rubrics.names(session) if imported or kind == "authored"}
            found = [v for v in rubrics.versions(session) if v.state is RubricState.PUBLISHED]
        newest = sorted(found, key=lambda v: v.id, reverse=True)
        return [v for v in newest if v.rubric_id in shown]

    def create(self, name: str, body: RubricBody) -> Outcome[RubricVersion]:
        """Make a rubric with a first draft.

        Raises:
            BadInput: the name is empty or taken.
        """
        context = self._store.write_context()

        def job(session: Session) -> RubricVersion:
            made = rubrics.create(session, name, body, context)
            _log(session, context, "rubric.create", f"Began rubric {made.rubric_name}", made)
            return made

        return Outcome(self._store.write(job, "making a rubric"), Changes.RUBRICS)

    def new_draft(self, rubric_id: int, based_on: int | None = None) -> Outcome[RubricVersion]:
        """Return the draft of a rubric; when there is none, one is made from ``based_on`` or the newest version."""
        context = self._store.write_context()
        draft, made = self._store.write(
            lambda session: rubrics.new_draft(session, rubric_id, context, based_on), "starting a draft"
        )
        return Outcome(draft, Changes.RUBRICS if made else Changes.NOTHING)

    def requests(self, rubric_id: int | None = None) -> builtins.list[ChangeRequest]:
        """Return the requests to change a rubric, or all rubrics, oldest first."""
        with self._store.read() as session:
            return change_requests.listed(session, rubric_id)

    def ask_change(
        self, rubric_id: int, text: str, author_id: int, *, clause: str = "", pair_id: int | None = None
    ) -> Outcome[ChangeRequest]:
        """Ask for another wording of a clause, or of the rubric as a whole; it waits for the draft of the next version.

        Args:
            rubric_id: the rubric.
            text: what is to be said instead.
            author_id: who asks.
            clause: id of the clause in the newest published version; "" for the rubric as a whole.
            pair_id: the pair that shows it, where there is one.

        Raises:
            BadInput: no words, no such clause, no such pair, or no published version.
        """
        context = self._store.write_context()

        def job(session: Session) -> ChangeRequest:
            return ask(session, rubric_id, clause, text, pair_id, author_id, context)

        return Outcome(self._store.write(job, "asking for a change"), Changes.RUBRICS)

    def draft_of_requests(self, rubric_id: int) -> Outcome[RubricVersion]:
        """Take the open requests of a rubric into the draft of its next version: they become its change note.

        A draft is made where there is none. Publishing it resolves the requests.

        Raises:
            BadInput: no request is open.
        """
        context = self._store.write_context()

        def job(session: Session) -> RubricVersion:
            waiting = [one for one in change_requests.listed(session, rubric_id) if one.state == "open"]
            if not waiting:
                raise BadInput("No change request of this rubric is open.", "They come from adjudication.")
            draft, _ = rubrics.new_draft(session, rubric_id, context)
            names = {clause.id: clause.name for clause in draft.body.criteria}
            notes = [f"{names.get(one.clause, one.clause)}: {one.text}" if one.clause else one.text for one in waiting]
            for one in waiting:
                change_requests.step(session, one.id, "draft", one.author_id, context)
            note = "\n".join(part for part in (draft.change_note, *notes) if part)
            made = rubrics.save_draft(session, draft.id, draft.body, note)
            _log(session, context, "rubric.requests", f"Took requests into the draft of {made.rubric_name}", made)
            return made

        return Outcome(self._store.write(job, "taking change requests"), Changes.RUBRICS)

    def save_draft(self, version_id: int, body: RubricBody, change_note: str | None = None) -> Outcome[RubricVersion]:
        """Save the content of a draft; it may be incomplete.

        Raises:
            ImmutableError: the version is published.
        """
        saved = self._store.write(
            lambda session: rubrics.save_draft(session, version_id, body, change_note), "saving a draft"
        )
        return Outcome(saved, Changes.RUBRICS)

    def publish(
        self, version_id: int, level: ChangeLevel = ChangeLevel.MAJOR, change_note: str = ""
    ) -> Outcome[RubricVersion]:
        """Publish a draft: it gets its number and hash and never changes again.

        Args:
            version_id: the draft.
            level: how much it changes the meaning of earlier labels; the first version is always 1.0.0.
            change_note: what changed; needed from the second version on.

        Raises:
            BadInput: the draft is not sound, says nothing new, or has no change note; each problem is named.
            ImmutableError: it is published already.
        """
        context = self._store.write_context()

        def job(session: Session) -> RubricVersion:
            draft = rubrics.get(session, version_id)
            _refuse_unsound(session, draft, change_note)
            made = rubrics.publish(session, version_id, level, change_note, context)
            change_requests.resolve_drafted(session, made.rubric_id, made.id, context)
            _log(session, context, "rubric.publish", f"Published {made.title}", made)
            return made

        changes = Changes.RUBRICS | Changes.JUDGEMENTS
        return Outcome(self._store.write(job, "publishing a rubric"), changes)

    def effect(self, version_id: int, level: ChangeLevel, body: RubricBody | None = None) -> PublishEffect:
        """Return what publishing a draft would do to labels and dataset versions; nothing is changed.

        Args:
            version_id: the draft.
            level: how much it is said to change the meaning.
            body: its content where that is not saved yet.
        """
        with self._store.read() as session:
            draft = rubrics.get(session, version_id)
            return _effect(session, draft.rubric_id, draft.rubric_name, level, body or draft.body)

    def effect_of_yaml(self, path: Path, level: ChangeLevel) -> PublishEffect:
        """Return what :meth:`publish_yaml` would do to labels and dataset versions; nothing is changed.

        Raises:
            BadInput: it is not a sound rubric.
        """
        name, body = yaml_format.read(path)
        _refuse_problems(body)
        with self._store.read() as session:
            return _effect(session, _authored(session, name), name, level, body)

    def discard_draft(self, version_id: int) -> Outcome[None]:
        """Delete a draft.

        Raises:
            ImmutableError: the version is published.
        """
        context = self._store.write_context()

        def job(session: Session) -> None:
            draft = rubrics.get(session, version_id)
            rubrics.discard_draft(session, version_id)
            _log(session, context, "rubric.discard", f"Discarded the draft of {draft.rubric_name}", draft)

        self._store.write(job, "discarding a draft")
        return Outcome(None, Changes.RUBRICS)

    def diff(self, old_id: int, new_id: int) -> list[RubricChange]:
        """Return every difference between two versions in reading order."""
        with self._store.read() as session:
            return domain.diff(rubrics.get(session, old_id).body, rubrics.get(session, new_id).body)

    def stale(self, version_id: int) -> int:
        """Return how many labels that a later major version concerns were not renewed under this one."""
        with self._store.read() as session:
            return stale_labels.count(session, version_id)

    def from_yaml(self, source: str | Path) -> tuple[str, RubricBody]:
        """Return name and content of a rubric in YAML, given as text or as a file.

        Raises:
            BadInput: it is not YAML, or not a rubric.
        """
        if isinstance(source, Path):
            return yaml_format.read(source)
        return yaml_format.parse(source)

    def to_yaml(self, version_id: int, target: Path | None = None, *, replace: bool = False) -> str:
        """Return a version as YAML, and write it to ``target`` when given.

        Raises:
            BadInput: a file is there and ``replace`` is not said.
        """
        found = self.version(version_id)
        text = yaml_format.dump(found.rubric_name, found.body)
        if target is not None:
            durable.write_text(chosen_place(target, replace=replace), text)
        return text

    def publish_yaml(self, path: Path, level: ChangeLevel, change_note: str = "") -> Outcome[RubricVersion]:
        """Publish a YAML file as a new rubric, or as the next version of the rubric of its name.

        Raises:
            BadInput: it is not a sound rubric, or says nothing new.
        """
        name, body = yaml_format.read(path)
        context = self._store.write_context()

        def job(session: Session) -> RubricVersion:
            key = _authored(session, name)
            if key is None:
                draft = rubrics.create(session, name, body, context)
            else:
                draft, _ = rubrics.new_draft(session, key, context)
                draft = rubrics.save_draft(session, draft.id, body)
            _refuse_unsound(session, draft, change_note)
            made = rubrics.publish(session, draft.id, level, change_note, context)
            _log(session, context, "rubric.publish", f"Published {made.title}", made)
            return made

        return Outcome(self._store.write(job, "publishing a rubric"), Changes.RUBRICS | Changes.JUDGEMENTS)

    def templates(self) -> list[RubricTemplate]:
        """Return the rubrics to start from, by name."""
        return templates()

    def _summary(self, session: Session, key: int, name: str, kind: str, labels: dict[int, int]) -> RubricSummary:
        versions = tuple(sorted(rubrics.versions(session, key), key=lambda v: (v.state is RubricState.DRAFT, v.id)))
        counts = {v.id: labels.get(v.id, 0) for v in versions}
        newest = next((v for v in reversed(versions) if v.state is RubricState.PUBLISHED), None)
        stale = stale_labels.count(session, newest.id) if newest else 0
        waiting = tuple(one for one in change_requests.listed(session, key) if one.state == "open")
        return RubricSummary(key, name, versions, counts, stale, kind == "imported", waiting)


def _refuse_unsound(session: Session, draft: RubricVersion, change_note: str) -> None:
    if draft.state is RubricState.PUBLISHED:
        return  # the repository raises the error
    _refuse_problems(draft.body)
    before = rubrics.latest(session, draft.rubric_id, RubricState.PUBLISHED)
    if before is None:
        return
    if before.body == draft.body:
        raise BadInput(f"The draft says the same as {before.title}; there is nothing to publish.", "Change it first.")
    if not (change_note or draft.change_note).strip():
        raise BadInput("A new version needs a change note.", "Say in a sentence what changed and why.")


def _refuse_problems(body: RubricBody) -> None:
    if found := domain.problems(body):
        raise BadInput("The rubric cannot be published yet: " + " ".join(found))


def _authored(session: Session, name: str) -> int | None:
    """Return the id of the authored rubric of a name, whatever its case, or None."""
    known = {n.casefold(): key for key, n, kind in rubrics.names(session) if kind == "authored"}
    return known.get(name.casefold())


def _effect(session: Session, rubric_id: int | None, name: str, level: ChangeLevel, body: RubricBody) -> PublishEffect:
    """Return what publishing a body as the next version of a rubric does; a first version concerns no label."""
    before = None if rubric_id is None else rubrics.latest(session, rubric_id, RubricState.PUBLISHED)
    if before is None:
        return PublishEffect(name, rubrics.FIRST_NUMBER, ChangeLevel.MAJOR)
    change = meaning_change(before.body, body)
    news, olds = ({c.id: c for c in one.criteria} for one in (body, before.body))
    changed = {key: news.get(key) or olds[key] for key in [*news, *olds] if news.get(key) != olds.get(key)}
    number = domain.next_number(before.number, level)
    told = PublishEffect(before.rubric_name, number, level, tuple(clause.name for clause in changed.values()))
    return stale_labels.with_counts(session, told, before.id, change)


def _log(session: Session, context: rubrics.WriteContext, op: str, summary: str, version: RubricVersion) -> None:
    events.log(session, context, op, summary, subject="rubric_version", subject_id=version.id)
