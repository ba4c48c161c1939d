"""The proof that a withdrawal holds: how much of a subject's texts or labels each frozen dataset version has.

Written to a file it can be given away; the workspace says later whether everything in it is still so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.clock import now_ms
from core.domain.consent import date_text
from core.domain.counting import counted, verb
from core.domain.errors import BadInput, UserError
from core.domain.ids import sha256_json
from core.store import affected as repository
from core.store.affected import HoldingVersion
from core.store.chain_head import chain_head
from core.store.plain import fetch
from core.store.sqlite.database import Store

KIND = "pairwright consent proof"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ConsentProof:
    """What the frozen dataset versions hold of a subject, before and after its newest withdrawal.

    Attributes:
        unit: what is counted: labels of a reviewer, items of the others.
        withdrawn_ms: when the withdrawal was stated, UTC; None without one that holds.
        before, after: versions frozen before and after it, oldest first; without one all are before.
    """

    subject: str
    subject_id: int
    name: str
    unit: str
    withdrawn_ms: int | None
    before: tuple[HoldingVersion, ...]
    after: tuple[HoldingVersion, ...]

    @property
    def holds(self) -> bool:
        """Whether no version frozen after the withdrawal has anything of the subject."""
        return self.withdrawn_ms is not None and not any(one.held for one in self.after)

    def sentence(self) -> str:
        """Return what is proved in one sentence."""
        if self.withdrawn_ms is None:
            return f"The consent for {self.name} is not withdrawn; there is nothing to prove."
        day = date_text(self.withdrawn_ms)[:10]
        if not self.after:
            return f"No dataset version was frozen since the consent for {self.name} was withdrawn on {day}."
        if self.holds:
            how = verb(len(self.after), "holds", "hold")
            versions = counted(len(self.after), "dataset version")
            return f"{versions} frozen since the withdrawal of {day} {how} no {self.unit} of {self.name}."
        names = ", ".join(f"{one.title} ({counted(one.held, self.unit)})" for one in self.after if one.held)
        return f"Frozen since the withdrawal of {day} with something of {self.name}: {names}."

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "subject": self.subject,
            "id": self.subject_id,
            "name": self.name,
            "counts": self.unit,
            "withdrawn_ms": self.withdrawn_ms,
            "holds": self.holds,
            "before": [asdict(one) for one in self.before],
            "after": [asdict(one) for one in self.after],
        }


def proof_of(store: Store, subject: str, subject_id: int) -> ConsentProof:
    """Return what each frozen version holds of a subject; every item and label is looked up anew.

    Raises:
        NotFound: when there is no such subject.
    """
    with store.read() as session:
        touched = repository.touched(session, subject, subject_id)
        versions = repository.holding(session, touched)
        since = repository.withdrawn_ms(session, subject, subject_id, now_ms())
    later = tuple(one for one in versions if since is not None and one.frozen_ms >= since)
    earlier = tuple(one for one in versions if one not in later)
    unit = "label" if subject == "reviewer" else "item"
    return ConsentProof(subject, subject_id, touched.name, unit, since, earlier, later)


def proof_content(store: Store, proof: ConsentProof) -> dict[str, Any]:
    """Return what the file of a proof holds: the proof, the workspace, the head of its chain, and a hash of it all."""
    with store.read() as session:
        head = chain_head(session).words
    content = {
        "kind": KIND,
        "format": _FORMAT,
        "workspace": store.uuid,
        "chain_head": head,
        "made_ms": now_ms(),
        "sentence": proof.sentence(),
        **proof.to_plain(),
    }
    return {**content, "sha256": sha256_json(content)}


def proof_problems(store: Store, content: Mapping[str, Any]) -> list[str]:
    """Return a sentence for everything in the file of a proof that is not so; nothing where it holds.

    Every item and label is looked up anew.

    Raises:
        BadInput: when it is no such file, or of another version of the program or another workspace.
    """
    if content.get("kind") != KIND or content.get("format") != _FORMAT:
        raise BadInput("This is no consent proof that this version reads.", "Write one with: consent proof --out FILE")
    if content.get("workspace") != store.uuid:
        raise BadInput("This proof was made in another workspace.", "Check it in the workspace that it was made in.")
    without = {key: value for key, value in content.items() if key != "sha256"}
    if content.get("sha256") != sha256_json(without):
        return ["The file was altered after it was written: its hash is another one."]
    try:
        return list(_differing(store, content))
    except UserError as error:
        return [error.message]


def _differing(store: Store, content: Mapping[str, Any]) -> Iterator[str]:
    entry, _, sha256 = str(content["chain_head"]).partition(":")
    with store.read() as session:
        found = fetch(session, "SELECT sha256 FROM chain WHERE id=?", (int(entry or 0),))
    if entry and [sha for (sha,) in found] != [sha256]:
        yield "The hash chain does not hold the entry that the proof names; run check."
    now = proof_of(store, str(content["subject"]), int(content["id"]))
    if now.withdrawn_ms != content["withdrawn_ms"]:
        yield f"The consent for {now.name} was stated otherwise since: {now.sentence()}"
    held = {one.id: asdict(one) for one in (*now.before, *now.after)}
    for one in (*content["before"], *content["after"]):
        known = held.get(one["id"])
        if known is None or known["root_sha256"] != one["root_sha256"]:
            yield f"{one['title']} is not the dataset version that the proof names."
        elif known["held"] != one["held"]:
            counts = counted(known["held"], now.unit), counted(one["held"], now.unit)
            yield f"{one['title']} holds {counts[0]} of {now.name}, not {counts[1]}."
