"""The matrix of templates and languages as text, levels of training and changes of others; tests of calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.cli.output import table
from core.domain.estimate import Estimate
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import estimate_text, format_value

_TRAINING = "training"


def matrix_lines(suite: Mapping[str, Any]) -> Iterator[str]:
    """Yield the matrices of a suite of the evidence; nothing for a suite in one language."""
    for metric, matrix in (suite.get("matrix") or {}).items():
        for arm, measured in matrix["arms"].items():
            yield f"\n{metric} of {arm} by template and language, % [95 %]; other templates: change in points"
            yield _table(matrix, measured)
            yield from _summary(matrix["templates"], measured)


def _table(matrix: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    cells = {(cell["template"], cell["language"]): cell for cell in measured["cells"]}
    languages = [*matrix["languages"], ""]
    rows = [
        [title, *(_cell(cells[template, language]) for language in languages)]
        for template, title in matrix["templates"].items()
    ]
    counts = [read_estimate(cells[_TRAINING, language]["rate"]).n for language in languages]
    names = [f"{language or 'all'}, n {n:,}" for language, n in zip(languages, counts, strict=True)]
    return table(rows, ("template", *names))


def _cell(cell: Mapping[str, Any]) -> str:
    if cell["change"] is None:
        return _points(read_estimate(cell["rate"]))
    change = read_estimate(cell["change"])
    return f"{'+' if change.value > 0 else ''}{_points(change)}"


def _points(estimate: Estimate) -> str:
    if not estimate.has_interval:
        return f"{100 * estimate.value:.1f} ({estimate.why_no_interval})"
    return f"{100 * estimate.value:.1f} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def _summary(titles: Mapping[str, str], measured: Mapping[str, Any]) -> Iterator[str]:
    """Yield worst case, consistency and test; nothing where only the template of training was asked."""
    if measured["worst_change"] is None:
        return
    change, alike = read_estimate(measured["worst_change"]), read_estimate(measured["consistent"])
    test = measured["cochran"]
    yield f"worst template {titles[measured['worst']]}; smallest change {_points(change)} points, n {change.n:,}"
    said = "–" if test["q"] is None else f"{format_value(test['q'])}, df {test['df']}, p {format_value(test['p'], 3)}"
    yield f"decided alike under all {_points(alike)} %, n {alike.n:,}; Cochran's Q {said} ({test['method']})"


def margin_lines(suite: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the pairs of a suite say under each template; nothing where none was tried."""
    for arm, found in (suite.get("template_margins") or {}).items():
        yield f"\npairs of {arm} by template; changes are paired with the template of training"
        rows = [
            [row["title"], *(_estimate(row.get(key)) for key in ("accuracy", "accuracy_change", "h", "h_change"))]
            for row in found["templates"].values()
        ]
        yield table(rows, ("template", "accuracy", "change", "h", "change"))
        languages = list(next(iter(found["templates"].values())).get("languages", {}))
        if languages:
            yield f"accuracy of {arm} by template and language; other templates: change"
            by_language = [
                [row["title"], *(_in_language(row["languages"][language]) for language in languages)]
                for row in found["templates"].values()
            ]
            yield table(by_language, ("template", *languages))
        yield f"ranked alike under all: {_estimate(found['consistent'])}"
        yield f"deviation of h over templates by that over pairs: {_estimate(found['spread'])}"


def calibration_lines(suite: Mapping[str, Any]) -> Iterator[str]:
    """Yield whether the probabilities of each policy are right, by tests without bins."""
    for arm, diagram in (suite.get("reliability") or {}).items():
        for test in diagram.get("tests", ()):
            if test["p"] is not None:
                numbers = f"{format_value(test['statistic'], 3)}, p {format_value(test['p'], 3)}, n {test['n']:,}"
                yield f"calibration of {arm}, {test['name']}: {numbers}"


def _in_language(row: Mapping[str, Any]) -> str:
    return _estimate(row.get("accuracy_change") or row["accuracy"])


def _estimate(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else estimate_text(read_estimate(row))
