"""Which tables whose rows may change the hash chain covers, and which bytes of a row."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from core.store.chain.material import digest_of, row_bytes, text, word


@dataclass(frozen=True, slots=True)
class Register:
    """A table whose rows may change by the program's own acts: the chain holds a hash of each state of each row.

    Attributes:
        key: column that names the row.
        columns: columns whose change is an act to record.
        row: SQL expression of the bytes of one row, for the alias ``t``.
        only: condition on ``t`` for rows that are sealed, such as published versions.
        noun: what a row is called in a message.
    """

    table: str
    key: str
    columns: tuple[str, ...]
    row: str
    noun: str
    only: str = "1"


def _children(table: str, row: str, order: str, owner: str = "dataset_id") -> str:
    rows = f"SELECT {row} AS r FROM {table} c WHERE c.{owner}=t.id ORDER BY {order}"
    return f"coalesce((SELECT group_concat(r,'') FROM ({rows})),'')"


_ITEM = "c.position||','||c.pair_id||','||c.split||','||c.chosen||','||c.is_tie||','"
"""Strength, weight and target are covered by the root hash: SQLite's versions write fractions differently."""
_LINK = "c.position||','||c.judgement_id||','"
_LEFT_OUT = f"{text('c.reason')}||{word('c.count')}||{text('c.pair_ids')}"
_DATASET = "||'/'||".join(
    (
        row_bytes(
            "id number root_format created_ms uid state", "root_sha256", "name policy counts created_by note chain_head"
        ),
        _children("dataset_item", _ITEM, "c.position"),
        _children("dataset_item_judgement", _LINK, "c.position,c.judgement_id"),
        _children("dataset_rubric", "c.rubric_version_id||','", "c.rubric_version_id"),
        _children("dataset_left_out", _LEFT_OUT, "c.reason"),
    )
)
_SUITE = "||'/'||".join(
    (
        row_bytes("id number created_ms uid state origin", "sha256", "name licence description counts detail"),
        _children(
            "suite_item", f"c.position||','||{text('c.item_id')}||{text('c.body')}", "c.position", owner="suite_id"
        ),
    )
)

_VOTES = "||'/'||".join(
    (
        row_bytes(
            "id uid request_sha256 rubric_version_id source_id votes_per_item planned created_ms session",
            "",
            "evaluation name first_arm second_arm detail",
        ),
        _children(
            "vote_item",
            f"c.id||','||c.pair_id||','||c.a_is||','||c.is_sealed||','||{text('c.suite')}||{text('c.item')}||"
            f"{text('c.detail')}",
            "c.id",
            owner="round_id",
        ),
    )
)

_SLOT = "||".join((
    "c.id||','||c.batch_id||','||c.number||','||c.pair_id||','||c.kind||','||c.picked||','||c.swapped||','",
    word("c.reviewer_id"), word("c.after_id"),
))  # fmt: skip
_DRAW = "||'/'||".join(
    (
        row_bytes("id uid batch_id number reason slots created_ms session"),
        _children("batch_slot", _SLOT, "c.number", owner="draw_id"),
    )
)
_BUNDLE = "||'/'||".join(
    (
        row_bytes(
            "id uid kind batch_id reviewer_id home_uuid chain_head sha256 slots created_ms session", "", "detail"
        ),
        _children("bundle_slot", "c.id||','||c.slot_id||','", "c.id", owner="bundle_id"),
    )
)
_ENTRY = f"""c.id||','||c.op||','||c.pair_id||','||c.at_ms||','||{word("c.new_pair_id")}||{word("c.event_id")}
    ||{text("c.reason")}"""
_CHANGESET = "||'/'||".join(
    (
        row_bytes("id uid state author_id created_ms", "approver_id sha256 approved_ms", "name note approval_note"),
        _children("changeset_entry", _ENTRY, "c.id", owner="changeset_id"),
    )
)


