"""Writing what was read of a damaged file into a new workspace: parents first, and a stand-in for each lost one.

The guards of the new workspace stay on: what breaks a rule there is listed as lost, never forced in. Judgements come
first: a lost reviewer, rubric version, source or presentation gets a stand-in, so that no judgement is lost with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import UserError
from core.domain.ids import new_uid, sha256_json, sha256_text
from core.domain.rubric import RubricBody
from core.store import adjudications, text_notes
from core.store.feedback_checks import CONTENT, content_sha256
from core.store.salvage import stand_ins
from core.store.salvage.reader import REPLACED, DamagedFile, Row
from core.store.salvage.salvaged import Salvaged
from core.store.salvage.sealed_rows import noun_of

NUMBERED = (
    "reviewer", "source", "rubric", "rubric_version", "prompt", "pair", "presentation", "judgement", "event_log",
    "feedback_event", "feedback_step", "consent_entry", "changeset", "dataset", "suite", "import_batch", "run", "model",
    "threshold", "failure_step", "audit_draw", "audit_label", "vote_round", "vote_item",
    "reviewer_state", "batch", "batch_draw", "batch_slot", "slot_assignment", "slot_presentation", "change_request",
    "adjudication", "bundle", "bundle_slot", "bundle_merge",
)  # fmt: skip
"""Tables whose rows are numbered without gaps, in the order in which they are written."""
_NAMES_PEOPLE = {
    "failure_step", "audit_label", "vote_round", "reviewer_state", "batch", "batch_slot", "slot_assignment",
    "change_request", "adjudication", "bundle",
}  # fmt: skip
"""Later logs whose rows name reviewers, rubric versions or sources."""
_CONSECUTIVE = ("prompt", "pair", "presentation", "judgement", "event_log")
_PARTS = {
    "dataset": ("dataset_item", "dataset_item_judgement", "dataset_rubric", "dataset_left_out", "dataset_changeset"),
    "suite": ("suite_item",),
}
"""Version -> the tables of what is in it, its items first."""


class Rebuild:
    """Fills an empty workspace from a damaged file; ``raw`` is its writer's connection, inside a transaction."""

    def __init__(self, damaged: DamagedFile, raw: sqlite3.Connection) -> None:
        self._damaged, self._raw = damaged, raw
        self.result = Salvaged()
        self._names = {
            table: [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
            for (table,) in raw.execute("SELECT name FROM sqlite_schema WHERE type='table'").fetchall()
        }

    def run(self) -> Salvaged:
        """Write every table and return what became of the rows."""
        for table in NUMBERED:
            special: dict[str, Callable[[], None]] = {
                "rubric_version": self._rubric_versions,
                "dataset": lambda: self._versions("dataset", "root_sha256"),
                "suite": lambda: self._versions("suite", "sha256"),
                "prompt": lambda: self._numbered("prompt", self._prompt_problem),
                "pair": lambda: self._numbered("pair", self._pair_problem),
                "presentation": lambda: self._numbered("presentation", self._parents),
                "judgement": lambda: self._numbered("judgement", self._judgement_parents),
                "feedback_event": lambda: self._numbered("feedback_event", self._event_problem),
                "feedback_step": lambda: self._numbered("feedback_step", self._step_parents),
                "changeset": self._changesets,
            }
            known = self._known_parents if table in _NAMES_PEOPLE else None
            special.get(table, lambda table=table, known=known: self._numbered(table, known))()
        self._links()
        self._keep_first_picks()
        text_notes.note_all(self._raw)
        for table, key in (("skip", "presentation_id"), ("bookmark", ""), ("step", "id"), ("setting", "")):
            for row in self._rows(table, key):
                self._store(table, row, f"A row of {table} could not be kept")
        return self.result

    def _keep_first_picks(self) -> None:
        """Take over which picks were decisions by themselves; without a number, the new file has none either."""
        key = adjudications.PICKS_NEED_DECISION_AFTER
        kept = [row["value"] for row in self._damaged.rows("meta", "") if row.get("key") == key]
        self._raw.execute("DELETE FROM meta WHERE key=?", (key,))
        self._raw.executemany("INSERT INTO meta(key, value) VALUES(?, ?)", [(key, value) for value in kept[:1]])

    # One table

    def _rows(self, table: str, key: str = "id") -> Iterator[Row]:
        """Yield the rows of a table; those that no row of it can be are counted as lost."""
        for row in self._damaged.rows(table, key):
            if column := self._damaged.misfit(table, row):
                self.result.lose(table, f"A row of {table} is damaged: {column} holds nothing of its kind.", row)
            else:
                yield row

    def _numbered(self, table: str, problem: Callable[[Row], str] | None = None) -> None:
        highest, expected = 0, self._damaged.highest(table)
        for row in self._damaged.rows(table, gapless=table in _CONSECUTIVE):
            number = row["id"]
            if table in _CONSECUTIVE:
                self._missing(table, highest + 1, number)
            highest = number
            misfit = self._damaged.misfit(table, row)
            if why := f"{misfit} holds nothing of its kind" if misfit else problem(row) if problem else "":
                self.result.lose(table, f"{noun_of(table)} {number}: {why}.", row)
                continue
            if table == "source":
                row = {**row, "pairs": 0}
            if any(isinstance(value, str) and REPLACED in value for value in row.values()):
                self.result.tell(f"{noun_of(table)} {number}: a text holds bytes that are no characters any more.")
            self._store(table, row, f"{noun_of(table)} {number}")
        if table in _CONSECUTIVE:
            self._missing(table, highest + 1, expected + 1)

    def _missing(self, table: str, first: int, end: int) -> None:
        """Count the numbers from ``first`` up to ``end`` as lost; the file may be wrong about huge ones."""
        if end <= first:
            return
        count = min(end - first, 10_000_000)
        self.result.lost[table] += count
        span = f"{first}" if count == 1 else f"{first} to {end - 1}"
        self.result.tell(f"{noun_of(table)} {span}: lost with a part of the file.")

    def _store(self, table: str, row: Row, what: str) -> bool:
        known = self._names[table]
        values = {name: value for name, value in row.items() if name in known}
        names = ", ".join(values)
        try:
            self._raw.execute(
                f"INSERT INTO {table}({names}) VALUES({', '.join('?' * len(values))})", tuple(values.values())
            )
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            self.result.lose(table, f"{what}: {str(error).removeprefix('immutable: ')}.", row)
            return False
        self.result.read[table] += 1
        return True

    # Checks and stand-ins

    def _prompt_problem(self, row: Row) -> str:
        try:
            prompt = Prompt.from_plain(json.loads(row["body"]))
            sound = row["sha256"] in (sha256_text(row["body"]), prompt.sha256)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UserError):
            sound = False
        return "" if sound else "its text is damaged"

    def _pair_problem(self, row: Row) -> str:
        found = self._raw.execute("SELECT body FROM prompt WHERE id=?", (row["prompt_id"],)).fetchone()
        if found is None:
            return "its prompt is lost"
        a, b = row["a_text"], row["b_text"]
        if sha256_json({"prompt": json.loads(found[0]), "a": a, "b": b}) != row["sha256"]:
            return "its text is damaged"
        self._need("source", row["source_id"], stand_ins.source)
        return ""

    def _parents(self, row: Row) -> str:
        """Make stand-ins for the lost parents of a presentation or a judgement."""
        if not self._has("pair", row["pair_id"]):
            return f"its pair {row['pair_id']} is lost"
        self._need("reviewer", row["reviewer_id"], stand_ins.reviewer)
        self._need("rubric_version", row["rubric_version_id"], self._rubric_version)
        return ""

    def _judgement_parents(self, row: Row) -> str:
        if why := self._parents(row):
            return why
        if not self._has("presentation", row["presentation_id"]):
            self._presentation(row)
        before = row["supersedes"]
        if before is not None and not self._has("judgement", before):
            if row["kind"] == "retract":
                return f"it takes back judgement {before}, which is lost"
            row["supersedes"] = None
            self.result.tell(f"Judgement {row['id']}: the judgement {before} that it replaced is lost.")
        return ""

    def _has(self, table: str, number: Any) -> bool:
        return self._raw.execute(f"SELECT 1 FROM {table} WHERE id=?", (number,)).fetchone() is not None

    def _need(self, table: str, number: int, make: Callable[[int], Row]) -> None:
        if self._has(table, number):
            return
        row = make(number)
        state = row.pop("publish", None)
        self._store(table, row, f"A stand-in for {noun_of(table).lower()} {number}")
        if state is not None:
            self._publish(number, state)
        self.result.read[table] -= 1
        self.result.lose(table, f"{noun_of(table)} {number} is lost; a stand-in keeps what refers to it.")

    def _rubric_version(self, number: int) -> Row:
        self._need("rubric", stand_ins.rubric_of(number), stand_ins.rubric)
        return stand_ins.rubric_version(number)

    def _presentation(self, row: Row) -> None:
        keys = ("pair_id", "reviewer_id", "rubric_version_id", "task")
        stand_in = {
            "id": row["presentation_id"], "uid": new_uid(), "left_is": "A", "queue": "salvage",
            "shown_ms": row["at_ms"], **{key: row[key] for key in keys},
        }  # fmt: skip
        if self._store("presentation", stand_in, f"A stand-in for presentation {row['presentation_id']}"):
            self.result.read["presentation"] -= 1
            self.result.tell(f"Judgement {row['id']}: which answer was shown left is lost; A is written down.")

    def _event_problem(self, row: Row) -> str:
        if sha256_text(row["body"]) != row["sha256"]:
            return "its text is damaged"
        self._need("source", row["source_id"], stand_ins.source)
        return ""

    def _step_parents(self, row: Row) -> str:
        self._need("reviewer", row["reviewer_id"], stand_ins.reviewer)
        return "" if self._has("feedback_event", row["event_id"]) else f"its event {row['event_id']} is lost"

    def _known_parents(self, row: Row) -> str:
        """Make stand-ins for the lost people, rubric version and source that a row names."""
        for column in ("reviewer_id", "author_id", "by_id"):
            if row.get(column) is not None:
                self._need("reviewer", row[column], stand_ins.reviewer)
        if row.get("rubric_version_id") is not None:
            self._need("rubric_version", row["rubric_version_id"], self._rubric_version)
        if row.get("source_id") is not None:
            self._need("source", row["source_id"], stand_ins.source)
        return ""

    # Tables with a life of their own

    def _changesets(self) -> None:
        """Bring back changesets; one whose changes are not all there stays a draft, which no freeze takes."""
        entries = list(self._rows("changeset_entry"))
        for row in self._rows("changeset"):
            number, approval = row["id"], (row["approver_id"], row["sha256"], row["approved_ms"])
            self._need("reviewer", row["author_id"], stand_ins.reviewer)
            draft = {**row, "state": "draft", "approver_id": None, "sha256": None, "approved_ms": None}
            if not self._store("changeset", draft, f"Changeset {number}"):
                continue
            for entry in entries:
                if entry["changeset_id"] == number:
                    self._store("changeset_entry", entry, f"Change {entry['id']} of changeset {number}")
            if row["state"] == "approved":
                self._need("reviewer", row["approver_id"], stand_ins.reviewer)
                self._approve(number, approval)

    def _approve(self, number: int, approval: tuple[Any, ...]) -> None:
        if content_sha256(self._raw.execute(CONTENT, (number,)).fetchall()) != approval[1]:
            self.result.tell(f"Changeset {number} stays a draft: it is not what was approved any more.")
            return
        query = "UPDATE changeset SET state='approved', approver_id=?, sha256=?, approved_ms=? WHERE id=?"
        self._raw.execute(query, (*approval, number))

    def _rubric_versions(self) -> None:
        for row in self._rows("rubric_version"):
            number, published = row["id"], row["state"] == "published"
            self._need("rubric", row["rubric_id"], stand_ins.rubric)
            values = {"sha256": row["sha256"], "published_ms": row["published_ms"]}
            if published and not self._sound_rubric(row):
                self.result.tell(f"Rubric version {number}: its text is damaged; what can be read is kept as it is.")
            draft = {**row, "state": "draft", "sha256": None, "published_ms": None, "based_on": None}
            if self._store("rubric_version", draft, f"Rubric version {number}") and published:
                self._publish(number, values)

    def _sound_rubric(self, row: Row) -> bool:
        try:
            return RubricBody.from_plain(json.loads(row["body"])).sha256 == row["sha256"]
        except (ValueError, KeyError, TypeError, AttributeError, UserError):
            return False

    def _publish(self, number: int, values: Row) -> None:
        try:
            self._raw.execute(
                "UPDATE rubric_version SET state='published', sha256=?, published_ms=? WHERE id=?",
                (values["sha256"], values["published_ms"], number),
            )
        except sqlite3.Error as error:
            self.result.tell(f"Rubric version {number} stays a draft: {error}.")

    def _versions(self, table: str, sha: str) -> None:
        """Bring back only versions of which every row is there: one with gaps would not be what was frozen."""
        parts = {part: list(self._rows(part, "")) for part in _PARTS[table]}
        for row in self._rows(table):
            self._raw.execute("SAVEPOINT version")
            before = Counter(self.result.read)
            try:
                self._version(table, sha, row, parts)
                self._raw.execute("RELEASE version")
            except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
                self._raw.execute("ROLLBACK TO version")
                self._raw.execute("RELEASE version")
                self.result.read = before
                title = f"{row.get('name')} v{row.get('number')}"
                self.result.lose(table, f"{table.capitalize()} version {title} is not complete any more ({error}).")

    def _version(self, table: str, sha: str, row: Row, parts: dict[str, list[Row]]) -> None:
        number, counts = row["id"], json.loads(row["counts"])
        own = {part: [one for one in rows if one[f"{table}_id"] == number] for part, rows in parts.items()}
        readable = len(own[f"{table}_item"])
        if readable != (counts.get("items") if table == "dataset" else sum(counts.values())):
            raise ValueError(f"{readable} items are readable")
        self._insert(table, {**row, "state": "open", sha: None, "chain_head": ""})
        for part, rows in own.items():
            for one in rows:
                self._insert(part, one)
        self._raw.execute(f"UPDATE {table} SET state='frozen', {sha}=? WHERE id=?", (row[sha], number))

    def _insert(self, table: str, row: Row) -> None:
        values = {name: value for name, value in row.items() if name in self._names[table]}
        marks = ", ".join("?" * len(values))
        self._raw.execute(f"INSERT INTO {table}({', '.join(values)}) VALUES({marks})", tuple(values.values()))
        self.result.read[table] += 1

    def _links(self) -> None:
        """Store which source each pair was found in; the pair's own source where that is lost."""
        for row in self._rows("pair_source", ""):
            if self._has("pair", row["pair_id"]):
                self._need("source", row["source_id"], stand_ins.source)
                self._store("pair_source", row, f"Where pair {row['pair_id']} was found")
        query = "SELECT id, source_id FROM pair WHERE id NOT IN(SELECT pair_id FROM pair_source)"
        for pair_id, source_id in self._raw.execute(query).fetchall():
            self._raw.execute("INSERT INTO pair_source(pair_id, source_id) VALUES(?,?)", (pair_id, source_id))
            self.result.lost["pair_source"] += 1
