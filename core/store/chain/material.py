"""Which bytes of a row the hash chain covers.

SQLite itself builds the bytes, because reading each imported row into Python would cost more than the import can
spare. Every text is preceded by its length in bytes, so that no content can move from one column into the next; numbers
end with a comma. Only operators and functions that all versions of SQLite compute alike are used.

The lists of columns belong to a format number, which each entry of the chain carries. A column that is added to a table
later is covered from the next format on.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

FORMAT = 1
LINKS_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class Log:
    """A table that only grows: an entry of the chain covers its rows up to an id.

    Attributes:
        table: its name; the column ``<table>_to`` of ``chain`` holds the last id covered.
        words: columns that are never NULL. optional: columns that may be. texts: columns that people or files decide.
        noun: what a row is called in a message.
    """

    table: str
    words: tuple[str, ...]
    optional: tuple[str, ...]
    texts: tuple[str, ...]
    noun: str

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are covered, in the order of their bytes."""
        return (*self.words, *self.optional, *self.texts)

    @property
    def row(self) -> str:
        """SQL expression of the bytes of one row, for the alias ``t``."""
        return _row(" ".join(self.words), " ".join(self.optional), " ".join(self.texts))

    @property
    def upto(self) -> str:
        """The column of ``chain`` that holds the last id covered."""
        return f"{self.table}_to"


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


def text(column: str) -> str:
    """Return the SQL expression of a text that people or files decide: length in bytes, colon, text; "-" for NULL."""
    return f"coalesce(length(CAST({column} AS BLOB))||':'||{column},'-')"


def word(column: str) -> str:
    """Return the SQL expression of a number, a hash, an id or a word of the program, none of which holds a comma."""
    return f"coalesce({column},'-')||','"


def _row(words: str, optional: str = "", texts: str = "") -> str:
    """Return the bytes of a row: columns that are never NULL, columns that may be, texts."""
    parts = ["||','||".join(f"t.{name}" for name in words.split()) + "||','"]
    parts += [word(f"t.{name}") for name in optional.split()] + [text(f"t.{name}") for name in texts.split()]
    return "||".join(parts)


def _children(table: str, row: str, order: str, owner: str = "dataset_id") -> str:
    rows = f"SELECT {row} AS r FROM {table} c WHERE c.{owner}=t.id ORDER BY {order}"
    return f"coalesce((SELECT group_concat(r,'') FROM ({rows})),'')"


