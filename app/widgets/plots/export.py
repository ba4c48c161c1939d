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

from app.widgets.plots.curves import Curve, Floats, exact_text
from app.widgets.plots.metric_plot import MetricPlot
from core.services.written_files import write_file

FORMATS = ("png", "svg", "csv")


@runtime_checkable
class PenScaled(Protocol):
    """A widget whose pens are so many pixels of the target wide, whatever the scale of the painter."""

    def pens_for(self, scale: float) -> AbstractContextManager[None]:
        """Draw for a target of ``scale`` pixels to one."""
        ...


@contextmanager
def _pens_for(widget: QWidget, scale: float) -> Iterator[None]:
    """Make every plot in the widget draw lines as wide as on the screen."""
    with ExitStack() as stack:
        for part in (widget, *widget.findChildren(QWidget)):
            if isinstance(part, PenScaled):
                stack.enter_context(part.pens_for(scale))
        yield


def to_image(widget: QWidget, scale: float = 2.0) -> QImage:
    """Return a picture of the widget, ``scale`` times its size."""
    size = widget.size() * scale
    image = QImage(size, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(scale)
    image.fill(widget.palette().window().color())
    with _pens_for(widget, scale):
        painter = QPainter(image)
        widget.render(painter, QPoint())
        painter.end()
    return image


def to_png(widget: QWidget, scale: float = 2.0) -> bytes:
    """Return the widget as a PNG, ``scale`` times its size."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    to_image(widget, scale).save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(data.data())


def to_svg(widget: QWidget, title: str) -> bytes:
    """Return the widget as an SVG whose text stays text."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(widget.width(), widget.height()))
    generator.setViewBox(QRect(0, 0, widget.width(), widget.height()))
    generator.setTitle(title)
    with _pens_for(widget, 1.0):
        painter = QPainter(generator)
        widget.render(painter, QPoint())
        painter.end()
    buffer.close()
    return bytes(data.data())


def to_csv(curves: Mapping[str, tuple[Curve, Floats]]) -> str:
    """Return one row a step: for each curve its raw and its smoothed value; an empty cell means none."""
    steps = sorted({float(step) for curve, _ in curves.values() for step in curve.steps})
    lookup = {
        name: {float(s): (v, w) for s, v, w in zip(curve.steps, curve.values, smoothed, strict=True)}
        for name, (curve, smoothed) in curves.items()
    }
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["step", *(part for name in curves for part in (name, f"{name}_smoothed"))])
    for step in steps:
        cells: list[str] = [exact_text(step)]
        for name in curves:
            raw, smoothed = lookup[name].get(step, (float("nan"), float("nan")))
            cells += [_cell(raw), _cell(smoothed)]
        writer.writerow(cells)
    return out.getvalue()


def _cell(value: float) -> str:
    return "" if value != value else repr(float(value))


def save(path: Path, content: bytes | str) -> None:
    """Write an exported plot.

    Raises:
        UserError: when the place cannot be written; a file that was there is as it was.
    """
    write_file(path, content.encode("utf-8") if isinstance(content, str) else content)


def file_name(plot: MetricPlot, stem: str, kind: str) -> str:
    """Return the name of a plot's file: run, metric, format, without anything a file system minds."""
    metric = plot.objectName().removeprefix("plot_").replace(".", "_")
    safe = "".join(c if c.isalnum() or c in " -_.()" else "_" for c in stem).strip(" .") or "run"
    return f"{safe}_{metric}.{kind}"


def content(plot: MetricPlot, kind: str) -> Callable[[], bytes | str]:
    """Return what makes a plot a file of one of FORMATS.

    A picture is drawn here, since that needs the window's thread; writing out a hundred thousand values does not.
    """
    if kind == "csv":
        return partial(to_csv, {m: (c, plot.smoothed(m)) for m, c in plot.curves.items()})
    drawn = to_png(plot) if kind == "png" else to_svg(plot, plot.plot.accessibleName())
    return lambda: drawn
