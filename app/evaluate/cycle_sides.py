"""What can be compared with what: releases and finished evaluations. No widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application

Side = tuple[str, str]
"""Id of a release or evaluation, and its name with its kind."""


def read_sides(services: Application) -> list[Side]:
    """Return what can be compared: releases, then finished evaluations, the newest first."""
    releases = [(one.release_id, f"{one.name} (release)") for one in services.releases.list()]
    evaluations = [
        (one.evaluation_id, f"{one.name} (evaluation)")
        for one in services.evaluations.list()
        if one.state == "finished"
    ]
    return [*releases, *evaluations]


def chosen_sides(sides: list[Side], wanted: str) -> tuple[str, str]:
    """Return the old and the new side: the wanted one and the next older one of its kind, else the next newer one.

    >>> chosen_sides([("r2", "b (release)"), ("r1", "a (release)"), ("e1", "e (evaluation)")], "r2")
    ('r1', 'r2')
    """
    ids = [id_ for id_, _ in sides]
    place = ids.index(wanted) if wanted in ids else 0
    kind = sides[place][1].rpartition(" ")[2]
    same = [n for n, (_, words) in enumerate(sides) if words.rpartition(" ")[2] == kind]
    older, newer = [n for n in same if n > place], [n for n in same if n < place]
    if not older and newer:
        return ids[place], ids[newer[-1]]
    old = older[0] if older else next(n for n in range(len(sides)) if n != place)
    return ids[old], ids[place]
