"""Plots as files: PNG at twice the size, SVG with real text, CSV of raw and smoothed values.

pyqtgraph's own SVG exporter fails with current Qt, so the vector file is painted by QSvgGenerator.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from app.widgets.plots.canvas import PlotCanvas
from app.widgets.plots.curves import Curve, Floats, exact_text
from app.widgets.plots.heat_plot import HeatPlot
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.pair_card import PairCard
from core.services.written_files import write_file

FORMATS = ("png", "svg", "csv")
PICTURE_WIDTH = 1440
"""Pixels that a picture is wide at least."""


@runtime_checkable
class PenScaled(Protocol):
    """A widget whose pens are so many pixels of the target wide, whatever the scale of the painter."""

    def pens_for(self, scale: float, whose: str = "") -> AbstractContextManager[None]:
        """Draw for a target of ``scale`` pixels to one, with the name of the run and without crosshair."""
        ...


@contextmanager
def _pens_for(widget: QWidget, scale: float, whose: str) -> Iterator[None]:
    """Make every plot in the widget draw lines as wide as on the screen, and say whose plot it is."""
    with ExitStack() as stack:
        for part in (widget, *widget.findChildren(QWidget)):
            if isinstance(part, PenScaled):
                stack.enter_context(part.pens_for(scale, whose))
        for part in (widget, *widget.findChildren(QWidget)):
            if (layout := part.layout()) is not None:
                layout.activate()  # the name of the run takes room that the chart had
        for canvas in (widget, *widget.findChildren(QWidget)):
            if isinstance(canvas, PlotCanvas):
                canvas.take_size()
        yield


def picture_scale(widget: QWidget) -> float:
    """Return how many times larger a picture is drawn: twice, and at least ``PICTURE_WIDTH`` wide."""
    return max(2.0, PICTURE_WIDTH / max(1, widget.width()))


def to_image(widget: QWidget, scale: float = 2.0, whose: str = "") -> QImage:
    """Return a picture of the widget, ``scale`` times its size; ``whose`` is the run that it says it is of."""
    size = widget.size() * scale
    image = QImage(size, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(scale)
    image.fill(widget.palette().window().color())
    with _pens_for(widget, scale, whose):
        painter = QPainter(image)
        widget.render(painter, QPoint())
        painter.end()
    return image


def to_png(widget: QWidget, scale: float | None = None, whose: str = "") -> bytes:
    """Return the widget as a PNG, ``scale`` times its size, by itself as :func:`picture_scale` says."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    to_image(widget, picture_scale(widget) if scale is None else scale, whose).save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(data.data())


def to_svg(widget: QWidget, title: str, whose: str = "") -> bytes:
    """Return the widget as an SVG whose text stays text."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(widget.width(), widget.height()))
    generator.setViewBox(QRect(0, 0, widget.width(), widget.height()))
    generator.setTitle(title)
    with _pens_for(widget, 1.0, whose):
        painter = QPainter(generator)
        widget.render(painter, QPoint())
        painter.end()
    buffer.close()
    return bytes(data.data())


def to_csv(
    curves: Mapping[str, tuple[Curve, Floats]],
    units: Mapping[str, str] | None = None,
    run: str = "",
    along: Mapping[str, Curve] | None = None,
) -> str:
    """Return one row a step, with the run in the first column; an empty cell means none.

    ``along`` has what stands along x beside the steps, by its title; it has a value at every step.

    Each curve has its value, and beside it either the smoothed one or, where they are known, the ends of its 95 %
    interval and n. Units stand in brackets behind the names.
    """
    steps = sorted({float(step) for curve, _ in curves.values() for step in curve.steps})
    parts = {name: _csv_columns(name, *pair, (units or {}).get(name, "")) for name, pair in curves.items()}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [head for columns in parts.values() for head in columns]
    writer.writerow(["run", "optimizer step", *(along or {}), *heads])
    beside = [dict(zip(one.steps.tolist(), one.values.tolist(), strict=True)) for one in (along or {}).values()]
    places = {name: {float(s): i for i, s in enumerate(curve.steps)} for name, (curve, _) in curves.items()}
    for step in steps:
        cells: list[str] = [_guarded(run), exact_text(step), *(_cell(values[step]) for values in beside)]
        for name, columns in parts.items():
            place = places[name].get(step)
            cells += ["" if place is None else _cell(values[place]) for values in columns.values()]
        writer.writerow(cells)
    return out.getvalue()


def _csv_columns(name: str, curve: Curve, smoothed: Floats, unit: str) -> dict[str, Floats]:
    """Return the columns of a curve by their heads."""
    of = f" ({unit})" if unit else ""
    if curve.low.size:
        ends = {f"{name}_low{of}": curve.low, f"{name}_high{of}": curve.high, f"{name}_n": curve.n}
        return {f"{name}{of}": curve.values, **ends}
    return {f"{name}{of}": curve.values, f"{name}_smoothed{of}": smoothed}


def _guarded(text: str) -> str:
    """Keep a spreadsheet from running the name of a run as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _cell(value: float) -> str:
    return "" if value != value else repr(float(value))


def save(path: Path, content: bytes | str) -> None:
    """Write an exported plot.

    Raises:
        UserError: when the place cannot be written; a file that was there is as it was.
    """
    write_file(path, content.encode("utf-8") if isinstance(content, str) else content)


def file_name(plot: MetricPlot | PairCard, stem: str, kind: str) -> str:
    """Return the name of a plot's file: run, metric, format, without anything a file system minds."""
    metric = plot.objectName().removeprefix("plot_").replace(".", "_")
    safe = "".join(c if c.isalnum() or c in " -_.()" else "_" for c in stem).strip(" .") or "run"
    return f"{safe}_{metric}.{kind}"


def content(plot: MetricPlot | PairCard, kind: str, run: str = "") -> Callable[[], bytes | str]:
    """Return what makes a plot of a run a file of one of FORMATS.

    A picture is drawn here, since that needs the window's thread; writing out a hundred thousand values does not.
    """
    if kind == "csv" and isinstance(plot, HeatPlot | PairCard):
        return partial(plot.to_csv, _guarded(run))
    if kind == "csv" and isinstance(plot, MetricPlot):
        units = {spec.metric: spec.unit for spec in plot.specs}
        shown = {m: c for m, c in plot.curves.items() if c.steps.size} or plot.curves
        smoothed = {m: (c, plot.smoothed(m)) for m, c in shown.items()}
        return partial(to_csv, smoothed, units, run, plot.along.columns(shown))
    drawn = to_png(plot, whose=run) if kind == "png" else to_svg(plot, plot.title, run)
    return lambda: drawn
