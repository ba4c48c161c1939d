"""What ``check`` items can ask of an answer. Needs no workspace."""

from __future__ import annotations

from core.evaluation.constraints import CONSTRAINT_KINDS, ConstraintKind


def constraint_kinds() -> list[ConstraintKind]:
    """Return the kinds of constraints that an item can carry, by name."""
    return [CONSTRAINT_KINDS[kind] for kind in sorted(CONSTRAINT_KINDS)]
