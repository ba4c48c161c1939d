"""The plots that were chosen for a workspace, kept with the state of the window."""

from __future__ import annotations

from app.context import AppContext
from app.widgets.plots.plot_layout import PlotLayout


def kept_layout(context: AppContext) -> PlotLayout:
    """Return the layout of the open workspace; the first one where none was kept, or none is open yet."""
    return PlotLayout.from_texts(context.settings.state_list(_key(context)))


def keep_layout(context: AppContext, layout: PlotLayout) -> None:
    """Keep a layout for the open workspace."""
    if context.session.workspace:
        context.settings.set_state(_key(context), layout.to_texts())


def _key(context: AppContext) -> str:
    return f"plots/{context.session.workspace}"
