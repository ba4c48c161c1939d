"""Pictures of a run without a window: the plots of the monitor, drawn offscreen by the same code, as PNG."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.runs import presenter
from app.runs.plot_series import parent_curves
from app.theme.theme import Theme
from app.widgets.plots import export
from app.widgets.plots.monitor_grid import MonitorGrid
from app.widgets.plots.plot_layout import PlotLayout
from core.paths import resources_dir
from core.services.application import Application
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_plots import RunPlots

PLOTS = {
    "spread.p95": "margins.png",
    "margin": "margin.png",
    "reward_chosen": "rewards.png",
    "loss": "loss.png",
    "kl.kl": "kl.png",
}
SIZE = (1320, 820)


def draw_run(workspace: Path, run_id: str, out: Path, theme_name: str = "light") -> list[Path]:
    """Write the heat map of margins, the margin, reward, loss and KL plots of a run, and all plots together."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["pairwright"])
    theme = Theme(app, resources_dir())
    theme.apply(theme_name, 100)
    grid = MonitorGrid(theme, PlotLayout())
    grid.make_all()
    grid.resize(*SIZE)
    with Application.open(workspace, read_only=True) as services:
        reader = services.runs.reader(run_id)
        before = parent_curves(services.runs, reader.record(), grid.metrics)
        estimates = RunEstimates(reader)
        pairs = RunPlots(reader, estimates).read(grid.deck.needs)
        people, metrics = services.runs.lineage(run_id).people(), grid.metrics
        found = presenter.read_snapshot(services.runs, reader, estimates, metrics, before, plots=pairs, people=people)
        grid.draw(found.series)
    theme.style(grid)
    grid.show()
    app.processEvents()
    grid.fit()
    written = []
    for plot in grid.plots:
        name = PLOTS.get(next(iter(plot.curves)))
        if name is not None:
            export.save(out / name, export.to_png(plot, whose=found.name))
            written.append(out / name)
    export.save(out / "all.png", export.to_png(grid, whose=found.name))
    grid.close()
    return [*written, out / "all.png"]
