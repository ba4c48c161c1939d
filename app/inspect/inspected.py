"""The pairs that Inspect lists, and what they come to: which split, at which step, how many, how sure."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from core.domain.counting import counted, number
from core.domain.estimate import Estimate
from core.domain.number_text import format_value, interval_text, signed
from core.domain.pair_tags import has_tags, split_search
from core.services.runs.run_estimates import mean_by_prompt
from core.services.runs.views import RunReader

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.runs.lineage import LineageRow, RunLineage

MOST = 250_000
"""Pairs of the training batches that are listed, the worst first; those of a probe are all listed."""
_SPLITS = {"dev": "held-out", "probe_train": "train probe", "train": "training batches"}


@dataclass(frozen=True, slots=True)
class InspectedPairs:
    """Pairs of one kind.

    Attributes:
        kind: "dev", "probe_train" or "train". rows: worst margin first.
        beta: factor between h (nats) and the margin. groups: the prompt group of each pair, by its id.
    """

    kind: str = "dev"
    rows: Sequence[LineageRow] = ()
    beta: float = math.nan
    groups: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """Split and step in words; training pairs were visited at different steps."""
        steps = sorted({row.step for row in self.rows})
        name = _SPLITS.get(self.kind, self.kind)
        if self.kind == "train" and len(self.rows) >= MOST:
            name = f"the worst of the {name}"
        if not steps:
            return name
        return f"{name}, step {steps[0]}" if len(steps) == 1 else f"{name}, steps {steps[0]} to {steps[-1]}"


def read_pairs(reader: RunReader, lineage: RunLineage, kinds: Sequence[str]) -> InspectedPairs:
    """Return the pairs of the first of the kinds that the run has: a probe's all at its newest step.

    Batches visit each pair at another step, so their last visits mix earlier and later weights.
    """
    beta = reader.config().beta
    for kind in kinds:
        visits = reader.worst(MOST, kind=kind) if kind == "train" else reader.newest_probe(kind)
        if visits:
            groups = {visit.pair_id: lineage.prompt_group(visit.pair_id) for visit in visits}
            return InspectedPairs(kind, lineage.rows(visits), beta, groups)
    return InspectedPairs(kinds[0], (), beta)


def narrowed(rows: Sequence[LineageRow], brush: tuple[float, float], words: str) -> list[LineageRow]:
    """Return the rows with a margin in the brush (NaN: all), every ``tag:x``, and the other words in the prompt."""
    (low, high), (plain, tags) = brush, split_search(words)
    folded = plain.casefold()
    if math.isnan(low) and not folded and not tags:
        return list(rows)
    return [
        row
        for row in rows
        if (math.isnan(low) or low <= row.margin <= high)
        and (not folded or folded in row.prompt.casefold())
        and (not tags or has_tags(row.tags, tags))
    ]


def described(found: InspectedPairs, rows: Sequence[LineageRow]) -> tuple[str, str]:
    """Return what the listed rows come to, and the same in nats; its bootstraps are not for the UI thread."""
    return summary(found, rows), summary_tip(found, rows)


def summary(found: InspectedPairs, rows: Sequence[LineageRow]) -> str:
    """Return what the listed rows come to, in a few words."""
    below = sum(1 for row in rows if row.margin < 0)
    z = _mean(found, {row.pair_id: row.margin for row in rows})
    words = f"{counted(len(rows), 'pair')} · {found.where} · {number(below)} below 0"
    return f"{words} · z {signed(z.value)} {interval_text(z)}".rstrip()


def summary_tip(found: InspectedPairs, rows: Sequence[LineageRow]) -> str:
    """Return the mean in nats as well, and how the interval was made."""
    h = _mean(found, {row.pair_id: row.h for row in rows})
    scale = f"z = β·h with β = {found.beta:g}; " if math.isfinite(found.beta) else ""
    return f"mean z of the pairs; {scale}mean h {format_value(h.value)} {interval_text(h)} nats; {h.estimator}"


def _mean(found: InspectedPairs, values: Mapping[str, float]) -> Estimate:
    """Return the mean of the finite values with its interval, as the tiles of Runs have it: in the order of the ids."""
    ids = sorted(pair_id for pair_id, value in values.items() if math.isfinite(value))
    return mean_by_prompt([values[pair_id] for pair_id in ids], [found.groups.get(pair_id, pair_id) for pair_id in ids])


def pairs_csv(rows: Sequence[LineageRow]) -> str:
    """Return rows of the list as a CSV file."""
    plain, out = [asdict(row) for row in rows], io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(plain[0]))
    writer.writeheader()
    writer.writerows({k: _guarded(v) for k, v in row.items()} for row in plain)
    return out.getvalue()


def _guarded(value: object) -> object:
    """Keep a spreadsheet from running a text cell as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else value
