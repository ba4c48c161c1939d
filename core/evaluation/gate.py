"""The gate before a release: a pure function from evidence, charter and people to checks with states.

Five groups in a fixed order: whether the evidence can carry a decision, what forbids a release, what speaks for it, how
it was got, and who looked. Missing evidence is never a pass, and nothing is added up to one score.
"""

from __future__ import annotations

from core.domain.counting import counted, number, verb
from core.domain.release_gate import GateBound, GateCheck, GateDecision, GateState
from core.evaluation.gate_briefs import briefed
from core.evaluation.gate_figures import n_to_decide, needed_words, words
from core.evaluation.gate_health import health
from core.evaluation.gate_input import GateInput
from core.evaluation.gate_vetoes import vetoes
from core.evaluation.gate_votes import is_any_time, votes_to_decide


def decide(known: GateInput) -> GateDecision:
    """Return every check with its state, figures, reason and what would decide it."""
    checks = (*_evidence(known), *vetoes(known), *_gain(known), *health(known), *_people(known))
    return GateDecision(tuple(briefed(check, known) for check in checks))


def _evidence(known: GateInput) -> tuple[GateCheck, ...]:
    return (_charter(known), _files(known), _planned(known), _sealed(known), _looks(known), _tuned(known))


def _charter(known: GateInput) -> GateCheck:
    def say(state: GateState, reason: str, needed: str = "") -> GateCheck:
        return GateCheck("charter", "evidence", "Charter", state, reason, needed=needed)

    if known.charter_holds is False:
        return say("failed", "The charter or the fingerprint is not the one that was locked when the run was made.")
    gaps = known.charter.gaps()
    if known.charter_holds is None:
        gaps = [*gaps, "It was never locked."]
    if gaps:
        return say("insufficient", " ".join(gaps), "Make the run anew with a full charter.")
    return say("passed", "It answers all five questions and is the one that was locked.")


_UNREADABLE = "The sealed test cannot be read, so that nobody can tell."
_RESTORE = "Restore its file from a copy."


def _files(known: GateInput) -> GateCheck:
    title = "Files of the evaluation"
    if known.evidence_holds:
        return GateCheck("files", "evidence", title, "passed", "They are as the evaluator wrote them.")
    reason = "They are not as the evaluator wrote them; the numbers below may be altered."
    needed = "See which with: evaluations WS NAME --verify. Restore the folder from a copy, or evaluate again."
    return GateCheck("files", "evidence", title, "failed", reason, needed=needed)


def _planned(known: GateInput) -> GateCheck:
    title, planned = "Planned n", known.charter.planned_items
    if not known.evidence.suites:
        return GateCheck("planned_n", "evidence", title, "insufficient", "Nothing was measured.")
    if not planned:
        reason = "The charter plans no number of items (planned_items), so nobody can say that there are enough."
        return GateCheck("planned_n", "evidence", title, "insufficient", reason, needed="Plan it before the next run.")
    named = {known.charter.benign_suite, known.charter.regression_suite, *known.charter.examples} - {""}
    suites = [suite for suite in known.evidence.suites.values() if suite.title in named or suite.sealed]
    missing = sorted(named - known.evidence.suites.keys() - {"train", "dev", "test"})
    if missing:
        reason = f"The charter names {', '.join(missing)}, which was not evaluated."
        return GateCheck("planned_n", "evidence", title, "insufficient", reason, needed="Evaluate it too.")
    small = [suite for suite in suites or known.evidence.suites.values() if suite.items < planned]
    if small:
        least = min(small, key=lambda suite: suite.items)
        reason = f"{least.title} has {counted(least.items, 'item')} of the {number(planned)} that were planned."
        needed = f"{counted(planned - least.items, 'item')} more of {least.title}."
        return GateCheck(
            "planned_n", "evidence", title, "insufficient", reason, needed=needed, needed_n=planned, suite=least.title
        )
    return GateCheck("planned_n", "evidence", title, "passed", f"Every suite has the planned {number(planned)}.")


def _sealed(known: GateInput) -> GateCheck:
    title = "Sealed test"
    measured = [suite for suite in known.evidence.suites.values() if suite.sealed]
    if not measured:
        reason = "No sealed test was evaluated; every number here may rest on items that somebody has seen."
        return GateCheck("sealed_test", "evidence", title, "insufficient", reason, needed="Evaluate the sealed test.")
    if known.sealed_problem:
        return GateCheck("sealed_test", "evidence", title, "failed", known.sealed_problem, needed=_RESTORE)
    for suite in measured:
        if suite.title not in known.sealed:
            reason = f"It is not known with which hash {suite.title} was frozen."
            return GateCheck("sealed_test", "evidence", title, "insufficient", reason)
        if known.sealed[suite.title] != suite.sha256:
            reason = f"{suite.title} is not the test that was frozen: its hash differs."
            return GateCheck("sealed_test", "evidence", title, "failed", reason)
    return GateCheck("sealed_test", "evidence", title, "passed", "Its hash is the one that was frozen.")


