"""The tables of ``workspace.db`` as SQLModel classes, for writing queries.

They mirror the hand-written STRICT schema of the migrations and create nothing themselves: SQLModel tables do
not validate, so domain objects validate and the constraints and triggers of the schema enforce. A test compares
the two. Times are INTEGER milliseconds UTC, hashes hex sha256 text, JSON columns canonical JSON text.
Rows never leave ``core.store``.
"""

from core.store.tables.audits import AuditDrawRow, AuditLabelRow
from core.store.tables.datasets import (
    DatasetItemJudgementRow,
    DatasetItemRow,
    DatasetLeftOutRow,
    DatasetRow,
    DatasetRubricRow,
)
from core.store.tables.feedback import (
    ChangesetEntryRow,
    ChangesetRow,
    ConsentEntryRow,
    DatasetChangesetRow,
    FeedbackEventRow,
    FeedbackStepRow,
)
from core.store.tables.labels import (
    BookmarkRow,
    CurrentLabelRow,
    JudgementDraftRow,
    JudgementRow,
    LabelTallyRow,
    PresentationRow,
    RubricRow,
    RubricVersionRow,
    SkipRow,
    StepRow,
)
from core.store.tables.pairs import (
    BatchRangeRow,
    ImportBatchRow,
    PairFlagRow,
    PairRow,
    PairSourceRow,
    PairStateRow,
    PromptKeyRow,
    PromptRow,
    SourceRow,
)
from core.store.tables.releases import FailureStepRow, ThresholdRow
from core.store.tables.suites import SuiteItemRow, SuiteRow
from core.store.tables.team import (
    AdjudicationRow,
    BatchDrawRow,
    BatchRow,
    BatchSlotRow,
    BundleMergeRow,
    BundleRow,
    BundleSlotRow,
    ChangeRequestRow,
    ReviewerStateRow,
    SlotAssignmentRow,
    SlotPresentationRow,
)
from core.store.tables.votes import VoteItemRow, VoteRoundRow
from core.store.tables.workspace import (
    ChainEntryRow,
    ChainStateRow,
    CounterRow,
    EventRow,
    MetaRow,
    ModelRow,
    ReviewerRow,
    RunRow,
    SettingRow,
)

__all__ = [
    "AdjudicationRow",
    "AuditDrawRow",
    "AuditLabelRow",
    "BatchDrawRow",
    "BatchRangeRow",
    "BatchRow",
    "BatchSlotRow",
    "BookmarkRow",
    "BundleMergeRow",
    "BundleRow",
    "BundleSlotRow",
    "ChainEntryRow",
    "ChainStateRow",
    "ChangeRequestRow",
    "ChangesetEntryRow",
    "ChangesetRow",
    "ConsentEntryRow",
    "CounterRow",
    "CurrentLabelRow",
    "DatasetChangesetRow",
    "DatasetItemJudgementRow",
    "DatasetItemRow",
    "DatasetLeftOutRow",
    "DatasetRow",
    "DatasetRubricRow",
    "EventRow",
    "FailureStepRow",
    "FeedbackEventRow",
    "FeedbackStepRow",
    "ImportBatchRow",
    "JudgementDraftRow",
    "JudgementRow",
    "LabelTallyRow",
    "MetaRow",
    "ModelRow",
    "PairFlagRow",
    "PairRow",
    "PairSourceRow",
    "PairStateRow",
    "PresentationRow",
    "PromptKeyRow",
    "PromptRow",
    "ReviewerRow",
    "ReviewerStateRow",
    "RubricRow",
    "RubricVersionRow",
    "RunRow",
    "SettingRow",
    "SkipRow",
    "SlotAssignmentRow",
    "SlotPresentationRow",
    "SourceRow",
    "StepRow",
    "SuiteItemRow",
    "SuiteRow",
    "ThresholdRow",
    "VoteItemRow",
    "VoteRoundRow",
]
