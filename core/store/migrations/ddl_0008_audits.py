"""Schema 8: samples of answers that people label, so that a refusal detector's rates can be corrected, and the labels.

Both are logs: rows are added and never change. What was said of an answer is taken back by a further row.
"""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import append_only

AUDITS: tuple[str, ...] = (
    """CREATE TABLE audit_draw(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        evaluation TEXT NOT NULL CHECK(length(evaluation)>0),
        number INTEGER NOT NULL CHECK(number>0),
        seed INTEGER NOT NULL,
        per_arm INTEGER NOT NULL CHECK(per_arm>0),
        sha256 TEXT NOT NULL CHECK(length(sha256)=64),
        body TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        UNIQUE(evaluation, number)) STRICT""",
    """CREATE TABLE audit_label(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        evaluation TEXT NOT NULL CHECK(length(evaluation)>0),
        suite TEXT NOT NULL,
        arm TEXT NOT NULL,
        item TEXT NOT NULL,
        answer_sha256 TEXT NOT NULL CHECK(length(answer_sha256)=64),
        op TEXT NOT NULL CHECK(op IN('label','retract')),
        label TEXT NOT NULL DEFAULT '' CHECK(label IN('','complied','partly','refused','cannot_judge')),
        supersedes INTEGER UNIQUE REFERENCES audit_label(id),
        reviewer_id INTEGER NOT NULL REFERENCES reviewer(id),
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        CHECK((op='label')=(label<>'')),
        CHECK(op='label' OR supersedes IS NOT NULL)) STRICT""",
    "CREATE INDEX audit_label_evaluation ON audit_label(evaluation, id)",
    *append_only("audit_draw", "sample of an audit", "id=NEW.id OR uid=NEW.uid",
                 "evaluation=NEW.evaluation AND number=NEW.number"),
    *append_only("audit_label", "label of an audit", "id=NEW.id OR uid=NEW.uid", "supersedes=NEW.supersedes"),
)  # fmt: skip
"""Samples of audits, and what reviewers said of their answers."""
