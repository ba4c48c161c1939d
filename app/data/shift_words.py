"""The numbers of a comparison of prompts, told and explained. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.domain.counting import counted

if TYPE_CHECKING:
    from core.services.feedback.mixes import Mix

EXPLAINED = (
    "JS divergence: how far two mixes are apart, from 0 (the same shares) to 0.693 nats (nothing in common). Small "
    "samples differ by chance alone; the number behind “chance” is what 95 of 100 random divisions stay below.\n"
    "Two-sample AUC: how often a classifier of the texts, asked about prompts that it did not see, ranks one of the "
    "second collection above one of the first. 0.5: nothing tells them apart. 1: always told apart.\n"
    "A far collection is measured where the policy was not trained. Label some of it, or name its slices in a suite."
)
WHATS: tuple[tuple[str, str], ...] = (("category", "Category"), ("language", "Language"), ("length", "Length"))
Comparison = Mapping[str, Any]


def interval(one: Mapping[str, Any]) -> str:
    """Return an estimate with its interval, or that it was not measured."""
    if one["value"] is None:
        return "not measured"
    if one["lo"] is None:
        return f"{_number(one['value'])} (no interval)"
    return f"{_number(one['value'])} [{_number(one['lo'])}, {_number(one['hi'])}]"


def with_chance(one: Mapping[str, Any]) -> str:
    """Return a divergence with what chance gives."""
    chance = one.get("chance")
    return interval(one) + (f", chance {_number(chance)}" if chance is not None and one["value"] is not None else "")


def divergences(one: Comparison) -> str:
    """Return the divergences of a comparison as a line."""
    named = ", ".join(f"{what} {with_chance(one[what])}" for what in ("length", "language", "category"))
    return f"JS divergence in nats: {named}"


def missing_text(mix: Mix | None, sizes: Mapping[str, int]) -> str:
    """Return which collections have no value of a mix; training pairs carry no category, for example."""
    left = [name for name in sizes if mix is None or name not in mix.collections]
    what = "" if mix is None else mix.what
    return f"No prompt with a {what} in: {', '.join(left)}." if left and what else ""


def sentence(one: Comparison) -> str:
    """Return what a comparison says, for people."""
    names = f"{one['second']} against {one['first']} (n {one['n_second']:,} and {one['n_first']:,})"
    auc = one["auc"]
    if auc["value"] is None:
        return f"{names}: too few prompts to measure."
    far = [what for what in ("length", "language", "category") if _beyond(one[what])]
    apart = "they are told apart" if auc["lo"] is not None and auc["lo"] > 0.5 else "nothing tells them apart"
    mixes = f"; beyond chance in {', '.join(far)}" if far else "; no mix differs beyond chance"
    return f"{names}: two-sample AUC {interval(auc)}, {apart}{mixes}."


def sizes_text(sizes: Mapping[str, int]) -> str:
    """Return how many prompts were compared."""
    return " · ".join(f"{name}: {counted(count, 'prompt')}" for name, count in sizes.items())


def _beyond(one: Mapping[str, Any]) -> bool:
    return one["value"] is not None and one["chance"] is not None and one["value"] > one["chance"]


def _number(value: float) -> str:
    return f"{value:.3f}"
