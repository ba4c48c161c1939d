"""Triggers of schema 1 that keep derived tables: current labels, the state of a pair, counts for dashboards.

Counting 100,000 rows for every screen is too slow, so triggers keep the numbers in the same transaction as the rows
that they count. *Check workspace* counts them anew.
Gold and retest answers are measurements of the reviewer, not further labels of the pair: they leave
``pair_state`` and the ``labelled`` counter alone.
"""

from __future__ import annotations

_COUNTED = "task NOT IN('gold','retest')"


def _shift(row: str, sign: str) -> str:
    """Return the update that adds or removes one current label ``row`` (NEW or OLD) from its pair's state."""
    return f"""UPDATE pair_state SET
        labels=labels{sign}1,
        prefer_a=prefer_a{sign}({row}.verdict='prefer' AND {row}.strength<0),
        prefer_b=prefer_b{sign}({row}.verdict='prefer' AND {row}.strength>0),
        ties=ties{sign}({row}.verdict='tie'),
        neithers=neithers{sign}({row}.verdict='neither'),
        cannots=cannots{sign}({row}.verdict='cannot_judge'),
        flagged=flagged{sign}{row}.flagged
      WHERE pair_id={row}.pair_id AND {row}.{_COUNTED};"""


TALLIES: tuple[str, ...] = (
    """CREATE TRIGGER prompt_count AFTER INSERT ON prompt BEGIN
      UPDATE counter SET value=value+1 WHERE name='prompts';
    END""",
    """CREATE TRIGGER pair_count AFTER INSERT ON pair BEGIN
      INSERT INTO pair_state(pair_id) VALUES(NEW.id);
      UPDATE counter SET value=value+1 WHERE name='pairs';
    END""",
    """CREATE TRIGGER pair_source_count AFTER INSERT ON pair_source BEGIN
      UPDATE source SET pairs=pairs+1 WHERE id=NEW.source_id;
    END""",
    """CREATE TRIGGER judgement_current AFTER INSERT ON judgement BEGIN
      UPDATE counter SET value=value+1 WHERE name='judgements';
      DELETE FROM current_label WHERE judgement_id=NEW.supersedes;
      INSERT INTO current_label(judgement_id, pair_id, reviewer_id, rubric_version_id, task, verdict, strength, flagged)
        SELECT NEW.id, NEW.pair_id, NEW.reviewer_id, NEW.rubric_version_id, NEW.task, NEW.verdict, NEW.strength,
          NEW.flags<>'[]'
        WHERE NEW.kind='label';
    END""",
    f"""CREATE TRIGGER current_label_added AFTER INSERT ON current_label BEGIN
      {_shift("NEW", "+")}
      INSERT INTO label_tally(reviewer_id, rubric_version_id, task, labels)
        SELECT NEW.reviewer_id, NEW.rubric_version_id, NEW.task, 0
        WHERE NOT EXISTS(SELECT 1 FROM label_tally WHERE reviewer_id=NEW.reviewer_id
          AND rubric_version_id=NEW.rubric_version_id AND task=NEW.task);
      UPDATE label_tally SET labels=labels+1 WHERE reviewer_id=NEW.reviewer_id
        AND rubric_version_id=NEW.rubric_version_id AND task=NEW.task;
      UPDATE counter SET value=value+1 WHERE name='labels';
      UPDATE counter SET value=value+1 WHERE name='labelled' AND NEW.{_COUNTED}
        AND (SELECT labels FROM pair_state WHERE pair_id=NEW.pair_id)=1;
    END""",
    f"""CREATE TRIGGER current_label_removed AFTER DELETE ON current_label BEGIN
      {_shift("OLD", "-")}
      UPDATE label_tally SET labels=labels-1 WHERE reviewer_id=OLD.reviewer_id
        AND rubric_version_id=OLD.rubric_version_id AND task=OLD.task;
      UPDATE counter SET value=value-1 WHERE name='labels';
      UPDATE counter SET value=value-1 WHERE name='labelled' AND OLD.{_COUNTED}
        AND (SELECT labels FROM pair_state WHERE pair_id=OLD.pair_id)=0;
    END""",
)
