"""Rubrics and their versions in the workspace database."""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.domain.errors import BadInput, ImmutableError, NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.names import checked_name
from core.domain.rubric import ChangeLevel, Criterion, RubricBody, RubricState, RubricVersion, next_number
from core.store.plain import insert_row, only_id, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import LabelTallyRow, RubricRow, RubricVersionRow

FIRST_NUMBER = "1.0.0"


def to_domain(row: RubricVersionRow, name: str) -> RubricVersion:
    """Return the domain value of a row."""
    return RubricVersion(
        id=only_id(row),
        rubric_id=row.rubric_id,
        rubric_name=name,
        number=row.number,
        state=RubricState(row.state),
        level=ChangeLevel(row.level),
        change_note=row.change_note,
        body=RubricBody.from_plain(read_json(row.body)),
        sha256=row.sha256 or "",
        based_on=row.based_on,
        published_ms=row.published_ms,
    )


def names(session: Session) -> list[tuple[int, str, str]]:
    """Return (id, name, kind) of every rubric, authored ones first, by name."""
    rows = session.exec(select(RubricRow).order_by(col(RubricRow.kind), col(RubricRow.name))).all()
    return [(only_id(r), r.name, r.kind) for r in rows]


def versions(session: Session, rubric_id: int | None = None) -> list[RubricVersion]:
    """Return the versions of one rubric or of all, oldest first."""
    query = select(RubricVersionRow, RubricRow.name).join(
        RubricRow, col(RubricRow.id) == col(RubricVersionRow.rubric_id)
    )
    if rubric_id is not None:
        query = query.where(col(RubricVersionRow.rubric_id) == rubric_id)
    return [to_domain(row, name) for row, name in session.exec(query.order_by(col(RubricVersionRow.id)))]


def get(session: Session, version_id: int) -> RubricVersion:
    """Return one version.

    Raises:
        NotFound: when there is none with this id.
    """
    row = session.get(RubricVersionRow, version_id)
    if row is None:
        raise NotFound(f"There is no rubric version {version_id}.")
    rubric = session.get(RubricRow, row.rubric_id)
    assert rubric is not None
    return to_domain(row, rubric.name)


def latest(session: Session, rubric_id: int, state: RubricState) -> RubricVersion | None:
    """Return the newest version of a rubric in this state, or None."""
    query = (
        select(RubricVersionRow)
        .where(RubricVersionRow.rubric_id == rubric_id, RubricVersionRow.state == state.value)
        .order_by(col(RubricVersionRow.id).desc())
        .limit(1)
    )
    found = session.exec(query).all()
    numbered = [get(session, only_id(r)) for r in found]
    return numbered[0] if numbered else None


def newest_number(session: Session, rubric_id: int) -> str | None:
    """Return the highest published number of a rubric, or None before the first."""
    query = select(RubricVersionRow.number).where(
        RubricVersionRow.rubric_id == rubric_id, RubricVersionRow.state == "published"
    )
    found = session.exec(query).all()
    return max(found, key=lambda n: tuple(map(int, n.split(".")))) if found else None


def create(
    session: Session, name: str, body: RubricBody, context: WriteContext, kind: str = "authored"
) -> RubricVersion:
    """Make a rubric with a first draft.

    Raises:
        BadInput: the name is empty or taken.
    """
    name = checked_name(name, "rubric") if kind == "authored" else name.strip()
    if session.exec(select(RubricRow).where(col(RubricRow.name) == name)).first():
        raise BadInput(f"There is already a rubric called {name}.", "Choose another name.")
    key = insert_row(session, RubricRow, uid=new_uid(), name=name, kind=kind, created_ms=context.at_ms)
    return _insert_draft(session, key, FIRST_NUMBER, ChangeLevel.MAJOR, body, None, context)


def new_draft(
    session: Session, rubric_id: int, context: WriteContext, based_on: int | None = None
) -> tuple[RubricVersion, bool]:
    """Return a rubric's draft and whether it was made now; it starts as a copy of ``based_on`` or the newest version.

    Raises:
        NotFound: the rubric does not exist or has no version to start from.
    """
    if (draft := latest(session, rubric_id, RubricState.DRAFT)) is not None:
        return draft, False
    base = get(session, based_on) if based_on is not None else latest(session, rubric_id, RubricState.PUBLISHED)
    number = newest_number(session, rubric_id)
    if base is None or base.rubric_id != rubric_id or number is None:
        raise NotFound(f"Rubric {rubric_id} has no published version to start from.")
    level = ChangeLevel.MINOR
    return _insert_draft(session, rubric_id, next_number(number, level), level, base.body, base.id, context), True


