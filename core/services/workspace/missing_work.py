"""What was acknowledged and is no longer in the database: found at opening, told until somebody has read it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass

from core.domain.clock import now_ms
from core.domain.counting import counted, verb
from core.store import events, overview
from core.store.sqlite import backups
from core.store.sqlite.commit_mark import CommitMark, missing
from core.store.sqlite.database import Session, Store

_KEY = "workspace.losses"


@dataclass(frozen=True, slots=True)
class Loss:
    """Rows that the workspace held once and lacks now.

    Attributes:
        judgements, pairs, events: how many.
        until_ms: when the last of them was acknowledged, UTC milliseconds.
        found_ms: when that was noticed; 0 for a loss that is not noted in the database yet.
        head: entry of the hash chain that was there once, when the database holds another state; "" otherwise.
    """

    judgements: int
    pairs: int
    events: int
    until_ms: int
    found_ms: int = 0
    head: str = ""

    @property
    def words(self) -> str:
        """One sentence: what is missing and what can have happened."""
        if not self.judgements and not self.pairs and not self.events:
            return (
                f"workspace.db is not the state that had been saved by {_local(self.until_ms)}: it has as many rows, "
                f"but another entry {self.head.partition(':')[0]} of the hash chain. A copy with other work took its "
                "place, or another program wrote into it."
            )
        kinds = ((self.judgements, "judgement"), (self.pairs, "pair"), (self.events, "logged change"))
        told = [counted(count, noun) for count, noun in kinds if count]
        what = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
        total = self.judgements + self.pairs + self.events
        return (
            f"{what} that had been saved by {_local(self.until_ms)} {verb(total, 'is', 'are')} missing. Either "
            f"workspace.db-wal, which held {verb(total, 'it', 'them')}, was deleted, or an older copy took the "
            "place of workspace.db."
        )


def record(store: Store) -> None:
    """Store in the workspace what its opening found missing, so that it is told again until it is accepted."""
    lead = store.missing
    if lead is None:
        return
    context = store.write_context()
    loss = Loss(lead.judgements, lead.pairs, lead.events, lead.at_ms, now_ms(), lead.head)

    def job(session: Session) -> None:
        known = json.loads(overview.setting(session, _KEY, "[]"))
        overview.set_setting(session, _KEY, json.dumps([*known, _plain(loss)]))
        events.log(session, context, "workspace.loss", loss.words, detail=_plain(loss))

    store.write(job, "noting what is missing")


def found(store: Store) -> list[Loss]:
    """Return every loss that nobody has accepted yet, those of this moment included."""
    now = _now_missing(store)
    with store.read() as session:
        rows = json.loads(overview.setting(session, _KEY, "[]"))
    losses = [Loss(**row) for row in rows]
    return (
        [*losses, Loss(now.judgements, now.pairs, now.events, now.at_ms, head=now.head)] if now is not None else losses
    )


def accept(store: Store) -> int:
    """Stop telling of the losses; return how many there were."""
    context = store.write_context()

    def job(session: Session) -> int:
        rows = json.loads(overview.setting(session, _KEY, "[]"))
        if rows:
            overview.set_setting(session, _KEY, "[]")
            events.log(session, context, "workspace.loss_accepted", f"Accepted {len(rows)} losses")
        return len(rows)

    return store.write(job, "accepting what is missing")


def newest_backup_words(store: Store) -> str:
    """Return a sentence about the newest backup that can be read."""
    backup = backups.newest(store.folder, store.uuid)
    if backup is None:
        return "There is no backup of this workspace in its backups folder."
    count = backup.counts.get("judgements", 0)
    return f"The newest backup is of {backup.made:%Y-%m-%d %H:%M} with {counted(count, 'judgement')}: {backup.path}"


def _now_missing(store: Store) -> CommitMark | None:
    """Return what the note beside a database that was not opened for writing knows more than the database."""
    return missing(store.folder, store.uuid, store.lead_of) if store.read_only else None


def _plain(loss: Loss) -> dict[str, int | str]:
    return asdict(loss)


def _local(ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ms / 1000))
