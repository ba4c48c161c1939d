"""Schema 5: suites, the frozen lists of test items, each version immutable like a dataset version."""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import frozen_versions, part_of

SUITES: tuple[str, ...] = (
    """CREATE TABLE suite(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL COLLATE NOCASE CHECK(length(trim(name))>0),
        number INTEGER NOT NULL CHECK(number>0),
        state TEXT NOT NULL CHECK(state IN('open','frozen')),
        sha256 TEXT CHECK(sha256 IS NULL OR (length(sha256)=64 AND sha256 NOT GLOB '*[^0-9a-f]*')),
        origin TEXT NOT NULL CHECK(origin IN('import','workspace','dataset')),
        licence TEXT NOT NULL DEFAULT '',
        description TEXT NOT NULL DEFAULT '',
        counts TEXT NOT NULL DEFAULT '{}',
        detail TEXT NOT NULL DEFAULT '{}',
        created_ms INTEGER NOT NULL,
        UNIQUE(name, number),
        CHECK((state='frozen')=(sha256 IS NOT NULL))) STRICT""",
    """CREATE TABLE suite_item(
        suite_id INTEGER NOT NULL REFERENCES suite(id),
        position INTEGER NOT NULL CHECK(position>=0),
        item_id TEXT NOT NULL CHECK(length(item_id)>0),
        body TEXT NOT NULL,
        PRIMARY KEY(suite_id, position),
        UNIQUE(suite_id, item_id)) STRICT, WITHOUT ROWID""",
    *frozen_versions("suite"),
    *part_of("suite", "suite_item"),
)
