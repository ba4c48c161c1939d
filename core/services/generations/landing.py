"""From the pairs of a finished generation to pairs of the workspace: a source of their own, counted, added once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.generated_pairs import GeneratedPair, GenerationReport, record_of
from core.domain.generation import BatchWish, KeepChoice, LeaveReason, PairGeneration
from core.domain.pair import Response, Side
from core.services.importing.prepare import prepare
from core.services.importing.rows import ParsedPair
from core.store import consents, events, generated
from core.store.import_rows import NewPair
from core.store.sqlite.database import Session
from core.store.sqlite.write_context import WriteContext
from core.version import VERSION

Prepared = Mapping[int, NewPair]
"""Place of a generated pair -> the pair as it is stored; those of the same text twice have none."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of the pairs: the source with its name, how many were added, the report, and what has to be said."""

    source_id: int
    source: str
    added: int
    report: GenerationReport
    told: tuple[str, ...] = ()


def prepared(job: PairGeneration, pairs: Sequence[GeneratedPair]) -> Prepared:
    """Return each pair as it is stored, with a complete generation record for both answers."""
    found: dict[int, NewPair] = {}
    for at, pair in enumerate(pairs):
        if pair.is_storable:
            first, second = (
                Response(pair.answer(side.letter).text, record_of(job, side, pair.answer(side.letter), VERSION))
                for side in job.sides
            )
            found[at] = prepare(ParsedPair(pair.prompt, first, second))
    return found


def reported(
    session: Session,
    job: PairGeneration,
    pairs: Sequence[GeneratedPair],
    ready: Prepared,
    choices: Mapping[LeaveReason, KeepChoice],
    pairs_sha256: str,
) -> GenerationReport:
    """Return what becomes of the pairs, with those that the workspace holds; a repeat within them counts as known."""
    source_id = generated.source_of(session, pairs_sha256)
    elsewhere = generated.known_elsewhere(session, [pair.sha256 for pair in ready.values()], source_id)
    known: set[int] = set()
    seen: set[str] = set()
    for at, pair in ready.items():
        if pair.sha256 in elsewhere or pair.sha256 in seen:
            known.add(at)
        seen.add(pair.sha256)
    return GenerationReport.of(job, pairs, choices, known)


def land(
    session: Session,
    job: PairGeneration,
    pairs: Sequence[GeneratedPair],
    choices: Mapping[LeaveReason, KeepChoice],
    pairs_sha256: str,
    context: WriteContext,
) -> Landing:
    """Store the pairs that are kept in the source of the generation; what stands there already is not added again."""
    ready = prepared(job, pairs)
    report = reported(session, job, pairs, ready, choices, pairs_sha256)
    rows = [(at + 1, ready[at]) for at, fate in enumerate(report.fates) if fate is None and at in ready]
    if not rows:
        return Landing(0, "", 0, report)
    target = generated.open_source(session, job, pairs_sha256, context)
    added = generated.add(session, target, rows, context)
    summary = f"{counted(added, 'generated pair')} of {job.name} added to the source {target.source_name}"
    detail = {
        "generation": job.generation_id,
        "runs": sorted(job.runs),
        "made": report.made,
        "kept": report.kept,
        "left_out": {one.reason: one.left_out for one in report.reasons},
        "choices": dict(choices),
        "pairs_sha256": pairs_sha256,
    }
    if added:
        events.log(
            session, context, "generation.land", summary, subject="source", subject_id=target.source_id, detail=detail
        )
    return Landing(target.source_id, target.source_name, added, report, _consent(session, target.source_id))


def _consent(session: Session, source_id: int) -> tuple[str, ...]:
    """Return the sentence about a source of which nobody stated the consent."""
    if consents.of_sources(session)[source_id].word != "unknown":
        return ()
    return (
        f"Nobody stated the consent for source {source_id} yet: a freeze leaves its pairs out until then "
        f"(Data > Feedback > Consent, or: consent grant WS --source {source_id}).",
    )


def canonical_margins(
    pairs: Sequence[GeneratedPair], ready: Prepared, ids: Mapping[str, int], letter: Side
) -> dict[int, float]:
    """Return pair -> what the run of a side says: h of the canonical answer A minus h of B, nats."""
    return {
        ids[new.sha256]: pairs[at].margins[letter] * (1 if new.left_is == "A" else -1)
        for at, new in ready.items()
        if letter in pairs[at].margins and new.sha256 in ids
    }


def letters_of(wish: BatchWish, record: PairGeneration) -> tuple[Side, ...]:
    """Return the sides whose margins the rule reads.

    Raises:
        BadInput: when the answers were not scored for it.
    """
    if len(record.margins) < wish.margins:
        raise BadInput(
            f"The rule {wish.rule} reads scores of {counted(wish.margins, 'run')}, and the answers have none of them.",
            "The pairs are in the workspace; choose another rule.",
        )
    return record.margins[: wish.margins]