def _looks(known: GateInput) -> GateCheck:
    title = "Looks at the sealed test"
    if known.sealed_problem:
        return GateCheck("looks", "evidence", title, "insufficient", _UNREADABLE, needed=_RESTORE)
    if not known.looks:
        reason = "No opening of the sealed test is logged."
        return GateCheck(
            "looks", "evidence", title, "insufficient", reason, needed="Take the notes of its openings in."
        )
    return GateCheck("looks", "evidence", title, "passed", f"{counted(known.looks, 'look')} logged.")


def _tuned(known: GateInput) -> GateCheck:
    title = "Used to tune"
    if known.sealed_problem:
        return GateCheck("used_to_tune", "evidence", title, "insufficient", _UNREADABLE, needed=_RESTORE)
    if known.tuned_on is None:
        return GateCheck("used_to_tune", "evidence", title, "insufficient", "Nobody kept account of it.")
    if known.tuned_on:
        reason = f"{counted(known.tuned_on, 'test item')} {verb(known.tuned_on, 'was', 'were')} used to tune something."
        return GateCheck("used_to_tune", "evidence", title, "failed", reason)
    return GateCheck("used_to_tune", "evidence", title, "passed", "Used to tune: none.")


def _gain(known: GateInput) -> tuple[GateCheck, ...]:
    return (_win_rate(known), _length_controlled(known))


def _win_rate(known: GateInput) -> GateCheck:
    title, rate, planned = "Win rate of people", known.win_rate, known.charter.planned_judgements

    def say(state: GateState, reason: str, needed: str = "", n: int | None = None) -> GateCheck:
        figures = {} if rate is None else {"win_rate": rate}
        any_time = rate is not None and is_any_time(rate)
        bound = GateBound("win_rate", 0.5, above=True, any_time=any_time) if figures else None
        return GateCheck("win_rate", "gain", title, state, reason, figures, needed, n, bound=bound)

    if rate is None or not rate.n:
        return say("insufficient", "No person has compared the policy with the reference blind.", "Ask people.")
    if not rate.has_interval:
        return say("insufficient", "The win rate has no interval.", "Ask more people.")
    if rate.low > 0.5:
        return say("passed", f"People prefer the policy: {words(rate)}.")
    if rate.high < 0.5:
        return say("failed", f"People prefer the reference: {words(rate)}.")
    if planned and rate.n >= planned:
        return say("failed", f"The planned {counted(planned, 'judgement')} show no gain: {words(rate)}.")
    n = votes_to_decide(rate) if is_any_time(rate) else n_to_decide(rate, 0.5, above=True)
    return say("insufficient", f"The interval holds one half: {words(rate)}.", needed_words(n, "judgements"), n)


def _length_controlled(known: GateInput) -> GateCheck:
    title, rate, raw = "Win rate at equal length", known.lc_win_rate, known.win_rate
    if rate is None and raw is not None and raw.n:
        reason = f"It is shown once the win rate is decided: {words(raw)} so far."
        return GateCheck("lc_win_rate", "gain", title, "insufficient", reason, needed="Ask people for more votes.")
    if rate is None or raw is None or not (rate.n and raw.n):
        reason = "It is not known whether people prefer the policy or only its length."
        return GateCheck("lc_win_rate", "gain", title, "insufficient", reason, needed="Ask people.")
    figures = {"lc_win_rate": rate, "win_rate": raw}
    if (rate.value - 0.5) * (raw.value - 0.5) > 0:
        reason = f"At equal length it says the same: {words(rate)}."
        return GateCheck("lc_win_rate", "gain", title, "passed", reason, figures)
    reason = f"At equal length the gain is gone: {words(rate)} against {words(raw)}."
    return GateCheck("lc_win_rate", "gain", title, "failed", reason, figures)


def _people(known: GateInput) -> tuple[GateCheck, ...]:
    return (_failures(known), _approver(known))


def _failures(known: GateInput) -> GateCheck:
    title, queue = "Failure queue", known.failures
    if queue is None:
        reason = "There is no failure queue; nobody looked at what went wrong."
        return GateCheck("failure_queue", "people", title, "insufficient", reason, needed="Open it.")
    left = queue.total - queue.done
    if left > 0:
        reason = f"{number(queue.done)} of {counted(queue.total, 'failure')} were opened and tagged."
        needed = f"Open and tag {counted(left, 'more failure', 'more failures')}."
        return GateCheck("failure_queue", "people", title, "insufficient", reason, needed=needed, needed_n=queue.total)
    reason = f"All {counted(queue.total, 'failure')} were opened and tagged." if queue.total else "It is empty."
    return GateCheck("failure_queue", "people", title, "passed", reason)


def _approver(known: GateInput) -> GateCheck:
    title, approver, runner = "Approver", known.approver.strip(), known.runner.strip()
    if not approver:
        return GateCheck(
            "approver", "people", title, "insufficient", "Nobody has approved it.", needed="Name who does."
        )
    if not runner:
        return GateCheck("approver", "people", title, "insufficient", "It is not known who ran the evaluation.")
    if approver.casefold() == runner.casefold():
        reason = f"{approver} ran the evaluation; somebody else must approve it."
        return GateCheck("approver", "people", title, "failed", reason)
    return GateCheck("approver", "people", title, "passed", f"{approver} approves; {runner} ran it.")
