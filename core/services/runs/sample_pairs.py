"""Pairs for labelling from the samples of a run: policy and reference to the same prompt, under the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.domain.changes import Changes, Outcome
from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.errors import NotFound
from core.domain.pair import GenerationRecord, Response
from core.domain.run_events import SampleDone
from core.domain.run_record import RunRecord
from core.runs.run_control import find_run
from core.runs.run_reader import RunReader
from core.services.importing.limits import RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.rows import ParsedPair
from core.store import events, talk_pairs
from core.store.import_rows import NewPair
from core.store.imports import known_pairs
from core.store.sqlite.database import Session, Store


@dataclass(frozen=True, slots=True)
class SamplePairs:
    """What the samples of a run became.

    Attributes:
        step: at which they were drawn. source: that the pairs stand in.
        pair_ids: of the pairs, in the order of the samples. left_out: a sentence for each sample that is no pair.
    """

    run_id: str
    step: int
    source: str
    pair_ids: tuple[int, ...]
    left_out: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


class SamplePairsService:
    """Stores samples as generated pairs. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, run: str, step: int | None = None) -> Outcome[SamplePairs]:
        """Store the samples of one step as pairs of a source of their own; those that stand there are not added again.

        A sample without two different answers is no pair and is named. The pairs are labelled blind like any others:
        which answer is shown left is drawn for each presentation.

        Args:
            run: id, name or folder of a run of the workspace.
            step: at which the samples were drawn; None for the newest.

        Raises:
            NotFound: when the run has no samples, or none at that step.
        """
        reader = RunReader(find_run(run, self._store.folder).path)
        record = reader.folder.record()
        samples = _samples(reader, record, step)
        prompts = {pair.pair_id: pair.prompt for pair in reader.folder.pairs()}
        ready, left_out = _pairs(record, samples, prompts)
        name, context = f"Samples of {record.name or record.run_id[:8]}", self._store.write_context()

        def job(session: Session) -> tuple[tuple[int, ...], int]:
            hashes = {pair.sha256 for pair in ready}
            new = len(hashes - known_pairs(session, sorted(hashes)))
            keys = tuple(talk_pairs.add(session, name, [record.run_id], pair, context) for pair in ready)
            if new:
                summary = f"{counted(new, 'sample')} of {record.name} at step {samples[0].step} became pairs"
                detail = {"run": record.run_id, "step": samples[0].step, "pairs": list(keys)}
                events.log(session, context, "samples.pairs", summary, subject="run", detail=detail)
            return keys, new

        keys, new = self._store.write(job, "making pairs of samples") if ready else ((), 0)
        found = SamplePairs(record.run_id, samples[0].step, name, keys, left_out)
        return Outcome(found, Changes.PAIRS | Changes.WORKSPACE if new else Changes.NOTHING)


def _samples(reader: RunReader, record: RunRecord, step: int | None) -> list[SampleDone]:
    """Return the samples of one step."""
    every = reader.samples()
    if not every:
        raise NotFound(f"The run {record.name} has drawn no samples.", "Set sample_every of the next run above 0.")
    steps = sorted({sample.step for sample in every})
    wanted = steps[-1] if step is None else step
    if wanted not in steps:
        there = ", ".join(str(one) for one in steps[-8:])
        raise NotFound(f"The run {record.name} has no samples at step {wanted}.", f"There are some at {there}.")
    return [sample for sample in every if sample.step == wanted]


def _pairs(
    record: RunRecord, samples: list[SampleDone], prompts: Mapping[str, Prompt]
) -> tuple[list[NewPair], tuple[str, ...]]:
    """Return a pair for each sample with two answers, and why the others are none."""
    ready: list[NewPair] = []
    left_out: list[str] = []
    for sample in samples:
        prompt = prompts.get(sample.pair_id)
        if prompt is None:
            left_out.append(f"{sample.pair_id}: its prompt is not among the run's pairs")
            continue
        ours = Response(sample.policy, _made(record, sample, "policy"))
        theirs = Response(sample.reference, _made(record, sample, "reference"))
        try:
            ready.append(prepare(ParsedPair(prompt, ours, theirs)))
        except RowRejected as error:
            left_out.append(f"{sample.pair_id}: {error.reason}")
    return ready, tuple(left_out)


def _made(record: RunRecord, sample: SampleDone, kind: str) -> GenerationRecord:
    """Return how one answer of a sample was made; samples are drawn at temperature 1 without a cut of the tail."""
    more = {"kind": kind, "run": record.run_id, "run_name": record.name}
    if kind == "policy":
        more["checkpoint"] = f"step {sample.step}"
    return GenerationRecord(
        model=Path(record.model_dir).name,
        model_sha256=str(record.inputs.get("model", "")),
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        seed=sample.seed,
        repetition_penalty=1.0,
        template_sha256=str(record.inputs.get("template", "")),
        extra=more,
    )
