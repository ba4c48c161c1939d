"""The held-out rows of several runs, matched pair by pair: by the texts and the label, never by an id alone.

The id of a pair is a number of its workspace, or its place in a file; in another dataset version the same id can have
the other label. Two rows are of the same pair where prompt, chosen and rejected answer are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.ids import sha256_json
from core.domain.pair import TrainingPair
from core.domain.run_comparison import SharedPairs
from core.domain.run_events import PairMetrics
from core.domain.text_form import prompt_keys
from core.runs.ledger.schema import DEV
from core.runs.run_reader import RunReader

PairKey = tuple[str, int]
"""Hash of the texts with the label, and which of several such pairs of the run it is."""


@dataclass(frozen=True, slots=True)
class HeldOutRows:
    """One held-out probe of a run: a row, a prompt group and the hash of the unlabelled texts for each pair."""

    rows: Mapping[PairKey, PairMetrics]
    prompts: Mapping[PairKey, Hashable]
    unlabelled: Mapping[PairKey, str]


@dataclass(frozen=True, slots=True)
class MatchedRows:
    """Rows of the pairs that two probes share, in one order, with the prompt group of each."""

    baseline: Sequence[PairMetrics]
    run: Sequence[PairMetrics]
    prompts: Sequence[Hashable]
    pairs: SharedPairs


def held_out_rows(reader: RunReader, step: int) -> HeldOutRows:
    """Return the rows of the held-out probe at a step.

    Raises:
        BadInput: when the pairs of the run cannot be read: then nobody knows which rows are of the same pair.
    """
    pairs = {pair.pair_id: pair for pair in reader.folder.pairs()}
    rows: dict[PairKey, PairMetrics] = {}
    prompts: dict[PairKey, Hashable] = {}
    unlabelled: dict[PairKey, str] = {}
    seen: Counter[str] = Counter()
    for visit in sorted(reader.pairs_of_step(step, DEV), key=lambda visit: visit.pair_id):
        pair = pairs.get(visit.pair_id)
        if pair is None:
            continue  # a row without its pair can be matched with nothing
        name = _labelled_sha256(pair)
        key = name, seen[name]
        seen[name] += 1
        rows[key] = visit.row
        prompts[key] = prompt_keys(pair.prompt.to_plain()).same
        unlabelled[key] = sha256_json([pair.prompt.to_plain(), sorted((pair.chosen, pair.rejected))])
    return HeldOutRows(rows, prompts, unlabelled)


def match(baseline: HeldOutRows, run: HeldOutRows) -> MatchedRows:
    """Return the rows of the pairs that both measured, in the order of the baseline's ids, and counts of the others."""
    shared = baseline.rows.keys() & run.rows.keys()
    keys = sorted(shared, key=lambda key: (baseline.rows[key].pair_id, key))
    alone = [baseline.unlabelled[key] for key in baseline.rows.keys() - run.rows.keys()]
    other = {run.unlabelled[key] for key in run.rows.keys() - baseline.rows.keys()}
    prompts = [baseline.prompts[key] for key in keys]
    pairs = SharedPairs(
        both=len(keys),
        prompts=len(set(prompts)),
        only_baseline=len(baseline.rows) - len(keys),
        only_run=len(run.rows) - len(keys),
        relabelled=sum(name in other for name in alone),
    )
    return MatchedRows([baseline.rows[key] for key in keys], [run.rows[key] for key in keys], prompts, pairs)


def _labelled_sha256(pair: TrainingPair) -> str:
    return sha256_json([pair.prompt.to_plain(), pair.chosen, pair.rejected])
