"""Schema 6: feedback events with what was decided about them, changesets, and consent.

Events, decisions and statements of consent are logs: rows are added and never change. A changeset is a draft, then
approved by somebody else than its author, and immutable from then on; ``dataset_changeset`` says which dataset versions
it is in, so that "applied" is not stored a second time.
"""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import append_only, guard, part_of

_CONSENT = "CHECK(consent IN('granted','unknown','withdrawn'))"
_SCOPE = "CHECK(scope IN('all','training','evaluation'))"
_IS_DRAFT = "(SELECT state FROM changeset WHERE id={0}.changeset_id) IS NOT 'draft'"
_APPROVED = "an approved changeset never changes"

_TABLES = (
    f"""CREATE TABLE feedback_event(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        sha256 TEXT NOT NULL UNIQUE CHECK(length(sha256)=64),
        kind TEXT NOT NULL CHECK(kind IN('thumbs','correction','attack','complaint','text')),
        source_id INTEGER NOT NULL REFERENCES source(id),
        line INTEGER NOT NULL DEFAULT 0,
        prompt_sha256 TEXT CHECK(length(prompt_sha256)=64),
        body TEXT NOT NULL,
        consent TEXT NOT NULL {_CONSENT},
        scope TEXT NOT NULL {_SCOPE},
        expires_ms INTEGER,
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '') STRICT""",
    """CREATE TABLE feedback_step(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        event_id INTEGER NOT NULL REFERENCES feedback_event(id),
        op TEXT NOT NULL CHECK(op IN('label','wait','rubric','suite','reject','undo')),
        supersedes INTEGER UNIQUE REFERENCES feedback_step(id) CHECK(supersedes<id),
        reviewer_id INTEGER NOT NULL REFERENCES reviewer(id),
        reason TEXT NOT NULL DEFAULT '',
        pair_id INTEGER REFERENCES pair(id),
        target TEXT NOT NULL DEFAULT '{}',
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        CHECK((op='label')=(pair_id IS NOT NULL)),
        CHECK(op<>'reject' OR length(trim(reason))>0)) STRICT""",
    """CREATE TABLE changeset(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK(length(trim(name))>0),
        state TEXT NOT NULL CHECK(state IN('draft','approved')),
        author_id INTEGER NOT NULL REFERENCES reviewer(id),
        approver_id INTEGER REFERENCES reviewer(id) CHECK(approver_id<>author_id),
        sha256 TEXT CHECK(length(sha256)=64),
        note TEXT NOT NULL DEFAULT '',
        approval_note TEXT NOT NULL DEFAULT '',
        created_ms INTEGER NOT NULL,
        approved_ms INTEGER,
        CHECK((state='approved')=(approver_id IS NOT NULL AND sha256 IS NOT NULL AND approved_ms IS NOT NULL)))
        STRICT""",
    """CREATE TABLE changeset_entry(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        changeset_id INTEGER NOT NULL REFERENCES changeset(id),
        op TEXT NOT NULL CHECK(op IN('add','edit','remove')),
        pair_id INTEGER NOT NULL REFERENCES pair(id),
        new_pair_id INTEGER REFERENCES pair(id) CHECK(new_pair_id<>pair_id),
        event_id INTEGER REFERENCES feedback_event(id),
        reason TEXT NOT NULL CHECK(length(trim(reason))>0),
        at_ms INTEGER NOT NULL,
        UNIQUE(changeset_id, pair_id),
        CHECK((op='edit')=(new_pair_id IS NOT NULL))) STRICT""",
    """CREATE TABLE dataset_changeset(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        dataset_id INTEGER NOT NULL REFERENCES dataset(id),
        changeset_id INTEGER NOT NULL REFERENCES changeset(id),
        UNIQUE(dataset_id, changeset_id)) STRICT""",
    f"""CREATE TABLE consent_entry(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        subject TEXT NOT NULL CHECK(subject IN('source','reviewer','feedback','pair')),
        subject_id INTEGER NOT NULL,
        consent TEXT NOT NULL {_CONSENT},
        scope TEXT NOT NULL {_SCOPE},
        expires_ms INTEGER,
        given_ms INTEGER,
        reviewer_id INTEGER REFERENCES reviewer(id),
        reason TEXT NOT NULL DEFAULT '',
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '') STRICT""",
    "CREATE INDEX feedback_step_event ON feedback_step(event_id, id)",
    "CREATE INDEX feedback_step_pair ON feedback_step(pair_id) WHERE pair_id IS NOT NULL",
    "CREATE INDEX feedback_event_prompt ON feedback_event(prompt_sha256) WHERE prompt_sha256 IS NOT NULL",
    "CREATE INDEX feedback_event_source ON feedback_event(source_id)",
    "CREATE INDEX dataset_changeset_changeset ON dataset_changeset(changeset_id, dataset_id)",
    "CREATE INDEX consent_entry_subject ON consent_entry(subject, subject_id, id)",
)

