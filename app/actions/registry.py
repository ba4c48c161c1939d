"""The live actions: one QAction for each row of the catalog, enabled only in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QKeySequence
from PySide6.QtWidgets import QWidget

from app.actions.catalog import CATALOG
from app.actions.physical_keys import sequence_of
from app.actions.shortcuts import effective_keys
from app.actions.spec import EVERYWHERE, ActionSpec
from app.settings.store import Settings
from app.theme.icons import Icons

Handler = Callable[..., object]


class ActionRegistry(QObject):
    """Makes the actions, binds handlers to them, and enables those of the current place.

    ``keys_changed`` fires after shortcuts were edited.

    Attributes:
        latin_layout: whether the keyboard's layout has Latin letters, as far as its keys have told.
    """

    triggered = Signal(str)
    keys_changed = Signal()

    def __init__(self, settings: Settings, icons: Icons, catalog: Iterable[ActionSpec] = CATALOG) -> None:
        super().__init__()
        self._settings, self._icons = settings, icons
        self.specs: dict[str, ActionSpec] = {spec.id: spec for spec in catalog}
        self._places = {spec.id: spec.place for spec in self.specs.values()}
        self._enabled: set[str] = set()
        self._handlers: dict[str, Handler] = {}
        self._off: set[str] = set()
        self._why: dict[str, str] = {}
        self._only: frozenset[str] | None = None
        self.latin_layout = True
        self._printed: dict[str, str] = {}
        self._place = ""
        shortcuts = settings.shortcuts
        self._actions = {spec.id: self._make(spec, shortcuts) for spec in self.specs.values()}

    def install(self, window: QWidget) -> None:
        """Make the shortcuts work in ``window``."""
        window.addActions(list(self._actions.values()))

    def action(self, action_id: str) -> QAction:
        """Return the QAction of a row, for buttons and menus; its icon is drawn when it is first asked for.

        Raises:
            KeyError: when the catalog has no such row.
        """
        action, spec = self._actions[action_id], self.specs[action_id]
        if spec.icon and action.icon().isNull():
            action.setIcon(self._icons.icon(spec.icon))
        return action

    def icon_beside_words(self, action_id: str) -> QIcon:
        """Return the icon of a row for a button with words at its right."""
        return self._icons.icon(self.specs[action_id].icon, room="right")

    def bind(self, action_id: str, handler: Handler) -> None:
        """Give an action its handler; a checkable one is called with its new state."""
        if action_id not in self.specs:
            raise KeyError(action_id)
        self._handlers[action_id] = handler
        self._refresh(action_id)

    def unbind_places(self) -> None:
        """Forget the handlers of all pages (they are about to be deleted)."""
        for action_id in [i for i in self._handlers if self._places[i] != EVERYWHERE]:
            del self._handlers[action_id]
            self._refresh(action_id)

    @property
    def place(self) -> str:
        """Whose actions are enabled beside the global ones."""
        return self._place

    def set_place(self, place: str) -> None:
        """Enable the actions of one place, beside the global ones."""
        self._place = place
        for action_id in self.specs:
            self._refresh(action_id)

    def set_enabled(self, action_id: str, enabled: bool, why: str = "") -> None:
        """Disable or enable one action; to be enabled it also needs a handler and its place.

        ``why`` it is disabled stands in the tooltip of everything that shows the action until it is enabled.
        """
        (self._off.discard if enabled else self._off.add)(action_id)
        reason = "" if enabled else why
        if reason != self._why.get(action_id, ""):
            self._why[action_id] = reason
            self._show_tip(self.specs[action_id], self._actions[action_id], self.keys(action_id))
        self._refresh(action_id)

    def why_not(self, action_id: str) -> str:
        """Return why an action is disabled, as far as :meth:`set_enabled` was told; else an empty text."""
        return self._why.get(action_id, "")

    def allow_only(self, action_ids: Iterable[str] | None) -> None:
        """Disable every action of the place but these, while something covers the page; None allows all again."""
        self._only = None if action_ids is None else frozenset(action_ids)
        for action_id in self.specs:
            self._refresh(action_id)

    def set_checked(self, action_id: str, checked: bool) -> None:
        """Show a checkable action as on or off without running it."""
        action = self._actions[action_id]
        blocker = QSignalBlocker(action)
        action.setChecked(checked)
        blocker.unblock()
        action.changed.emit()

    def keys(self, action_id: str) -> tuple[str, ...]:
        """Return the current keys of an action, in portable form."""
        return effective_keys(self.specs[action_id], self._settings.shortcuts)

    def key_text(self, action_id: str) -> str:
        """Return the first shortcut as it is printed on buttons, or an empty text."""
        keys = self.printed_keys(action_id)
        return keys[0] if keys else ""

    def printed_keys(self, action_id: str) -> list[str]:
        """Return all shortcuts of an action as the keyboard prints them, each text once."""
        return self._printed_as(self.keys(action_id))

    def press(self, sign: str, modifiers: Qt.KeyboardModifier, *, printed: str = "", repeated: bool = False) -> bool:
        """Run the enabled action whose keys are meant by another key at the same place; return whether there is one.

        Args:
            sign: the letter, digit or bracket that is meant.
            modifiers: held with the key.
            printed: what the keyboard's layout has there; shortcuts are printed so from now on.
            repeated: whether the key is held down.
        """
        sequence = sequence_of(sign, modifiers)
        found = (a for a in self._actions.values() if a.isEnabled() and sequence in a.shortcuts())
        if (action := next(found, None)) is None:
            return False
        self._learn(sign, printed)
        if action.autoRepeat() or not repeated:
            action.trigger()
        return True

    def available(self) -> list[ActionSpec]:
        """Return the actions that the palette offers: enabled ones, those of the current place first."""
        offered = [spec for spec in self.specs.values() if spec.palette and self._actions[spec.id].isEnabled()]
        return sorted(offered, key=lambda spec: spec.place == EVERYWHERE)

    def elsewhere(self) -> list[ActionSpec]:
        """Return the actions of the palette that belong to another place than the current one."""
        here = (EVERYWHERE, self._place)
        return [spec for spec in self.specs.values() if spec.palette and self._places[spec.id] not in here]

    def run(self, action_id: str) -> None:
        """Trigger an action; does nothing while it is disabled."""
        self._actions[action_id].trigger()

    def reload_keys(self) -> None:
        """Apply the shortcuts of the settings again."""
        shortcuts = self._settings.shortcuts
        for spec in self.specs.values():
            self._apply_keys(spec, self._actions[spec.id], shortcuts)
        self.keys_changed.emit()

    def _learn(self, sign: str, printed: str) -> None:
        """Print a key from now on as the layout does. A digit that needs Shift is printed on its key all the same."""
        shown = printed.upper()
        if sign.isdigit() or not shown.isprintable() or len(shown) != 1 or self._printed.get(sign) == shown:
            return
        self._printed[sign] = shown
        self.reload_keys()

    def _printed_as(self, all_keys: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(map(self._print, all_keys)))

    def _print(self, keys: str) -> str:
        head, plus, last = keys.rpartition("+") if not keys.endswith("+") else ("", "", keys)
        return pretty_keys(f"{head}{plus}") + self._printed[last] if last in self._printed else pretty_keys(keys)

    def _make(self, spec: ActionSpec, shortcuts: Mapping[str, str]) -> QAction:
        action = QAction(spec.title, self)
        action.setObjectName(spec.id)
        if spec.checkable:
            action.setCheckable(True)
        if not spec.repeats:
            action.setAutoRepeat(False)
        action.setMenuRole(QAction.MenuRole.NoRole)
        self._apply_keys(spec, action, shortcuts)
        action.setEnabled(False)
        action.triggered.connect(lambda checked=False, name=spec.id: self._run(name, checked))
        return action

    def _apply_keys(self, spec: ActionSpec, action: QAction, shortcuts: Mapping[str, str]) -> None:
        keys = effective_keys(spec, shortcuts)
        if keys or action.shortcuts():
            action.setShortcuts([QKeySequence.fromString(k, QKeySequence.SequenceFormat.PortableText) for k in keys])
        self._show_tip(spec, action, keys)

    def _show_tip(self, spec: ActionSpec, action: QAction, keys: Iterable[str]) -> None:
        why = self._why.get(spec.id, "")
        action.setToolTip(tooltip_of(spec, self._printed_as(keys)) + (f"\nNot now: {why}" if why else ""))

    def _run(self, action_id: str, checked: bool) -> None:
        handler = self._handlers.get(action_id)
        if handler is None:
            return
        self.triggered.emit(action_id)
        if self.specs[action_id].checkable:
            handler(checked)
        else:
            handler()

    def _refresh(self, action_id: str) -> None:
        everywhere = self._places[action_id] == EVERYWHERE
        here = everywhere or self._places[action_id] == self._place
        here = here and (self._only is None or everywhere or action_id in self._only)
        enabled = here and action_id in self._handlers and action_id not in self._off
        if enabled is not (action_id in self._enabled):
            (self._enabled.add if enabled else self._enabled.discard)(action_id)
            self._actions[action_id].setEnabled(enabled)


@cache
def pretty_keys(keys: str) -> str:
    """Return keys as they are printed: "Ctrl+K", "⏎" for Return."""
    text = QKeySequence.fromString(keys, QKeySequence.SequenceFormat.PortableText).toString(
        QKeySequence.SequenceFormat.NativeText
    )
    return text.replace("Return", "⏎").replace("Enter", "⏎").replace("Escape", "Esc")


def tooltip_of(spec: ActionSpec, keys: Iterable[str]) -> str:
    """Return the tooltip: title, sentence, keys as they are printed. Plain text."""
    shown = " or ".join(keys)
    head = spec.title.rstrip("…") + (f" ({shown})" if shown else "")
    return f"{head}\n{spec.tooltip}" if spec.tooltip else head
