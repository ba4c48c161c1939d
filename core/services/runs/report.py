"""One HTML file about one run, or about several and how they differ. It opens offline and loads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core import durable
from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.domain.judgement import Judgement
from core.domain.pair import TrainingPair
from core.private_files import make_folders
from core.runs.child_processes.request import Cancelled
from core.runs.run_reader import RunReader
from core.services.reports.html_text import document, outside, paragraph
from core.services.runs.comparison import compare_runs
from core.services.runs.insights import insights_of
from core.services.runs.report_of_comparison import comparison_part
from core.services.runs.report_of_run import LabelsBehind, ReportedRun, run_part
from core.services.written_files import chosen_place
from core.version import VERSION

Progress = Callable[[int, int, str], None]
JudgementsOf = Callable[[Sequence[int]], Mapping[int, Sequence[Judgement]]]
"""From ids of pairs to all their judgements, by pair."""


def write_report(
    target: Path,
    runs: Sequence[ReportedRun],
    *,
    replace: bool = False,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Write the report of some runs, the first of which is the baseline, and return where it is.

    Args:
        target: a file that ends in .html.
        runs: one or more.
        replace: whether a file that is there is replaced.
        on_progress: gets (done, total, text).
        cancelled: polled between the parts; True ends it before anything is written.

    Raises:
        UsageError: without a run. BadInput: for a wrong or taken name. Cancelled: nothing was written.
    """
    target = checked_target(target, replace=replace)
    if not runs:
        raise UsageError("A report needs a run.", "Name at least one run.")
    parts: list[str] = [_head(runs)]
    total = len(runs) + (len(runs) > 1)

    def report(done: int, text: str) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("The report was cancelled; nothing was written.")
        if on_progress is not None:
            on_progress(done, total, text)

    if len(runs) > 1:
        report(0, "Comparing the runs")
        found = compare_runs([run.reader for run in runs], names=[run.name for run in runs])
        parts.append(comparison_part(found, runs))
    for run in runs:
        report(total - len(runs) + runs.index(run), f"Reading {run.name}")
        parts.append(run_part(run))
    report(total, "Writing the file")
    make_folders(target.parent)
    durable.write_text(target, document(_title(runs), parts))
    return target


def checked_target(target: Path, *, replace: bool = False) -> Path:
    """Return the place of a report.

    Raises:
        BadInput: when its name does not end in .html, or something is there that must not be replaced.
    """
    target = Path(target).expanduser().resolve()
    if target.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"{target.name} is no name of a report; nothing was written.", "Use a name such as report.html.")
    return chosen_place(target, replace=replace)


def reported(
    reader: RunReader,
    letter: str,
    *,
    name: str = "",
    tags: Sequence[str] | None = None,
    note: str | None = None,
    judgements_of: JudgementsOf | None = None,
) -> ReportedRun:
    """Return a run as a report needs it.

    Args:
        reader: of the run.
        letter: what it is called in the report.
        name: what it is called today; "" takes the name it was made with.
        tags: today's; None takes those it was made with.
        note: likewise.
        judgements_of: reads the workspace's judgements; None leaves the labels out.
    """
    record = reader.record()
    return ReportedRun(
        letter,
        name or record.name,
        reader,
        record,
        insights_of(reader),
        record.tags if tags is None else tags,
        record.note if note is None else note,
        None if judgements_of is None else labels_behind(reader.folder.pairs(), judgements_of),
    )


def labels_behind(pairs: Sequence[TrainingPair], judgements_of: JudgementsOf) -> list[LabelsBehind]:
    """Return how many labels behind the pairs are whose, under which rubric version; the most first."""
    used = {judgement for pair in pairs for judgement in pair.judgement_ids}
    if not used:
        return []
    ids = [int(pair.pair_id) for pair in pairs if pair.pair_id.isdigit()]
    counts: Counter[tuple[str, str]] = Counter()
    for judgements in judgements_of(ids).values():
        counts.update((j.rubric_title, j.reviewer.name) for j in judgements if j.id in used)
    return [LabelsBehind(rubric, who, count) for (rubric, who), count in counts.most_common()]


def _title(runs: Sequence[ReportedRun]) -> str:
    return runs[0].name if len(runs) == 1 else f"{runs[0].name} and {counted(len(runs) - 1, 'other run')}"


def _head(runs: Sequence[ReportedRun]) -> str:
    words = (
        f"Made by Pairwright {VERSION}. Intervals are 95 %, means over pairs are bootstrapped by prompt, and a KL is "
        "of answers sampled from the policy. This file loads nothing."
    )
    return f"<h1>{outside(_title(runs))}</h1>{paragraph(words, 'note')}"