_STEP = [
    *append_only(
        "feedback_step",
        "decision about feedback",
        "id=NEW.id OR uid=NEW.uid",
        "supersedes=NEW.supersedes",
        "NEW.supersedes IS NULL AND supersedes IS NULL AND event_id=NEW.event_id",
    ),
    guard(
        "feedback_step_order",
        "feedback_step",
        "INSERT",
        "(NEW.supersedes IS NULL AND NEW.op='undo') OR (NEW.supersedes IS NOT NULL AND NOT EXISTS(SELECT 1 FROM "
        "feedback_step WHERE id=NEW.supersedes AND event_id=NEW.event_id AND NOT (op='undo' AND NEW.op='undo')))",
        "a decision follows the one before of its event",
    ),
]

_CHANGESET = [
    guard(
        "changeset_insert",
        "changeset",
        "INSERT",
        "NEW.state<>'draft' OR EXISTS(SELECT 1 FROM changeset WHERE state='approved' AND "
        "(id=NEW.id OR uid=NEW.uid OR name=NEW.name))",
        "a changeset starts as a draft, and an approved one never changes",
    ),
    guard(
        "changeset_update",
        "changeset",
        "UPDATE",
        "OLD.state='approved' OR NEW.id<>OLD.id OR NEW.uid<>OLD.uid OR NEW.author_id<>OLD.author_id OR "
        "EXISTS(SELECT 1 FROM changeset WHERE id<>OLD.id AND name=NEW.name)",
        _APPROVED,
    ),
    guard("changeset_delete", "changeset", "DELETE", "OLD.state='approved'", "an approved changeset is never deleted"),
    guard("changeset_entry_insert", "changeset_entry", "INSERT", _IS_DRAFT.format("NEW"), _APPROVED),
    guard(
        "changeset_entry_update",
        "changeset_entry",
        "UPDATE",
        f"{_IS_DRAFT.format('OLD')} OR {_IS_DRAFT.format('NEW')}",
        _APPROVED,
    ),
    guard("changeset_entry_delete", "changeset_entry", "DELETE", _IS_DRAFT.format("OLD"), _APPROVED),
    guard(
        "changeset_entry_replace",
        "changeset_entry",
        "INSERT",
        "EXISTS(SELECT 1 FROM changeset_entry e JOIN changeset c ON c.id=e.changeset_id "
        "WHERE e.id=NEW.id AND c.state='approved')",
        _APPROVED,
    ),
    guard(
        "dataset_changeset_approved",
        "dataset_changeset",
        "INSERT",
        "(SELECT state FROM changeset WHERE id=NEW.changeset_id) IS NOT 'approved' OR "
        "EXISTS(SELECT 1 FROM dataset_changeset WHERE id=NEW.id)",
        "a dataset version takes approved changesets only",
    ),
]

FEEDBACK: tuple[str, ...] = (
    *_TABLES,
    *append_only("feedback_event", "feedback event", "id=NEW.id OR sha256=NEW.sha256"),
    *_STEP,
    *_CHANGESET,
    *part_of("dataset", "dataset_changeset"),
    *append_only("consent_entry", "statement of consent", "id=NEW.id OR uid=NEW.uid"),
)
