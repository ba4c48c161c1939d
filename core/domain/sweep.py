"""A sweep: the same run under every combination of some values of its settings, and under several seeds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.errors import UsageError
from core.domain.run_config import RENAMED, SETTINGS, RunConfig

SEED = "seed"
_SAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One run of a sweep: its values, by setting, as they were typed."""

    values: Mapping[str, str]

    @property
    def words(self) -> list[str]:
        """The ``key=value`` words that it adds to the fixed settings."""
        return [f"{key}={value}" for key, value in self.values.items()]

    @property
    def label(self) -> str:
        """What a table calls it.

        >>> SweepPoint({"beta": "0.1", "seed": "0"}).label
        '0.1, seed 0'
        """
        return ", ".join(f"{key} {value}" if key == SEED else value for key, value in self.values.items())

    @property
    def suffix(self) -> str:
        """What follows the name of the sweep in the name of the run.

        >>> SweepPoint({"beta": "0.1", "seed": "0"}).suffix
        'beta-0.1-seed-0'
        """
        return "-".join(f"{key}-{value}" for key, value in self.values.items())

    @property
    def folder_name(self) -> str:
        """The suffix as the name of a folder, whatever characters the values have."""
        parts = [f"{key}-{_SAFE.sub('-', value).strip('-.')[:_NAME_CHARS]}" for key, value in self.values.items()]
        return "-".join(parts)


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """Which settings vary and over which values; several settings form a grid.

    Attributes:
        over: setting -> its values, as they were typed. Seeds are the setting ``seed``, and vary fastest.
    """

    over: Mapping[str, tuple[str, ...]]

    @property
    def title(self) -> str:
        """The settings that vary.

        >>> SweepPlan({"beta": ("0.1", "0.3"), "seed": ("0",)}).title
        'beta, seed'
        """
        return ", ".join(self.over)

    @property
    def points(self) -> tuple[SweepPoint, ...]:
        """Every combination, the first setting varying slowest."""
        rows = itertools.product(*self.over.values())
        return tuple(SweepPoint(dict(zip(self.over, row, strict=True))) for row in rows)

    def folder_names(self) -> tuple[str, ...]:
        """Return the name of each point's folder; all are different, also where letters' case does not count."""
        names = [point.folder_name for point in self.points]
        if len({name.casefold() for name in names}) < len(names):
            return tuple(f"{name}-{number}" for number, name in enumerate(names, 1))
        return tuple(names)

    def configs(self, base: RunConfig) -> tuple[RunConfig, ...]:
        """Return the settings of each point.

        Raises:
            UsageError: for an unknown setting or a value that it cannot have, before anything was made.
        """
        return tuple(base.with_values(point.values) for point in self.points)


def read_sweep(over: Sequence[str], seeds: str = "") -> SweepPlan:
    """Return the plan that ``key=v1,v2,...`` words and a list of seeds ask for.

    Args:
        over: one word a setting.
        seeds: whole numbers, "0,1,2"; "" for the seed of the settings.

    Raises:
        UsageError: for a word of another form, a value or setting that is named twice, or when nothing varies.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in (*over, *([f"{SEED}={seeds}"] if seeds.strip() else ())):
        key, mark, rest = word.partition("=")
        key, values = key.strip(), tuple(value.strip() for value in rest.split(",") if value.strip())
        key = RENAMED.get(key, key)
        if not mark or not values or not _differ(key, values):
            raise UsageError(f"{word!r} is not a sweep.", "Write --over beta=0.05,0.1,0.3 with values that differ.")
        if key in found:
            raise UsageError(f"{key} is named twice in this sweep.", "Name each setting once; seeds with --seeds.")
        found[key] = values
    if not found:
        raise UsageError("This sweep varies nothing.", "Add --over beta=0.05,0.1,0.3, or --seeds 0,1,2.")
    return SweepPlan({**{k: v for k, v in found.items() if k != SEED}, **{k: v for k, v in found.items() if k == SEED}})


def _differ(key: str, values: Sequence[str]) -> bool:
    """Return whether the values differ as the setting reads them: 0.1 and 1e-1 are one."""
    setting = SETTINGS.get(key)
    read = [value if setting is None else setting.read(value) for value in values]
    return len(set(read)) == len(read)
