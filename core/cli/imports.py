"""The commands that read files of pairs: import one, show how it would be read, list the formats.

Imports inside a function load the workspace libraries, which no other command may need.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.hub_files import HubWords, fetched
from core.cli.output import say, say_json, table
from core.cli.replacing import Replace
from core.cli.workspace_access import open_workspace
from core.domain.choices import choice_hint
from core.domain.counting import counted, verb
from core.domain.errors import UsageError, UserError
from core.domain.pair_table import CONSENTS
from core.domain.text_flags import FLAG_KEYS
from core.services.importing import cut_prompt as cut_prompt_module
from core.services.importing.flag_actions import ACTION_WORDS
from core.services.importing.formats.codings import CODINGS
from core.services.importing.formats.registry import format_infos
from core.services.importing.reading import FIELDS, Choices, Reading, winner
from core.services.importing.several import data_files

if TYPE_CHECKING:
    from core.domain.changes import Outcome
    from core.services.importing.forecast import Forecast
    from core.services.importing.report import ImportPreview, ImportReport

_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_READS = ("first", "second", "tie", "neither", "none")
_UNUSED_LISTED = 20
_WIDTH = 300  # characters of a text that the dry run prints


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import", help="Import pairs from JSONL, JSON, CSV or Parquet, or a dataset of the hub.")(import_file)
    app.command("formats", help="List the formats that import reads.")(list_formats)


def import_file(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files to import; a folder stands for the data files in it.")
    ] = None,
    fmt: Annotated[str, typer.Option("--format", help="Key of a format, see `formats`; detected when left out.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help=f"What a column is; repeatable. {', '.join(FIELDS)}."),
    ] = None,
    coding: Annotated[
        str, typer.Option(help=f"What numbers, true and false in the label column mean: {', '.join(CODINGS)}.")
    ] = "",
    values: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="VALUE=SIDE", help=f"What one value means: {', '.join(_READS)}; repeatable."),
    ] = None,
    reviewer_columns: Annotated[
        str, typer.Option("--reviewer-columns", help="Columns with the labels of one reviewer each: a,b,c.")
    ] = "",
    pairs: Annotated[str, typer.Option(help="Pairs of a ranked list: best (against each other) or decisive.")] = "",
    encoding: Annotated[str, typer.Option(help="Encoding of the text, such as cp1252; found out when left out.")] = "",
    part: Annotated[str, typer.Option("--list", help="Which list of a JSON file that holds several, or all.")] = "",
    answers: Annotated[
        list[str] | None, typer.Option("--answer", metavar="QUESTION=ANSWER", help="Answer to another question.")
    ] = None,
    cut_prompt: Annotated[
        bool, typer.Option("--cut-prompt", help="Cut the prompt off answers that begin with it.")
    ] = False,
    flags: Annotated[
        list[str] | None,
        typer.Option(
            "--flag",
            metavar="FLAG=ACTION",
            help=f"What is done with pairs whose texts look wrong: {', '.join(ACTION_WORDS)}. Flags: "
            f"{', '.join(FLAG_KEYS)}; repeatable.",
        ),
    ] = None,
    hub: Annotated[
        str, typer.Option("--hub", help="A dataset of the Hugging Face hub: owner/name. Uses the network.")
    ] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of the dataset.")] = "main",
    hub_files: Annotated[
        list[str] | None, typer.Option("--file", metavar="PATH", help="File of the dataset; repeatable.")
    ] = None,
    list_files: Annotated[
        bool, typer.Option("--list-files", help="Only list the files of the dataset; fetch none.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show how the file is read; store no pair. Files of --hub are downloaded."),
    ] = False,
    rejects_to: Annotated[
        Path | None,
        typer.Option("--rejects", metavar="FILE", help="With --dry-run: read all rows and list the rejected ones."),
    ] = None,
    replace: Replace = False,
    name: Annotated[str, typer.Option(help="Name of the source.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "",
    consent: Annotated[
        str,
        typer.Option(
            help="What those who wrote the texts agreed to: granted, unknown or withdrawn. By default a freeze takes "
            "only granted sources."
        ),
    ] = "unknown",
    as_json: _Json = False,
) -> None:
    """Import files, each a source of its own; a second import adds nothing.

    Exit code 2 when a file leaves open what a label means. Of several files each is imported that can be; exit code 1
    when one cannot.
    """
    if consent not in CONSENTS:
        raise UsageError(f"Consent cannot be {consent!r}.", f"Use {', '.join(CONSENTS)}.")
    said = [*(answers or []), *([f"{cut_prompt_module.QUESTION}={cut_prompt_module.YES}"] if cut_prompt else [])]
    choices = _choices(fmt, columns or [], coding, values or [], reviewer_columns, pairs, said)
    choices = dataclasses.replace(
        choices, encoding=encoding or None, part=part or None, flag_actions=assignments("--flag", flags or [])
    )
    if rejects_to is not None and not dry_run:
        raise UsageError("--rejects is for --dry-run; an import writes its list of rejects into the workspace.")
    words = HubWords(hub, revision, hub_files or [], list_files)
    words.check(files or [])
    with open_workspace(workspace, read_only=dry_run or list_files) as app:
        named = fetched(app.imports, words, as_json=as_json, dry_run=dry_run) if hub else files or []
        paths, left = data_files(named)
        if name and len(paths) > 1:
            raise UsageError("--name is for one file; of several files each is called by its own name.")
        if rejects_to is not None and len(paths) > 1:
            raise UsageError("--rejects is for one file.")
        if dry_run:
            previews = [app.imports.preview(path, choices=choices) for path in paths]
            look = partial(app.imports.forecast, choices=choices, rejects_to=rejects_to, replace=replace)
            forecast = look(paths[0]) if rejects_to else None
            _say_dry_run(previews, forecast, as_json=as_json)
            return
        run = partial(app.imports.run, choices=choices, name=name or None, licence=licence, consent=consent)
        if len(paths) == 1:
            report = run(paths[0]).value
            say_json(report.to_plain()) if as_json else say_report(report, consent)
            return
        _import_each(paths, left, run, consent, as_json)


def _import_each(
    paths: Sequence[Path], left: Sequence[Path], run: Callable[..., Outcome[ImportReport]], consent: str, as_json: bool
) -> None:
    """Import several files and tell of each and of all; one that cannot be read does not stop the others."""
    told: list[dict[str, object]] = []
    totals: dict[str, int] = dict.fromkeys(("rows", "imported", "duplicates", "repeats", "rejected", "judgements"), 0)
    for path in paths:
        if not as_json:
            say(f"{path}:")
        try:
            report = run(path).value
        except UserError as error:
            told.append({"file": str(path), "error": error.message, "hint": error.hint})
            if not as_json:
                say(f"Not imported: {error}")
            continue
        told.append({"file": str(path)} | report.to_plain())
        totals = {key: count + getattr(report, key) for key, count in totals.items()}
        if not as_json:
            say_report(report, consent)
    failed = sum("error" in entry for entry in told)
    if as_json:
        say_json({"files": told, **totals, "failed": failed, "left_out": [str(path) for path in left]})
    else:
        say(
            f"In total, {counted(len(paths), 'file')}: "
            + ", ".join(f"{count:,} {key}" for key, count in totals.items())
            + "."
        )
        if left:
            names = ", ".join(path.name for path in left[:20])
            say(
                f"{counted(len(left), 'other file')} in the folders {verb(len(left), 'was', 'were')} left out: {names}."
            )
        if failed:
            say(f"{failed} of the files could not be imported.")
    if failed:
        raise typer.Exit(1)


def list_formats(as_json: _Json = False) -> None:
    """Print key, name and content of every format."""
    rows = [dataclasses.asdict(info) for info in format_infos()]
    say_json(rows) if as_json else say(table([list(row.values()) for row in rows], list(rows[0])))


def _choices(
    fmt: str,
    columns: Sequence[str],
    coding: str,
    values: Sequence[str],
    reviewer_columns: str,
    pairs: str,
    answers: Sequence[str],
) -> Choices:
    """Return what the options say.

    Raises:
        UsageError: for a word that no option takes, or two that contradict each other.
    """
    sides = assignments("--value", values)
    for value, side in sides.items():
        if side not in _READS:
            raise UsageError(f"{value!r} cannot mean {side!r}.", f"Use one of {', '.join(_READS)}.")
    if pairs not in ("", "best", "decisive"):
        raise UsageError(f"--pairs cannot be {pairs!r}.", "Use best or decisive.")
    fields = assignments("--map", columns)
    for column, field in fields.items():
        if field not in FIELDS:
            raise UsageError(f"Column {column!r} cannot be {field!r}.", choice_hint(field, FIELDS))
    return Choices(
        fmt=fmt or None,
        columns=fields,
        coding=coding or None,
        values={value: "no label" if side == "none" else side for value, side in sides.items()},  # type: ignore[misc]
        reviewer_columns=tuple(part.strip() for part in reviewer_columns.split(",") if part.strip()),
        pairs=pairs or None,  # type: ignore[arg-type]
        answers=assignments("--answer", answers),
    )


def assignments(option: str, words: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE words as a table; the name may hold equal signs."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.rpartition("=")
        if not equals or not name or not value:
            raise UsageError(f"{option} {word!r} is no NAME=VALUE.", f"Write for example {option} x=y.")
        if found.get(name, value) != value:
            raise UsageError(f"{option} says two things of {name!r}: {found[name]} and {value}.", "Say one.")
        found[name] = value
    return found


def _say_dry_run(previews: Sequence[ImportPreview], forecast: Forecast | None, *, as_json: bool) -> None:
    """Print how files are read, and what an import would do with every row where that was tried."""
    if as_json:
        more = {} if forecast is None else {"forecast": dataclasses.asdict(forecast)}
        plain = [{"rows": one.reading.rows, **one.reading.to_plain(), **more} for one in previews]
        say_json(plain[0] if len(plain) == 1 else {"files": plain})
        return
    for preview in previews:
        _say_preview(preview)
    if forecast is not None:
        counts = f"{forecast.imported:,} new, {forecast.duplicates:,} known, {counted(forecast.repeats, 'repeat')}"
        say(
            f"An import would find {counted(forecast.rows, 'row')}: {counts}, {forecast.rejected:,} rejected; "
            f"{counted(forecast.labels, 'label')}."
        )


def _say_preview(preview: ImportPreview) -> None:
    """Print how a file is read: columns, coding, first pairs, what is open."""
    reading = preview.reading
    more = "" if reading.complete else " looked at (the beginning of the file)"
    say(f"{preview.kind}, {counted(reading.rows, 'row')}{more}, read as {reading.title} ({reading.fmt}).")
    _say_reading(reading)
    for number, pair in enumerate(reading.examples, 1):
        won = winner(pair)
        say(f"\nPair {number}: {f'{won} wins' if won in ('first', 'second') else won or 'no label'}")
        if number == 1:
            for message in pair.prompt.messages:
                say(f"  {message.role}: {_short(message.content)}")
        else:
            say(f"  prompt: {_short(pair.prompt.last_text)}")
        say(f"  first: {_short(pair.first.text)}\n  second: {_short(pair.second.text)}")
    for reject in preview.rejects:
        say(f"line {reject.line} rejected: {reject.reason}")
    for question in reading.questions:
        say(f"\nOpen: {question.sentence}")
        for answer in question.answers:
            say(f"  {answer.flag}: {answer.meaning}")


def _say_reading(reading: Reading) -> None:
    unused = 0
    for use in reading.columns:
        unused += use in reading.unused
        if use not in reading.unused or unused <= _UNUSED_LISTED:
            say(f"  {use.name}: {use.role.value}, filled in {counted(use.filled, 'row')}")
    if (more := unused - _UNUSED_LISTED) > 0:
        say(f"  and {counted(more, 'other column')} that {verb(more, 'is', 'are')} not used; --json lists all")
    if reading.coding is not None:
        said = ", ".join(f"{v.value} = {v.reads} ({v.count:,})" for v in reading.coding.values)
        say(f"Labels in {', '.join(reading.coding.columns)}: {said or 'none, no row has a value there'}")
    for note in reading.notes:
        say(note)


def say_report(report: ImportReport, consent: str) -> None:
    """Print what became of every row, label and column."""
    say(
        f"{counted(report.rows, 'row')}: {report.imported:,} imported, "
        f"{counted(report.duplicates, 'duplicate')} (known before), "
        f"{counted(report.repeats, 'repeat')} (of earlier rows of the file, also turned round), "
        f"{report.rejected:,} rejected; {counted(report.judgements, 'label')}."
    )
    for reason, count in report.reasons.items():
        say(f"{count:8}  rejected: {reason}")
    if report.rejects_path:
        say(f"The rejected rows are listed in {report.rejects_path}")
    if reading := report.reading:
        say(f"Read as {reading.title} ({reading.fmt}):")
        _say_reading(reading)
        if reading.unused:
            listed = [f"{use.name} ({counted(use.filled, 'row')})" for use in reading.unused[:_UNUSED_LISTED]]
            more = len(reading.unused) - len(listed)
            say("Not used: " + ", ".join([*listed, *([f"{more:,} more"] if more else [])]))
    say(f"Source {report.source_name!r}, consent {consent}{_consent_words(report, consent)}")


def _consent_words(report: ImportReport, consent: str) -> str:
    """Return the end of the sentence about consent: what it means for a freeze, and how it is changed."""
    if consent != "unknown":
        return "; `sources` changes it."
    change = f"sources WORKSPACE --consent {report.source_id}=granted"
    return f": a freeze leaves its pairs out. Where consent was given, record it: {change}"


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}… ({len(text):,} characters)"
