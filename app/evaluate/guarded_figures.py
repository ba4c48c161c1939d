"""What each guardrail changed, as rows: the arm with it against the same arm without it. No widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.evaluate.figures import change_words, metric_words, number_words, p_words
from app.widgets.plots.chart_card import TableRow
from core.domain.evaluation_record import suite_words
from core.domain.measured_evidence import read_estimate


def guarded_rows(suites: Mapping[str, Any]) -> list[TableRow]:
    """Return what each guardrail changed: the arm with it against the same arm without it, on the same items."""
    rows = []
    for suite, measured in suites.items():
        for arm, found in measured.get("guarded", {}).items():
            acted = measured.get("metrics", {}).get("guardrail_acted", {}).get(arm)
            if acted:
                share = read_estimate(acted)
                rows.append(
                    TableRow(
                        (suite_words(suite), arm, "answers it acts on", number_words(share), f"{share.n:,}", ""), suite
                    )
                )
            for metric, arms in found["differences"].items():
                change = read_estimate(arms[arm])
                p = f"{p_words(arms[arm]['p_holm'])}, Holm" if "p_holm" in arms[arm] else p_words(arms[arm].get("p"))
                cells = (suite_words(suite), arm, f"Δ {metric_words(metric)}", change_words(change), f"{change.n:,}", p)
                rows.append(TableRow(cells, suite))
    return rows
