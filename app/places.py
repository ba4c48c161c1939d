"""The places of the window: one row each. To add a page, write its package and append its row.

Rail, navigation actions, their shortcuts, the menus, the command palette and the shortcut editor come from these rows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One place.

    Attributes:
        id: name in code; first part of the ids of its actions.
        title: what rail, menus and the page's header say.
        icon: name of a drawing in ``resources/icons``.
        key: shortcut that goes there, in portable form.
        about: one sentence for the tooltip.
        module: where the page class is; imported when the page is first shown.
        page_class: name of the class, a ``Page``.
        needs_workspace: whether the page has nothing to show without an open workspace.
        in_rail: whether its button stands among the pages at the top of the rail; else at the bottom.
    """

    id: str
    title: str
    icon: str
    key: str
    about: str
    module: str
    page_class: str
    needs_workspace: bool = True
    in_rail: bool = True

    @property
    def action_id(self) -> str:
        """The action that goes there."""
        return f"global.{self.id}"


PLACES: tuple[Place, ...] = (
    Place(
        "home",
        "Home",
        "home",
        "Ctrl+1",
        "The next step, counts and recent activity.",
        "app.home.page",
        "HomePage",
        needs_workspace=False,
    ),
    Place("data", "Data", "data", "Ctrl+2", "Pairs, imports and dataset versions.", "app.data.page", "DataPage"),
    Place(
        "rubrics",
        "Rubrics",
        "rubrics",
        "Ctrl+3",
        "What “better” means, in versions.",
        "app.rubrics.page",
        "RubricsPage",
    ),
    Place("annotate", "Annotate", "annotate", "Ctrl+4", "Label pairs.", "app.annotate.page", "AnnotatePage"),
    Place("train", "Train", "train", "Ctrl+5", "Set up and start a run.", "app.train.page", "TrainPage"),
    Place("runs", "Runs", "runs", "Ctrl+6", "Watch runs and compare them.", "app.runs.page", "RunsPage"),
    Place(
        "inspect",
        "Inspect",
        "inspect",
        "Ctrl+7",
        "Which pairs the model gets wrong, and why.",
        "app.inspect.page",
        "InspectPage",
    ),
    Place(
        "evaluate",
        "Evaluate",
        "gate",
        "Ctrl+8",
        "What a policy is worth on held-out items, against its reference.",
        "app.evaluate.page",
        "EvaluatePage",
    ),
    Place(
        "settings",
        "Settings",
        "settings",
        "Ctrl+,",
        "Appearance, shortcuts, annotation, training.",
        "app.settings.page",
        "SettingsPage",
        needs_workspace=False,
        in_rail=False,
    ),
)
BY_ID: dict[str, Place] = {place.id: place for place in PLACES}
"""Places by id."""
