"""The register of proxies of an evaluation, and of every evaluated checkpoint of a run."""

from __future__ import annotations

from core.domain.measured_evidence import MeasuredEvidence
from core.domain.proxies import CheckpointProxies, RegisteredProxy
from core.services.evaluations.service import EvaluationsService
from core.services.judging.service import JudgingService
from core.services.proxies import rules
from core.services.refusals.audits import AuditsService
from core.services.votes.service import VotesService


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
        """
        plain = self._evaluations.evidence(evaluation)
        folder = self._evaluations.find(evaluation)
        evidence = MeasuredEvidence.from_plain(self._audits.corrected(folder, plain))
        people, controlled = self._votes.win_rates(evaluation)
        found = [
            rules.reward(evidence, people),
            rules.detector(evidence),
            rules.length(evidence, people, controlled),
            rules.training(evidence),
        ]
        judges = [one for one in self._judging.reports(evaluation) if one.arm_a == evidence.aligned]
        return (*found, *(rules.judge(one, people) for one in judges))

    def of_run(self, run_id: str) -> list[CheckpointProxies]:
        """Return the register at each evaluated checkpoint of a run, by step; the run's result comes last."""
        found = []
        for info in self._evaluations.list():
            run = info.record.run
            if run.get("run_id") == run_id and info.state == "finished":
                step = int(run.get("step", 0))
                found.append(CheckpointProxies(info.evaluation_id, info.name, step, self.register(info.evaluation_id)))
        return sorted(found, key=lambda one: (one.step == 0, one.step))
