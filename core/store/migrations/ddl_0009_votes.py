"""Schema 9: rounds of votes, in which people say blind which of two arms of an evaluation answers better.

A round and its items are stored in one transaction and never change. The votes themselves are judgements of the pairs.
``a_is`` says which arm (1 the first, 2 the second) gave the answer A of the pair; nothing but the results reads it.
"""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import append_only

VOTES: tuple[str, ...] = (
    """CREATE TABLE vote_round(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        request_sha256 TEXT NOT NULL UNIQUE CHECK(length(request_sha256)=64),
        evaluation TEXT NOT NULL CHECK(length(evaluation)>0),
        name TEXT NOT NULL CHECK(length(trim(name))>0),
        first_arm TEXT NOT NULL,
        second_arm TEXT NOT NULL CHECK(second_arm<>first_arm),
        rubric_version_id INTEGER NOT NULL REFERENCES rubric_version(id),
        source_id INTEGER NOT NULL REFERENCES source(id),
        votes_per_item INTEGER NOT NULL CHECK(votes_per_item>0),
        planned INTEGER NOT NULL CHECK(planned>0),
        detail TEXT NOT NULL DEFAULT '{}',
        created_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '') STRICT""",
    """CREATE TABLE vote_item(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        round_id INTEGER NOT NULL REFERENCES vote_round(id),
        pair_id INTEGER NOT NULL REFERENCES pair(id),
        suite TEXT NOT NULL,
        item TEXT NOT NULL,
        a_is INTEGER NOT NULL CHECK(a_is IN(1,2)),
        is_sealed INTEGER NOT NULL CHECK(is_sealed IN(0,1)),
        detail TEXT NOT NULL DEFAULT '{}',
        UNIQUE(round_id, pair_id),
        UNIQUE(round_id, suite, item)) STRICT""",
    "CREATE INDEX vote_round_evaluation ON vote_round(evaluation, id)",
    "CREATE INDEX vote_item_pair ON vote_item(pair_id, round_id)",
    *append_only("vote_round", "round of votes", "id=NEW.id OR uid=NEW.uid OR request_sha256=NEW.request_sha256"),
    *append_only(
        "vote_item",
        "item of a round of votes",
        "id=NEW.id",
        "round_id=NEW.round_id AND pair_id=NEW.pair_id",
        "round_id=NEW.round_id AND suite=NEW.suite AND item=NEW.item",
    ),
)
