"""Every statement that makes a new workspace of the newest schema, in order: what *Check workspace* compares with."""

from __future__ import annotations

from core.store.migrations.ddl_0001_guards import GUARDS
from core.store.migrations.ddl_0001_tables import INDEXES, SEED, TABLES
from core.store.migrations.ddl_0001_tallies import TALLIES
from core.store.migrations.ddl_0002_texts import TEXTS
from core.store.migrations.ddl_0003_chain import CHAIN
from core.store.migrations.ddl_0004_batch import BATCH
from core.store.migrations.ddl_0005_suites import SUITES
from core.store.migrations.ddl_0006_feedback import FEEDBACK
from core.store.migrations.ddl_0007_releases import RELEASES
from core.store.migrations.ddl_0008_audits import AUDITS
from core.store.migrations.ddl_0009_votes import VOTES
from core.store.migrations.ddl_0010_team import TEAM

STATEMENTS: tuple[str, ...] = (
    *(*TABLES, *INDEXES, *SEED, *GUARDS, *TALLIES, *TEXTS, *CHAIN, *BATCH, *SUITES, *FEEDBACK, *RELEASES, *AUDITS),
    *(*VOTES, *TEAM),
)
