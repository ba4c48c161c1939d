"""Which keys an action has, and which actions clash: pure functions over the catalog's rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.actions.spec import EVERYWHERE, ActionSpec


@dataclass(frozen=True, slots=True)
class Clash:
    """Two actions of one place that have the same keys."""

    keys: str
    first: str
    second: str


def effective_keys(spec: ActionSpec, overrides: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of an action after the user's changes; an empty override means none."""
    if spec.id not in overrides:
        return spec.keys
    return tuple(part.strip() for part in overrides[spec.id].split("; ") if part.strip())


def overlap(a: ActionSpec, b: ActionSpec) -> bool:
    """Whether two actions can be enabled at once."""
    return a.place == b.place or EVERYWHERE in (a.place, b.place)


def find_clashes(specs: Iterable[ActionSpec], overrides: Mapping[str, str] | None = None) -> list[Clash]:
    """Return every pair of actions that share keys in one place."""
    owners: dict[str, list[ActionSpec]] = {}
    clashes = []
    for spec in specs:
        for keys in effective_keys(spec, overrides or {}):
            folded = keys.lower()
            clashes += [Clash(keys, other.id, spec.id) for other in owners.get(folded, ()) if overlap(other, spec)]
            owners.setdefault(folded, []).append(spec)
    return clashes


def clashes_of(action_id: str, keys: str, specs: Iterable[ActionSpec], overrides: Mapping[str, str]) -> list[str]:
    """Return the ids of actions that would clash if ``action_id`` had ``keys``."""
    found = find_clashes(specs, {**overrides, action_id: keys})
    return [c.second if c.first == action_id else c.first for c in found if action_id in (c.first, c.second)]
