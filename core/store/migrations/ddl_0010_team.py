"""Schema 10: the work of several people: batches with their slots, decisions on disagreements, review bundles.

Everything here is a log: rows are added and never change. A slot is one answer that a batch wants of one pair; who is
to give it stands in the slot, and a later ``slot_assignment`` says otherwise. Slots that were made in one act belong to
a draw, so that the hash chain needs one entry for all of them. Whether a slot is labelled, skipped or open is not
stored: it follows from judgements and skips. ``number`` names a slot within its batch on every desk.

Decisions on disagreements and requests to change a rubric form chains, as judgements do: each row supersedes the one
before, and the last one counts. What a desk sent back is kept as it came (``bundle_merge.body``), beside the judgements
that were made of it, so that the desk's own hash chain can be verified for good.

The judgements of adjudicators that were there before have no decision beside them and were decisions by themselves:
``meta`` keeps the number of the last one under ``picks_need_decision_after``.
"""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import append_only, guard

_BATCHES = (
    """CREATE TABLE batch(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK(length(trim(name))>0),
        rubric_version_id INTEGER NOT NULL REFERENCES rubric_version(id),
        policy TEXT NOT NULL,
        sha256 TEXT NOT NULL CHECK(length(sha256)=64),
        item_order TEXT NOT NULL CHECK(length(item_order)>0),
        seed INTEGER NOT NULL,
        author_id INTEGER REFERENCES reviewer(id),
        home_uuid TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '{}',
        created_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '') STRICT""",
    """CREATE TABLE batch_draw(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        batch_id INTEGER NOT NULL REFERENCES batch(id),
        number INTEGER NOT NULL CHECK(number>0),
        reason TEXT NOT NULL CHECK(reason IN('start','due','bundle')),
        slots INTEGER NOT NULL CHECK(slots>0),
        created_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        UNIQUE(batch_id, number)) STRICT""",
    """CREATE TABLE batch_slot(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        draw_id INTEGER NOT NULL REFERENCES batch_draw(id),
        batch_id INTEGER NOT NULL REFERENCES batch(id),
        number INTEGER NOT NULL CHECK(number>0),
        pair_id INTEGER NOT NULL REFERENCES pair(id),
        kind TEXT NOT NULL
            CHECK(kind IN('first','second','third','gold','retest','relabel','adjudicate')),
        picked TEXT NOT NULL CHECK(picked IN('random','rule')),
        swapped INTEGER NOT NULL DEFAULT 0 CHECK(swapped IN(0,1)),
        reviewer_id INTEGER REFERENCES reviewer(id),
        after_id INTEGER REFERENCES batch_slot(id) CHECK(after_id<id),
        UNIQUE(batch_id, number),
        CHECK(kind='retest' OR (swapped=0 AND after_id IS NULL))) STRICT""",
    """CREATE TABLE slot_assignment(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        slot_id INTEGER NOT NULL REFERENCES batch_slot(id),
        reviewer_id INTEGER REFERENCES reviewer(id),
        by_id INTEGER REFERENCES reviewer(id),
        reason TEXT NOT NULL DEFAULT '',
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '') STRICT""",
    """CREATE TABLE slot_presentation(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        slot_id INTEGER NOT NULL REFERENCES batch_slot(id),
        presentation_id INTEGER NOT NULL UNIQUE REFERENCES presentation(id)) STRICT""",
    "CREATE INDEX batch_slot_pair ON batch_slot(pair_id, batch_id)",
    "CREATE INDEX batch_slot_draw ON batch_slot(draw_id, number)",
    "CREATE INDEX batch_slot_reviewer ON batch_slot(batch_id, reviewer_id, number)",
    "CREATE INDEX slot_assignment_slot ON slot_assignment(slot_id, id)",
    "CREATE INDEX slot_presentation_slot ON slot_presentation(slot_id, presentation_id)",
)