def save_draft(session: Session, version_id: int, body: RubricBody, change_note: str | None = None) -> RubricVersion:
    """Replace the content of a draft.

    Raises:
        ImmutableError: the version is published.
    """
    row = _draft_row(session, version_id)
    row.body = canonical_json(body.to_plain())
    row.change_note = row.change_note if change_note is None else change_note
    session.add(row)
    session.flush()
    return get(session, version_id)


def publish(
    session: Session, version_id: int, level: ChangeLevel, change_note: str, context: WriteContext
) -> RubricVersion:
    """Number a draft after the newest published version, hash it, and make it immutable.

    Raises:
        ImmutableError: it is published already.
    """
    row = _draft_row(session, version_id)
    before = newest_number(session, row.rubric_id)
    row.number = FIRST_NUMBER if before is None else next_number(before, level)
    row.level = ChangeLevel.MAJOR.value if before is None else level.value
    row.major = int(row.number.split(".")[0])
    row.change_note = change_note or row.change_note
    row.sha256 = RubricBody.from_plain(read_json(row.body)).sha256
    row.state, row.published_ms = "published", context.at_ms
    session.add(row)
    session.flush()
    return get(session, version_id)


def discard_draft(session: Session, version_id: int) -> None:
    """Delete a draft; a rubric that never had a version keeps its name and gets a new draft from the page.

    Raises:
        ImmutableError: the version is published.
    """
    session.delete(_draft_row(session, version_id))
    session.flush()


def imported_version(session: Session, name: str, purpose: str, context: WriteContext) -> RubricVersion:
    """Return the published stub version that the labels of a source stand under, made when missing.

    It says that the rubric of the source is not known, so that every label has a rubric version.
    """
    row = session.exec(select(RubricRow).where(col(RubricRow.name) == name.strip())).first()
    if row is not None and row.kind == "imported":
        found = latest(session, only_id(row), RubricState.PUBLISHED)
        if found is not None:
            return found
    if row is not None:
        return imported_version(session, f"{name.strip()} (imported)", purpose, context)
    question = "Which response does the source prefer?"
    body = RubricBody(purpose=purpose, criteria=(Criterion("overall", "Overall", question),))
    draft = create(session, name, body, context, kind="imported")
    return publish(session, draft.id, ChangeLevel.MAJOR, "Labels that came with the data.", context)


def compatible_ids(session: Session, version_id: int) -> tuple[int, ...]:
    """Return the published versions whose labels still mean the same: same rubric, same major number."""
    row = session.get(RubricVersionRow, version_id)
    if row is None:
        raise NotFound(f"There is no rubric version {version_id}.")
    query = select(RubricVersionRow.id).where(
        RubricVersionRow.rubric_id == row.rubric_id,
        RubricVersionRow.major == row.major,
        RubricVersionRow.state == "published",
    )
    return tuple(i for i in session.exec(query) if i is not None)


def label_counts(session: Session) -> dict[int, int]:
    """Return rubric version id -> current labels made under it."""
    query = select(LabelTallyRow.rubric_version_id, func.sum(LabelTallyRow.labels)).group_by(
        col(LabelTallyRow.rubric_version_id)
    )
    return {version: int(count) for version, count in session.exec(query)}


def _draft_row(session: Session, version_id: int) -> RubricVersionRow:
    row = session.get(RubricVersionRow, version_id)
    if row is None:
        raise NotFound(f"There is no rubric version {version_id}.")
    if row.state != "draft":
        raise ImmutableError(
            f"Version {row.number} is published and never changes.", "Start a new draft from it instead."
        )
    return row


def _insert_draft(
    session: Session,
    rubric_id: int,
    number: str,
    level: ChangeLevel,
    body: RubricBody,
    based_on: int | None,
    context: WriteContext,
) -> RubricVersion:
    key = insert_row(
        session,
        RubricVersionRow,
        uid=new_uid(),
        rubric_id=rubric_id,
        number=number,
        major=int(number.split(".")[0]),
        state="draft",
        level=level.value,
        change_note="",
        body=canonical_json(body.to_plain()),
        based_on=based_on,
        created_ms=context.at_ms,
    )
    return get(session, key)
