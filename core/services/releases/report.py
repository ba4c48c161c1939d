"""The report of a release: one HTML file that opens offline, in the order object, loss, side effects.

It has no script and loads nothing; plots are inline SVG, and each has the same numbers as a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.domain.counting import number
from core.domain.estimate import Estimate
from core.domain.evaluated_metrics import meaning_of
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import estimate_text, interval_text, signed
from core.domain.release_gate import GATE_GROUPS, STATE_WORDS, GateDecision
from core.services.releases.gate_facts import Judged
from core.services.releases.trained import trained_lines, trained_of
from core.services.reports.forest import Bar, forest
from core.services.reports.html_text import document, outside, paragraph, table

Compared = tuple[str, str, Estimate]
"""Suite, name of a number, and how it differs from the reference."""


def report_html(contract: Mapping[str, Any], one: Judged, decision: GateDecision) -> str:
    """Return the report as one HTML document.

    Args:
        contract: of the release.
        one: the evaluation and its run.
        decision: of the gate.
    """
    parts = [
        paragraph(contract["status"], "first despite" if contract["despite"] else "first"),
        f"<h1>{outside(contract['name'])}</h1>",
        _object(contract, one),
        _loss(one),
        _side_effects(one, decision),
        _not_done(decision),
    ]
    return document(contract["name"], parts)


def _object(contract: Mapping[str, Any], one: Judged) -> str:
    run, dataset = one.run_record, contract["dataset"]
    rows = [
        ("release", contract["release"]),
        ("policy", f"{run.name}, fingerprint {run.fingerprint}"),
        ("base model", str(one.record.run.get("model", "")) or "–"),
        ("dataset version", f"{dataset.get('title', '–')} {dataset.get('root_sha256', '')}"),
        ("rubric versions", ", ".join(contract["rubrics"]) or "–"),
        ("suites", "; ".join(f"{title} ({one['items']} items, {one['sha256'][:12]})" for title, one in
                             contract["suites"].items())),
        ("thresholds", "; ".join(f"{one['name']} v{one['number']}" for one in contract["thresholds"]) or "none"),
    ]  # fmt: skip
    asked = dict(run.charter.lines(""))
    rows += [(name, asked[name]) for name in ("target behaviour", "variable", "examples")]
    return "<h2>1 Object</h2>" + table(rows)


def _loss(one: Judged) -> str:
    config, charter = one.run_record.config, one.run_record.charter
    asked = dict(charter.lines(f"loss {config.loss}, beta {config.beta:g}"))
    rows = [
        ("loss or rule", asked["loss or rule"]),
        ("pairs that trained", f"{one.run_record.n_train:,}"),
        ("regression metric", asked["regression metric"]),
        ("charter", "the one that was locked" if one.run_record.charter_holds else "not locked, or altered"),
    ]
    return "<h2>2 Loss or decision rule</h2>" + table(rows)


def _side_effects(one: Judged, decision: GateDecision) -> str:
    parts = ["<h2>3 Side effects</h2>"]
    for unit, compared in _by_unit(one).items():
        title = f"Policy minus reference{f', {unit}' if unit else ', shares'}"
        bars = [Bar(f"{suite}: {metric}", estimate) for suite, metric, estimate in compared]
        parts += [f"<h3>{outside(title)}</h3>", forest(bars, title), _numbers(compared)]
    if one.audit:
        parts += ["<h3>Audit of the refusal detector</h3>", table(_audited(one.audit))]
    parts.append(f"<h3>The gate: {STATE_WORDS[decision.outcome]}</h3>")
    for group in GATE_GROUPS:
        rows = [
            f'<tr><td>{outside(c.title)}</td><td class="{c.state}">{STATE_WORDS[c.state]}</td>'
            f"<td>{outside(c.reason)} {outside(c.needed)}</td></tr>"
            for c in decision.checks
            if c.group == group
        ]
        parts.append(f'<h4>{group.capitalize()}</h4><table class="checks">{"".join(rows)}</table>')
    if marks := [*one.evidence.watermarks, *one.evidence.notes]:
        parts.append("<ul>" + "".join(f"<li>{outside(mark)}</li>" for mark in marks) + "</ul>")
    return "\n".join(parts)


def _audited(audit: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return for each arm how many answers people labelled, and how often the detector is wrong."""
    rows = []
    for arm, found in audit.items():
        rates = {name: read_estimate(found["detector"]["any"][name]) for name in ("fpr", "fnr", "youden")}
        said = [f"{found['labelled']} of {found['needed']} answers labelled", found["problem"]]
        said += [f"{name.upper()} {estimate_text(rates[name])}" for name in ("fpr", "fnr") if rates[name].n]
        if rates["youden"].has_interval:
            said.append(f"Se + Sp - 1 {estimate_text(rates['youden'])}")
        rows.append((arm, "; ".join(part for part in said if part)))
    return rows


def _by_unit(one: Judged) -> dict[str, list[Compared]]:
    found: dict[str, list[Compared]] = {}
    for suite, metrics in one.evidence.differences.items():
        for metric, arms in metrics.items():
            if one.evidence.aligned in arms:
                estimate = arms[one.evidence.aligned]
                found.setdefault(estimate.unit, []).append((suite, metric, estimate))
    return found


def _numbers(compared: Sequence[Compared]) -> str:
    rows = [
        (f"{suite}: {metric}", signed(one.value), interval_text(one) or one.why_no_interval, number(one.n),
         meaning_of(metric), one.estimator)
        for suite, metric, one in compared
    ]  # fmt: skip
    return table(rows, ("number", "difference", "95 % interval", "n", "what it is", "how it was made"))


def _not_done(decision: GateDecision) -> str:
    """Return which audits were not done: checks that the evidence did not reach."""
    open_ = [check for check in decision.checks if check.state == "insufficient"]
    if not open_:
        return "<h2>Audits that were not done</h2><p>None of those that the gate asks for.</p>"
    rows = "".join(f"<li>{outside(check.title)}: {outside(check.reason)}</li>" for check in open_)
    return f"<h2>Audits that were not done</h2><ul>{rows}</ul>"


def model_card(contract: Mapping[str, Any], one: Judged, decision: GateDecision) -> str:
    """Return the model card as Markdown; its first line is that of the contract."""
    config, charter = one.run_record.config, one.run_record.charter
    lines = [
        contract["status"],
        "",
        f"# {contract['name']}",
        "",
        f"A policy tuned with {config.loss} (beta {config.beta:g}) on {contract['dataset'].get('title', 'pairs')}, "
        f"released by Pairwright as `{contract['release']}`.",
        "",
        "## Intent",
        "",
        *(f"- {name}: {answer}" for name, answer in charter.lines(f"loss {config.loss}, beta {config.beta:g}")),
        "",
        "## What was trained",
        "",
        *trained_lines(trained_of(one.run), one.run_record.n_train),
        "",
        "## What was measured",
        "",
        "| check | state | reason |",
        "| --- | --- | --- |",
        *(f"| {_cell(c.title)} | {STATE_WORDS[c.state]} | {_cell(c.reason)} |" for c in decision.checks),
        "",
        "## Files",
        "",
        "`contract.json` names every input by its hash; `report.html` opens without a network; `evaluation/` holds the "
        "request and the evidence. `pairwright contract verify .` measures them again.",
        "",
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