_DECISIONS = (
    """CREATE TABLE change_request(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        op TEXT NOT NULL CHECK(op IN('ask','draft','resolve','reject','reopen')),
        supersedes INTEGER UNIQUE REFERENCES change_request(id) CHECK(supersedes<id),
        rubric_id INTEGER NOT NULL REFERENCES rubric(id),
        criterion TEXT NOT NULL DEFAULT '',
        text TEXT NOT NULL DEFAULT '',
        pair_id INTEGER REFERENCES pair(id),
        author_id INTEGER NOT NULL REFERENCES reviewer(id),
        version_id INTEGER REFERENCES rubric_version(id),
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        CHECK((op='ask')=(supersedes IS NULL)),
        CHECK(op<>'ask' OR length(trim(text))>0),
        CHECK((op='resolve')=(version_id IS NOT NULL))) STRICT""",
    """CREATE TABLE adjudication(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        op TEXT NOT NULL CHECK(op IN('decide','retract')),
        supersedes INTEGER UNIQUE REFERENCES adjudication(id) CHECK(supersedes<id),
        pair_id INTEGER NOT NULL REFERENCES pair(id),
        reviewer_id INTEGER NOT NULL REFERENCES reviewer(id),
        rubric_version_id INTEGER NOT NULL REFERENCES rubric_version(id),
        judgement_id INTEGER NOT NULL REFERENCES judgement(id),
        final_id INTEGER NOT NULL REFERENCES judgement(id),
        cause TEXT NOT NULL DEFAULT '' CHECK(cause IN('','ambiguous_prompt','rubric_gap','reviewer_slip','edge_case',
            'truly_subjective','other')),
        outcome TEXT NOT NULL DEFAULT '' CHECK(outcome IN('','gold','change_request','truly_subjective')),
        request_id INTEGER REFERENCES change_request(id),
        note TEXT NOT NULL DEFAULT '',
        inputs TEXT NOT NULL DEFAULT '[]',
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        CHECK((op='decide')=(cause<>'')),
        CHECK((op='decide')=(outcome<>'')),
        CHECK((outcome='change_request')=(request_id IS NOT NULL)),
        CHECK(op='decide' OR supersedes IS NOT NULL)) STRICT""",
    """CREATE TABLE reviewer_state(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        reviewer_id INTEGER NOT NULL REFERENCES reviewer(id),
        state TEXT NOT NULL CHECK(state IN('active','inactive')),
        by_id INTEGER REFERENCES reviewer(id),
        reason TEXT NOT NULL DEFAULT '',
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '') STRICT""",
    "CREATE INDEX adjudication_pair ON adjudication(pair_id, id)",
    "CREATE INDEX adjudication_final ON adjudication(final_id)",
    "CREATE INDEX change_request_rubric ON change_request(rubric_id, criterion, id)",
    "CREATE INDEX reviewer_state_reviewer ON reviewer_state(reviewer_id, id)",
)

_BUNDLES = (
    """CREATE TABLE bundle(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK(kind IN('exported','opened')),
        batch_id INTEGER NOT NULL REFERENCES batch(id),
        reviewer_id INTEGER NOT NULL REFERENCES reviewer(id),
        home_uuid TEXT NOT NULL CHECK(length(home_uuid)>0),
        chain_head TEXT NOT NULL,
        sha256 TEXT NOT NULL CHECK(length(sha256)=64),
        slots INTEGER NOT NULL CHECK(slots>0),
        detail TEXT NOT NULL DEFAULT '{}',
        created_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '') STRICT""",
    """CREATE TABLE bundle_slot(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        bundle_id INTEGER NOT NULL REFERENCES bundle(id),
        slot_id INTEGER NOT NULL REFERENCES batch_slot(id),
        UNIQUE(bundle_id, slot_id)) STRICT""",
    """CREATE TABLE bundle_merge(
        id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id>0),
        uid TEXT NOT NULL UNIQUE,
        bundle_id INTEGER NOT NULL REFERENCES bundle(id),
        desk_uuid TEXT NOT NULL CHECK(length(desk_uuid)>0),
        chain_entry INTEGER NOT NULL CHECK(chain_entry>0),
        chain_sha256 TEXT NOT NULL CHECK(length(chain_sha256)=64),
        file_sha256 TEXT NOT NULL CHECK(length(file_sha256)=64),
        counts TEXT NOT NULL DEFAULT '{}',
        body TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        session TEXT NOT NULL DEFAULT '',
        UNIQUE(desk_uuid, chain_entry)) STRICT""",
    "CREATE INDEX bundle_batch ON bundle(batch_id, reviewer_id)",
    "CREATE INDEX bundle_slot_slot ON bundle_slot(slot_id)",
    "CREATE INDEX bundle_merge_bundle ON bundle_merge(bundle_id, id)",
)