_ITEM = "c.position||','||c.pair_id||','||c.split||','||c.chosen||','||c.is_tie||','"
"""Strength, weight and target are covered by the root hash: SQLite's versions write fractions differently."""
_LINK = "c.position||','||c.judgement_id||','"
_LEFT_OUT = f"{text('c.reason')}||{word('c.count')}||{text('c.pair_ids')}"
_DATASET = "||'/'||".join(
    (
        _row(
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
        _row("id number created_ms uid state origin", "sha256", "name licence description counts detail"),
        _children(
            "suite_item", f"c.position||','||{text('c.item_id')}||{text('c.body')}", "c.position", owner="suite_id"
        ),
    )
)

_VOTES = "||'/'||".join(
    (
        _row(
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

_ENTRY = f"""c.id||','||c.op||','||c.pair_id||','||c.at_ms||','||{word("c.new_pair_id")}||{word("c.event_id")}
    ||{text("c.reason")}"""
_CHANGESET = "||'/'||".join(
    (
        _row("id uid state author_id created_ms", "approver_id sha256 approved_ms", "name note approval_note"),
        _children("changeset_entry", _ENTRY, "c.id", owner="changeset_id"),
    )
)


def _log(table: str, words: str, optional: str, texts: str, noun: str) -> Log:
    return Log(table, tuple(words.split()), tuple(optional.split()), tuple(texts.split()), noun)


LOGS: tuple[Log, ...] = (
    # The texts of a pair are covered by its content hash, which *Check workspace* computes anew.
    _log("pair", "id prompt_id source_id created_ms sha256", "", "a_generation b_generation", "pair"),
    _log(
        "presentation",
        "id uid pair_id reviewer_id rubric_version_id task left_is position shown_ms mono_ms session",
        "",
        "queue",
        "presentation",
    ),
    _log(
        "judgement",
        "id uid presentation_id revision pair_id reviewer_id rubric_version_id task kind op at_ms mono_ms session"
        " app_version",
        "verdict strength confidence supersedes",
        "reason flags criteria rationale edit spans process",
        "judgement",
    ),
    _log("event_log", "id at_ms op session", "reviewer_id subject_id", "summary subject detail", "logged event"),
)

REGISTERS: tuple[Register, ...] = (
    Register(
        "reviewer",
        "id",
        ("uid", "name", "kind", "note", "created_ms"),
        _row("id uid kind created_ms", "", "name note"),
        "reviewer",
    ),
    Register(
        "source",
        "id",
        ("uid", "name", "kind", "licence", "consent", "file_name", "file_sha256", "format", "voice", "note"),
        _row("id uid kind consent created_ms", "file_sha256", "name licence file_name format voice note"),
        "source",
    ),
    Register("rubric", "id", ("uid", "name", "kind"), _row("id uid kind created_ms", "", "name"), "rubric"),
    Register(
        "rubric_version",
        "id",
        ("state",),
        _row(
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
        _row(
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
        _row("id uid created_ms", "dataset_id dataset_sha256", "name folder model_path tags note"),
        "registered run",
    ),
    Register(
        "skip",
        "presentation_id",
        ("reason", "taken_back"),
        _row("presentation_id pair_id reviewer_id rubric_version_id taken_back at_ms", "", "reason"),
        "pair put aside",
    ),
    Register(
        "feedback_event",
        "id",
        ("sha256",),
        _row("id sha256 kind source_id line consent scope at_ms session", "prompt_sha256 expires_ms", "body"),
        "feedback event",
    ),
    Register(
        "feedback_step",
        "id",
        ("uid",),
        _row("id uid event_id op reviewer_id at_ms session", "supersedes pair_id", "reason target"),
        "decision about feedback",
    ),
    Register("changeset", "id", ("state",), _CHANGESET, "changeset", only="t.state='approved'"),
    Register("dataset_changeset", "id", ("dataset_id",), _row("id dataset_id changeset_id"), "changeset of a version"),
    Register(
        "consent_entry",
        "id",
        ("uid",),
        _row("id uid subject subject_id consent scope at_ms session", "expires_ms given_ms reviewer_id", "reason"),
        "statement of consent",
    ),
    Register(
        "threshold",
        "id",
        ("uid",),
        _row("id uid number sha256 negatives positives created_ms session", "", "name body"),
        "threshold",
    ),
    Register(
        "failure_step",
        "id",
        ("uid",),
        _row("id uid op reviewer_id at_ms session", "", "evaluation failure tag note target"),
        "look at a failure",
    ),
    Register(
        "audit_draw",
        "id",
        ("uid",),
        _row("id uid number seed per_arm sha256 created_ms session", "", "evaluation body"),
        "sample of an audit",
    ),
    Register(
        "audit_label",
        "id",
        ("uid",),
        _row("id uid op answer_sha256 label reviewer_id at_ms session", "supersedes", "evaluation suite arm item"),
        "label of an audit",
    ),
    Register("vote_round", "id", ("uid",), _VOTES, "round of votes"),
)

EVIDENCE = "||".join((
    *(text(f"j.{name}") for name in (
        "task", "verdict", "reason", "flags", "criteria", "rationale", "edit", "spans"
    )),
    word("j.strength"), word("j.confidence"), text("p.left_is"), text("v.sha256"),
))  # fmt: skip
"""What a judgement says, without what is this workspace's own (ids, times, names): judgement j, presentation p, rubric
version v. A dataset version's root hash covers it, and is the same on every machine."""


def range_digests(connection: sqlite3.Connection, log: Log, first: int, last: int) -> dict[int, str]:
    """Return entry -> sha256 of the rows of ``log`` that the entries ``first`` to ``last`` cover; "" for none.

    No index is used: SQLite would else, once it knows that reviewers are few, read the rows reviewer by reviewer, and
    the digest is one over the rows in the order of their ids.
    """
    query = f"""SELECT e.id, CAST(group_concat({log.row},'') AS BLOB) FROM chain e JOIN chain b ON b.id=e.id-1
        CROSS JOIN {log.table} t NOT INDEXED ON t.id>b.{log.upto} AND t.id<=e.{log.upto}
        WHERE e.id BETWEEN ? AND ? GROUP BY e.id"""
    return {entry: digest_of(raw) for entry, raw in connection.execute(query, (first, last))}


def range_digest(connection: sqlite3.Connection, log: Log, after: int, upto: int) -> str:
    """Return the sha256 of the rows of ``log`` with after < id <= upto; "" for none."""
    query = f"SELECT CAST(group_concat({log.row},'') AS BLOB) FROM {log.table} t NOT INDEXED WHERE t.id>? AND t.id<=?"
    (raw,) = connection.execute(query, (after, upto)).fetchone()
    return "" if raw is None else digest_of(raw)


def register_digest(connection: sqlite3.Connection, register: Register, key: int) -> str | None:
    """Return the sha256 of a row of a register, None where there is none to seal."""
    query = f"SELECT CAST({register.row} AS BLOB) FROM {register.table} t WHERE t.{register.key}=? AND {register.only}"
    found = connection.execute(query, (key,)).fetchone()
    return None if found is None else digest_of(found[0])


def link_value(pair_id: int, source_id: int, row: int) -> int:
    """Return the summand of one row of ``pair_source``: the chain holds the sum over all, whatever their order."""
    return int.from_bytes(hashlib.sha256(b"%d,%d,%d" % (pair_id, source_id, row)).digest(), "big")


def digest_of(raw: bytes) -> str:
    """Return the hex sha256 of the bytes of some rows."""
    return hashlib.sha256(raw).hexdigest()
