"""Makes every dialog of the window, each under the name of its class, with little to choose from."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.actions.cheat_sheet import CheatSheet
from app.actions.shortcuts_editor import CaptureDialog
from app.annotate.edit_dialog import EditDialog
from app.annotate.queue_choice import QueueChoice, Queues
from app.annotate.queue_dialog import QueueDialog
from app.annotate.team_batch_dialog import BatchDialog
from app.annotate.team_batch_form import BatchChoices
from app.annotate.team_bundle_watch import WatchedFolder
from app.annotate.team_bundles_dialog import BundlesDialog
from app.annotate.team_hand_over_dialog import HandOverChoices, HandOverDialog
from app.annotate.team_quiz_dialog import QuizSetDialog
from app.annotate.team_reviewers_dialog import ReviewersDialog
from app.data.changeset_dialogs import ChangesetEditDialog
from app.data.consent_dialogs import GrantDialog, WithdrawDialog
from app.data.consent_subject import ConsentSubject
from app.data.feedback_add_dialog import FeedbackAddDialog
from app.data.feedback_answers_dialog import AnswerSource, FeedbackAnswersDialog
from app.data.feedback_import_dialog import FeedbackImportDialog
from app.data.freeze_dialog import FreezeDialog
from app.data.freeze_form import FreezeForm
from app.data.generate_dialog import GenerateDialog
from app.data.generate_plan import GenerateChoices
from app.data.pair_tagging import TagsDialog
from app.data.triage_dialog import TriageDialog, TriageLists
from app.evaluate.cycle_dialog import CycleDialog
from app.evaluate.judge_choices import JudgeChoices
from app.evaluate.judge_dialog import JudgeDialog
from app.evaluate.new_dialog import NewEvaluationDialog
from app.evaluate.new_plan import EvaluationChoices
from app.evaluate.prompt_dialog import PromptDialog
from app.evaluate.release_dialog import ReleaseDialog
from app.evaluate.release_info import ReleaseInfoDialog
from app.evaluate.threshold_dialog import ThresholdChoices, ThresholdsDialog
from app.evaluate.threshold_form import ConfirmDialog, NewThresholdDialog
from app.evaluate.threshold_words import SealedChoice
from app.evaluate.votes_dialog import VotesDialog
from app.evaluate.votes_figures import VoteChoices
from app.inspect.draw_dialog import DrawDialog
from app.inspect.lab_presenter import DrawChoices, LabPrompt
from app.main_window.new_workspace import NewWorkspaceDialog
from app.main_window.restore_dialog import RestoreDialog
from app.runs.export_dialog import ExportDialog
from app.runs.fork_dialog import ForkDialog
from app.runs.frontier_dialog import FrontierDialog
from app.runs.queue_dialog import RunQueueDialog
from app.runs.run_housekeeping import RunWordsDialog
from app.runs.sweep_dialog import SweepDialog
from app.train.token_proof import TokenProofDialog
from app.widgets.choice_dialog import ChoiceDialog
from app.widgets.dialog import BaseDialog
from app.widgets.question_dialog import QuestionDialog, TextDialog
from core.domain.batch import LabelBatch, SlotCounts
from core.domain.conversation import Prompt
from core.domain.dataset import DatasetVersion, FreezePolicy
from core.domain.prompt_inspection import InspectionRequest
from core.domain.release_gate import GateCheck, GateDecision
from core.domain.run_config import RunConfig
from core.domain.threshold import ErrorCosts
from core.domain.token_proof import PairProof, RowProof, TokenProof
from core.services.batches.views import BatchState
from core.services.releases.draft import Approver, ReleaseDraft
from core.services.releases.views import ReleaseInfo
from core.services.runs.run_table import RunSummary
from core.services.runs.views import RunRequest
from core.store.sqlite.backups import BackupFile

SUBJECT = ConsentSubject("source", 1, "made up")
ARMS = ("aligned", "reference")
ROW = RowProof("chosen", ("ask", ">", "4", "<end>"), 2, "4", "4")
PROOF = TokenProof((PairProof("p1", (), (ROW, ROW)),), 40, "2026-11-29")
GATE = GateDecision((GateCheck("leaks", "vetoes", "Leaks", "passed", "None."),))
DRAFT = ReleaseDraft(GATE, (), {"Policy": "mine"}, "mine-1", "Ann", (Approver("Ben"),), {}, ("harm v1",))
RELEASE = ReleaseInfo("r1", "mine-1", "/made", "e1", "1", "passed", "Ben", "Ann", "", 0, "a" * 64, {"policy": "mine"})
SUMMARY = RunSummary("1", "mine", "finished", "tiny", "mine v1", "sigmoid", 1e-5, 0.1, "LoRA r 16", 10, 10, 0, 61.0)
VERSION = DatasetVersion(1, "mine", 1, "0" * 64, FreezePolicy(), {"train": 20, "dev": 9})


def _none(*_: Any, **__: Any) -> Any:
    """Stand for what a dialog would ask for."""


def _freeze(running: Any) -> FreezeForm:
    services = running.context.services
    choices = services.rubrics.published(), services.pairs.sources(), services.reviewers.list()
    return FreezeForm(running.context.theme, "mine", *choices)


def _batch() -> BatchState:
    batch = LabelBatch(1, "u", "first", 1, "Helpful 1.0.0", {}, "random", 0, "Ann", 0)
    some = SlotCounts(4, 1, 0, 3)
    return BatchState(batch, ("Ann",), (), some, some, {}, {"Ann": some, "Ben": some}, some, 0, {}, 3, ())


def _feedback(folder: Path) -> Path:
    path = folder / "events.jsonl"
    path.write_text(json.dumps({"kind": "bug", "prompt": "14?", "answer": "15.", "note": "no"}) + "\n", "utf-8")
    return path


def _rubrics(running: Any) -> Any:
    return running.context.services.rubrics.published()


def _prompt(parent: Any, running: Any) -> PromptDialog:
    services: Any = SimpleNamespace(prompts=SimpleNamespace(inspect=_none))
    request = InspectionRequest("1", Prompt.from_text("14?"))
    return PromptDialog(parent, running.context.with_(open_services=services), request, "pair 1")


def _backups(folder: Path) -> list[BackupFile]:
    return [BackupFile(folder / "a.db", datetime(2026, 11, 29, tzinfo=UTC), "close", 4096, counts={"pairs": 6})]


def makers(running: Any, folder: Path) -> dict[str, Callable[[], BaseDialog]]:
    """Return what makes each dialog over the window; ``folder`` holds the files that some of them read."""
    parent = running.window.dialog_parent
    context = running.context
    theme, settings = context.theme, context.settings
    icon = theme.icons.pixmap("help", "accent", 32)
    hand = HandOverChoices(_batch(), {"Ann": 1, "Ben": 2}, frozenset())
    people = BatchChoices(((1, "Helpful 1.0.0"),), ((1, "Ann"), (2, "Ben")), ((1, "made up"),), ())
    asked = JudgeChoices("e1", ARMS, *ARMS, ("harm v1",), ("taste v1",), _rubrics(running))
    votes = VoteChoices("e1", ARMS, *ARMS, {"harm v1": False}, (("language", "en"),), _rubrics(running))
    lists = TriageLists(("Helpful",), ("harm",), ("first",))
    cut = ThresholdChoices((), (VERSION,), ())
    sealed = (SealedChoice("mine v1", 4, 0),)
    sides = [("b", "b (release)"), ("a", "a (release)")]
    runs = EvaluationChoices((), {}, (), {}, ())
    backup = _backups(folder)
    return {
        "BatchDialog": lambda: BatchDialog(parent, context, people, _none),
        "BundlesDialog": lambda: BundlesDialog(parent, context, WatchedFolder(context, parent)),
        "CaptureDialog": lambda: CaptureDialog(parent, context.actions, settings, "data.import"),
        "ChangesetEditDialog": lambda: ChangesetEditDialog(parent, context),
        "CheatSheet": lambda: CheatSheet(parent, theme, context.actions, "data"),
        "ChoiceDialog": lambda: ChoiceDialog(parent, "Flag", "What is wrong?", ["Unsafe", "Broken"]),
        "ConfirmDialog": lambda: ConfirmDialog(parent, context, "harm v1", sealed, _none),
        "CycleDialog": lambda: CycleDialog(parent, context, sides, "a", "b", _none),
        "DrawDialog": lambda: DrawDialog(parent, context, LabPrompt("14?", "7"), DrawChoices(), [("2", "other")]),
        "EditDialog": lambda: EditDialog(parent, theme, "left", "An answer.", "An answer."),
        "ExportDialog": lambda: ExportDialog(parent, context, "mine", {}, folder),
        "FeedbackAddDialog": lambda: FeedbackAddDialog(parent, context),
        "FeedbackAnswersDialog": lambda: FeedbackAnswersDialog(parent, context, [AnswerSource("mine", run="1")]),
        "FeedbackImportDialog": lambda: FeedbackImportDialog(parent, context, _feedback(folder)),
        "ForkDialog": lambda: ForkDialog(parent, context, "mine", RunConfig(), [40, 20]),
        "FreezeDialog": lambda: FreezeDialog(parent, context, _freeze(running)),
        "FrontierDialog": lambda: FrontierDialog(parent, context, ""),
        "GenerateDialog": lambda: GenerateDialog(parent, context, GenerateChoices(rubrics=_rubrics(running))),
        "GrantDialog": lambda: GrantDialog(parent, context, SUBJECT),
        "HandOverDialog": lambda: HandOverDialog(parent, context, hand, _none),
        "JudgeDialog": lambda: JudgeDialog(parent, context, asked, _none),
        "NewEvaluationDialog": lambda: NewEvaluationDialog(parent, context, runs, _none),
        "NewThresholdDialog": lambda: NewThresholdDialog(parent, context, (VERSION,), ErrorCosts(), _none),
        "NewWorkspaceDialog": lambda: NewWorkspaceDialog(parent, folder, _none),
        "PromptDialog": lambda: _prompt(parent, running),
        "QuestionDialog": lambda: QuestionDialog(
            parent, "Drop it?", "Nothing was stored.", ("Drop", "Keep", "Cancel"), picture=icon
        ),
        "QueueDialog": lambda: QueueDialog(parent, Queues(_rubrics(running)), QueueChoice()),
        "QuizSetDialog": lambda: QuizSetDialog(parent, context, list(_rubrics(running))),
        "ReleaseDialog": lambda: ReleaseDialog(parent, context, "e1", DRAFT, _none),
        "ReleaseInfoDialog": lambda: ReleaseInfoDialog(parent, context, RELEASE),
        "RestoreDialog": lambda: RestoreDialog(parent, running.tasks, "ws", backup, lambda _: ""),
        "ReviewersDialog": lambda: ReviewersDialog(parent, context),
        "RunQueueDialog": lambda: RunQueueDialog(parent, context),
        "RunWordsDialog": lambda: RunWordsDialog(parent, context, SUMMARY),
        "SweepDialog": lambda: SweepDialog(parent, context, RunRequest("tiny", name="mine"), "mine"),
        "TagsDialog": lambda: TagsDialog(parent, context, 2, ("kept",)),
        "TextDialog": lambda: TextDialog(parent, "New reviewer", "A pseudonym", "Ann"),
        "TextDialog of a paragraph": lambda: TextDialog(parent, "Publish", "What changed, and why?", lines=5),
        "ThresholdsDialog": lambda: ThresholdsDialog(parent, context, cut),
        "TokenProofDialog": lambda: TokenProofDialog(parent, theme, settings, PROOF),
        "TriageDialog": lambda: TriageDialog(parent, context, "suite", 2, lists, attacks=True, second=True),
        "VotesDialog": lambda: VotesDialog(parent, context, votes, _none),
        "WithdrawDialog": lambda: WithdrawDialog(parent, context, SUBJECT),
    }
