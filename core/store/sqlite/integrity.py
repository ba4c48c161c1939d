"""*Check workspace*: recount and rehash everything that the database guarantees.

Each check is a function from a read-only connection to findings. Checks use plain SQL: with the classes of the rest
of the program they would repeat its mistakes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.domain.conversation import Prompt
from core.domain.dataset import ROOT_FORMAT, FrozenItem, root_sha256
from core.domain.errors import UserError
from core.domain.ids import sha256_json, sha256_text
from core.domain.rubric import RubricBody
from core.store import feedback_checks, text_notes
from core.store.chain import verify
from core.store.chain.material import EVIDENCE, digest_of
from core.store.desks import kept
from core.store.migrations.schema import STATEMENTS
from core.store.sqlite.unreadable import unreadable_rows

Progress = Callable[[str, int, int], None]
Check = Callable[[sqlite3.Connection], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        check: the name of the check. message: what is wrong, and where.
        serious: False where nothing is lost. hint: what to do.
    """

    check: str
    message: str
    serious: bool = True
    hint: str = ""


def run(connection: sqlite3.Connection, folder: Path, on_progress: Progress | None = None) -> list[Finding]:
    """Run every check on a read-only connection and return what is wrong; empty when nothing is."""
    found = check_database(connection, on_progress)
    found += [Finding("run folders", message, serious=False) for message in _orphans(connection, folder)]
    if on_progress:
        on_progress("done", len(_CHECKS), len(_CHECKS))
    return found


def check_database(connection: sqlite3.Connection, on_progress: Progress | None = None) -> list[Finding]:
    """Run the checks that need nothing but the database: those that a copy must pass to count as a backup."""
    found: list[Finding] = []
    for number, (name, check) in enumerate(_CHECKS):
        if on_progress:
            on_progress(name, number, len(_CHECKS))
        found += _finish(name, check, connection)
    return found


def _finish(name: str, check: Check, connection: sqlite3.Connection) -> list[Finding]:
    """Run one check; on a damaged file it may fail half-way, which is a finding too."""
    found: list[Finding] = []
    try:
        found.extend(Finding(name, message, hint=_ADVICE.get(name, _CHANGED)) for message in check(connection))
    except (sqlite3.Error, ValueError, KeyError, TypeError, UserError, RecursionError) as error:
        rows = unreadable_rows(connection) or [f"This check could not be finished: {error}."]
        found.extend(Finding(name, row, hint=_ADVICE.get(name, _CHANGED)) for row in rows)
    return found


def _integrity(c: sqlite3.Connection) -> Iterator[str]:
    yield from (row[0] for row in c.execute("PRAGMA integrity_check(20)") if row[0] != "ok")


def _foreign_keys(c: sqlite3.Connection) -> Iterator[str]:
    for table, rowid, parent, _ in c.execute("PRAGMA foreign_key_check"):
        yield f"Row {rowid} of {table} points at a {parent} that does not exist."


def _schema(c: sqlite3.Connection) -> Iterator[str]:
    """Compare every table, index and trigger with those of a new workspace: a missing trigger guards nothing."""
    expected, present = _expected(), _definitions(c)
    for name in sorted(expected.keys() | present.keys()):
        if name not in present:
            yield f"{name} is missing."
        elif name not in expected:
            yield f"{name} does not belong to a workspace."
        elif expected[name] != present[name]:
            yield f"{name} was altered."


