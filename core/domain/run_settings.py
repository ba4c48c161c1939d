"""How a setting of a run is declared: default, label, hint, limits and its part in the fingerprint, in one place.

A settings class (:class:`core.domain.run_config.RunConfig`) declares each field through a :class:`SettingGroup`.
:func:`settings_of` reads the declarations back and refuses an incomplete one with a sentence. The form of the
window, the table of the command line, the checks of values and the fingerprint all follow from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Literal, TypeVar, cast, get_args, get_type_hints

from core.domain.choices import choice_hint
from core.domain.errors import UsageError
from core.domain.other_names import OTHER_NAMES

T = TypeVar("T", bool, int, float, str)
FingerprintRole = Literal["always", "when_changed", "never"]
ALWAYS: FingerprintRole = "always"
"""The setting changes the objective and is in every fingerprint: only for the settings of the first version."""
WHEN_CHANGED: FingerprintRole = "when_changed"
"""The setting changes the objective, and its default means what runs did before it existed: for every newer one."""
NEVER: FingerprintRole = "never"
"""The setting only changes speed, cadence or place."""
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_KEY = "setting"


@dataclass(frozen=True, slots=True)
class RunSetting:
    """One setting of a run.

    Attributes:
        name: its key in ``run.json`` and after ``--set``.
        default: its value unless it is set; the default's type is the setting's type.
        label: what the form calls it.
        hint: one sentence: what it does, its usual range.
        group: title of its part of the form.
        fingerprint: whether the value is part of the run's fingerprint.
        choices: the values it can take; empty when any value within ``bounds`` will do.
        bounds: lowest and highest value, both allowed; None for no limit.
        only_with: the setting that turns this one on; the fingerprint of a WHEN_CHANGED setting follows that one.
    """

    name: str
    default: Any
    label: str
    hint: str
    group: str
    fingerprint: FingerprintRole
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    only_with: str = ""

    def read(self, value: Any) -> Any:
        """Return ``value`` as the setting's type; strings are parsed.

        Raises:
            UsageError: when it cannot be read as this type.
        """
        kind = type(self.default)
        try:
            if kind is bool and isinstance(value, str):
                return _BOOLEANS[value.lower()]
            if kind is int and isinstance(value, float) and not value.is_integer():
                raise ValueError
            return kind(value)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise UsageError(f"{self.name} cannot be {value!r}.", f"It must be a {kind.__name__}.") from error

    def check(self, value: Any) -> None:
        """Refuse a value that is not one of the choices, not a finite number, or out of bounds.

        Raises:
            UsageError: naming the setting and what it can be.
        """
        self.check_kind(value)
        if self.bounds is not None and not self.bounds[0] <= value <= self.bounds[1]:
            low, high = self.bounds
            raise UsageError(f"{self.name} cannot be {value}.", f"It must lie between {low} and {high}.")

    def check_kind(self, value: Any) -> None:
        """Refuse a value that is not one of the choices, or not a finite number.

        Raises:
            UsageError: naming the setting and what it can be.
        """
        if self.choices and value not in self.choices:
            raise UsageError(f"{self.name} cannot be {value!r}.", choice_hint(value, self.choices))
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{self.name} cannot be {value}.", "It must be a finite number.")

    def problem_of(self, value: Any) -> str:
        """Return in a sentence for the form why ``value`` cannot be, "" when it can.

        >>> RunSetting("lr", 1e-5, "Learning rate", "", "", NEVER, bounds=(0.0, 1.0)).problem_of("2")
        'This must lie between 0 and 1.'
        """
        try:
            read = self.read(value)
        except UsageError:
            kind = {bool: "yes or no", int: "a whole number", float: "a number"}.get(type(self.default), "a text")
            return f"This must be {kind}." if str(value).strip() else f"This is empty; it must be {kind}."
        try:
            self.check(read)
        except UsageError as error:
            low, high = self.bounds or (0, 0)
            bounds = f"This must lie between {low:g} and {high:g}."
            return bounds if self.bounds is not None and math.isfinite(read) else error.hint
        return ""

    @property
    def values_text(self) -> str:
        """The values it can take, for a table: the choices, or type and bounds."""
        if self.choices:
            return " | ".join(self.choices)
        kind = {bool: "yes | no", int: "whole number", float: "number", str: "text"}[type(self.default)]
        return kind if self.bounds is None else f"{kind}, {self.bounds[0]:g} to {self.bounds[1]:g}"


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """A part of the form. Call it to declare a setting of this group as a dataclass field."""

    title: str

    def __call__(
        self,
        default: T,
        fingerprint: FingerprintRole,
        label: str,
        hint: str,
        *,
        choices: tuple[str, ...] = (),
        bounds: tuple[float, float] | None = None,
        only_with: str = "",
    ) -> T:
        """Declare a setting; see :class:`RunSetting`. The result is a dataclass field with this default."""
        declared = RunSetting("", default, label, hint, self.title, fingerprint, choices, bounds, only_with)
        return cast(T, field(default=default, metadata={_KEY: declared}))


def settings_of(cls: type) -> dict[str, RunSetting]:
    """Return the settings of a settings class by name, in the order of their declaration.

    Raises:
        TypeError: for a field that is not declared as a setting, or whose declaration is incomplete.
    """
    kinds = get_type_hints(cls)
    found: dict[str, RunSetting] = {}
    for one in fields(cls):
        if _KEY not in one.metadata:
            raise TypeError(
                f"{cls.__name__}.{one.name} is not declared as a setting. "
                "Write it as: name: type = group(default, fingerprint, label, hint, ...)."
            )
        found[one.name] = replace(one.metadata[_KEY], name=one.name)
    labels: dict[str, str] = {}
    for name, setting in found.items():
        problem = _problem(setting, kinds[name], found)
        if not problem and labels.setdefault(setting.label, name) != name:
            problem = f"has the label {setting.label!r}, which {labels[setting.label]} has too"
        if problem:
            raise TypeError(f"The setting {cls.__name__}.{name} {problem}.")
    return found


def _problem(setting: RunSetting, kind: type, others: Mapping[str, RunSetting]) -> str:
    if type(setting.default) is not kind or setting.default is MISSING:
        return f"is a {kind.__name__}, and its default {setting.default!r} is not"
    if setting.fingerprint not in get_args(FingerprintRole):
        return f"needs a fingerprint role: one of {', '.join(get_args(FingerprintRole))}"
    if not setting.label.strip():
        return "needs a label for the form"
    if not setting.hint.strip().endswith("."):
        return "needs a hint: one sentence that says what it does"
    if setting.only_with and setting.only_with not in others:
        return f"goes with {setting.only_with!r}, which is no setting"
    try:
        setting.check(setting.default)
    except UsageError as error:
        return f"has a default that its limits refuse ({error})"
    return ""


def current_names(
    values: Mapping[str, Any], settings: Mapping[str, RunSetting], renamed: Mapping[str, str]
) -> dict[str, Any]:
    """Return ``values`` under the names that settings have today.

    Args:
        values: by name, as a user or a stored run wrote them.
        settings: the settings there are.
        renamed: old name -> the name of today.

    Raises:
        UsageError: for an unknown name, or a setting given under its old and its new name.
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = renamed.get(key, key)
        if name not in settings:
            raise UsageError(f"Unknown run setting {key!r}.", _meant(key, settings))
        if name in found:
            raise UsageError(f"{name} is given twice, once under its old name.", f"Leave one of the two {name} out.")
        found[name] = value
    return found


def _meant(key: str, settings: Mapping[str, RunSetting]) -> str:
    """Return which setting an unknown name means: by the name that another program has for it, or by its letters."""
    known = OTHER_NAMES.get(key.casefold().replace("-", "_"), "")
    return f"Did you mean {known}?" if known in settings else choice_hint(key, settings, "The settings are")


def fingerprint_values(plain: Mapping[str, Any], settings: Mapping[str, RunSetting]) -> dict[str, Any]:
    """Return the part of a config's plain values that its fingerprint is made of.

    A WHEN_CHANGED setting is left out at its default, so that a run made before the setting existed keeps its
    fingerprint.
    """
    return {name: plain[name] for name, setting in settings.items() if _is_in(setting, plain, settings)}


def _is_in(setting: RunSetting, plain: Mapping[str, Any], settings: Mapping[str, RunSetting]) -> bool:
    if setting.fingerprint != WHEN_CHANGED:
        return setting.fingerprint == ALWAYS
    switch = settings[setting.only_with or setting.name]
    return bool(plain[switch.name] != switch.default)
