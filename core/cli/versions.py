"""Rubric versions that a command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain.errors import NotFound

if TYPE_CHECKING:
    from core.services.application import Application


def published_version(app: Application, wanted: str) -> int:
    """Return the published version of a title, name or id, the newest one where none is named.

    Raises:
        NotFound: there is none.
    """
    for version in app.rubrics.published():
        if wanted.casefold() in ("", version.title.casefold(), version.rubric_name.casefold(), str(version.id)):
            return version.id
    if wanted:
        raise NotFound(f"There is no published rubric {wanted!r}.", "See them with: rubric list WS")
    raise NotFound("There is no published rubric that says what better means.", "Publish one first.")
