"""The suites that come with the program, in ``resources/suites``. Needs no workspace."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

from core.domain.suite import Suite, SuiteInfo, SuiteItem, split_title
from core.paths import resources_dir

ORIGIN = "built-in"


@cache
def built_in_suites() -> tuple[Suite, ...]:
    """Return the suites that every workspace has, in the order of ``suites.json``."""
    folder = resources_dir() / "suites"
    described = json.loads((folder / "suites.json").read_text(encoding="utf-8"))
    suites = []
    for one in described:
        lines = (folder / one["name"] / "items.jsonl").read_text(encoding="utf-8").splitlines()
        items = tuple(SuiteItem.from_plain(json.loads(line)) for line in lines)
        suites.append(Suite(one["name"], one["number"], items, ORIGIN, one["licence"], one["description"]))
    return tuple(suites)


def find_built_in(wanted: str) -> Suite | None:
    """Return the built-in suite of a title or a name, None when there is none."""
    name, number = split_title(wanted)
    return next(
        (s for s in built_in_suites() if s.name.casefold() == name.casefold() and number in (0, s.number)), None
    )


def info_of(suite: Suite) -> SuiteInfo:
    """Return what a list shows of a built-in suite."""
    counts = Counter(item.expected for item in suite.items)
    return SuiteInfo(0, suite.name, suite.number, suite.sha256, counts, suite.origin, suite.licence, suite.description)
