"""Schema 7: thresholds with their error rates, and who opened and tagged which failure of an evaluation.

Both are logs: rows are added and never change. Releases are entries of the event log, whose rows are in the hash chain.
"""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import append_only

RELEASES: tuple[str, ...] = (
    """CREATE TABLE threshold(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL COLLATE NOCASE CHECK(length(trim(name))>0),
        number INTEGER NOT NULL CHECK(number>0),
        sha256 TEXT NOT NULL CHECK(length(sha256)=64),
        negatives INTEGER NOT NULL CHECK(negatives>0),
        positives INTEGER NOT NULL CHECK(positives>0),
        body TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        UNIQUE(name, number)) STRICT""",
    """CREATE TABLE failure_step(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        evaluation TEXT NOT NULL CHECK(length(evaluation)>0),
        failure TEXT NOT NULL CHECK(length(failure)>0),
        op TEXT NOT NULL CHECK(op IN('open','tag','send')),
        tag TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '',
        target TEXT NOT NULL DEFAULT '{}',
        reviewer_id INTEGER NOT NULL REFERENCES reviewer(id),
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        CHECK((op='open')=(tag=''))) STRICT""",
    "CREATE INDEX failure_step_evaluation ON failure_step(evaluation, failure, id)",
    *append_only("threshold", "threshold", "id=NEW.id OR uid=NEW.uid", "name=NEW.name AND number=NEW.number"),
    *append_only("failure_step", "look at a failure", "id=NEW.id OR uid=NEW.uid"),
)
