"""What the Evaluate page shows, worked out away from widgets: read on a background thread, no widget in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.widgets.labels import ChipTone, short
from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.evaluation_record import SEALED, suite_words
from core.services.evaluations.views import EvaluationInfo, EvaluationStatus, left_words, work_words
from core.services.runs.views import RunInfo

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application
    from core.services.releases.views import ReleaseInfo

STATE_TEXT: dict[str, tuple[str, ChipTone]] = {
    "created": ("Ready", "neutral"),
    "running": ("Measuring", "accent"),
    "paused": ("Paused", "warn"),
    "stopping": ("Stopping…", "warn"),
    "finished": ("Measured", "ok"),
    "stopped": ("Cancelled", "neutral"),
    "failed": ("Failed", "bad"),
    "interrupted": ("Interrupted", "warn"),
}
STATE_ICON: dict[str, tuple[str, str]] = {
    "created": ("circle", "text3"),
    "running": ("running", "accent"),
    "paused": ("pause", "warn"),
    "stopping": ("clock", "warn"),
    "finished": ("check_circle", "ok"),
    "stopped": ("stop", "text3"),
    "failed": ("error", "bad"),
    "interrupted": ("warn", "warn"),
}
RESUMABLE = ("created", "stopped", "failed", "interrupted", "paused")
"""States that *Start or resume* leads out of."""
CANCELLABLE = ("running", "paused")


@dataclass(frozen=True, slots=True)
class SealedLook:
    """How often a sealed test was looked at, and what its items were used for in words; ``tuned``: for anything."""

    title: str
    looks: int
    uses: str
    tuned: bool


@dataclass(frozen=True, slots=True)
class PageData:
    """The page at one moment.

    Attributes:
        infos: every evaluation, newest first.
        runs: runs that have a policy to evaluate, newest first.
        chosen: the evaluation that is shown; None where there is none.
        evidence: its evidence; None before everything is measured.
        releases: newest first.
        sealed: the sealed tests of the chosen evaluation that the workspace knows.
        audited: changes with every answer of the chosen evaluation that people label.
        has_rubric: whether a rubric version is published, under which people and judges can be asked.
    """

    infos: Sequence[EvaluationInfo]
    runs: Sequence[RunInfo]
    chosen: EvaluationInfo | None = None
    evidence: Mapping[str, Any] | None = None
    releases: Sequence[ReleaseInfo] = ()
    sealed: Sequence[SealedLook] = ()
    audited: tuple[int, int] = (0, 0)
    has_rubric: bool = True

    @property
    def live(self) -> bool:
        """Whether a process works on any of them."""
        return any(info.live for info in self.infos)


def read_page(services: Application, wanted: str, known: PageData) -> PageData:
    """Read the page.

    Args:
        services: the open workspace.
        wanted: id of the evaluation to show; the newest one where there is no such evaluation.
        known: the page as it was read before; evidence changes only by what people label.
    """
    infos = list(services.evaluations.list())
    runs = [run for run in services.runs.list() if has_policy(run)]
    chosen = next((info for info in infos if info.evaluation_id == wanted), infos[0] if infos else None)
    releases = services.releases.list()
    if chosen is None:
        return PageData(infos, runs, releases=releases)
    before = known.chosen
    same = before is not None and (before.evaluation_id, before.state) == (chosen.evaluation_id, chosen.state)
    audited = services.audits.state(chosen.evaluation_id)
    evidence = known.evidence if same and audited == known.audited else None
    if evidence is None and chosen.state == "finished":
        costs = services.evaluations.costs(chosen.evaluation_id)
        plain = {arm: cost.to_plain() for arm, cost in costs.items()}
        evidence = {**services.audits.evidence(chosen.evaluation_id), "costs": plain}
    sealed = known.sealed if same else _sealed_looks(services, chosen)
    has_rubric = bool(services.rubrics.published())
    return PageData(infos, runs, chosen, evidence, releases, sealed, audited, has_rubric)


def asking_refusal(data: PageData) -> str:
    """Return what keeps people and judges from being asked about the chosen evaluation, "" where nothing does."""
    if data.chosen is None:
        return "There is no evaluation."
    if data.chosen.state != "finished":
        return "The evaluation is not measured yet; people compare answers."
    if not data.has_rubric:
        return "No rubric is published. Publish one that says what better means, under Rubrics."
    return ""


def _sealed_looks(services: Application, info: EvaluationInfo) -> list[SealedLook]:
    found = []
    for suite in info.record.suites:
        if suite.sealed:
            try:
                view = services.sealed.view(suite.title.removeprefix(SEALED))
            except UserError:
                continue  # the gate says what is wrong with it
            found.append(SealedLook(suite.title, view.looks, view.usage.sentence(), bool(view.usage.uses)))
    return found


def has_policy(run: RunInfo) -> bool:
    """Return whether a run has trained anything that could be evaluated."""
    return run.status.step > 0


def list_line(info: EvaluationInfo) -> str:
    """Return what stands under the name of an evaluation in the list."""
    status = info.status
    if status.state in ("running", "paused", "stopping"):
        words = STATE_TEXT[status.state][0]
        left = left_words(status).removeprefix("about ")
        return f"{words} · {percent(status)}" + (f" · {left}" if left else "")
    if status.state == "finished":
        return f"Measured · {counted(len(info.record.suites), 'suite')}"
    if status.state == "failed":
        return f"Failed · {status.message.split('. ')[0][:60]}" if status.message else "Failed"
    share = f" · {percent(status)}" if status.share else ""
    return f"{STATE_TEXT.get(status.state, (status.state, ''))[0]}{share}"


def percent(status: EvaluationStatus) -> str:
    """Return how much of the work is done, never 100 % before all of it is."""
    return f"{int(100 * status.share)} %"


def state_chip(status: EvaluationStatus) -> tuple[str, ChipTone]:
    """Return the state in a word, and its tone."""
    return STATE_TEXT.get(status.state, (status.state, "neutral"))


def progress_words(status: EvaluationStatus) -> str:
    """Return what the evaluation does now, and how far that is."""
    share = f" {status.phase_done:,} of {status.phase_total:,}" if status.phase_total else ""
    return f"{work_words(status)}{share}"


def title_of(info: EvaluationInfo) -> tuple[str, str]:
    """Return the name of an evaluation, and what it is compared with."""
    model = str(info.record.run.get("model", ""))
    return info.name, f"against {model}" if model else ""


def head_chips(
    info: EvaluationInfo, evidence: Mapping[str, Any] | None, looks: Sequence[SealedLook] = ()
) -> list[tuple[str, ChipTone, str]]:
    """Return the chips under the title: text, tone and tooltip."""
    record = info.record
    step = int(record.run.get("step", 0))
    dataset = str((record.run.get("dataset") or {}).get("title", ""))
    suites = [suite_words(suite.title) for suite in record.suites]
    sealed = [suite for suite in record.suites if suite.sealed]
    config = record.config
    decoder = "greedy" if config.temperature == 0 else f"temperature {config.temperature:g}"
    chips: list[tuple[str, ChipTone, str]] = [
        (f"step {step}" if step else "result of the run", "accent", f"Policy of run {record.run.get('name', '')}"),
        (short(dataset, 30), "neutral", f"The run was trained on {dataset}" if dataset else ""),
        (counted(len(suites), "suite"), "neutral", ", ".join(suites)),
        (counted(len(record.arms), "arm"), "neutral", ", ".join(arm.name for arm in record.arms)),
        (f"{decoder}, seed {config.seed}, {config.max_new_tokens} new tokens", "neutral", "How all arms answer"),
    ]
    if sealed:
        reasons = "; ".join(f"{suite_words(suite.title)}: {suite.person}, {suite.reason}" for suite in sealed)
        count = f": {counted(sum(look.looks for look in looks), 'look')}" if len(looks) == len(sealed) else ""
        chips.append((f"sealed test{count}", "neutral", f"Each look is logged. {reasons}"))
    if looks:
        tuned = any(look.tuned for look in looks)
        words = "used to tune: see the tip" if tuned else "used to tune: none"
        chips.append((words, "bad" if tuned else "ok", "\n".join(look.uses for look in looks)))
    if record.limit:
        chips.append((f"at most {record.limit} items a suite", "neutral", "Drawn by the ids of the items alone"))
    marks = (evidence or {}).get("watermarks", ())
    chips.extend((str(mark), "warn", "Rates that rest on it are shown raw") for mark in marks)
    if notes := (evidence or {}).get("notes") or record.notes:
        chips.append((counted(len(notes), "note"), "warn", "\n".join(map(str, notes))))
    return [chip for chip in chips if chip[0]]
