"""What each check of the gate found and what it asks for, in a few words: a line of a table beside its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from core.domain.counting import counted, number
from core.domain.number_text import MINUS
from core.domain.release_gate import GateCheck
from core.evaluation.gate_figures import words
from core.evaluation.gate_input import GateInput

Brief = tuple[str, str]
"""What was found, and the limit."""


def briefed(check: GateCheck, known: GateInput) -> GateCheck:
    """Return a check with what was found and its limit in a few words."""
    made = _BRIEFS.get(check.key)
    measured, limit = made(check, known) if made is not None else ("", "")
    if check.bound is not None and check.bound.figure in check.figures:
        measured = words(check.figures[check.bound.figure], is_change=_is_change(check))
    return replace(check, measured=measured or "not measured", limit=limit or _bound_words(check))


def _is_change(check: GateCheck) -> bool:
    """Return whether the deciding number is a change against the reference or the template of training."""
    return check.group == "vetoes" or check.key == "templates"


def _bound_words(check: GateCheck) -> str:
    bound = check.bound
    if bound is None:
        return ""
    unit = check.figures[bound.figure].unit if bound.figure in check.figures else ""
    number_ = f"{bound.limit if unit else 100 * bound.limit:g}".replace("-", MINUS)
    limit = f"{number_} {unit or ('points' if _is_change(check) else '%')}"
    if check.group == "vetoes":
        return f"loss ≤ {limit}"
    return f"lower ≥ {limit}" if bound.above else f"upper ≤ {limit}"


def _charter(check: GateCheck, _: GateInput) -> Brief:
    return {"passed": "locked", "failed": "altered"}.get(check.state, "open questions"), "locked"


def _files(check: GateCheck, _: GateInput) -> Brief:
    return "whole" if check.state == "passed" else "altered", "whole"


def _planned(_: GateCheck, known: GateInput) -> Brief:
    planned = known.charter.planned_items
    sizes = [suite.items for suite in known.evidence.suites.values()]
    return (
        f"least {counted(min(sizes), 'item')}" if sizes else "",
        f"{number(planned)} each" if planned else "none planned",
    )


def _sealed(check: GateCheck, known: GateInput) -> Brief:
    found = [suite for suite in known.evidence.suites.values() if suite.sealed]
    words_ = f"hash {found[0].sha256[:4]}…{found[0].sha256[-2:]}" if found else ""
    return f"{words_} matches" if found and check.state == "passed" else words_, "as frozen"


def _looks(_: GateCheck, known: GateInput) -> Brief:
    return f"{counted(known.looks, 'look')}" if known.looks else "none logged", "each logged"


def _tuned(_: GateCheck, known: GateInput) -> Brief:
    return "" if known.tuned_on is None else counted(known.tuned_on, "item"), "none"


def _leaks(_: GateCheck, known: GateInput) -> Brief:
    return "" if known.leaks is None else counted(known.leaks, "item"), "none"


def _win_rate(_: GateCheck, known: GateInput) -> Brief:
    planned = known.charter.planned_judgements
    return "no votes", f"lower > 50 %{f', {number(planned)} planned' if planned else ''}"


def _lc_win_rate(_: GateCheck, known: GateInput) -> Brief:
    voted = known.win_rate is not None and known.win_rate.n > 0
    found = words(known.lc_win_rate) if known.lc_win_rate is not None else "win rate is open" if voted else "no votes"
    return found, "same side of 50 %"


def _both_down(_: GateCheck, known: GateInput) -> Brief:
    return "", f"≤ {100 * known.limits.both_down:g} %, explained"


def _ece(check: GateCheck, _: GateInput) -> Brief:
    return next((words(figure) for figure in check.figures.values()), ""), "reported"


def _failures(_: GateCheck, known: GateInput) -> Brief:
    queue = known.failures
    return f"{number(queue.done)} of {number(queue.total)}" if queue else "", "all tagged"


def _approver(_: GateCheck, known: GateInput) -> Brief:
    approver, runner = known.approver.strip(), known.runner.strip()
    return (
        approver or f"nobody yet{f', run by {runner}' if runner else ''}",
        f"not {runner}" if runner else "not who ran it",
    )


_BRIEFS: Mapping[str, Callable[[GateCheck, GateInput], Brief]] = {
    "charter": _charter,
    "files": _files,
    "planned_n": _planned,
    "sealed_test": _sealed,
    "looks": _looks,
    "used_to_tune": _tuned,
    "leaks": _leaks,
    "win_rate": _win_rate,
    "lc_win_rate": _lc_win_rate,
    "both_down": _both_down,
    "ece": _ece,
    "failure_queue": _failures,
    "approver": _approver,
}
