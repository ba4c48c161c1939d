"""Schema 3: the hash chain, and what a dataset version says of its root hash.

``chain`` has one entry for each transaction that added something: the last id of every table that only grows, the sum
over all sources of pairs, and a hash over all of it and the entry before. ``chain_row`` holds the hash of each state of
each row that may change by the program's own acts, such as a reviewer's name.
"""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import append_only

CHAIN: tuple[str, ...] = (
    """CREATE TABLE chain(
        id INTEGER PRIMARY KEY CHECK(id>0),
        at_ms INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK(kind IN('begin','seal','found')),
        format INTEGER NOT NULL CHECK(format>0),
        pair_to INTEGER NOT NULL,
        presentation_to INTEGER NOT NULL,
        judgement_to INTEGER NOT NULL,
        event_log_to INTEGER NOT NULL,
        links TEXT NOT NULL CHECK(length(links)=64),
        digests TEXT NOT NULL,
        sha256 TEXT NOT NULL CHECK(length(sha256)=64)) STRICT""",
    """CREATE TABLE chain_row(
        entry INTEGER NOT NULL REFERENCES chain(id),
        kind TEXT NOT NULL,
        key INTEGER NOT NULL,
        sha256 TEXT NOT NULL CHECK(length(sha256)=64),
        PRIMARY KEY(entry, kind, key)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX chain_row_key ON chain_row(kind, key, entry)",
    *append_only("chain", "entry of the chain", "id=NEW.id"),
    *append_only("chain_row", "entry of the chain", "entry=NEW.entry AND kind=NEW.kind AND key=NEW.key"),
    "ALTER TABLE dataset ADD COLUMN root_format INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE dataset ADD COLUMN chain_head TEXT NOT NULL DEFAULT ''",
)
