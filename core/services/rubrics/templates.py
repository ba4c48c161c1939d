"""Rubrics to start from. Needs no workspace."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.rubric import RubricBody
from core.paths import resources_dir
from core.services.rubrics import yaml_format


@dataclass(frozen=True, slots=True)
class RubricTemplate:
    """A rubric to start from; ``key`` is the name of its file."""

    key: str
    name: str
    body: RubricBody


def templates() -> list[RubricTemplate]:
    """Return the rubrics to start from, by name."""
    paths = sorted((resources_dir() / "rubric_templates").glob("*.yaml"))
    return [RubricTemplate(path.stem, *yaml_format.read(path)) for path in paths]
