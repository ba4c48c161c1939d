"""The register of proxies of an evaluation, and of every evaluated checkpoint of a run."""

from __future__ import annotations

from collections.abc import Collection

from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.frontier import BetaFrontier
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.proxies import CheckpointCurve, CheckpointProxies, RegisteredProxy
from core.services.evaluations.service import EvaluationsService
from core.services.evaluations.views import EvaluationInfo
from core.services.judging.service import JudgingService
from core.services.proxies import rules
from core.services.refusals.audits import AuditsService
from core.services.votes.service import VotesService

_Measured = tuple[MeasuredEvidence, Estimate | None, Estimate | None]


class ProxiesService:
    """Sets each proxy beside the number that would show that it is empty. Nothing is stored."""

    def __init__(
        self, evaluations: EvaluationsService, audits: AuditsService, votes: VotesService, judging: JudgingService
    ) -> None:
        self._evaluations, self._audits = evaluations, audits
        self._votes, self._judging = votes, judging

    def register(self, evaluation: str) -> tuple[RegisteredProxy, ...]:
        """Return the proxies of a finished evaluation with their alarms.

        Raises:
            NotFound: when there is none, or it is not finished.
            BadInput: when a part of it was altered.
        """
        return self._proxies(evaluation, *self._measured(evaluation))

    def _measured(self, evaluation: str) -> _Measured:
        """Return the evidence, the win rate by people, and the one at equal length."""
        folder, plain = self._evaluations.unaltered(evaluation), self._evaluations.evidence(evaluation)
        evidence = MeasuredEvidence.from_plain(self._audits.corrected(folder, plain))
        return evidence, *self._votes.win_rates(evaluation)

    def _proxies(
        self, evaluation: str, evidence: MeasuredEvidence, people: Estimate | None, controlled: Estimate | None
    ) -> tuple[RegisteredProxy, ...]:
        found = [
            rules.reward(evidence, people),
            rules.detector(evidence),
            rules.length(evidence, people, controlled),
            rules.training(evidence),
        ]
        judges = [one for one in self._judging.reports(evaluation) if one.arm_a == evidence.aligned]
        return (*found, *(rules.judge(one, people) for one in judges))

    def curve(self, run_id: str) -> CheckpointCurve:
        """Return the run's evaluated checkpoints by distance from the reference, with the curves fitted to them."""
        # numpy and scipy take a second to import, and only this needs them.
        from core.services.proxies.curve import MeasuredCheckpoint, curve_of

        found = []
        for info in self._finished(run_id):
            measured = self._measured(info.evaluation_id)
            alarms = tuple(one.title for one in self._proxies(info.evaluation_id, *measured) if one.alarm)
            step = _step(info)
            found.append(MeasuredCheckpoint(info.evaluation_id, info.name, step, measured[0], measured[1], alarms))
        return curve_of(found)

    def of_run(self, run_id: str) -> list[CheckpointProxies]:
        """Return the register at each evaluated checkpoint of a run, by step; the run's result comes last."""
        return [
            CheckpointProxies(info.evaluation_id, info.name, _step(info), self.register(info.evaluation_id))
            for info in self._finished(run_id)
        ]

    def frontier(self, number: str = "preference_accuracy", *, runs: Collection[str] | None = None) -> BetaFrontier:
        """Return every evaluated run of the workspace by beta and seed, with its KL and quality.

        Args:
            number: what quality is: ``win_rate``, or a number of the evidence with a good direction.
            runs: ids of the runs that count; None for all.

        Raises:
            UsageError: for a number that is none of these.
        """
        # numpy and scipy take a second to import, and only this and the curve need them.
        from core.services.proxies.frontier import MeasuredRun, frontier_of

        found, altered = [], []
        for info in self._evaluations.list():
            of_these = runs is None or info.record.run.get("run_id") in runs
            if info.state == "finished" and of_these:
                try:
                    evidence, people, _ = self._measured(info.evaluation_id)
                    found.append(MeasuredRun(info.record, evidence, people))
                except BadInput as error:
                    altered.append(f"{info.name}: {error.message}")
        return frontier_of(found, number, altered)

    def _finished(self, run_id: str) -> list[EvaluationInfo]:
        """Return the finished evaluations of a run by step, of one step the newest first; its result comes last."""
        found = [
            info
            for info in self._evaluations.list()
            if info.record.run.get("run_id") == run_id and info.state == "finished"
        ]
        return sorted(found, key=lambda info: (_step(info) == 0, _step(info)))


def _step(info: EvaluationInfo) -> int:
    return int(info.record.run.get("step", 0))
