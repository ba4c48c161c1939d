"""Home: what to do next, the counts of the workspace, the run that is going on, recent activity."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.home import presenter
from app.home.first_run import FirstRun
from app.main_window.page import Page
from app.main_window.workspace_switch import is_demo
from app.widgets.buttons import action_button, icon_button, push_button
from app.widgets.containers import Card, Pressable, ScrollColumn, clear_layout
from app.widgets.flow import EvenFlow, FlowLayout
from app.widgets.labels import Chip, ElideLabel, plain_tip, short, text_label
from app.widgets.messages import EmptyState, IconLabel, ProgressLine
from app.widgets.metric_tile import MetricTile
from app.widgets.own_keys import OwnKeys
from core.domain.changes import Changes

if TYPE_CHECKING:
    from core.services.runs.views import RunInfo

EVENTS = 10
"""Events of the log that are listed."""
MINUTE_MS = 60_000
"""How often Home is read again: it says how long ago things happened, and other processes write as well."""
TILES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("pairs", "Pairs", "data", {}),
    ("labelled", "Labelled by people", "data", {"reviewer_kind": "human"}),
    ("datasets", "Dataset versions", "data", {"datasets": True}),
)
"""Key, name, and the place with the list of what is counted."""


class HomePage(Page):
    """The first screen, or an overview of the open workspace."""

    place = "home"
    watches = ~Changes.NOTHING

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._stack = QStackedWidget()
        self._states: dict[str, str] | None = None
        self._steps_shown: tuple[presenter.SetupStep, ...] = ()
        self._lines_shown: tuple[presenter.ActivityLine, ...] | None = None
        self._rows: list[QWidget] = []
        self.set_body(self._stack, 0)
        if context.has_workspace:
            self._build()
            if is_demo(context.services.folder):
                self.header.add_left(Chip("Demo", "accent", tooltip="Try anything here; it can be reset."))
                self.header.add_right(action_button(context.actions, "global.demo_reset", text="Reset", kind="flat"))
            context.watch.changed.connect(self._show_runs)
            self._minutes = QTimer(self)
            self._minutes.timeout.connect(self._read_again)
            self._minutes.start(MINUTE_MS)
            context.session.reviewer_changed.connect(self._read_again)
            self.header.add_right(action_button(context.actions, "global.open", text="Open…"))
            self.header.add_right(action_button(context.actions, "global.new", text="New workspace"))
        else:
            self.header.hide()
            self._stack.addWidget(FirstRun(context))
            self._opening = EmptyState(context.theme, "clock", "", "It is checked, and what it holds is counted.")
            self._stack.addWidget(self._opening)
        self._own_keys = OwnKeys(self)
        self._own_keys.keep(self)

    def show_item(self, **what: Any) -> None:
        """Show that the workspace named by ``opening`` is being opened; an empty name shows the first screen again."""
        name = what.get("opening")
        if name is not None and not self.context.has_workspace:
            self._opening.set_title(f"Opening {name}…")
            self._stack.setCurrentIndex(1 if name else 0)

    def on_shown(self) -> None:
        """Read again."""
        self.changed(self.watches)

    def changed(self, _changes: Changes) -> None:
        """Read what Home shows, in the background."""
        if self.context.has_workspace:
            session = self.context.session
            read = partial(self._read, session.reviewer_id, session.reviewer_name)
            self.context.tasks.query(read, self._show, owner=self, key="home")

    def _show_runs(self, runs: list[RunInfo]) -> None:
        """Show how many runs there are, and the one that is going on."""
        states = {run.run_id: run.state for run in runs}
        if self._states not in (None, states):  # one began or ended, perhaps in another process; the log says so too
            self._read_again()
        self._states = states
        live = [run for run in runs if run.live]
        self._tiles["runs"].set_value(presenter.number(len(runs)), f"{len(live)} running" if live else "", "accent")
        self._running.setVisible(bool(live))
        if live:
            status = live[0].status
            self._bar.set_progress(presenter.running_text(live[0]), status.step, status.total_steps, status.eta_s)

    def _watch_run(self) -> None:
        live = self.context.watch.live
        self.context.navigate("runs", **({"run_id": live[0].run_id} if live else {}))

    def _build(self) -> None:
        scroll = ScrollColumn(margin=16, spacing=12, name="Home", widest=self.context.theme.px(1280))
        self._stack.addWidget(scroll)
        column = scroll.column
        column.addWidget(self._next_card())
        column.addLayout(self._tile_row())
        self._kinds = text_label("", "muted", wrap=True)
        self._kinds.hide()
        column.addWidget(self._kinds)
        column.addWidget(self._running_card())
        lower = FlowLayout(spacing=12, row_spacing=12)
        self._steps_card, self._steps = Card("First steps"), QVBoxLayout()
        self._steps.setSpacing(10)
        hide = icon_button(self.context.theme, "close", "Hide the first steps", size=14)
        hide.clicked.connect(self._hide_steps)
        self._steps_card.add_to_head(hide)
        self._steps_card.add(self._steps)
        self._steps_card.column.addStretch(1)
        activity = Card("Recent activity")
        self._lines = QVBoxLayout()
        self._lines.setSpacing(0)
        activity.add(self._lines)
        activity.column.addStretch(1)
        for card, least in ((activity, 28), (self._steps_card, 20)):
            card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
            lower.add(card, least=least)
        column.addLayout(lower)
        column.addStretch(1)

    def _next_card(self) -> QWidget:
        card = Card(margin=16)
        row = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(2)
        self._next_title, self._next_text = text_label("", "section", wrap=True), text_label("", "muted", wrap=True)
        words.addWidget(self._next_title)
        words.addWidget(self._next_text)
        self._stale, relabel = text_label("", "muted", wrap=True), push_button("Relabel stale pairs", "link")
        relabel.clicked.connect(lambda: self.context.navigate("annotate", relabel=True))
        self._relabel = relabel
        words.addWidget(self._stale)
        words.addWidget(relabel, 0, Qt.AlignmentFlag.AlignLeft)
        theme = self.context.theme
        self._next_button = push_button("Continue", "primary", theme=theme, icon="arrow_right", icon_last=True)
        self._next_button.clicked.connect(self._follow_next)
        row.addLayout(words, 1)
        row.addWidget(self._next_button)
        card.add(row)
        self._target = "annotate"
        self.on("home.continue", self._follow_next)
        return card

    def _tile_row(self) -> QLayout:
        row = EvenFlow(spacing=12)
        self._tiles: dict[str, MetricTile] = {}
        for key, name, place, what in (*TILES, ("runs", "Runs", "runs", {})):
            tile = MetricTile(name, theme=self.context.theme)
            tile.set_clickable(True)
            tile.clicked.connect(partial(self.context.navigate, place, **what))
            self._tiles[key] = tile
            row.addWidget(tile)
        return row

    def _running_card(self) -> QWidget:
        self._running = Card("Running")
        watch = push_button("Watch", "link")
        watch.clicked.connect(self._watch_run)
        self._running.add_to_head(watch)
        self._bar = ProgressLine(cancellable=False)
        self._running.add(self._bar)
        self._running.hide()
        return self._running

    def _follow_next(self) -> None:
        self.context.navigate(self._target)

    def _read_again(self) -> None:
        """Read again: for another reviewer, after a minute, or since a run began or ended."""
        if self.isVisible():
            self.changed(self.watches)

    def _read(self, reviewer_id: int | None, name: str) -> presenter.HomeFacts:
        services = self.context.services
        published = services.rubrics.published()
        hidden = services.datasets.hidden_test_items
        gone = services.datasets.pairs_without_consent
        labelled = presenter.LabelledPairs(services.annotation.labelled_pairs(), sealed=hidden(), withdrawn=gone())
        if reviewer_id is not None and published:
            own = services.annotation.labelled_pairs(reviewer_id, published[0].id)
            sealed = hidden(reviewer_id, published[0].id)
            withdrawn = gone(reviewer_id, published[0].id)
            labelled = presenter.LabelledPairs(labelled.people, own, name, sealed, withdrawn)
        info, events = services.workspace.info(), services.workspace.activity(EVENTS)
        stale = sum(summary.stale for summary in services.rubrics.list())
        by_kind = services.workspace.labels_by_kind()
        return presenter.HomeFacts(info, events, bool(published), labelled, stale, by_kind)

    def _show(self, facts: presenter.HomeFacts) -> None:
        info, labelled = facts.info, facts.labelled
        self.header.set_title(short(info.name or info.path.name, 40))
        self.header.set_caption(str(info.path))
        self._show_next(presenter.next_step(info.counts, facts.published, labelled))
        self._stale.setText(presenter.stale_text(facts.stale))
        for widget in (self._stale, self._relabel):
            widget.setVisible(bool(facts.stale))
        self._show_counts(info.counts, labelled, presenter.kinds_text(facts.by_kind))
        self._show_runs(self.context.watch.runs)
        counts = {**info.counts, "runs": max(info.counts.get("runs", 0), len(self.context.watch.runs))}
        self._show_steps(presenter.checklist(counts, facts.published, labelled))
        self._show_lines(presenter.lines_of(facts.events, int(time.time() * 1000)))

    def _show_next(self, step: presenter.NextStep) -> None:
        self._target = step.place
        self._next_title.setText(step.title)
        self._next_text.setText(step.text)
        self._next_button.setText(step.button)
        self._next_button.setAccessibleName(step.button)

    def _show_counts(self, counts: Mapping[str, int], labelled: presenter.LabelledPairs, kinds: str) -> None:
        pairs = counts.get("pairs", 0)
        self._kinds.setText(kinds)
        self._kinds.setVisible(bool(kinds))
        for key, *_ in TILES:
            self._tiles[key].set_value(presenter.number(counts.get(key, 0)))
        if pairs:
            share = f"{100 * labelled.people // pairs} %"
            self._tiles["labelled"].set_value(presenter.number(labelled.people), share, "neutral", kinds)

    def _hide_steps(self) -> None:
        self.context.settings.set_state("home/steps_hidden", True)
        self._steps_card.hide()

    def _show_steps(self, steps: tuple[presenter.SetupStep, ...]) -> None:
        hidden = str(self.context.settings.state("home/steps_hidden", False)).lower() == "true"
        self._steps_card.setVisible(not hidden and not all(step.done for step in steps))
        if steps == self._steps_shown:
            return
        self._steps_shown = steps
        clear_layout(self._steps)
        for step in steps:
            icon, colour = ("check_circle", "ok") if step.done else ("circle", "text3")
            row, words = QHBoxLayout(), QVBoxLayout()
            row.setSpacing(10)
            words.setSpacing(0)
            row.addWidget(IconLabel(self.context.theme, icon, colour, 18), 0, Qt.AlignmentFlag.AlignTop)
            button = push_button(step.title, "link", name=f"{step.title}, {'done' if step.done else 'to do'}")
            button.clicked.connect(lambda _=False, place=step.place: self.context.navigate(place))
            words.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
            words.addWidget(text_label(step.text, "hint", wrap=True))
            row.addLayout(words, 1)
            self._steps.addLayout(row)

    def _show_lines(self, lines: tuple[presenter.ActivityLine, ...]) -> None:
        """List the activity; the keyboard stays on the line that it is on."""
        if lines == self._lines_shown:
            return
        self._lines_shown = lines
        focus = QApplication.focusWidget()
        held = next((n for n, row in enumerate(self._rows) if focus is not None and row in (focus, focus.parent())), -1)
        clear_layout(self._lines)
        self._rows = [self._line(line) for line in lines]
        for row in self._rows:
            self._lines.addWidget(row)
        if not lines:
            self._lines.addWidget(
                text_label("Imports, labels, dataset versions and runs will be listed here.", "muted")
            )
        elif held >= 0:
            row = self._rows[min(held, len(self._rows) - 1)]
            row.show()  # a layout shows it in a later turn, and what is hidden cannot take the keyboard
            row.setFocus()

    def _line(self, line: presenter.ActivityLine) -> QWidget:
        made = Pressable(f"{line.text}, {line.when}")
        made.setProperty("part", "row")
        row = QHBoxLayout(made)
        row.setContentsMargins(6, 4, 6, 4)
        row.setSpacing(10)
        row.addWidget(IconLabel(self.context.theme, line.icon, "text3", 16))
        row.addWidget(text_label(line.text, wrap=True), 1)
        if line.theirs:
            about = f"What {line.reviewer} labelled on that day"
            who = push_button(short(line.reviewer).replace("&", "&&"), "link", name=about)
            who.setToolTip(plain_tip(about))
            who.clicked.connect(lambda _=False: self.context.navigate("data", **line.theirs))
            row.addWidget(who)
            self._own_keys.keep(who)
        elif line.reviewer:
            row.addWidget(ElideLabel(line.reviewer, kind="hint", outside=True))
        row.addWidget(text_label(line.when, "hint"))
        if line.place:
            made.set_clickable(True)
            made.clicked.connect(partial(self.context.navigate, line.place, **line.what))
            self._own_keys.keep(made)
        return made
