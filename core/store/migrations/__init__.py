"""The migrations of ``workspace.db``: forward only, hand-written DDL, run by ``core.store.sqlite.migrate``."""
