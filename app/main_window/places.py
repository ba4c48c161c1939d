"""The places of the window, and how their pages are made when they are first shown."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass

from app.context import AppContext
from app.main_window.page import Page
from app.widgets.messages import EmptyState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """One place: where its page class lives, and how the rail shows it."""

    id: str
    title: str
    icon: str
    module: str
    page_class: str
    needs_workspace: bool = True
    in_rail: bool = True

    @property
    def action_id(self) -> str:
        """The action that goes there."""
        return f"global.{self.id}"


PLACES: tuple[Place, ...] = (
    Place("home", "Home", "home", "app.home.page", "HomePage", needs_workspace=False),
    Place("data", "Data", "data", "app.data.page", "DataPage"),
    Place("rubrics", "Rubrics", "rubrics", "app.rubrics.page", "RubricsPage"),
    Place("annotate", "Annotate", "annotate", "app.annotate.page", "AnnotatePage"),
    Place("train", "Train", "train", "app.train.page", "TrainPage"),
    Place("runs", "Runs", "runs", "app.runs.page", "RunsPage"),
    Place("inspect", "Inspect", "inspect", "app.inspect.page", "InspectPage"),
    Place(
        "settings", "Settings", "settings", "app.settings.page", "SettingsPage", needs_workspace=False, in_rail=False
    ),
)
BY_ID: dict[str, Place] = {place.id: place for place in PLACES}


class StandInPage(Page):
    """Shown where a page cannot be: no workspace is open, or this build has no such page."""

    def __init__(self, context: AppContext, place: Place, title: str, text: str, icon: str = "") -> None:
        super().__init__(context)
        self.setObjectName(f"page_{place.id}")
        self.header.set_title(place.title)
        self.place_shown = place.id
        home = ("Go to Home", lambda: context.navigate("home"))
        self.set_body(EmptyState(context.theme, icon or place.icon, title, text, main=home))


def make_page(place: Place, context: AppContext) -> Page:
    """Return the page of a place; a missing or broken one becomes a page that says so."""
    if place.needs_workspace and not context.has_workspace:
        return StandInPage(context, place, "No workspace is open", "Open a workspace or the demo from Home.")
    try:
        page_class = getattr(importlib.import_module(place.module), place.page_class)
    except ModuleNotFoundError as error:
        if error.name != place.module:
            raise
        log.info("no page module %s", place.module)
        return StandInPage(
            context, place, f"{place.title} is not part of this build", "The other places work as usual."
        )
    return page_class(context)


def preload(modules: tuple[str, ...]) -> None:
    """Import modules ahead of their first use; run it on a background thread. Missing ones are left out."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            log.info("cannot preload %s", name)
