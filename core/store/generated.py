"""Generated pairs in the database: prompts that may be asked, the source of a generation, what its pairs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.domain.conversation import Prompt
from core.domain.generation import GENERATED, PairGeneration
from core.domain.ids import canonical_json, new_uid
from core.domain.names import cleaned_name
from core.domain.on_policy import PolicyMark
from core.store.import_rows import NewPair, NewRow, Target
from core.store.imports import add_batch, known_pairs
from core.store.plain import fetch, insert_row, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SourceRow

_SEALED = """SELECT DISTINCT k.same, k.words FROM prompt_key k JOIN pair p ON p.prompt_id=k.prompt_id
    WHERE p.id IN(SELECT i.pair_id FROM dataset d JOIN dataset_item i ON i.dataset_id=d.id
        WHERE d.state='frozen' AND i.split='test')
      OR p.id IN(SELECT pair_id FROM vote_item WHERE is_sealed=1)"""
_HUMAN = """SELECT q.prompt_id FROM pair q JOIN current_label c ON c.pair_id=q.id JOIN reviewer w ON w.id=c.reviewer_id
    WHERE w.kind='human'"""
_MARK = """coalesce(json_extract(p.{0}_generation,'$.extra.kind'),''),
    coalesce(json_extract(p.{0}_generation,'$.extra.run'),''),
    coalesce(json_extract(p.{0}_generation,'$.extra.run_name'),json_extract(p.{0}_generation,'$.model'),''),
    coalesce(json_extract(p.{0}_generation,'$.extra.checkpoint'),'')"""


@dataclass(frozen=True, slots=True)
class PromptsOfSource:
    """The prompts of a source in the order of import: all, and those of which no person labelled a pair."""

    all: tuple[Prompt, ...]
    unlabelled: tuple[Prompt, ...]


def prompts_of(session: Session, source_id: int) -> PromptsOfSource:
    """Return the prompts of a source, each once."""
    query = f"""SELECT t.id, t.body, t.id IN({_HUMAN}) FROM prompt t WHERE t.id IN(
        SELECT p.prompt_id FROM pair_source s JOIN pair p ON p.id=s.pair_id WHERE s.source_id=?) ORDER BY t.id"""
    found = [
        (Prompt.from_plain(read_json(body)), labelled) for _, body, labelled in fetch(session, query, (source_id,))
    ]
    return PromptsOfSource(
        tuple(prompt for prompt, _ in found), tuple(prompt for prompt, labelled in found if not labelled)
    )


def sealed_prompts(session: Session) -> tuple[frozenset[int], frozenset[int]]:
    """Return the keys of prompts in a sealed test, see ``core.domain.text_form``: those alike, and those of its words.

    Prompts of sealed items that people voted on are among them.
    """
    rows = fetch(session, _SEALED)
    return frozenset(same for same, _ in rows), frozenset(words for _, words in rows)


def source_of(session: Session, pairs_sha256: str) -> int | None:
    """Return the source that pairs with this hash became; None before they have landed."""
    query = "SELECT id FROM source WHERE file_sha256=? AND format=?"
    found = fetch(session, query, (pairs_sha256, GENERATED))
    return found[0][0] if found else None


def open_source(session: Session, job: PairGeneration, pairs_sha256: str, context: WriteContext) -> Target:
    """Return the source of a generation: the one that the same pairs became before, or a new one with its own name."""
    key = source_of(session, pairs_sha256)
    if key is not None:
        ((name,),) = fetch(session, "SELECT name FROM source WHERE id=?", (key,))
        return Target(key, name, "", pairs_sha256, GENERATED)
    base = cleaned_name(job.name, GENERATED)
    free, number = base, 1
    while fetch(session, "SELECT 1 FROM source WHERE name=?", (free,)):
        number += 1
        free = f"{base} ({number})"
    key = insert_row(
        session,
        SourceRow,
        uid=new_uid(),
        name=free,
        kind="generator",
        consent="unknown",
        file_name=f"generations/{job.generation_id}",
        file_sha256=pairs_sha256,
        format=GENERATED,
        note=canonical_json({"generation": job.generation_id, "runs": sorted(job.runs)}),
        created_ms=context.at_ms,
    )
    return Target(key, free, "", pairs_sha256, GENERATED)


def known_elsewhere(session: Session, sha256s: Sequence[str], source_id: int | None) -> set[str]:
    """Return those of some pair hashes that the workspace holds, without the pairs of one source."""
    there = known_pairs(session, sha256s)
    query = """SELECT p.sha256 FROM json_each(?) j CROSS JOIN pair p ON p.sha256=j.value
        JOIN pair_source s ON s.pair_id=p.id AND s.source_id=?"""
    return there - {sha for (sha,) in fetch(session, query, (canonical_json(sorted(there)), source_id or 0))}


def add(session: Session, target: Target, rows: Sequence[tuple[int, NewPair]], context: WriteContext) -> int:
    """Store pairs, each with its number in the generation, and return how many are new to the workspace."""
    return add_batch(session, target, [NewRow(line, (pair,)) for line, pair in rows], context).pairs


def ids_of(session: Session, sha256s: Sequence[str]) -> dict[str, int]:
    """Return content hash -> pair, of those that the workspace holds."""
    query = "SELECT p.sha256, p.id FROM json_each(?) j CROSS JOIN pair p ON p.sha256=j.value"
    return dict(map(tuple, fetch(session, query, (canonical_json(list(sha256s)),))))


def marks(session: Session, dataset_id: int | None = None) -> dict[int, tuple[PolicyMark, ...]]:
    """Return pair -> the policies that its answers were sampled from, for generated pairs with such an answer.

    Args:
        session: to read in.
        dataset_id: only the items of this dataset version; None for every pair.
    """
    query = f"""SELECT p.id, {_MARK.format("a")}, {_MARK.format("b")} FROM pair p
        WHERE p.source_id IN(SELECT id FROM source WHERE format='{GENERATED}')"""
    values: tuple[object, ...] = ()
    if dataset_id is not None:
        query += " AND p.id IN(SELECT pair_id FROM dataset_item WHERE dataset_id=?)"
        values = (dataset_id,)
    found: dict[int, tuple[PolicyMark, ...]] = {}
    for key, *both in fetch(session, query, values):
        own = tuple(PolicyMark(*mark[1:]) for mark in (both[:4], both[4:]) if mark[0] in ("policy", "model"))
        if own:
            found[key] = own
    return found
