"""Which plots the Monitor shows and where: chosen in a picker, moved by drag or keys, kept for a workspace."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.context import AppContext
from app.runs.kept_layout import keep_layout, kept_layout
from app.runs.monitor import Monitor
from app.runs.plot_picker import PlotPicker
from app.widgets.plots.plot_layout import PlotLayout
from app.widgets.plots.run_plots import PLOTS


class PlotArranging(QObject):
    """Shows the layout of the workspace and keeps what the user makes of it.

    Args:
        context: actions, state and the workspace's own id.
        monitor: whose plots.
        refresh: reads what plots that came anew show.
    """

    def __init__(self, context: AppContext, monitor: Monitor, refresh: Callable[[], None]) -> None:
        super().__init__(monitor)
        self._context, self._monitor, self._refresh = context, monitor, refresh
        self.picker: PlotPicker | None = None
        monitor.grid.rearranged.connect(self._keep)
        context.session.reviewer_changed.connect(self._take_kept)
        self._count()

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return the method of each action."""
        return {
            "runs.plots": self.choose,
            "runs.plot_earlier": lambda: self._move(-1),
            "runs.plot_later": lambda: self._move(1),
        }

    def choose(self) -> None:
        """Open the picker under its button."""
        grid, theme = self._monitor.grid, self._context.theme
        self.picker = PlotPicker(self._monitor.window(), theme, grid.deck.layout)
        theme.style(self.picker)
        self.picker.changed.connect(self.show_layout)
        self.picker.show_under(self._monitor.choose)

    def show_layout(self, layout: PlotLayout) -> None:
        """Show a layout that the user chose, and keep it."""
        self._monitor.grid.set_layout(layout)
        self._keep(layout)
        self._refresh()

    def _keep(self, layout: PlotLayout) -> None:
        keep_layout(self._context, layout)
        self._count()

    def _take_kept(self) -> None:
        """Show what is kept, once it is known which workspace is open."""
        if self._context.session.workspace:
            self._monitor.grid.set_layout(kept_layout(self._context))
            self._count()

    def _count(self) -> None:
        self._monitor.choose.set_label(f"Plots {len(self._monitor.grid.deck.layout.shown)} of {len(PLOTS)}")

    def _move(self, by: int) -> None:
        """Move the plot that has the focus, or whose part has."""
        focus = QApplication.focusWidget()
        for card in self._monitor.grid.deck.shown:
            if focus is not None and (card is focus or card.isAncestorOf(focus)):
                self._monitor.grid.move_card(card, by)
                focus.setFocus()
                return
        self._context.notices.post("Choose a plot first: click it, or reach it with Tab.", "info")
