"""``runs report``: one HTML file about a run, or about several and how they differ from the first."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import say, say_json
from core.cli.replacing import Replace
from core.cli.workspace_access import open_workspace
from core.domain.errors import UsageError
from core.domain.run_comparison import letter_of
from core.runs import run_control
from core.runs.run_reader import RunReader
from core.services.runs.report import checked_target, reported, write_report


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``runs``."""
    group.command("report", help="Write one HTML file about a run, or several beside the first; it opens offline.")(
        report
    )


def report(
    words: Annotated[list[str], typer.Argument(metavar="RUN... OUT.html", help="Runs, the baseline first; the file.")],
    where: Annotated[
        Path | None, typer.Option("--in", help="Workspace (or folder of runs) to look in; its labels are counted.")
    ] = None,
    replace: Replace = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Write the report and say where it is."""
    if len(words) < 2:
        raise UsageError("A report needs a run and a file.", "Write: runs report RUN OUT.html")
    *runs, out = words
    target = checked_target(Path(out), replace=replace)
    readers = [RunReader(run_control.find_run(run, where).path) for run in runs]
    holds_labels = where is not None and (where / "workspace.db").is_file()
    with open_workspace(where, read_only=True) if where is not None and holds_labels else nullcontext() as app:
        found = [
            reported(reader, letter_of(n), judgements_of=None if app is None else app.pairs.judgements)
            for n, reader in enumerate(readers)
        ]
        write_report(target, found, replace=replace, on_progress=None if as_json else _show_progress)
    size = target.stat().st_size
    if as_json:
        say_json({"path": str(target), "runs": [one.record.run_id for one in found], "bytes": size})
    else:
        say(f"Wrote {target} ({size / 1000:,.1f} kB).")


def _show_progress(done: int, total: int, text: str) -> None:
    if done < total:
        say(f"[{done + 1}/{total}] {text}")
