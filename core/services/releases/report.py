"""The report of a release: one HTML file that opens offline, in the order object, loss, side effects.

It has no script and loads nothing; plots are inline SVG, and each has the same numbers as a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from core.domain.estimate import Estimate
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import estimate_text
from core.domain.release_gate import GATE_GROUPS, STATE_WORDS, GateDecision
from core.services.releases.gate_facts import Judged
from core.services.reports.forest import Bar, forest

_STYLE = """
body{font:15px/1.5 system-ui,"DejaVu Sans",sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#1b1f24}
h1{font-size:1.6em}h2{margin-top:2em;border-bottom:1px solid #ccd}
table{border-collapse:collapse;width:100%;margin:.6em 0}
td,th{text-align:left;vertical-align:top;padding:.25em .6em;border-bottom:1px solid #e3e6ea}
code{overflow-wrap:anywhere}.first{font-weight:600;padding:.7em 1em;border-left:5px solid #2f6f4f;background:#eef6f1}
.despite{border-color:#b3261e;background:#fceeee}.failed{color:#b3261e}.insufficient{color:#8a5a00}.passed{color:#1f6b43}
svg{width:100%;font-size:12px}svg text{fill:#1b1f24}.interval{stroke:#33658a;stroke-width:2}.dot{fill:#33658a}
.zero{stroke:#9aa3ad;stroke-dasharray:3 3}.axis{stroke:#9aa3ad}.limit{stroke:#b3261e;stroke-width:2}
"""


def report_html(contract: Mapping[str, Any], one: Judged, decision: GateDecision) -> str:
    """Return the report as one HTML document.

    Args:
        contract: of the release.
        one: the evaluation and its run.
        decision: of the gate.
    """
    despite = " despite" if contract["despite"] else ""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(contract['name'])}</title><style>{_STYLE}</style></head><body>"
    )
    parts = [
        head,
        f'<p class="first{despite}">{escape(contract["status"])}</p>',
        f"<h1>{escape(contract['name'])}</h1>",
        _object(contract, one),
        _loss(one),
        _side_effects(one, decision),
        _not_done(decision),
        "</body></html>",
    ]
    return "\n".join(parts)


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
    return "<h2>1 Object</h2>" + _table(rows)


def _loss(one: Judged) -> str:
    config, charter = one.run_record.config, one.run_record.charter
    asked = dict(charter.lines(f"loss {config.loss}, beta {config.beta:g}"))
    rows = [
        ("loss or rule", asked["loss or rule"]),
        ("pairs that trained", f"{one.run_record.n_train:,}"),
        ("regression metric", asked["regression metric"]),
        ("charter", "the one that was locked" if one.run_record.charter_holds else "not locked, or altered"),
    ]
    return "<h2>2 Loss or decision rule</h2>" + _table(rows)


def _side_effects(one: Judged, decision: GateDecision) -> str:
    parts = ["<h2>3 Side effects</h2>"]
    for unit, bars in _by_unit(one).items():
        title = f"Policy minus reference{f', {unit}' if unit else ', shares'}"
        parts += [f"<h3>{escape(title)}</h3>", forest(bars, title), _numbers(bars)]
    if one.audit:
        parts += ["<h3>Audit of the refusal detector</h3>", _table(_audited(one.audit))]
    parts.append(f"<h3>The gate: {STATE_WORDS[decision.outcome]}</h3>")
    for group in GATE_GROUPS:
        rows = [
            f'<tr><td>{escape(c.title)}</td><td class="{c.state}">{STATE_WORDS[c.state]}</td>'
            f"<td>{escape(c.reason)} {escape(c.needed)}</td></tr>"
            for c in decision.checks
            if c.group == group
        ]
        parts.append(f"<h4>{group.capitalize()}</h4><table>{''.join(rows)}</table>")
    if marks := [*one.evidence.watermarks, *one.evidence.notes]:
        parts.append("<ul>" + "".join(f"<li>{escape(mark)}</li>" for mark in marks) + "</ul>")
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


def _by_unit(one: Judged) -> dict[str, list[Bar]]:
    found: dict[str, list[Bar]] = {}
    for suite, metrics in one.evidence.differences.items():
        for metric, arms in metrics.items():
            if one.evidence.aligned in arms:
                estimate: Estimate = arms[one.evidence.aligned]
                found.setdefault(estimate.unit, []).append(Bar(f"{suite}: {metric}", estimate))
    return found


def _numbers(bars: Sequence[Bar]) -> str:
    return _table([(bar.label, f"{estimate_text(bar.estimate)}; {bar.estimate.estimator}") for bar in bars])


def _not_done(decision: GateDecision) -> str:
    """Return which audits were not done: checks that the evidence did not reach."""
    open_ = [check for check in decision.checks if check.state == "insufficient"]
    if not open_:
        return "<h2>Audits that were not done</h2><p>None of those that the gate asks for.</p>"
    rows = "".join(f"<li>{escape(check.title)}: {escape(check.reason)}</li>" for check in open_)
    return f"<h2>Audits that were not done</h2><ul>{rows}</ul>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


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
