"""Rubrics: versions at the left; a draft as a form, a published version as a text; publishing and comparing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtWidgets import QLayout, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.main_window.page import Page
from app.rubrics import presenter
from app.rubrics.editor import RubricEditor
from app.rubrics.questions import ask_for_requests, ask_new_rubric, ask_publication, effects_of
from app.rubrics.version_tree import VersionTree
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, side_panel
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.messages import EmptyState
from app.widgets.safe_text import SafeText
from core.domain.changes import Changes, Outcome
from core.domain.rubric import RubricBody, RubricState, RubricVersion, diff
from core.domain.rubric_meaning import PublishEffect
from core.domain.rubric_text import reading_text

if TYPE_CHECKING:
    from core.services.rubrics.service import RubricSummary
    from core.services.rubrics.templates import RubricTemplate


class RubricsPage(Page):
    """The rubrics of the workspace."""

    place: ClassVar[str] = "rubrics"
    watches: ClassVar[Changes] = Changes.RUBRICS | Changes.JUDGEMENTS

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._version: RubricVersion | None = None
        self._summary: RubricSummary | None = None
        self._form_of: int | None = None
        self._wanted: int | None = None
        self._wanted_rubric: int | None = None
        self.tree = VersionTree()
        self.editor = RubricEditor(context.theme)
        self.reader = SafeText(context.theme, "Published rubric version")
        self._build()
        self._bind()

    def _build(self) -> None:
        actions, theme = self.context.actions, self.context.theme
        for action_id in ("rubrics.import", "rubrics.export", "rubrics.diff"):
            self.header.add_right(action_button(actions, action_id, icon_only=True))
        self.header.add_right(action_button(actions, "rubrics.new", text="New rubric", kind="primary", theme=theme))
        panel, column = side_panel(250, "list")
        column.addWidget(self.tree, 1)
        split = FoldingSplit((panel, self._version_panel()), (250, 900), heights=(120, 350), least=(15, 26), grows=1)
        split.setHandleWidth(1)
        empty = EmptyState(
            theme,
            "rubrics",
            "No rubric yet",
            "A rubric says what better means. Publish one, then label pairs under it.",
            main=("New rubric from a template", lambda: actions.run("rubrics.new")),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(split)
        self.set_body(self._stack, margin=0)

    def _version_panel(self) -> QWidget:
        """Return the part at the right: name and buttons of the chosen version, below them its form or its text."""
        right = QWidget()
        body = QVBoxLayout(right)
        body.setContentsMargins(12, 8, 12, 8)
        body.addLayout(self._version_head())
        paper = Card(margin=16)
        paper.add(self.reader, 1)
        self._forms = QStackedWidget()
        self._forms.addWidget(paper)
        self._forms.addWidget(self.editor)
        body.addWidget(self._forms, 1)
        return right

    def _version_head(self) -> QLayout:
        actions, theme = self.context.actions, self.context.theme
        head = FlowLayout(row_spacing=4)
        self._name, self._state = ElideLabel("", kind="title", outside=True), Chip("")
        self._used = text_label("", "caption")
        for label in (self._name, self._state, self._used):
            head.addWidget(label)
        head.add_gap()
        self._draft_buttons = [
            action_button(actions, "rubrics.discard", text="Discard", kind="flat", theme=theme),
            action_button(actions, "rubrics.save", text="Save", theme=theme),
            action_button(actions, "rubrics.publish", text="Publish…", kind="primary", theme=theme),
        ]
        self._next_button = action_button(actions, "rubrics.draft", text="Draft the next version", theme=theme)
        self._stale_button = action_button(actions, "rubrics.stale", text="Relabel stale", theme=theme)
        self._back = push_button("Back to the text", theme=theme, icon="arrow_left")
        self._back.clicked.connect(self._show_version)
        for button in (self._back, self._next_button, self._stale_button, *self._draft_buttons):
            head.addWidget(button)
            button.hide()
        return head

    def _bind(self) -> None:
        self.tree.chosen.connect(self._take_version)
        self.editor.save_requested.connect(self._save)
        for action_id, handler in {
            "rubrics.new": self._new,
            "rubrics.draft": self._draft,
            "rubrics.save": self._save,
            "rubrics.publish": self._publish,
            "rubrics.discard": self._discard,
            "rubrics.diff": self._compare,
            "rubrics.add_criterion": self.editor.add_criterion,
            "rubrics.import": self._import,
            "rubrics.export": self._export,
            "rubrics.stale": lambda: self.context.navigate("annotate", relabel=True),
        }.items():
            self.on(action_id, handler)

    def on_shown(self) -> None:
        """Read the list."""
        self._read()

    def on_hidden(self) -> None:
        """Save the draft."""
        self._save()

    def changed(self, _changes: Changes) -> None:
        """Read the list again; a draft in the form keeps what was written."""
        self._read()

    def show_item(self, **what: Any) -> None:
        """Show the version ``version_id``, or the newest one of the rubric ``rubric_id``."""
        self._wanted, self._wanted_rubric = what.get("version_id"), what.get("rubric_id")
        self._read()

    def first_focus(self) -> QWidget:
        """Start in the list."""
        return self.tree

    def can_leave(self) -> bool:
        """Save the draft before the window closes."""
        self._save()
        return True

    def _read(self) -> None:
        service = self.context.services.rubrics
        self.context.tasks.query(service.list, self._show_list, owner=self, key="list")

    def _show_list(self, summaries: list[RubricSummary]) -> None:
        self._stack.setCurrentIndex(1 if summaries else 0)
        newest = [s.versions[-1].id for s in summaries if s.id == self._wanted_rubric and s.versions]
        current = self._version.id if self._version else None
        self.tree.show_summaries(summaries, self._wanted or next(iter(newest), current))
        self._wanted = self._wanted_rubric = None

    def _take_version(self, summary: RubricSummary, version: RubricVersion) -> None:
        before = self._version
        if before is not None and before.id != version.id:
            self._save()
        self._summary, self._version = summary, version
        if before is None or before.id != version.id or before.state is not version.state or self._outdated():
            self._show_version()

    def _outdated(self) -> bool:
        """Whether the text or form differs from what is stored; a form with unsaved changes is left alone."""
        if self._back.isVisible() or self._version is None:
            return False
        if self._version.state is RubricState.PUBLISHED:
            return True
        return not self.editor.dirty and self.editor.saved != self._version.body

    def _show_version(self) -> None:
        """Show the chosen version: a draft as a form, a published one as a text."""
        summary, version = self._summary, self._version
        if summary is None or version is None:
            return
        draft = version.state is RubricState.DRAFT
        self._name.setText(version.title)
        self._state.set_chip("draft" if draft else "published", "warn" if draft else "ok")
        unused = "Pairs are labelled under it once it is published."
        self._used.setText(unused if draft else presenter.usage_text(summary, version))
        self._show_buttons(draft=draft, published=not draft)
        self._forms.setCurrentIndex(1 if draft else 0)
        if draft and not self._form_is_of(version):
            self.editor.cancel_save()
            self.editor.set_body(version.body)
            self._form_of = version.id
        elif not draft:
            self.reader.set_text(reading_text(version), mode="rendered")

    def _form_is_of(self, version: RubricVersion) -> bool:
        """Whether the form holds unsaved work on this draft, which must stay."""
        return self._form_of == version.id and self.editor.dirty

    def _show_buttons(self, *, draft: bool, published: bool) -> None:
        """Show the buttons of a draft, of a published version or, with neither, of a comparison."""
        summary = self._summary
        for button in self._draft_buttons:
            button.setVisible(draft)
        self._next_button.setVisible(published and summary is not None and not summary.imported)
        self._stale_button.setVisible(published and summary is not None and summary.stale > 0)
        self._back.setVisible(not draft and not published)

    # Acting

    def _new(self) -> None:
        self.context.tasks.query(self.context.services.rubrics.templates, self._create, owner=self, key="templates")

    def _create(self, templates: list[RubricTemplate]) -> None:
        service = self.context.services.rubrics
        if answer := ask_new_rubric(self.context.dialogs, templates):
            self._mutate(partial(service.create, *answer), show=True)

    def _draft(self) -> None:
        version, summary = self._version, self._summary
        if version is None or summary is None:
            return
        service = self.context.services.rubrics
        take = ask_for_requests(self.context.dialogs, summary) if summary.requests else False
        if take:
            self._mutate(lambda: service.draft_of_requests(version.rubric_id), show=True)
        elif take is not None:
            self._mutate(lambda: service.new_draft(version.rubric_id, version.id), show=True)

    def _save(self) -> None:
        version = self._version
        if version is None or version.state is not RubricState.DRAFT or not self.editor.dirty:
            return
        before, body, service = self.editor.saved, self.editor.body(), self.context.services.rubrics
        self.editor.cancel_save()
        self.editor.mark_saved(body)

        def failed(error: Exception) -> None:
            if before is not None and self._version is not None and self._version.id == version.id:
                self.editor.mark_saved(before)
            self.context.tasks.unhandled.emit(error)

        self._mutate(lambda: service.save_draft(version.id, body), failed=failed)

    def _publish(self) -> None:
        version = self._version
        if version is None or version.state is not RubricState.DRAFT:
            return
        self.editor.cancel_save()
        service, body = self.context.services.rubrics, self.editor.body()
        if self.editor.reveal_problem():
            return
        if same := presenter.same_as(body, self.tree.others(version)):
            self.context.notices.post(f"The draft says the same as {same}; there is nothing to publish.", "warn")
            return
        read = partial(effects_of, service, version, body)
        self.context.tasks.query(read, partial(self._ask_publication, version, body), owner=self, key="effects")

    def _ask_publication(self, version: RubricVersion, body: RubricBody, effects: list[PublishEffect]) -> None:
        """Tell what publishing does to labels and dataset versions, ask for level and note, and publish."""
        if self._version is None or self._version.id != version.id:
            return
        service = self.context.services.rubrics
        answer = ask_publication(self.context.dialogs, self.context.notices, version, effects)
        if answer is not None:

            def work() -> Outcome[RubricVersion]:
                service.save_draft(version.id, body)
                return service.publish(version.id, *answer)

            self._mutate(work, show=True)

    def _discard(self) -> None:
        version = self._version
        text = "The draft is gone for good. Published versions stay."
        if version is not None and self.context.dialogs.confirm("Discard the draft?", text, "Discard"):
            service = self.context.services.rubrics
            self.editor.cancel_save()
            self._version = None
            self._mutate(lambda: service.discard_draft(version.id))

    def _compare(self) -> None:
        version = self._version
        others = self.tree.others(version) if version is not None else []
        if version is None or not others:
            self.context.notices.post("There is no other version to compare with.")
            return
        place = self.context.dialogs.choose("Compare", f"Compare {version.number} with", [v.number for v in others])
        if place is not None:
            old, new = sorted((others[place], version), key=lambda v: v.id)
            changes = diff(self._body_of(old), self._body_of(new))
            self.reader.set_text(presenter.diff_text(changes, old.title, new.title), mode="rendered")
            self._forms.setCurrentIndex(0)
            self._show_buttons(draft=False, published=False)

    def _body_of(self, version: RubricVersion) -> RubricBody:
        """Return a version's body; of the draft in the form, what the form says."""
        in_form = self._version is not None and self._version.id == version.id
        return self.editor.body() if in_form and version.state is RubricState.DRAFT else version.body

    def _import(self) -> None:
        path = self.context.dialogs.open_file("Read a rubric from YAML", "YAML (*.yaml *.yml)")
        if path is not None:
            service = self.context.services.rubrics

            def work() -> Outcome[RubricVersion]:
                return service.create(*service.from_yaml(path))

            self._mutate(work, show=True)

    def _export(self) -> None:
        if (version := self._version) is None:
            return
        name = f"{version.rubric_name}-{version.number}.yaml".replace("/", "_").replace(" ", "-")
        path = self.context.dialogs.save_file("Write the rubric to YAML", name, "YAML (*.yaml)")
        if path is not None:
            service = self.context.services.rubrics
            write = partial(service.to_yaml, version.id, path, replace=True)
            self.context.tasks.query(write, partial(self._report_export, path), owner=self)

    def _report_export(self, path: Path, _result: object) -> None:
        self.context.notices.post(f"Written to {path}", "ok")

    def _mutate(
        self,
        work: Callable[[], Outcome[Any]],
        *,
        show: bool = False,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Change the workspace in the background and read the list again; ``show`` chooses the version returned."""

        def done(outcome: Outcome[Any]) -> None:
            if show and outcome.value is not None:
                self._wanted = outcome.value.id
            self._read()

        self.context.ops.mutate(work, done, failed, owner=self, initiator=self)
