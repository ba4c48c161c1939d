"""Preference pairs under each chat template and in each language, as rows. No widgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.evaluate.figures import Figures, ItemsPlace, change_words, number_words, share_words
from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.interval_chart import IntervalRow
from core.domain.counting import counted
from core.domain.evaluation_record import suite_words
from core.domain.measured_evidence import read_estimate
from core.domain.text_language import LANGUAGES

HEADS = (
    "Suite", "Arm", "Template", "Language", "Accuracy % [95 %]", "n", "Δ to training, points [95 %]", "h [95 %]",
    "Δ h to training [95 %]",
)  # fmt: skip
ABOUT = (
    "Share of pairs with h above 0, policy and reference under the same template. The table has the changes to the "
    "template of training, paired; a prompt is one case."
)


@dataclass(frozen=True, slots=True)
class _PairsPlace:
    """One template of one policy on one suite, in one language ("" for all)."""

    suite: str
    arm: str
    title: str
    language: str
    row: Mapping[str, Any]

    @property
    def where(self) -> str:
        return LANGUAGES.get(self.language, self.language) or "all"


def pair_chart(figures: Figures) -> list[IntervalRow]:
    """Return the accuracy of every template, over all pairs and then in each language, in per cent."""
    rows: list[IntervalRow] = []
    several = sum(bool(suite.get("template_margins")) for suite in figures.suites.values()) > 1
    for place in _places(figures):
        accuracy = read_estimate(place.row["accuracy"])
        value, low, high = (100 * end for end in (accuracy.value, accuracy.low, accuracy.high))
        label = f"{place.title} · {place.where}" + (f" · {suite_words(place.suite)}" if several else "")
        key = ItemsPlace(place.suite, "language", place.language) if place.language else ItemsPlace(place.suite)
        text = f"{share_words(accuracy)} %  n {accuracy.n:,}"
        rows.append(IntervalRow(label, text, value, low, high, key=key, rule=not place.language and bool(rows)))
    return rows


def pair_table(figures: Figures) -> list[TableRow]:
    """Return the same with every other number."""
    rows = []
    for place in _places(figures):
        accuracy, row = read_estimate(place.row["accuracy"]), place.row
        h = number_words(read_estimate(row["h"]), "h") if "h" in row else "–"
        moved = change_words(read_estimate(row["accuracy_change"])) if "accuracy_change" in row else "–"
        h_moved = change_words(read_estimate(row["h_change"])) if "h_change" in row else "–"
        about = (suite_words(place.suite), place.arm, place.title, place.where)
        rows.append(TableRow((*about, share_words(accuracy), f"{accuracy.n:,}", moved, h, h_moved), place.suite))
    return rows


def pair_words(figures: Figures) -> str:
    """Return how alike the templates rank the pairs, a sentence for each policy and suite."""
    said = []
    for suite, measured in figures.suites.items():
        for arm, found in (measured.get("template_margins") or {}).items():
            alike, spread = read_estimate(found["consistent"]), read_estimate(found["spread"])
            ranked = f"{share_words(alike)} % of {counted(alike.n, 'pair')} of {suite_words(suite)}"
            said.append(
                f"{arm.capitalize()} ranks {ranked} alike under all templates; h "
                f"deviates over templates by {number_words(spread)} of what it does over pairs."
            )
    return " ".join(said)


def _places(figures: Figures) -> Iterator[_PairsPlace]:
    for suite, measured in figures.suites.items():
        for arm, found in (measured.get("template_margins") or {}).items():
            for name, row in found["templates"].items():
                title = f"{row['title']}, training" if name == "training" else str(row["title"])
                yield _PairsPlace(suite, arm, title, "", row)
                for language, own in row.get("languages", {}).items():
                    yield _PairsPlace(suite, arm, title, language, own)
