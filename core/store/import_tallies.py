"""Counting the rows of an import's batch at once: what the triggers of derived tables would do row by row.

Both ways must give the same numbers; *Check workspace* counts them anew from the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class BatchRange:
    """The ids that a batch may give to its new rows; a range that ends before it begins holds none."""

    prompt_from: int
    prompt_to: int
    pair_from: int
    pair_to: int
    judgement_from: int
    judgement_to: int


_OPEN = """INSERT INTO batch_range(id, prompt_from, prompt_to, pair_from, pair_to, judgement_from, judgement_to)
    VALUES(1,?,?,?,?,?,?)"""
_CLOSE = "DELETE FROM batch_range"
_LABELS = """INSERT INTO current_label(judgement_id, pair_id, reviewer_id, rubric_version_id, task, verdict, strength,
      flagged)
    SELECT id, pair_id, reviewer_id, rubric_version_id, task, verdict, strength, flags<>'[]' FROM judgement
    WHERE id BETWEEN ? AND ?"""
_SAID = """(SELECT pair_id AS said_of, count(*) AS n, sum(verdict='prefer' AND strength<0) AS a,
      sum(verdict='prefer' AND strength>0) AS b, sum(verdict='tie') AS t, sum(verdict='neither') AS e,
      sum(verdict='cannot_judge') AS c, sum(flags<>'[]') AS f
    FROM judgement WHERE id BETWEEN ? AND ? GROUP BY pair_id)"""
_NEW_PAIRS = """INSERT INTO pair_state(pair_id, labels, prefer_a, prefer_b, ties, neithers, cannots, flagged)
    SELECT p.id, count(c.pair_id), coalesce(sum(c.verdict='prefer' AND c.strength<0),0),
      coalesce(sum(c.verdict='prefer' AND c.strength>0),0), coalesce(sum(c.verdict='tie'),0),
      coalesce(sum(c.verdict='neither'),0), coalesce(sum(c.verdict='cannot_judge'),0), coalesce(sum(c.flagged),0)
    FROM pair p NOT INDEXED LEFT JOIN current_label c ON c.pair_id=p.id WHERE p.id BETWEEN ? AND ? GROUP BY p.id"""
"""All labels of a new pair are of its batch. Without an index of ``pair`` its rows come in the order of their ids."""
_OF_KNOWN = "SELECT EXISTS(SELECT 1 FROM judgement WHERE id BETWEEN ? AND ? AND pair_id NOT BETWEEN ? AND ?)"
_KNOWN_PAIRS = f"""UPDATE pair_state SET labels=labels+n, prefer_a=prefer_a+a, prefer_b=prefer_b+b, ties=ties+t,
      neithers=neithers+e, cannots=cannots+c, flagged=flagged+f
    FROM {_SAID} WHERE pair_id=said_of AND pair_id NOT BETWEEN ? AND ?"""
_TALLY = """INSERT INTO label_tally(reviewer_id, rubric_version_id, task, labels)
    SELECT reviewer_id, rubric_version_id, task, count(*) FROM judgement WHERE id BETWEEN ? AND ? GROUP BY 1,2,3
    ON CONFLICT DO UPDATE SET labels=labels+excluded.labels"""
_SOURCE = """UPDATE source SET pairs=pairs+(SELECT count(*) FROM pair_source p
      WHERE p.source_id=source.id AND p.pair_id BETWEEN ? AND ?) WHERE id=?"""
_NEWLY = "SELECT count(*) FROM pair_state WHERE pair_id BETWEEN ? AND ? AND labels>0"
_KNOWN_NEWLY = f"""SELECT count(*) FROM {_SAID} CROSS JOIN pair_state ON pair_id=said_of
    WHERE labels=n AND pair_id NOT BETWEEN ? AND ?"""
_ADD = "UPDATE counter SET value=value+? WHERE name=?"


@contextmanager
def counted_at_the_end(session: Session, ids: BatchRange, source_id: int) -> Iterator[None]:
    """Store the rows of a batch inside; they are counted on leaving.

    Inside, new prompts, pairs and judgements have ids of ``ids``, new pairs are linked with ``source_id`` alone, and
    every judgement is the label of an import that supersedes none.
    """
    run = session.connection().exec_driver_sql
    prompts, pairs = (ids.prompt_from, ids.prompt_to), (ids.pair_from, ids.pair_to)
    judgements = (ids.judgement_from, ids.judgement_to)
    run(_CLOSE)  # of another program; this one leaves none
    run(_OPEN, (*prompts, *pairs, *judgements))
    yield
    labels = run(_LABELS, judgements).rowcount
    added = {
        "prompts": run("SELECT count(*) FROM prompt WHERE id BETWEEN ? AND ?", prompts).scalar_one(),
        "pairs": run(_NEW_PAIRS, pairs).rowcount,
        "judgements": labels,
        "labels": labels,
    }
    if labels:
        run(_TALLY, judgements)
        added["labelled"] = run(_NEWLY, pairs).scalar_one()
        if run(_OF_KNOWN, (*judgements, *pairs)).scalar_one():
            run(_KNOWN_PAIRS, (*judgements, *pairs))
            added["labelled"] += run(_KNOWN_NEWLY, (*judgements, *pairs)).scalar_one()
    run(_SOURCE, (*pairs, source_id))
    for name, count in added.items():
        if count:
            run(_ADD, (count, name))
    run(_CLOSE)
