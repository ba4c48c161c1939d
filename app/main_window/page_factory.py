"""Making the page of a place when it is first shown."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Generator, Sequence

from app.background.import_lock import IMPORT_LOCK
from app.context import AppContext
from app.main_window.page import Page
from app.places import Place
from app.widgets.messages import EmptyState

log = logging.getLogger(__name__)


class StandInPage(Page):
    """Shown where a page cannot be: no workspace is open, or this build has no such page."""

    def __init__(self, context: AppContext, place: Place, title: str, text: str) -> None:
        super().__init__(context)
        self.setObjectName(f"page_{place.id}")
        self.header.set_title(place.title)
        home = ("Go to Home", lambda: context.navigate("home"))
        self.set_body(EmptyState(context.theme, place.icon, title, text, main=home))


def make_page(place: Place, context: AppContext) -> Generator[None, None, Page]:
    """Make the page of a place, with a yield between two costly parts, and return it.

    The page's module is imported here and not with the window: the window must open before plots and tables load.
    A place whose module is missing, or that needs a workspace while none is open, gets a page that says so.
    """
    if place.needs_workspace and not context.has_workspace:
        return StandInPage(context, place, "No workspace is open", "Open a workspace or the demo from Home.")
    try:
        with IMPORT_LOCK:
            page_class = getattr(importlib.import_module(place.module), place.page_class)
    except ModuleNotFoundError as error:
        if error.name != place.module:
            raise
        log.info("no page module %s", place.module)
        title = f"{place.title} is not part of this build"
        return StandInPage(context, place, title, "The other places work as usual.")
    return (yield from page_class.made_in_slices(context))


def preload(modules: Sequence[str]) -> None:
    """Import modules ahead of their first use; run it on a background thread. Missing ones are left out."""
    for name in modules:
        try:
            with IMPORT_LOCK:
                importlib.import_module(name)
        except ImportError:
            log.info("cannot preload %s", name)
