"""Rubrics: versions at the left; a draft as a form, a published version as a text; publishing and comparing."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.context import AppContext
from app.main_window.page import Page
from app.rubrics import presenter
from app.rubrics.editor import RubricEditor
from app.widgets.buttons import action_button, push_button
from app.widgets.containers import Card, side_panel
from app.widgets.labels import Chip, ElideLabel, text_label
from app.widgets.messages import EmptyState
from app.widgets.safe_text import SafeText
from core.domain.changes import Changes
from core.domain.rubric import ChangeLevel, RubricBody, RubricState, RubricVersion, diff
from core.domain.rubric_text import reading_text

_VERSION = Qt.ItemDataRole.UserRole
LEVELS: tuple[tuple[ChangeLevel, str], ...] = (
    (ChangeLevel.MAJOR, "Major: the meaning changed, older labels become stale"),
    (ChangeLevel.MINOR, "Minor: a clarification, older labels stay valid"),
    (ChangeLevel.PATCH, "Patch: wording or a slip of the pen"),
)


class RubricsPage(Page):
    """The rubrics of the workspace."""

    place: ClassVar[str] = "rubrics"
    watches: ClassVar[Changes] = Changes.RUBRICS | Changes.JUDGEMENTS

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._summaries: list[Any] = []
        self._version: RubricVersion | None = None
        self._summary: Any = None
        self._form_of: int | None = None
        self._wanted: int | None = None
        self.tree = QTreeWidget()
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
        self.tree.setHeaderHidden(True)
        self.tree.setAccessibleName("Rubrics and their versions")
        self.tree.setIndentation(14)
        column.addWidget(self.tree, 1)
        right = QWidget()
        body = QVBoxLayout(right)
        body.setContentsMargins(12, 8, 12, 8)
        head = QHBoxLayout()
        self._name, self._state, self._used = text_label("", "title"), Chip(""), ElideLabel("", kind="caption")
        for widget in (self._name, self._state):
            head.addWidget(widget)
        head.addWidget(self._used, 1)
        self._draft_buttons = [
            action_button(actions, "rubrics.discard", text="Discard", kind="flat", theme=theme),
            action_button(actions, "rubrics.save", text="Save", theme=theme),
            action_button(actions, "rubrics.publish", text="Publish…", kind="primary", theme=theme),
        ]
        self._published_buttons = [
            action_button(actions, "rubrics.draft", text="Draft the next version", theme=theme),
            action_button(actions, "rubrics.stale", text="Relabel stale", theme=theme),
        ]
        self._back = push_button("Back to the text", theme=theme, icon="arrow_left")
        self._back.clicked.connect(self._show_version)
        head.addWidget(self._back)
        for button in (*self._published_buttons, *self._draft_buttons):
            head.addWidget(button)
        for button in (self._back, *self._published_buttons, *self._draft_buttons):
            button.hide()
        body.addLayout(head)
        self._forms = QStackedWidget()
        paper = Card(margin=16)
        paper.add(self.reader, 1)
        self._forms.addWidget(paper)
        self._forms.addWidget(self.editor)
        body.addWidget(self._forms, 1)
        split = QSplitter()
        split.addWidget(panel)
        split.addWidget(right)
        split.setStretchFactor(1, 1)
        split.setHandleWidth(1)
        split.setSizes([250, 900])
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

    def _bind(self) -> None:
        self.tree.currentItemChanged.connect(self._choose)
        self.editor.save_wanted.connect(self._save)
        for action_id, handler in {
            "rubrics.new": self._new,
            "rubrics.draft": self._draft,
            "rubrics.save": self._save,
            "rubrics.publish": self._publish,
            "rubrics.discard": self._discard,
            "rubrics.diff": self._diff,
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
        """Save a draft before another page comes."""
        self._save()

    def changed(self, _changes: Changes) -> None:
        """Read the list again, unless a draft is being edited."""
        self._read()

    def show_item(self, **what: Any) -> None:
        """Show the version ``version_id``."""
        self._wanted = what.get("version_id")
        self._read()

    def first_focus(self) -> QWidget:
        """Start in the list."""
        return self.tree

    def _read(self) -> None:
        service = self.context.services.rubrics
        self.context.tasks.query(service.list, self._show_list, owner=self, key="list")

    def _show_list(self, summaries: list[Any]) -> None:
        self._summaries = summaries
        self._stack.setCurrentIndex(1 if summaries else 0)
        wanted = self._wanted or (self._version.id if self._version else None)
        self._wanted = None
        self.tree.blockSignals(True)
        self.tree.clear()
        chosen: QTreeWidgetItem | None = None
        for summary in summaries:
            top = QTreeWidgetItem(self.tree, [summary.name])
            top.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for version in reversed(summary.versions):
                item = QTreeWidgetItem(top, [presenter.version_line(version, summary.labels.get(version.id, 0))])
                item.setData(0, _VERSION, version.id)
                if version.id == wanted or (chosen is None and wanted is None):
                    chosen = item
            top.setExpanded(not summary.imported)
        self.tree.blockSignals(False)
        if chosen is not None:
            self.tree.setCurrentItem(chosen)

    def _choose(self, item: QTreeWidgetItem | None, _before: object = None) -> None:
        key = item.data(0, _VERSION) if item is not None else None
        found = [(s, v) for s in self._summaries for v in s.versions if v.id == key]
        if not found:
            return
        before = self._version
        if before is not None and before.id != key:
            self._save()
        self._summary, self._version = found[0]
        if before is None or before.id != key or before.state is not self._version.state or self._outdated():
            self._show_version()

    def _outdated(self) -> bool:
        """Whether what is shown of the chosen version is not what is stored; a form being filled in never is."""
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
            self.editor.hold()
            self.editor.set_body(version.body)
            self._form_of = version.id
        elif not draft:
            self.reader.set_text(reading_text(version), mode="rendered")

    def _form_is_of(self, version: RubricVersion) -> bool:
        """Whether the form holds unsaved work on this draft, which must stay."""
        return self._form_of == version.id and self.editor.dirty

    def _show_buttons(self, *, draft: bool, published: bool) -> None:
        """Offer what suits a draft, a published version or, with neither, a comparison."""
        summary = self._summary
        for button in self._draft_buttons:
            button.setVisible(draft)
        self._published_buttons[0].setVisible(published and not summary.imported)
        self._published_buttons[1].setVisible(published and summary.stale > 0)
        self._back.setVisible(not draft and not published)

    # Acting

    def _new(self) -> None:
        self.context.tasks.query(self.context.services.rubrics.templates, self._start, owner=self, key="templates")

    def _start(self, templates: list[Any]) -> None:
        service, dialogs = self.context.services.rubrics, self.context.dialogs
        place = dialogs.choose("New rubric", "Start from", [*(t.name for t in templates), "An empty rubric"])
        if place is None:
            return
        body = templates[place].body if place < len(templates) else presenter.EMPTY_BODY
        suggestion = templates[place].name if place < len(templates) else "My rubric"
        if name := dialogs.text("New rubric", "Name", suggestion):
            self._mutate(lambda: service.create(name, body), show=True)

    def _draft(self) -> None:
        if (version := self._version) is not None:
            service = self.context.services.rubrics
            self._mutate(lambda: service.new_draft(version.rubric_id, version.id), show=True)

    def _save(self) -> None:
        version = self._version
        if version is None or version.state is not RubricState.DRAFT or not self.editor.dirty:
            return
        before, body, service = self.editor.saved, self.editor.body(), self.context.services.rubrics
        self.editor.hold()
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
        self.editor.hold()
        dialogs, service, body = self.context.dialogs, self.context.services.rubrics, self.editor.body()
        place, note = 0, "First version."
        if version.based_on is not None:
            chosen = dialogs.choose("Publish", "How much does it change?", [words for _, words in LEVELS])
            if chosen is None:
                return
            place = chosen
            written = dialogs.text("Publish", "What changed, and why?", "")
            if not written:
                if written is not None:
                    self.context.notices.post("Not published: a change needs a note that says what changed.", "warn")
                return
            note = written
        elif not dialogs.confirm(
            "Publish this version?", "From then on it never changes; edits make a new version.", "Publish"
        ):
            return

        def work() -> Any:
            service.save_draft(version.id, body)
            return service.publish(version.id, LEVELS[place][0], note)

        self._mutate(work, show=True)

    def _discard(self) -> None:
        version = self._version
        text = "The draft is gone for good. Published versions stay."
        if version is not None and self.context.dialogs.confirm("Discard the draft?", text, "Discard"):
            service = self.context.services.rubrics
            self.editor.hold()
            self._version = None
            self._mutate(lambda: service.discard_draft(version.id))

    def _diff(self) -> None:
        version = self._version
        others = [v for s in self._summaries for v in s.versions if version and v.rubric_id == version.rubric_id]
        others = [v for v in others if version and v.id != version.id]
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
        """Return a version's body; of the draft in the form, what is written there now."""
        shown = self._version is not None and self._version.id == version.id
        return self.editor.body() if shown and version.state is RubricState.DRAFT else version.body

    def _import(self) -> None:
        path = self.context.dialogs.open_file("Read a rubric from YAML", "YAML (*.yaml *.yml)")
        if path is not None:
            service = self.context.services.rubrics

            def work() -> Any:
                name, body = service.from_yaml(path)
                return service.create(name, body)

            self._mutate(work, show=True)

    def _export(self) -> None:
        if (version := self._version) is None:
            return
        name = f"{version.rubric_name}-{version.number}.yaml".replace("/", "_").replace(" ", "-")
        path = self.context.dialogs.save_file("Write the rubric to YAML", name, "YAML (*.yaml)")
        if path is not None:
            service = self.context.services.rubrics
            done = lambda _: self.context.notices.post(f"Written to {path}", "ok")  # noqa: E731
            self.context.tasks.query(lambda: service.to_yaml(version.id, path), done, owner=self)

    def _mutate(self, work: Any, *, show: bool = False, failed: Any = None) -> None:
        def done(outcome: Any) -> None:
            if show and outcome.value is not None:
                self._wanted = outcome.value.id
            self._read()

        self.context.ops.mutate(work, done, failed, owner=self, initiator=self)

    def can_leave(self) -> bool:
        """Save a draft before the window closes."""
        self._save()
        return True
