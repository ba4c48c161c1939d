"""What an import would do and how it ended, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain.counting import counted, verb

if TYPE_CHECKING:
    from core.services.importing.forecast import Forecast
    from core.services.importing.report import ImportPreview, ImportReport


def import_text(report: ImportReport) -> str:
    """Return in words how an import ended: rows = imported + known + repeats + rejected."""
    parts = [f"{report.imported:,} imported"]
    for count, words in (
        (report.duplicates, "known before"),
        (report.repeats, "repeated inside the file"),
        (report.rejected, "rejected"),
    ):
        parts.append(f"{count:,} {words}")
    text = f"{counted(report.rows, 'row')}: {', '.join(parts)}. {labels_text(report)}"
    return f"Stopped. {text} Import the file again to continue." if report.cancelled else text


def labels_text(report: ImportReport) -> str:
    """Return what became of the labels."""
    labels = "1 label was" if report.judgements == 1 else f"{report.judgements:,} labels were"
    by = f" by {len(report.reviewers):,} reviewers" if len(report.reviewers) > 1 else ""
    parts = [f"{labels} imported{by}"]
    if report.known_labels:
        parts.append(f"{report.known_labels:,} were there already")
    if report.second_labels:
        parts.append(f"{report.second_labels:,} contradict an earlier label of their reviewer and are stored beside it")
    return "; ".join(parts) + "."


def left_text(report: ImportReport) -> list[str]:
    """Return what of the file was not stored, one sentence each."""
    reading = report.reading
    if reading is None:
        return []
    lines = list(reading.notes)
    if reading.unused:
        names = ", ".join(f"{use.name} ({use.filled:,})" for use in reading.unused[:8])
        more = f" and {len(reading.unused) - 8:,} more" if len(reading.unused) > 8 else ""
        lines.append(f"Columns that were not used, with the rows that hold something: {names}{more}.")
    return lines


def preview_summary(preview: ImportPreview) -> str:
    """Return what the first rows become."""
    whole = "" if preview.complete else "of the beginning: "
    return (
        f"{counted(preview.checked, 'row')} {whole}= {preview.good:,} good + {preview.bad:,} to be rejected · "
        f"{_come_along(preview.labels, preview)}"
    )


def forecast_summary(forecast: Forecast, preview: ImportPreview) -> str:
    """Return what becomes of all rows."""
    parts = [f"{forecast.imported:,} new"]
    for count, words in (
        (forecast.repeats, "repeated in this file"),
        (forecast.duplicates, "known before"),
        (forecast.rejected, "rejected"),
    ):
        parts += [f"{count:,} {words}"] if count else []
    return f"{counted(forecast.rows, 'row')} = {' + '.join(parts)} · {_come_along(forecast.labels, preview)}"


def _come_along(labels: int, preview: ImportPreview) -> str:
    by = f" by {len(preview.reviewers):,} reviewers" if len(preview.reviewers) > 1 else ""
    return f"{counted(labels, 'label')}{by} {verb(labels, 'comes', 'come')} along"
