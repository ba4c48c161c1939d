"""What ``generate`` prints: the list of generations, and what became of the pairs of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.cli.output import say, say_json, short_line, table
from core.domain.counting import counted
from core.domain.generated_pairs import GeneratedPair, GenerationReport
from core.domain.number_text import estimate_text
from core.domain.time_spans import duration
from core.domain.tried_pairs import TriedPairs

if TYPE_CHECKING:  # workspace libraries, which are imported in the function that opens a workspace
    from core.services.generations.views import GenerationInfo, LandedPairs


def say_list(found: Sequence[GenerationInfo], *, as_json: bool) -> None:
    """Print generations, newest first."""
    if as_json:
        say_json([info.to_plain() for info in found])
        return
    rows = [
        [
            info.generation_id[:8],
            info.name,
            info.state,
            f"{100 * info.status.share:.0f} %",
            f"{info.record.pairs:,}",
            f"source {info.source_id}" if info.source_id else "not in the workspace yet",
        ]
        for info in found
    ]
    head = ("id", "name", "state", "done", "pairs", "landed")
    say(table(rows, head) if rows else "No generation yet: generate WS --prompts FILE --a RUN.")


def say_tried(tried: TriedPairs, *, as_json: bool) -> None:
    """Print the first pair, and what the whole will take."""
    if as_json:
        say_json({"event": "tried", **tried.to_plain()})
        return
    say(f"{short_line(tried.prompt.last_text, 100)}")
    for letter, answer in (("A", tried.a), ("B", tried.b)):
        say(f"{letter}  {short_line(answer.text, 200)}")
    say(f"{counted(tried.of, 'answer')} will take {duration(tried.seconds.value)}: {estimate_text(tried.seconds)}")
    for words, estimate in (("tokens of an answer", tried.tokens), ("share cut at the limit", tried.cut)):
        say(f"{words}: {estimate_text(estimate)}")


def say_report(report: GenerationReport, pairs: Sequence[GeneratedPair], *, as_json: bool) -> None:
    """Print how pairs add up, and each that is left out."""
    if as_json:
        say_json({"event": "report", **report.to_plain(pairs)})
        return
    say_counts(report)
    titles = {one.reason: one.title for one in report.reasons}
    for at, (pair, fate) in enumerate(zip(pairs, report.fates, strict=True), 1):
        if fate is not None:
            said = (short_line(text, 60) for text in (pair.prompt.last_text, pair.a.text, pair.b.text))
            say(f"pair {at}, {titles[fate]}: {' | '.join(said)}")


def say_counts(report: GenerationReport) -> None:
    """Print the counts of a report as a table."""
    from core.services.generations.views import report_lines  # the workspace libraries are loaded by now

    rows = [[words, f"{count:,}", more] for words, count, more in report_lines(report)]
    say(table(rows, ("of the pairs", "count", "")))
    if report.unread:
        say(f"{counted(report.unread, 'pair')} of prompts that a side cannot read: not made.")


def say_landed(landed: LandedPairs, *, as_json: bool) -> None:
    """Print what became of the pairs, and where they are."""
    if as_json:
        say_json(landed.to_plain())
        return
    say_counts(landed.report)
    if landed.source_id:
        say(f"Source {landed.source_id}, {landed.source}: {counted(landed.added, 'new pair')}.")
    else:
        say("No pair was kept; nothing was added.")
    if landed.batch is not None:
        say(f"Batch {landed.batch.name}: see it with: batch show WS {landed.batch.name!r}")
    for sentence in landed.told:
        say(sentence)
