"""One open workspace and its use-cases: the window, the command line and tests hold this object.

This module is the composition root: it makes every service and hands each one the store and the other services that
it needs. No service imports this module.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Self

from core.domain.errors import UserError
from core.services.adjudication.service import AdjudicationService
from core.services.annotation.service import AnnotationService
from core.services.batches.service import BatchesService
from core.services.bundles.service import BundlesService
from core.services.datasets.service import DatasetsService
from core.services.evaluations.inspection import PromptInspectionService
from core.services.evaluations.service import EvaluationsService
from core.services.feedback.answers import PolicyAnswersService
from core.services.feedback.changesets import ChangesetsService
from core.services.feedback.consent import ConsentService
from core.services.feedback.reweighing import ReweighingService
from core.services.feedback.service import FeedbackService
from core.services.feedback.shift import FeedbackShiftService
from core.services.feedback.triage import TriageService
from core.services.generations.service import GenerationsService
from core.services.importing.service import ImportsService
from core.services.judging.service import JudgingService
from core.services.lab.dossier import PairDossierService
from core.services.lab.service import LabService
from core.services.models.service import ModelsService
from core.services.pairs.service import PairsService
from core.services.proxies.service import ProxiesService
from core.services.qualification.service import QualificationService
from core.services.quality.service import QualityService
from core.services.quality.suspects import SuspectsService
from core.services.refusals.audits import AuditsService
from core.services.releases.sending import Rooms
from core.services.releases.service import ReleasesService
from core.services.reviewers.service import ReviewersService
from core.services.rubrics.service import RubricsService
from core.services.runs.queue import RunQueueService
from core.services.runs.sample_pairs import SamplePairsService
from core.services.runs.service import RunsService
from core.services.sealed.service import SealedService
from core.services.suites.service import SuitesService
from core.services.talks.service import TalksService
from core.services.thresholds.service import ThresholdsService
from core.services.votes.service import VotesService
from core.services.workspace.service import WorkspaceService
from core.store.sqlite.database import Store
from core.store.sqlite.identity import DB_FILE
from core.unfinished import sweep
from core.version import VERSION


class Application:
    """An open workspace. Use it as a context manager or call :meth:`close`; all services are thread-safe.

    Attributes:
        store: the workspace database and its folder.
        workspace: counts, check, backup, activity.
        reviewers: who judges.
        rubrics: rubrics and their versions.
        annotation: queues, commits, undo. adjudication: pairs on which reviewers disagree.
        batches: slots for several people, their queues and accounting. bundles: what goes to other desks and back.
        generations: pairs that models generate for labelling.
        pairs: pages, filters, one pair's history.
        quality: agreement of reviewers and what is known of each. suspects: labels that a run contradicts.
        qualification: quizzes of gold items, who passed them, and what is worth practising.
        imports: files to pairs and labels.
        datasets: frozen dataset versions.
        models: models on this machine.
        runs: training runs. queue: runs that wait for their turn. sample_pairs: pairs of samples of a run.
        feedback: what people said of a policy. triage: what becomes of it. changesets: how it enters data.
        feedback_shift: how far it is from training and suites. reweighing: evaluations in its mix.
        policy_answers: what feedback can be about.
        consent: what sources, reviewers, events and pairs agreed to.
        suites: what policies are measured on.
        sealed: sealed tests, who looked at them, leaks, and what items were used for.
        evaluations: answers and evidence of runs on suites. prompts: one prompt under policy and reference.
        lab: the optimum of the objective on one prompt's answers. dossier: everything about one pair of a run.
        audits: answers that people label, and the refusal rates that are corrected by them.
        judging: judge models and what is known of them. proxies: each proxy with its counter-metric and alarm.
        talks: talks with a policy beside its reference or another run.
        thresholds: of guardrails, with their error rates.
        releases: the gate, the failure queue, releases.
        votes: what people say blind of two arms of an evaluation.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.workspace = WorkspaceService(store)
        self.reviewers = ReviewersService(store)
        self.rubrics = RubricsService(store)
        self.annotation, self.adjudication = AnnotationService(store), AdjudicationService(store)
        self.pairs = PairsService(store)
        self.quality = QualityService(store)
        self.qualification = QualificationService(store, self.quality)
        self.imports = ImportsService(store)
        self.datasets = DatasetsService(store)
        self.models = ModelsService(store)
        self.runs = RunsService(store, self.datasets, self.pairs)
        self.queue, self.sample_pairs = RunQueueService(store, self.runs), SamplePairsService(store)
        self.suspects = SuspectsService(store, self.runs)
        self.batches, self.bundles = BatchesService(store, self.runs, self.suspects), BundlesService(store)
        self.generations = GenerationsService(store, self.models, self.runs, self.batches)
        self.suites = SuitesService(store)
        self.feedback, self.triage = FeedbackService(store), TriageService(store)
        self.changesets, self.consent = ChangesetsService(store), ConsentService(store)
        self.sealed = SealedService(store, self.runs, self.suites)
        self.thresholds = ThresholdsService(store, self.datasets, self.sealed)
        self.evaluations = EvaluationsService(
            store, self.suites, self.datasets, self.rubrics, self.sealed, self.thresholds
        )
        self.prompts, self.lab = PromptInspectionService(store, self.suites), LabService(store, self.pairs)
        self.dossier = PairDossierService(self.runs, self.prompts, self.changesets, self.annotation)
        self.talks = TalksService(store, self.annotation, self.feedback)
        self.judging = JudgingService(store, self.evaluations, self.suites, self.rubrics)
        self.audits = AuditsService(store, self.evaluations)
        rooms = Rooms(self.feedback, self.triage)
        self.releases = ReleasesService(store, self.evaluations, self.sealed, self.reviewers, self.thresholds, rooms)
        self.releases.corrected = self.audits.corrected
        self.policy_answers = PolicyAnswersService(store, self.evaluations, self.runs)
        self.votes = VotesService(store, self.evaluations, self.sealed)
        self.releases.win_rates = self.votes.win_rates
        self.judging.people, self.judging.votes = self.votes.outcomes, self.votes.by_person
        self.proxies = ProxiesService(self.evaluations, self.audits, self.votes, self.judging)
        self.reweighing = ReweighingService(self.evaluations, self.suites, self.feedback)
        self.feedback_shift = FeedbackShiftService(store, self.feedback, self.suites, self.datasets)

    @classmethod
    def open(cls, path: Path, *, create: bool = False, read_only: bool = False, name: str = "") -> Application:
        """Open the workspace at ``path``, a workspace folder or the ``workspace.db`` in it.

        Args:
            path: the folder or its database file.
            create: make a workspace when there is none.
            read_only: take no lock and write nothing; works beside a window that has the workspace open.
            name: what a new workspace is called; the folder's name when empty.

        Raises:
            NotFound: there is no workspace and ``create`` is False.
            WorkspaceInUse: another process has it open for writing.
            WorkspaceNewer, WorkspaceDamaged: nothing was written to it.
        """
        path = Path(path)
        folder = path.parent if path.name == DB_FILE and not path.is_dir() else path
        sweep()
        app = cls(Store.open(folder, create=create, read_only=read_only, name=name, version=VERSION))
        try:
            app.workspace.record_losses()
            with suppress(UserError):  # a full disk, for example; the notes stay, and are taken next time
                app.datasets.take_openings()
        except BaseException:
            app.close()
            raise
        return app

    @property
    def folder(self) -> Path:
        """The workspace folder."""
        return self.store.folder

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        return self.store.read_only

    def close(self) -> None:
        """Finish the queued writes and release the workspace. Calling it again does nothing."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