_ID = "id=NEW.id OR uid=NEW.uid"
_OF_DECISION = "pair_id=NEW.pair_id AND reviewer_id=NEW.reviewer_id AND rubric_version_id=NEW.rubric_version_id"
_NOT_DECIDED = f"NOT EXISTS(SELECT 1 FROM judgement WHERE id=NEW.{{0}} AND task='adjudicate' AND {_OF_DECISION})"

_GUARDS = (
    *append_only("batch", "batch", f"{_ID} OR name=NEW.name"),
    guard(
        "batch_rubric",
        "batch",
        "INSERT",
        "(SELECT state FROM rubric_version WHERE id=NEW.rubric_version_id) IS NOT 'published'",
        "a batch is labelled under a published rubric version",
    ),
    *append_only("batch_draw", "draw of a batch", _ID, "batch_id=NEW.batch_id AND number=NEW.number"),
    *append_only("batch_slot", "slot of a batch", "id=NEW.id", "batch_id=NEW.batch_id AND number=NEW.number"),
    guard(
        "batch_slot_draw_of_batch",
        "batch_slot",
        "INSERT",
        "(SELECT batch_id FROM batch_draw WHERE id=NEW.draw_id) IS NOT NEW.batch_id OR (NEW.after_id IS NOT NULL AND "
        "NOT EXISTS(SELECT 1 FROM batch_slot WHERE id=NEW.after_id AND batch_id=NEW.batch_id AND pair_id=NEW.pair_id))",
        "a slot belongs to the batch of its draw, and a retest to the pair that it repeats",
    ),
    *append_only("slot_assignment", "assignment of a slot", _ID),
    *append_only("slot_presentation", "showing of a slot", "id=NEW.id OR presentation_id=NEW.presentation_id"),
    guard(
        "slot_presentation_pair",
        "slot_presentation",
        "INSERT",
        "(SELECT pair_id FROM presentation WHERE id=NEW.presentation_id) IS NOT "
        "(SELECT pair_id FROM batch_slot WHERE id=NEW.slot_id)",
        "a showing is of the pair of its slot",
    ),
    *append_only("change_request", "request to change a rubric", _ID, "supersedes=NEW.supersedes"),
    guard(
        "change_request_order",
        "change_request",
        "INSERT",
        "(NEW.supersedes IS NOT NULL AND (SELECT rubric_id FROM change_request WHERE id=NEW.supersedes) IS NOT "
        "NEW.rubric_id) OR (NEW.version_id IS NOT NULL AND NOT EXISTS(SELECT 1 FROM rubric_version WHERE "
        "id=NEW.version_id AND rubric_id=NEW.rubric_id AND state='published'))",
        "a request stays with its rubric, and a published version of it resolves it",
    ),
    *append_only(
        "adjudication",
        "decision on a disagreement",
        _ID,
        "supersedes=NEW.supersedes",
        f"NEW.supersedes IS NULL AND supersedes IS NULL AND {_OF_DECISION}",
    ),
    guard(
        "adjudication_judgement",
        "adjudication",
        "INSERT",
        f"{_NOT_DECIDED.format('judgement_id')} OR {_NOT_DECIDED.format('final_id')} OR NEW.final_id<NEW.judgement_id "
        f"OR (NEW.supersedes IS NOT NULL AND NOT EXISTS(SELECT 1 FROM adjudication WHERE id=NEW.supersedes AND "
        f"{_OF_DECISION} AND (op='decide' OR NEW.op='decide')))",
        "a decision rests on a judgement of its adjudicator and follows the one before",
    ),
    *append_only("reviewer_state", "statement about a reviewer", _ID),
    *append_only("bundle", "review bundle", _ID),
    *append_only(
        "bundle_slot", "slot of a review bundle", "id=NEW.id", "bundle_id=NEW.bundle_id AND slot_id=NEW.slot_id"
    ),
    *append_only(
        "bundle_merge", "merge of a review bundle", _ID, "desk_uuid=NEW.desk_uuid AND chain_entry=NEW.chain_entry"
    ),
)

_PICKS_BEFORE = """INSERT INTO meta(key, value)
    SELECT 'picks_need_decision_after', coalesce(max(id), 0) FROM judgement"""

TEAM: tuple[str, ...] = (*_BATCHES, *_DECISIONS, *_BUNDLES, *_GUARDS, _PICKS_BEFORE)