REGISTERS: tuple[Register, ...] = (
    Register(
        "reviewer",
        "id",
        ("uid", "name", "kind", "note", "created_ms"),
        row_bytes("id uid kind created_ms", "", "name note"),
        "reviewer",
    ),
    Register(
        "source",
        "id",
        ("uid", "name", "kind", "licence", "consent", "file_name", "file_sha256", "format", "voice", "note"),
        row_bytes("id uid kind consent created_ms", "file_sha256", "name licence file_name format voice note"),
        "source",
    ),
    Register("rubric", "id", ("uid", "name", "kind"), row_bytes("id uid kind created_ms", "", "name"), "rubric"),
    Register(
        "rubric_version",
        "id",
        ("state",),
        row_bytes(
            "id uid rubric_id number major state level created_ms",
            "sha256 based_on published_ms",
            "change_note body",
        ),
        "rubric version",
        only="t.state='published'",
    ),
    Register("dataset", "id", ("state",), _DATASET, "dataset version", only="t.state='frozen'"),
    Register("suite", "id", ("state",), _SUITE, "suite version", only="t.state='frozen'"),
    Register(
        "import_batch",
        "id",
        ("rows", "imported", "duplicates", "rejected", "judgements", "byte_offset", "status"),
        row_bytes(
            "id source_id number file_sha256 rows imported duplicates rejected judgements byte_offset status at_ms",
            "",
            "format",
        ),
        "part of an import",
    ),
    Register(
        "run",
        "id",
        ("uid", "name", "dataset_id", "dataset_sha256", "folder", "model_path", "tags", "note"),
        row_bytes("id uid created_ms", "dataset_id dataset_sha256", "name folder model_path tags note"),
        "registered run",
    ),
    Register(
        "skip",
        "presentation_id",
        ("reason", "taken_back"),
        row_bytes("presentation_id pair_id reviewer_id rubric_version_id taken_back at_ms", "", "reason"),
        "pair put aside",
    ),
    Register(
        "feedback_event",
        "id",
        ("sha256",),
        row_bytes("id sha256 kind source_id line consent scope at_ms session", "prompt_sha256 expires_ms", "body"),
        "feedback event",
    ),
    Register(
        "feedback_step",
        "id",
        ("uid",),
        row_bytes("id uid event_id op reviewer_id at_ms session", "supersedes pair_id", "reason target"),
        "decision about feedback",
    ),
    Register("changeset", "id", ("state",), _CHANGESET, "changeset", only="t.state='approved'"),
    Register(
        "dataset_changeset", "id", ("dataset_id",), row_bytes("id dataset_id changeset_id"), "changeset of a version"
    ),
    Register(
        "consent_entry",
        "id",
        ("uid",),
        row_bytes("id uid subject subject_id consent scope at_ms session", "expires_ms given_ms reviewer_id", "reason"),
        "statement of consent",
    ),
    Register(
        "threshold",
        "id",
        ("uid",),
        row_bytes("id uid number sha256 negatives positives created_ms session", "", "name body"),
        "threshold",
    ),
    Register(
        "failure_step",
        "id",
        ("uid",),
        row_bytes("id uid op reviewer_id at_ms session", "", "evaluation failure tag note target"),
        "look at a failure",
    ),
    Register(
        "audit_draw",
        "id",
        ("uid",),
        row_bytes("id uid number seed per_arm sha256 created_ms session", "", "evaluation body"),
        "sample of an audit",
    ),
    Register(
        "audit_label",
        "id",
        ("uid",),
        row_bytes("id uid op answer_sha256 label reviewer_id at_ms session", "supersedes", "evaluation suite arm item"),
        "label of an audit",
    ),
    Register("vote_round", "id", ("uid",), _VOTES, "round of votes"),
    Register(
        "batch",
        "id",
        ("uid",),
        row_bytes(
            "id uid rubric_version_id sha256 seed created_ms session",
            "author_id",
            "name policy item_order home_uuid detail",
        ),
        "batch",
    ),
    Register("batch_draw", "id", ("uid",), _DRAW, "draw of a batch"),
    Register(
        "slot_assignment",
        "id",
        ("uid",),
        row_bytes("id uid slot_id at_ms session", "reviewer_id by_id", "reason"),
        "assignment of a slot",
    ),
    Register("slot_presentation", "id", ("slot_id",), row_bytes("id slot_id presentation_id"), "showing of a slot"),
    Register(
        "change_request",
        "id",
        ("uid",),
        row_bytes("id uid op rubric_id author_id at_ms session", "supersedes pair_id version_id", "criterion text"),
        "request to change a rubric",
    ),
    Register(
        "adjudication",
        "id",
        ("uid",),
        row_bytes(
            "id uid op pair_id reviewer_id rubric_version_id judgement_id final_id cause outcome at_ms session",
            "supersedes request_id",
            "note inputs",
        ),
        "decision on a disagreement",
    ),
    Register(
        "reviewer_state",
        "id",
        ("uid",),
        row_bytes("id uid reviewer_id state at_ms session", "by_id", "reason"),
        "statement about a reviewer",
    ),
    Register("bundle", "id", ("uid",), _BUNDLE, "review bundle"),
    Register(
        "bundle_merge",
        "id",
        ("uid",),
        row_bytes("id uid bundle_id desk_uuid chain_entry chain_sha256 file_sha256 at_ms session", "", "counts body"),
        "merge of a review bundle",
    ),
)


def register_digest(connection: sqlite3.Connection, register: Register, key: int) -> str | None:
    """Return the sha256 of a row of a register, None where there is none to seal."""
    query = f"SELECT CAST({register.row} AS BLOB) FROM {register.table} t WHERE t.{register.key}=? AND {register.only}"
    found = connection.execute(query, (key,)).fetchone()
    return None if found is None else digest_of(found[0])
