"""Releases of a workspace: gate, make, list, compare, withdraw. They are entries of the event log and of its chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.domain.bought import Bought
from core.domain.changes import Changes, Outcome
from core.domain.errors import NotFound, UsageError, UserError
from core.domain.gate_limits import GateLimits
from core.domain.ids import new_uid
from core.domain.names import checked_name, cleaned_name
from core.domain.release_gate import GateDecision
from core.runs.child_processes.request import run_in_subprocess
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.hosting.hosts import worker_environment
from core.services.datasets import card
from core.services.evaluations.service import EvaluationsService
from core.services.releases.checking import release_problems
from core.services.releases.contract import Signed, contract_of, release_tuple
from core.services.releases.cycle import Cycle
from core.services.releases.cycles import CycleReader
from core.services.releases.dataset_card import pairs_card
from core.services.releases.draft import ReleaseDraft, draft_of
from core.services.releases.failures import FailuresService
from core.services.releases.gate_facts import Corrected, WinRates, gate_input, judged
from core.services.releases.making import ReleaseParts, checked_target, discard, require_releasable, write_release
from core.services.releases.names import MAKE, VERIFY, WITHDRAW
from core.services.releases.sending import Rooms
from core.services.releases.views import ReleaseInfo, ReleaseRequest
from core.services.reviewers.service import ReviewersService
from core.services.sealed.service import SealedService
from core.services.thresholds.service import ThresholdsService
from core.store import datasets, events
from core.store.chain_head import chain_head
from core.store.sqlite.database import Session, Store

if TYPE_CHECKING:
    from core.services.releases.gate_facts import Judged


_LATER = ("of", "withdrawn", "withdrawn_by", "verified", "verified_ms")
"""What later entries of the event log say of a release."""


class ReleasesService:
    """Decides and releases. Thread-safe.

    Attributes:
        failures: the failure queues of evaluations.
        win_rates: gives the win rates of people for an evaluation; None where nobody can be asked.
        corrected: adds the rates that an audit corrected to the evidence of an evaluation.
    """

    def __init__(
        self,
        store: Store,
        evaluations: EvaluationsService,
        sealed: SealedService,
        reviewers: ReviewersService,
        thresholds: ThresholdsService,
        rooms: Rooms,
    ) -> None:
        self._store, self._evaluations, self._sealed = store, evaluations, sealed
        self._reviewers, self._thresholds = reviewers, thresholds
        self.failures = FailuresService(store, rooms)
        self.win_rates: WinRates | None = None
        self.corrected: Corrected | None = None
        self._cycles = CycleReader(store, self.get, evaluations.find)

    def find(self, evaluation: str) -> EvaluationFolder:
        """Return the folder of an evaluation by its id, the beginning of it, or its name."""
        return self._evaluations.find(evaluation)

    def gate(self, evaluation: str, *, approver: str = "", limits: GateLimits | None = None) -> GateDecision:
        """Return what the gate says of a finished evaluation, under other ``limits`` than the ordinary ones if given.

        Raises:
            NotFound: when there is none, it is not finished, or its run is gone.
        """
        return self._decide(judged(self.find(evaluation), self.corrected), approver, limits)

    def draft(self, evaluation: str) -> ReleaseDraft:
        """Return what the gate says, what a release of the evaluation would hold, and who may approve it.

        Raises:
            NotFound: as :meth:`gate`.
        """
        one = judged(self.find(evaluation), self.corrected)
        return draft_of(one, self._decide(one, ""), self._reviewers.list(), self._thresholds.list())

    def _decide(self, one: Judged, approver: str, limits: GateLimits | None = None) -> GateDecision:
        # It imports statsmodels, which the window must not load when it starts.
        from core.evaluation.gate import decide

        rates = self.win_rates
        return decide(gate_input(one, self._sealed, self.failures, approver=approver, win_rates=rates, limits=limits))

    def make(
        self,
        request: ReleaseRequest,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome[ReleaseInfo]:
        """Write a release and note it in the event log; nothing is left behind when that fails.

        Raises:
            UserError: when the gate did not pass and no reason to release despite it is given, or the approver ran the
                evaluation.
            BadInput: when the target exists.
            NotFound: when evaluation, run, result, base model or a threshold is not there.
            Cancelled: when ``cancelled`` became true.
        """
        self._must_write()
        target, one = checked_target(request.out), judged(self.find(request.evaluation), self.corrected)
        if one.record.run.get("step"):
            raise UsageError(
                "This evaluation is of a checkpoint; only the result of a run is released.", "Evaluate the result."
            )
        decision = self._decide(one, request.approver)
        passed = decision.outcome == "passed"
        context = self._store.write_context()
        signed = Signed(
            release_id=new_uid(),
            name=checked_name(request.name, "release") if request.name else one.run_record.name,
            approver=request.approver.strip(),
            runner=one.runner,
            despite="" if passed else _sentence(request.despite),
            created_ms=context.at_ms,
        )
        require_releasable(decision, signed)
        thresholds = [self._thresholds.get(title) for title in request.thresholds]
        approver_id = self._person(signed.approver)
        with self._store.read() as session:
            head = chain_head(session).words
            cards = _dataset_card(session, one)
        contract = contract_of(signed, one, decision, thresholds, head)
        parts = ReleaseParts(one, decision, contract, cards, request.forms)
        sha256 = write_release(target, parts, on_progress=on_progress, cancelled=cancelled)
        info = ReleaseInfo(
            signed.release_id,
            signed.name,
            str(target),
            one.record.evaluation_id,
            one.run_record.run_id,
            decision.outcome,
            signed.approver,
            signed.runner,
            signed.despite,
            signed.created_ms,
            sha256,
            release_tuple(contract),
        )

        def write(session: Session) -> None:
            summary = f"Released {info.name}" + (" despite the gate" if info.despite else "")
            detail = info.to_plain()
            events.log(session, context, MAKE, summary, reviewer_id=approver_id, subject="release", detail=detail)

        try:
            self._store.write(write, "noting a release")
        except UserError:
            discard(target)  # a folder that no workspace knows would look like a release
            raise
        return Outcome(info, Changes.RELEASES)

    def withdraw(self, wanted: str, by: str, reason: str) -> Outcome[ReleaseInfo]:
        """Note for good that a release must no longer be used, and why; its folder stays as it is.

        Raises:
            NotFound: when there is no such release.
            UsageError: without a reason, or when it is withdrawn already.
        """
        self._must_write()
        info, why = self.get(wanted), _sentence(reason)
        if not why:
            raise UsageError("A release is withdrawn with a reason.", 'Say it: --reason "...".')
        if info.withdrawn:
            raise UsageError(f"{info.name} is withdrawn already: {info.withdrawn}", "Nothing is left to do.")
        person, context = self._person(by), self._store.write_context()
        detail = {"release_id": info.release_id, "reason": why, "by": by.strip()}

        def write(session: Session) -> None:
            summary = f"Withdrew release {info.name}"
            events.log(session, context, WITHDRAW, summary, reviewer_id=person, subject="release", detail=detail)

        self._store.write(write, "withdrawing a release")
        return Outcome(self.get(info.release_id), Changes.RELEASES)

    def verify(
        self,
        wanted: str,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome[ReleaseInfo]:
        """Measure a release again from its contract in a process of its own, and note by how much its numbers differ.

        Raises:
            NotFound: when there is no such release, or its folder or run is gone.
            BadInput: naming the file that was altered.
            Cancelled: when ``cancelled`` became true; nothing was noted.
        """
        info = self.get(wanted)
        found = run_in_subprocess(
            "core.services.releases.verify_program",
            {"folder": info.folder, "run_dir": str(self._runs_folder(info))},
            environment=worker_environment(),
            on_progress=on_progress,
            cancelled=cancelled,
        )
        if not self._store.read_only:
            context = self._store.write_context()
            detail = {key: found[key] for key in ("sentence", "numbers", "max_delta")}
            detail |= {"release_id": info.release_id, "at_ms": context.at_ms}

            def write(session: Session) -> None:
                summary = f"Measured release {info.name} again: {found['sentence']}"
                events.log(session, context, VERIFY, summary, subject="release", detail=detail)

            self._store.write(write, "noting a verification")
        is_equal = found["max_delta"] == 0
        return Outcome(replace(info, verified=str(found["sentence"]), came_out_equal=is_equal), Changes.RELEASES)

    def _runs_folder(self, info: ReleaseInfo) -> Path | str:
        """Return the run of a release in this workspace, "" where it is elsewhere: the contract names its place."""
        folder = self._store.folder / "runs" / info.run_id
        return folder if folder.is_dir() else ""

    def list(self) -> Sequence[ReleaseInfo]:
        """Return every release, newest first."""
        with self._store.read() as session:
            made, withdrawn, verified = (events.details(session, op) for op in (MAKE, WITHDRAW, VERIFY))
        gone = {str(row["release_id"]): row for row in withdrawn}
        again = {str(row["release_id"]): row for row in verified}
        found = []
        for row in made:
            values = {key: value for key, value in row.items() if key not in _LATER}
            end, check = gone.get(str(row["release_id"]), {}), again.get(str(row["release_id"]), {})
            info = ReleaseInfo(**values, tuple_=row["of"])
            found.append(
                replace(
                    info,
                    withdrawn=end.get("reason", ""),
                    withdrawn_by=end.get("by", ""),
                    verified=check.get("sentence", ""),
                    verified_ms=check.get("at_ms", 0),
                    came_out_equal=check.get("max_delta") == 0,
                )
            )
        return found[::-1]

    def get(self, wanted: str) -> ReleaseInfo:
        """Return a release by its id, the beginning of it, or its name (the newest of that name).

        Raises:
            NotFound: when there is none.
        """
        for info in self.list():
            if wanted in (info.release_id, info.name) or (len(wanted) >= 4 and info.release_id.startswith(wanted)):
                return info
        raise NotFound(f"There is no release {wanted!r}.", "See them with: releases WS")

    def compare(self, old: str, new: str) -> Cycle:
        """Return what differs between two releases, with every number that both have.

        Raises:
            NotFound: when there is no such release, or its evaluation is gone.
        """
        return self._cycles.compare(self._cycles.release_side(old), self._cycles.release_side(new))

    def cycle(self, old: str, new: str) -> Cycle:
        """Return what changed between two releases or finished evaluations, and what each change bought.

        Raises:
            NotFound: when there is no such release or evaluation.
        """
        return self._cycles.compare(self._cycles.side(old), self._cycles.side(new))

    def bridges(self, evaluation: str) -> list[Bought]:
        """Return what the policy of an evaluation scores on both versions of its suites, number by number.

        Raises:
            NotFound: when it is not there, not finished, or measured no two versions of a suite.
        """
        return self._cycles.bridges(evaluation)

    def problems(self) -> list[str]:
        """Return a sentence for each release whose folder is there and is not what was released."""
        with self._store.read() as session:
            return list(release_problems(events.details(session, MAKE)))

    def _person(self, name: str) -> int:
        known = self._reviewers.find(name.strip())
        if known is not None and known.kind.value != "human":
            raise UsageError(f"{known.name} is no person.", "Name a person.")
        return known.id if known is not None else self._reviewers.add(name.strip()).value.id

    def _must_write(self) -> None:
        if self._store.read_only:
            raise UserError("This workspace is open for reading only.", "Close the other window, or use that one.")


def _sentence(text: str) -> str:
    return cleaned_name(text, "-")[:500] if text.strip() else ""


def _dataset_card(session: Session, one: Judged) -> str:
    """Return the card of the dataset version, or of the pairs file where no version of this workspace stands behind."""
    root = str(one.run_record.dataset.get("root_sha256") or "")
    for version in datasets.listed(session):
        if version.root_sha256 == root:
            return card.write(session, version, {}, version.counts.get("test", 0))
    return pairs_card(one.run_record)