@cache
def _expected() -> dict[str, str]:
    """Return the definitions of a new workspace; making its tables takes longer than all checks of a small one."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in STATEMENTS:
            fresh.execute(statement)
        return _definitions(fresh)


def _definitions(c: sqlite3.Connection) -> dict[str, str]:
    rows = c.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    return {f"{kind} {name}": sql for kind, name, sql in rows if name != "alembic_version"}


_RULES: dict[str, str] = {
    "Judgement {} does not extend its own chain.": """SELECT j.id FROM judgement j JOIN judgement o ON o.id=j.supersedes
        WHERE o.id>=j.id OR o.pair_id<>j.pair_id OR o.reviewer_id<>j.reviewer_id
          OR o.rubric_version_id<>j.rubric_version_id OR (j.kind='retract' AND o.kind<>'label')""",
    "Judgement {} is a second beginning of a chain.": """SELECT max(id) FROM judgement
        WHERE supersedes IS NULL AND task IN('label','relabel','imported')
        GROUP BY pair_id, reviewer_id, rubric_version_id HAVING count(*)>1""",
    "Judgement {} takes back nothing.": "SELECT id FROM judgement WHERE kind='retract' AND supersedes IS NULL",
    "Judgement {} does not fit its presentation.": """SELECT j.id
        FROM judgement j JOIN presentation p ON p.id=j.presentation_id
        WHERE p.pair_id<>j.pair_id OR p.reviewer_id<>j.reviewer_id OR p.rubric_version_id<>j.rubric_version_id
          OR p.task<>j.task""",
    "Judgement {} stands under a draft.": """SELECT j.id
        FROM judgement j JOIN rubric_version v ON v.id=j.rubric_version_id WHERE v.state<>'published'""",
    "The first revision of presentation {} is missing.": """SELECT presentation_id FROM judgement
        GROUP BY presentation_id HAVING min(revision)>0 OR max(revision)<>count(*)-1""",
}

_DERIVED: dict[str, str] = {
    "Rows are left out of the counts as part of an import that is not running (batch_range {}).": """SELECT id
        FROM batch_range""",
    "The current label {} is missing or wrong.": """WITH tip AS (
          SELECT id, pair_id, reviewer_id, rubric_version_id, task, verdict, strength, flags<>'[]'
          FROM judgement j WHERE kind='label'
          AND NOT EXISTS(SELECT 1 FROM judgement k WHERE k.supersedes=j.id))
        SELECT id FROM (SELECT * FROM tip EXCEPT SELECT * FROM current_label)
        UNION SELECT judgement_id FROM (SELECT * FROM current_label EXCEPT SELECT * FROM tip)""",
    "The label counts of pair {} are wrong.": """WITH own AS (SELECT pair_id, count(*) AS n,
          sum(verdict='prefer' AND strength<0) AS a, sum(verdict='prefer' AND strength>0) AS b, sum(verdict='tie') AS t,
          sum(verdict='neither') AS e, sum(verdict='cannot_judge') AS c, sum(flagged) AS f
          FROM current_label WHERE task NOT IN('gold','retest') GROUP BY pair_id)
        SELECT s.pair_id FROM pair_state s LEFT JOIN own o ON o.pair_id=s.pair_id
        WHERE s.labels<>coalesce(n,0) OR s.prefer_a<>coalesce(a,0) OR s.prefer_b<>coalesce(b,0) OR s.ties<>coalesce(t,0)
          OR s.neithers<>coalesce(e,0) OR s.cannots<>coalesce(c,0) OR s.flagged<>coalesce(f,0)""",
    "Pair {} has no label counts.": "SELECT id FROM pair WHERE id NOT IN(SELECT pair_id FROM pair_state)",
    "The number of pairs of source {} is wrong.": """SELECT id FROM source s
        WHERE pairs<>(SELECT count(*) FROM pair_source p WHERE p.source_id=s.id)""",
    "The counter {} is wrong.": """SELECT name FROM counter WHERE value<>CASE name
        WHEN 'pairs' THEN (SELECT count(*) FROM pair) WHEN 'prompts' THEN (SELECT count(*) FROM prompt)
        WHEN 'judgements' THEN (SELECT count(*) FROM judgement) WHEN 'labels' THEN (SELECT count(*) FROM current_label)
        WHEN 'labelled' THEN (SELECT count(*) FROM pair_state WHERE labels>0) ELSE value END""",
    "The label tally of reviewer {} is wrong.": """SELECT t.reviewer_id FROM label_tally t
        WHERE labels<>(SELECT count(*) FROM current_label c WHERE c.reviewer_id=t.reviewer_id
          AND c.rubric_version_id=t.rubric_version_id AND c.task=t.task)""",
}


def _chains(c: sqlite3.Connection) -> Iterator[str]:
    yield from _broken(c, _RULES)


def _derived(c: sqlite3.Connection) -> Iterator[str]:
    yield from _broken(c, _DERIVED)


def _broken(c: sqlite3.Connection, rules: dict[str, str]) -> Iterator[str]:
    for message, query in rules.items():
        for (key,) in c.execute(f"{query} LIMIT 20"):
            yield message.format(key)


def _contents(c: sqlite3.Connection) -> Iterator[str]:
    """Hash prompts, pairs and published rubric versions anew."""
    for key, sha, body, text, turns in c.execute("SELECT id, sha256, body, text, turns FROM prompt"):
        prompt = Prompt.from_plain(json.loads(body))
        if sha256_text(body) != sha and prompt.sha256 != sha:
            yield f"The text of prompt {key} is not what was imported."
        elif len(prompt.messages) != turns or text not in _searchable(prompt):
            yield f"The searchable text of prompt {key} does not repeat the prompt."
    query = (
        "SELECT p.id, p.sha256, q.body, a_text, b_text, a_sha256, b_sha256 FROM pair p JOIN prompt q ON q.id=prompt_id"
    )
    for key, sha, body, a, b, a_sha, b_sha in c.execute(query):
        whole = sha256_json({"prompt": json.loads(body), "a": a, "b": b})
        if (whole, sha256_text(a), sha256_text(b)) != (sha, a_sha, b_sha):
            yield f"The text of pair {key} is not what was imported."
    for key, sha, body in c.execute("SELECT id, sha256, body FROM rubric_version WHERE state='published'"):
        if RubricBody.from_plain(json.loads(body)).sha256 != sha:
            yield f"Rubric version {key} is not what was published."


def _searchable(prompt: Prompt) -> tuple[str, ...]:
    return prompt.as_text(), "\n\n".join(message.content for message in prompt.messages)


def _frozen(c: sqlite3.Connection) -> Iterator[str]:
    """Compute the root hash of every frozen dataset version anew, from its policy as it was written down."""
    for key, name, number, sha, policy, form, head in c.execute(
        "SELECT id, name, number, root_sha256, policy, root_format, chain_head FROM dataset WHERE state='frozen'"
    ).fetchall():
        rubrics = [
            row[0]
            for row in c.execute(
                "SELECT v.sha256 FROM dataset_rubric d JOIN rubric_version v ON v.id=d.rubric_version_id "
                "WHERE d.dataset_id=?",
                (key,),
            )
        ]
        evidence = None if form < ROOT_FORMAT else _evidence(c, key)
        if root_sha256(dict(json.loads(policy)), rubrics, _items(c, key), evidence) != sha:
            yield f"Dataset version {name} v{number} is not what was frozen."
        if (noted := verify.noted_head(head)) and (why := verify.conflict(c, *noted)):
            yield f"The chain head in dataset version {name} v{number} does not fit: {why}."


def _items(c: sqlite3.Connection, dataset_id: int) -> list[FrozenItem]:
    query = """SELECT position, i.pair_id, p.sha256, split, chosen, strength, weight, target, is_tie
        FROM dataset_item i JOIN pair p ON p.id=i.pair_id WHERE dataset_id=? ORDER BY position"""
    links = "SELECT position, judgement_id FROM dataset_item_judgement WHERE dataset_id=?"
    behind: dict[int, list[int]] = {}
    for position, judgement in c.execute(links, (dataset_id,)):
        behind.setdefault(position, []).append(judgement)
    return [
        FrozenItem(pos, pair, sha, split, chosen, strength, weight, target, bool(tie), tuple(behind.get(pos, ())))
        for pos, pair, sha, split, chosen, strength, weight, target, tie in c.execute(query, (dataset_id,))
    ]


def _evidence(c: sqlite3.Connection, dataset_id: int) -> dict[int, str]:
    query = f"""SELECT j.id, CAST({EVIDENCE} AS BLOB) FROM dataset_item_judgement d
        JOIN judgement j ON j.id=d.judgement_id JOIN presentation p ON p.id=j.presentation_id
        JOIN rubric_version v ON v.id=j.rubric_version_id WHERE d.dataset_id=?"""
    return {key: digest_of(raw) for key, raw in c.execute(query, (dataset_id,))}


def _suites(c: sqlite3.Connection) -> Iterator[str]:
    """Compute the hash of every suite version anew from its items."""
    for key, name, number, sha in c.execute(
        "SELECT id, name, number, sha256 FROM suite WHERE state='frozen'"
    ).fetchall():
        rows = c.execute("SELECT item_id, body FROM suite_item WHERE suite_id=? ORDER BY position", (key,))
        items = [(item_id, json.loads(body)) for item_id, body in rows]
        if sha256_json([body for _, body in items]) != sha or any(body["id"] != item_id for item_id, body in items):
            yield f"Suite {name} v{number} is not what was stored."


def _orphans(c: sqlite3.Connection, folder: Path) -> Iterator[str]:
    known = {row[0] for row in c.execute("SELECT folder FROM run")}
    names = {Path(name).name for name in known}
    for name in sorted(known):
        if not (folder / name).is_dir() and not (folder / "runs" / name).is_dir():
            yield f"The folder of run {Path(name).name} is gone."
    for path in sorted((folder / "runs").glob("*/run.json")):
        if path.parent.name not in names:
            yield f"The run folder {path.parent.name} is not listed in the workspace; it can still be watched."


_CHECKS: tuple[tuple[str, Check], ...] = (
    ("file", _integrity),
    ("references", _foreign_keys),
    ("schema", _schema),
    ("judgement chains", _chains),
    ("counts", _derived),
    ("contents", _contents),
    ("frozen datasets", _frozen),
    ("suites", _suites),
    ("feedback", feedback_checks.problems),
    ("text flags", text_notes.problems),
    ("hash chain", verify.problems),
    ("review bundles", kept.problems),
)
_CHANGED = "Somebody changed the file without Pairwright. Compare with a backup from before, or restore it."
_ADVICE: dict[str, str] = {
    "file": "The file is damaged. Restore a backup, or run salvage to bring what is readable into a new workspace.",
    "references": _CHANGED,
    "schema": _CHANGED,
    "judgement chains": _CHANGED,
    "counts": _CHANGED,
    "contents": _CHANGED,
    "frozen datasets": "Do not train on this version. Restore a backup in which it is sound, or freeze again.",
    "suites": "Do not evaluate with this version. Restore a backup in which it is sound, or import it again.",
    "feedback": _CHANGED,
    "hash chain": _CHANGED,
    "review bundles": _CHANGED,
}
